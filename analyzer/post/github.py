"""Know GitHub's REST interface: pull requests, review comments, issue comments."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from analyzer.post.client import Client, Json
from analyzer.post.forge import Forge, Place, Shown, shown_lines

VARIABLES = ("GITHUB_TOKEN", "GH_TOKEN")
URL = "https://api.github.com"
_MOST = 100


def headers(token: str) -> dict[str, str]:
    """Return what tells GitHub who we are and which interface we speak."""
    return {
        "Authorization": f"Bearer {token}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }


def key_of(url: str, repository: str, number: int) -> str:
    """Return what names a pull request in the ledger."""
    return f"github {url} {repository}#{number}"


def open_forge(client: Client, url: str, repository: str, number: int) -> Forge:
    """Return a pull request to post to."""
    pull, issue = f"repos/{repository}/pulls/{number}", f"repos/{repository}/issues"
    heads: list[str] = []

    def shown() -> Mapping[str, Shown]:
        files = client.pages(f"{pull}/files", per_page=_MOST)
        return {f["filename"]: _shown(f) for f in files if f["status"] != "removed"}

    def head() -> str:
        if not heads:
            heads.append(client.get(pull)["head"]["sha"])
        return heads[0]

    def comment(place: Place, text: str) -> str:
        where: dict[str, Json] = (
            {"subject_type": "file"}
            if place.line is None
            else {"line": place.line, "side": "RIGHT"}
        )
        body = {"body": text, "commit_id": head(), "path": place.file, **where}
        return str(client.write("POST", f"{pull}/comments", body)["id"])

    def note(remote: str | None, text: str) -> str:
        if remote is None:
            answer = client.write("POST", f"{issue}/{number}/comments", {"body": text})
        else:
            answer = client.write("PATCH", f"{issue}/comments/{remote}", {"body": text})
        return str(answer["id"])

    return Forge(
        key=key_of(url, repository, number),
        shown=shown,
        comments=lambda: _texts(client, f"{pull}/comments"),
        comment=comment,
        notes=lambda: _texts(client, f"{issue}/{number}/comments"),
        note=note,
    )


def _shown(file: Json) -> Shown:
    before = file.get("previous_filename") or file["filename"]
    # GitHub leaves the hunks of a large or binary file out.
    return shown_lines(file["filename"], before, file.get("patch") or "")


def _texts(client: Client, path: str) -> Iterator[tuple[str, str]]:
    for held in client.pages(path, per_page=_MOST):
        yield str(held["id"]), held["body"] or ""
