"""Apply a patch to a tree, in memory, every context and removed line verified."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from analyzer.base import AnalyzerError
from analyzer.patch.locate import (
    Place,
    best_guess,
    context_around,
    has_other_blanks,
    place_hunks,
)
from analyzer.patch.model import ChangeKind, FileChange, Hunk, Patch, reverse_patch
from analyzer.patch.sections import quote, quote_both
from analyzer.patch.splice import splice, split_lines
from analyzer.tree.api import Tree, why_unread
from analyzer.tree.overlay import Overlay

#: Context lines that may be left out of account at either end, as GNU patch has it.
MAX_FUZZ = 2
#: So many hunks that fit nowhere are listed; the others are counted.
_MOST_TOLD = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Placement:
    """Where a hunk went; lines count from 1, before and after this patch."""

    file: str
    hunk: int  # from 1, in its file
    offset: int
    fuzz: int
    before_lines: range
    after_lines: range


class ChangedLines(NamedTuple):
    """The lines a patch took from a file and the lines it put there; lines count from 1."""

    before: tuple[range, ...]
    after: tuple[range, ...]


@dataclass(frozen=True, slots=True)
class Rejected:
    """A hunk that fits nowhere, or (hunk 0) a file that the patch cannot touch."""

    file: str
    hunk: int
    line: int  # in the patch
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """What applying a patch gave.

    changed maps the name before to the lines removed there, and the name after to the lines added;
    mostly these are one name. Where a patch changes a file twice, the second time counts in the
    file as the first time left it.
    """

    tree: Tree
    placements: tuple[Placement, ...]
    changed: Mapping[str, ChangedLines]
    rejected: tuple[Rejected, ...]
    already_applied: bool
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Refused:
    """What was rejected; the reason why a hunk does not fit is worked out only when told."""

    file: str
    index: int
    line: int
    reason: str = ""
    hunk: Hunk | None = None
    lines: Sequence[bytes] = ()

    def tell(self) -> Rejected:
        reason = self.reason if self.hunk is None else _mismatch(self.lines, self.hunk)
        return Rejected(self.file, self.index, self.line, reason)


@dataclass(slots=True)
class _Work:
    """What has been done to the files so far."""

    tree: Tree
    max_fuzz: int
    leaving: frozenset[str | None]  # the files that the patch takes away or renames
    files: dict[str, bytes | None] = field(default_factory=dict)
    placements: list[Placement] = field(default_factory=list)
    removed: dict[str, list[range]] = field(default_factory=dict)
    added: dict[str, list[range]] = field(default_factory=dict)
    made: set[str] = field(default_factory=set)
    refused: list[_Refused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def read(self, path: str) -> bytes | None:
        return self.files[path] if path in self.files else self.tree.read(path)

    def start(self, change: FileChange, path: str) -> bytes | None:
        """Return what a change starts from.

        As git has it, a copy is one of what was there before the patch, in whatever order this
        tells of files; so is what leaves a name that another file was given.
        """
        was_there = change.kind is ChangeKind.COPIED or (path in self.made and path in self.leaving)
        before = self.tree.read(path) if was_there else None
        return self.read(path) if before is None else before

    def is_taken(self, change: FileChange) -> bool:
        """Tell whether a file that stays has the name that a rename or a copy gives."""
        if change.kind not in (ChangeKind.RENAMED, ChangeKind.COPIED) or change.after is None:
            return False
        leaves = change.after in self.leaving and change.after not in self.made
        return not leaves and self.read(change.after) is not None

    def leave(self, path: str) -> None:
        """Take a file away, unless another one was given its name."""
        if path not in self.made or self.tree.read(path) is None:
            self.files[path] = None

    def reject(self, change: FileChange, reason: str) -> None:
        self.refused.append(_Refused(change.path, 0, change.line, reason))

    @property
    def distance(self) -> int:
        return max((abs(placement.offset) for placement in self.placements), default=0)


def apply_patch(tree: Tree, patch: Patch, *, partial: bool = False) -> Applied:
    """Return the tree with a patch applied; the given tree is left as it is.

    Hunks are found as GNU patch finds them. A patch that the tree already has is recognised and
    changes nothing. Raise AnalyzerError that lists every hunk that fits nowhere, unless partial:
    then what fits is applied and the rest returned as rejected.
    """
    work = _run(tree, patch, 0)
    if (work.refused or work.distance) and _is_applied(tree, patch, 0, work):
        return _already(tree)
    if work.refused:
        work = _run(tree, patch, MAX_FUZZ)
        if work.refused and _is_applied(tree, patch, MAX_FUZZ, work):
            return _already(tree)
    rejected = tuple(refused.tell() for refused in work.refused)
    if rejected and not partial:
        raise AnalyzerError(f"{refusal(tree, patch, rejected)}\n{_ADVICE}")
    changed = {
        path: ChangedLines(
            tuple(work.removed.get(path, ())),
            tuple(work.added.get(path, ())),
        )
        for path in sorted({*work.files, *work.removed, *work.added})
    }
    return Applied(
        tree=Overlay(tree, work.files),
        placements=tuple(work.placements),
        changed=changed,
        rejected=rejected,
        already_applied=False,
        notes=(*work.notes, *_displaced(work.placements)),
    )


def _is_applied(tree: Tree, patch: Patch, max_fuzz: int, forward: _Work) -> bool:
    """Say whether a patch is in the tree already: it can be undone as a whole, and not applied."""
    if any(change.kind is ChangeKind.COPIED for change in patch.files):
        return False  # what a copy held is not in the patch, so nothing would be verified
    undo = _run(tree, reverse_patch(patch), max_fuzz)
    if undo.refused or not undo.files:
        return False
    # Where both directions fit, the nearer one is meant.
    return bool(forward.refused) or undo.distance < forward.distance


def _already(tree: Tree) -> Applied:
    return Applied(
        tree=tree, placements=(), changed={}, rejected=(), already_applied=True, notes=()
    )


def _run(tree: Tree, patch: Patch, max_fuzz: int) -> _Work:
    goes = (ChangeKind.RENAMED, ChangeKind.DELETED)
    leaving = frozenset(change.before for change in patch.files if change.kind in goes)
    work = _Work(tree, max_fuzz, leaving)
    for change in patch.files:
        if change.kind is ChangeKind.BINARY:
            work.notes.append(f"{change.path}: binary change left out")
            continue
        if change.kind is ChangeKind.LINK:
            work.notes.append(f"{change.path}: symbolic link left out")
            if change.after is None:  # a file may take its place
                work.files[change.path] = None
            continue
        data = _start(work, change)
        if data is not None:
            _apply_file(work, change, data)
    return work


def _start(work: _Work, change: FileChange) -> bytes | None:
    """Return the bytes that a change starts from; None where it cannot start, which is noted."""
    if change.before is None:
        if change.after is not None and work.read(change.after):
            work.reject(change, "the patch makes this file, but the tree has it")
            return None
        return b""
    data = work.start(change, change.before)
    if data is None:
        work.reject(change, why_unread(work.tree, change.before))
    elif work.is_taken(change):
        work.reject(change, f"the patch makes it from {change.before}, but the tree has it")
        return None
    return data


def _apply_file(work: _Work, change: FileChange, data: bytes) -> None:
    lines = split_lines(data)
    places = place_hunks(lines, change.hunks, work.max_fuzz)
    placed: list[tuple[int, Hunk, Place]] = []
    for index, (hunk, place) in enumerate(zip(change.hunks, places, strict=True), 1):
        if place is None:
            work.refused.append(_Refused(change.path, index, hunk.line, hunk=hunk, lines=lines))
        else:
            placed.append((index, hunk, place))
    if change.kind is ChangeKind.MODIFIED and change.hunks and not placed:
        return  # the file stays what it is
    spliced = splice(lines, [(hunk, place) for _, hunk, place in placed])
    for (index, _, place), (before, after) in zip(placed, spliced.spans, strict=True):
        work.placements.append(
            Placement(
                file=change.path,
                hunk=index,
                offset=place.offset,
                fuzz=place.fuzz,
                before_lines=before,
                after_lines=after,
            )
        )
    if change.before is not None and spliced.removed:
        work.removed.setdefault(change.before, []).extend(spliced.removed)
    if change.after is not None and spliced.added:
        work.added.setdefault(change.after, []).extend(spliced.added)
    _store(work, change, spliced.data)


def _store(work: _Work, change: FileChange, data: bytes) -> None:
    if change.after is None:
        if data and change.hunks:
            rest = data.count(b"\n")
            work.reject(change, f"the patch removes this file, but {rest} lines would stay")
            return
        assert change.before is not None, "a change has at least one side"
        work.leave(change.before)
        return
    if change.kind is ChangeKind.RENAMED and change.before is not None:
        work.leave(change.before)
    if change.kind is not ChangeKind.MODE:
        work.files[change.after] = data
    if change.after != change.before:
        work.made.add(change.after)


def _mismatch(lines: Sequence[bytes], hunk: Hunk) -> str:
    """Say which line of a hunk is the first that the file does not have."""
    start = best_guess(lines, hunk)
    if start is None and has_other_blanks(lines, hunk):
        return "its lines are in the file with other blanks; have tabs become blanks on the way?"
    if start is None:
        return f"no line of it, brackets aside, is in the file ({len(lines)} lines)"
    for at, expected in enumerate(hunk.before, start):
        if at >= len(lines):
            return f"line {at + 1}: expected {quote(expected)}, found the end of the file"
        if lines[at] != expected:
            told, found = quote_both(expected, lines[at])
            shown = f"expected {told}, found {found}"
            blanks = expected.split() == lines[at].split()
            return f"line {at + 1}: {shown}" + (" (they differ in blanks only)" if blanks else "")
    leading, trailing = context_around(hunk)
    end = start + len(hunk.before)
    if trailing < leading and end < len(lines):
        return f"line {end + 1}: expected the end of the file, found {quote(lines[end])}"
    if leading < trailing and start > 0:
        return f"line 1: expected the top of the hunk, found it at line {start + 1}"
    return f"it fits at line {start + 1}, but an earlier hunk reaches beyond that"


_ADVICE = "Name the tree or revision that the patch was made for."


def refusal(tree: Tree, patch: Patch, rejected: Sequence[Rejected]) -> str:
    """Say which hunks of a patch do not apply, one a line, each with its reason."""
    hunks = sum(len(change.hunks) for change in patch.files)
    failed = sum(item.hunk > 0 for item in rejected)
    what = f"{failed} of {hunks} hunks" if failed else f"{len(rejected)} of its files"
    subject = f' "{patch.subject}"' if patch.subject else ""
    lines = [f"{patch.name}: patch {patch.index}{subject} does not apply to {tree.name}: {what}"]
    for item in rejected[:_MOST_TOLD]:
        hunk = f" hunk {item.hunk}" if item.hunk else ""
        lines.append(f"  {item.file}{hunk} (line {item.line} of the patch): {item.reason}")
    if len(rejected) > _MOST_TOLD:
        lines.append(f"  and {len(rejected) - _MOST_TOLD} more")
    return "\n".join(lines)


def _displaced(placements: Sequence[Placement]) -> tuple[str, ...]:
    """Say, in a line per file, which hunks did not fit where they said."""
    notes = []
    displaced: dict[str, list[Placement]] = {}
    for placement in placements:
        if placement.offset or placement.fuzz:
            displaced.setdefault(placement.file, []).append(placement)
    for file, moved in displaced.items():
        offsets = sorted({p.offset for p in moved})
        span = f"{offsets[0]:+d}" if len(offsets) == 1 else f"{offsets[0]:+d} to {offsets[-1]:+d}"
        hunks = "hunk" if len(moved) == 1 else "hunks"
        numbers = ", ".join(str(p.hunk) for p in moved[:8]) + (" ..." if len(moved) > 8 else "")
        fuzz = max(p.fuzz for p in moved)
        how = [f"an offset of {span} lines"] * any(offsets) + [f"fuzz {fuzz}"] * bool(fuzz)
        notes.append(f"{file}: {hunks} {numbers} placed with {', '.join(how)}")
    return tuple(notes)
