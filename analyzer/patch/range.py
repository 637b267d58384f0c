"""Read a range of git commits into a series."""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.base import AnalyzerError
from analyzer.patch.diff import parse_diff
from analyzer.patch.model import Patch, Series
from analyzer.tree.git import DEEPEN, run_git, shallow_hint

_DIFF = (
    *("diff-tree", "--root", "--no-commit-id", "-p", "-r", "-M", "--full-index", "--no-color"),
    *("--no-ext-diff", "--no-textconv", "--src-prefix=a/", "--dst-prefix=b/", "--unified=3"),
    *("--submodule=short", "--ita-invisible-in-index", "--no-relative"),
)


def is_range(text: str) -> bool:
    """Say whether a text is spelled like a range of revisions: "A..B"."""
    before, dots, after = text.partition("..")
    return bool(dots) and bool(before or after) and not after.startswith((".", "/"))


def read_range(repo: str, revisions: str) -> Series:
    """Return the commits of a range "A..B" (a side left out is HEAD), oldest first, as patches.

    Merges are left out, with a note; where nothing else is there the series is empty. Raise
    AnalyzerError where there is no such range.
    """
    before, dots, after = revisions.partition("..")
    if not dots or after.startswith("."):
        raise AnalyzerError(f'{revisions}: not a range of commits; expected "A..B"')
    ends = [_commit(repo, side or "HEAD") for side in (before, after)]
    listed = _git(
        repo, "rev-list", "--reverse", "--topo-order", "--parents", f"{ends[0]}..{ends[1]}"
    )
    commits = [line.split() for line in listed.decode("ascii").splitlines()]
    refuse_cut(repo, revisions, (row[0] for row in commits if len(row) == 1))
    plain = [row[0] for row in commits if len(row) <= 2]
    if not commits:
        raise AnalyzerError(f"{revisions}: no commits in this range")
    merges = len(commits) - len(plain)
    told = f"{merges} merge commit{'s' if merges > 1 else ''} left out"
    notes = (f"{revisions}: {told}",) if merges else ()
    patches = (read_commit(repo, commit, index) for index, commit in enumerate(plain, 1))
    return Series(tuple(patches), notes)


def refuse_cut(repo: str, revisions: str, roots: Iterable[str]) -> None:
    """Raise AnalyzerError where one of the commits has lost its parents, as in a shallow clone."""
    for commit in roots:
        header = _git(repo, "cat-file", "commit", commit).partition(b"\n\n")[0]
        if b"\nparent " in header:
            raise AnalyzerError(
                f"{revisions}: this clone's history is cut off at {commit[:12]}, in the range: "
                f"fetch more of it ({DEEPEN})"
            )


def read_commit(repo: str, commit: str, index: int) -> Patch:
    """Return a commit as a patch; it has no files where the commit is empty."""
    body = _git(repo, *_DIFF, commit)
    message = _git(repo, "log", "-1", "--no-show-signature", "--format=%B", commit)
    subject = message.decode("utf-8", "replace").strip().partition("\n")[0]
    name = commit[:12]
    lines = tuple(enumerate(body.split(b"\n")[:-1], 1))
    return Patch(
        index=index,
        subject=subject,
        tag="",
        message_id="",
        files=parse_diff(lines, name, None),
        notes=(),
        name=name,
        raw=message + b"\n" + body,
        body=body,
        body_line=1,
    )


def _commit(repo: str, revision: str) -> str:
    if "\0" in revision or "\n" in revision:
        raise AnalyzerError(f"{revision!r}: not the name of a revision")
    status, output, complaint = run_git(
        repo, ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"]
    )
    if status:
        why = f" ({complaint})" if complaint else ""
        raise AnalyzerError(f"{repo}: no such revision: {revision}{why}{shallow_hint(repo)}")
    return output.decode("ascii").strip()


def _git(repo: str, *arguments: str) -> bytes:
    status, output, complaint = run_git(repo, arguments)
    if status:
        raise AnalyzerError(f"{repo}: git {arguments[0]} failed: {complaint}")
    return output
