"""Know GitLab's REST interface: merge requests, discussions, notes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote

from analyzer.post.client import Client, Json
from analyzer.post.forge import Forge, Place, Shown, shown_lines

VARIABLES = ("GITLAB_TOKEN",)
URL = "https://gitlab.com/api/v4"
_MOST = 100
_SIDES = ("base_sha", "start_sha", "head_sha")


def headers(token: str) -> dict[str, str]:
    """Return what tells GitLab who we are."""
    return {"PRIVATE-TOKEN": token}


def key_of(url: str, project: str, number: int) -> str:
    """Return what names a merge request in the ledger."""
    return f"gitlab {url} {project}!{number}"


def open_forge(client: Client, url: str, project: str, number: int) -> Forge:
    """Return a merge request to post to."""
    request = f"projects/{quote(project, safe='')}/merge_requests/{number}"
    files: dict[str, Shown] = {}
    versions: list[Mapping[str, str]] = []

    def shown() -> Mapping[str, Shown]:
        for file in client.pages(f"{request}/diffs", per_page=_MOST):
            if not file["deleted_file"]:
                files[file["new_path"]] = shown_lines(
                    file["new_path"], file["old_path"], file["diff"] or ""
                )
        return files

    def version() -> Mapping[str, str]:
        if not versions:
            newest = client.get(f"{request}/versions")[0]
            versions.append(
                {f"{s}": newest[f"{s.removesuffix('_sha')}_commit_sha"] for s in _SIDES}
            )
        return versions[0]

    def comment(place: Place, text: str) -> str:
        position: dict[str, Json] = {
            **version(),
            "new_path": place.file,
            "old_path": files[place.file].before_path,
            "position_type": "file" if place.line is None else "text",
        }
        if place.line is not None:
            position["new_line"] = place.line
        # GitLab knows a line that the change leaves as it is by both of its numbers.
        if place.before is not None:
            position["old_line"] = place.before
        body = {"body": text, "position": position}
        return str(client.write("POST", f"{request}/discussions", body)["id"])

    def note(remote: str | None, text: str) -> str:
        path = f"{request}/notes" if remote is None else f"{request}/notes/{remote}"
        answer = client.write("POST" if remote is None else "PUT", path, {"body": text})
        return str(answer["id"])

    return Forge(
        key=key_of(url, project, number),
        shown=shown,
        comments=lambda: _discussions(client, f"{request}/discussions"),
        comment=comment,
        notes=lambda: _notes(client, f"{request}/notes"),
        note=note,
    )


def _discussions(client: Client, path: str) -> Iterator[tuple[str, str]]:
    for discussion in client.pages(path, per_page=_MOST):
        if discussion["notes"]:
            yield str(discussion["id"]), discussion["notes"][0]["body"]


def _notes(client: Client, path: str) -> Iterator[tuple[str, str]]:
    for held in client.pages(path, per_page=_MOST):
        yield str(held["id"]), held["body"]
