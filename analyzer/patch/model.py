"""Define what a patch is made of, before it meets a tree."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import groupby
from typing import Literal


class ChangeKind(StrEnum):
    """Say what happens to a file."""

    MODIFIED = "modified"
    ADDED = "added"
    DELETED = "deleted"
    RENAMED = "renamed"
    COPIED = "copied"
    BINARY = "binary"  # noticed, never applied
    LINK = "symbolic link"  # noticed; one that goes makes room
    MODE = "mode"  # nothing but permissions


@dataclass(frozen=True, slots=True)
class HunkLine:
    """One line of a hunk: context, added or removed; text is without its newline.

    newline is false where the file ends without one. line is the line's number in the input.
    """

    kind: Literal[" ", "+", "-"]
    text: bytes
    newline: bool
    line: int

    @property
    def content(self) -> bytes:
        """Return the bytes that stand in the file, newline included."""
        return self.text + b"\n" if self.newline else self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Hunk:
    """One changed stretch of a file, with the context around it."""

    before_start: int
    before_lines: int
    after_start: int
    after_lines: int
    section: str  # what follows the second @@, usually the function
    lines: tuple[HunkLine, ...]
    line: int  # of the @@ line in the input

    @property
    def before(self) -> tuple[bytes, ...]:
        """Return the stretch before the patch, line by line, newlines included."""
        return tuple(line.content for line in self.lines if line.kind != "+")

    @property
    def after(self) -> tuple[bytes, ...]:
        """Return the stretch after the patch, line by line, newlines included."""
        return tuple(line.content for line in self.lines if line.kind != "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """What a patch does to one file; a side is None where the file does not exist on it."""

    before: str | None
    after: str | None
    kind: ChangeKind
    hunks: tuple[Hunk, ...]
    line: int  # of the first line about this file in the input

    @property
    def path(self) -> str:
        """Return the name that the file has after the patch, or had where it is gone."""
        path = self.after if self.after is not None else self.before
        assert path is not None, "a change has at least one side"
        return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Patch:
    """One patch of a series.

    body is the mail's text, decoded; its first line is line body_line of the input (of an encoded
    mail, where the encoded text starts). raw is the whole message as it came.
    """

    index: int  # from 1, in the series
    subject: str  # without its [PATCH ...] tag
    tag: str  # "[PATCH v2 1/3]", or empty
    message_id: str  # without its angle brackets, or empty
    files: tuple[FileChange, ...]
    notes: tuple[str, ...]
    name: str  # what messages call the input: "v1.mbox"
    raw: bytes
    body: bytes
    body_line: int


@dataclass(frozen=True, slots=True)
class Series:
    """Patches in the order in which they apply."""

    patches: tuple[Patch, ...]
    notes: tuple[str, ...]


_FLIPPED: dict[str, Literal[" ", "+", "-"]] = {" ": " ", "+": "-", "-": "+"}
_UNDONE = {ChangeKind.ADDED: ChangeKind.DELETED, ChangeKind.DELETED: ChangeKind.ADDED}


def reverse_patch(patch: Patch) -> Patch:
    """Return the patch that undoes a patch."""
    return replace(patch, files=tuple(_reverse_file(file) for file in reversed(patch.files)))


def _reverse_file(change: FileChange) -> FileChange:
    if change.kind is ChangeKind.COPIED:
        # The copy goes away; what it held is not in the patch, so nothing of it is verified.
        return replace(change, before=change.after, after=None, kind=ChangeKind.DELETED, hunks=())
    return replace(
        change,
        before=change.after,
        after=change.before,
        kind=_UNDONE.get(change.kind, change.kind),
        hunks=tuple(_reverse_hunk(hunk) for hunk in change.hunks),
    )


def _reverse_hunk(hunk: Hunk) -> Hunk:
    flipped = [replace(line, kind=_FLIPPED[line.kind]) for line in hunk.lines]
    lines: list[HunkLine] = []
    for is_context, run in groupby(flipped, key=lambda line: line.kind == " "):
        block = list(run)
        lines.extend(block if is_context else sorted(block, key=lambda line: line.kind == "+"))
    return Hunk(
        before_start=hunk.after_start,
        before_lines=hunk.after_lines,
        after_start=hunk.before_start,
        after_lines=hunk.before_lines,
        section=hunk.section,
        lines=tuple(lines),
        line=hunk.line,
    )
