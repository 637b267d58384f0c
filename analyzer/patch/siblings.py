"""Find the other patches of a series in git, where one of it is given alone.

Tools such as `b4 prep --check` hand over one patch at a time. What a later patch mends can be told
only with that patch at hand. The commit of the given patch is known by its subject and by what it
adds and removes, so that another version of the same series is not taken for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from analyzer.patch.model import Patch
from analyzer.patch.range import read_commit
from analyzer.patch.thread import read_place
from analyzer.tree.git import run_git

#: How many commits are looked through for the subject, and for a patch whose subject has changed.
_RECENT, _TOUCHING = 1000, 30


@dataclass(frozen=True, slots=True)
class Siblings:
    """The patches of a series in order, the given one among them, and which one that is."""

    patches: tuple[Patch, ...]
    given: int  # from 1
    note: str


@dataclass(frozen=True, slots=True)
class _Commit:
    id: str
    author: str
    subject: str
    parents: int


def find_siblings(patch: Patch, repo: str) -> Siblings | None:
    """Return the series that a patch says it is part of; None where git has none of the others.

    A patch is number k of n by its subject's tag. The commits around its own are its siblings as
    long as they are no merges and have the same author; an empty one, a cover letter, is none.
    """
    place = read_place(f"{patch.tag} {patch.subject}")
    number, total = place.number or 0, place.total or 0
    if not 1 <= number <= total or total < 2 or place.is_reply or not _is_top(repo):
        return None
    own = _own_commit(patch, repo)
    if own is None:
        return None
    before = _series(repo, _before(repo, own), own, number - 1)[::-1]
    after = _series(repo, _after(repo, own), own, total - number)
    if not before and not after:
        return None
    ordered = (*before, patch, *after)
    given = len(before) + 1
    others = ", ".join(f'{p.name} "{p.subject}"' for p in (*before, *after))
    note = (
        f"{patch.name}: judged as patch {number} of {total}, with what git has of the series: "
        f"{others} (--alone judges it by itself)"
    )
    return Siblings(tuple(replace(p, index=n) for n, p in enumerate(ordered, 1)), given, note)


def _is_top(repo: str) -> bool:
    """Tell whether the tree is the top of a repository: else its paths are not those of git."""
    status, prefix, _ = run_git(repo, ["rev-parse", "--show-prefix"])
    return status == 0 and not prefix.strip()


def _own_commit(patch: Patch, repo: str) -> _Commit | None:
    changes = _changes(patch)
    recent = _log(repo, f"--max-count={_RECENT}", "HEAD", "--branches", "--")
    named = [c for c in recent if c.subject == patch.subject]
    paths = sorted({p for f in patch.files for p in (f.before, f.after) if p is not None})
    touching = _log(repo, f"--max-count={_TOUCHING}", "HEAD", "--branches", "--", *paths)
    for commit in (*named, *(c for c in touching if c not in named)):
        if commit.parents == 1 and _changes(read_commit(repo, commit.id, 1)) == changes:
            return commit
    return None


def _changes(patch: Patch) -> tuple[tuple[str, str, bytes], ...]:
    """Return what a patch adds and removes, in order, without context and blanks."""
    return tuple(
        (change.path, line.kind, b"".join(line.text.split()))
        for change in sorted(patch.files, key=lambda f: f.path)
        for hunk in change.hunks
        for line in hunk.lines
        if line.kind != " "
    )


def _log(repo: str, *arguments: str) -> list[_Commit]:
    status, output, _ = run_git(
        repo, ["log", "--no-show-signature", "--format=%H%x00%P%x00%ae%x00%s", *arguments]
    )
    rows = output.decode("utf-8", "replace").splitlines() if status == 0 else []
    fields = (row.split("\0", 3) for row in rows)
    return [_Commit(f[0], f[2], f[3], len(f[1].split())) for f in fields if len(f) == 4]


def _before(repo: str, own: _Commit) -> list[_Commit]:
    return _log(repo, "--first-parent", "--max-count=60", f"{own.id}~", "--")


def _after(repo: str, own: _Commit) -> list[_Commit]:
    """Return the commits that follow one, oldest first, on the current branch or any other."""
    status, heads, _ = run_git(
        repo, ["for-each-ref", "--contains", own.id, "--format=%(refname)", "refs/heads"]
    )
    inside = run_git(repo, ["merge-base", "--is-ancestor", own.id, "HEAD"])[0] == 0
    branches = sorted(heads.decode("utf-8", "replace").split()) if status == 0 else []
    tip = "HEAD" if inside else next(iter(branches), None)
    if tip is None:
        return []
    return _log(repo, "--reverse", "--ancestry-path", f"{own.id}..{tip}", "--")


def _series(repo: str, commits: Sequence[_Commit], own: _Commit, most: int) -> list[Patch]:
    """Return the first commits that can be of the series, as patches."""
    found: list[Patch] = []
    for commit in _alike(commits, own):
        if len(found) == most:
            break
        patch = read_commit(repo, commit.id, 1)
        if patch.files:
            found.append(patch)
    return found


def _alike(commits: Sequence[_Commit], own: _Commit) -> Iterator[_Commit]:
    for commit in commits:
        if commit.parents != 1 or commit.author != own.author:
            return
        yield commit
