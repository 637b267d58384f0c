"""Read a well-formed diff into changes of files; the only module that knows unidiff."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal, cast

from unidiff.constants import LINE_TYPE_NO_NEWLINE
from unidiff.errors import UnidiffParseError
from unidiff.patch import Hunk as ReadHunk
from unidiff.patch import PatchSet

from analyzer.base import AnalyzerError
from analyzer.patch.model import ChangeKind, FileChange, Hunk, HunkLine
from analyzer.patch.paths import pair_paths
from analyzer.patch.sections import Numbered, RawHunk, Section, find_sections, quote

#: Says whether a path is in the tree; decides how many components a name without prefix loses.
Known = Callable[[str], bool]

_MARKERS = (b" ", b"+", b"-")
_EPOCH = re.compile(rb"\t(1970-01-01|1969-12-31) ")
_SUBMODULE, _LINK = b"160000", b"120000"


class UnmarkedLineError(AnalyzerError):
    """Report a hunk's line without " ", "+" or "-": a malformed diff or a damaged copy."""


def parse_diff(lines: Sequence[Numbered], name: str, known: Known | None) -> tuple[FileChange, ...]:
    """Return the changes of files in the text of a patch, in order.

    Raise AnalyzerError with file, line and what was found where the diff is malformed, and
    UnmarkedLineError where it may only be a damaged copy.
    """
    sections = find_sections(lines, name, lambda *where: _read_body(name, *where))
    return tuple(_change(section, name, known) for section in sections)


def _read_body(
    name: str, lines: Sequence[Numbered], start: int, head: RawHunk
) -> tuple[RawHunk, int]:
    """Take as many lines as the head counts."""
    before, after, at = head.before_lines, head.after_lines, start
    while (before or after) and at < len(lines):
        number, text = lines[at]
        marker = text[:1] if text not in (b"", b"\r") else b" "
        if marker == b"\\":
            at += 1
            continue
        if marker not in _MARKERS:
            raise UnmarkedLineError(
                f"{name}:{number}: malformed diff: found {quote(text)} in a hunk; expected a line "
                'that starts with " ", "+" or "-"'
            )
        before -= marker != b"+"
        after -= marker != b"-"
        if before < 0 or after < 0:
            raise _miscounted(name, number, head, f"found {quote(text)} too much")
        at += 1
    if before or after:
        raise _miscounted(name, head.line, head, f"it ends {max(before, after)} lines too early")
    while at < len(lines) and lines[at][1].startswith(b"\\ "):
        at += 1
    # `--` may be the next file, or the rule above a signature.
    if at < len(lines) and lines[at][1][:1] in (b"+", b"-") and lines[at][1][:2] != b"--":
        number, text = lines[at]
        raise _miscounted(name, number, head, f"found {quote(text)} too much")
    return replace(head, lines=tuple(lines[start:at])), at


def _miscounted(name: str, line: int, head: RawHunk, found: str) -> AnalyzerError:
    return AnalyzerError(
        f"{name}:{line}: malformed diff: the hunk of line {head.line} is to have "
        f"{head.before_lines} lines before and {head.after_lines} after, but {found}"
    )


def _change(section: Section, name: str, known: Known | None) -> FileChange:
    before, after = pair_paths(section, name, known)
    kind = _kind(section, before, after)
    hunks = () if kind in (ChangeKind.BINARY, ChangeKind.LINK) else _hunks(section, name)
    if not section.git and _is_whole_file(section, before=True):
        before, kind = None, ChangeKind.ADDED
    elif not section.git and _is_whole_file(section, before=False):
        after, kind = None, ChangeKind.DELETED
    return FileChange(before=before, after=after, kind=kind, hunks=hunks, line=section.line)


def _is_whole_file(section: Section, *, before: bool) -> bool:
    """Say whether a diff without git's headers makes or removes the file."""
    if len(section.hunks) != 1:
        return False
    hunk = section.hunks[0]
    if before:
        return hunk.before_start == 0 and hunk.before_lines == 0
    emptied = hunk.after_start == 0 and hunk.after_lines == 0
    return emptied and _EPOCH.search(section.after or b"") is not None


def _kind(section: Section, before: str | None, after: str | None) -> ChangeKind:
    modes = {value.strip() for key, value in section.extended.items() if key.endswith(b"mode")}
    modes.add(section.extended.get(b"index", b"").rstrip().rpartition(b" ")[2])
    if section.binary or _SUBMODULE in modes:
        return ChangeKind.BINARY
    if _LINK in modes:
        return ChangeKind.LINK
    if before is None or after is None:
        return ChangeKind.ADDED if before is None else ChangeKind.DELETED
    if b"copy from" in section.extended:
        return ChangeKind.COPIED
    if before != after:
        return ChangeKind.RENAMED
    return ChangeKind.MODIFIED if section.hunks else ChangeKind.MODE


def _hunks(section: Section, name: str) -> tuple[Hunk, ...]:
    """Hand a file's hunks to unidiff and take them over."""
    if not section.hunks:
        return ()
    text = ["--- a/file\n", "+++ b/file\n"]
    numbers = [section.line, section.line]
    for raw in section.hunks:
        counts = (raw.before_start, raw.before_lines, raw.after_start, raw.after_lines)
        text.append("@@ -{},{} +{},{} @@\n".format(*counts))
        numbers.append(raw.line)
        for number, line in raw.lines:
            # Latin-1 maps every byte to one character and back.
            text.append(line.decode("latin-1") + "\n")
            numbers.append(number)
    try:
        files = PatchSet(text)
    except UnidiffParseError as error:
        raise AnalyzerError(f"{name}:{section.line}: malformed diff: {error}") from error
    assert len(files) == 1, "one file was written"
    pairs = zip(files[0], section.hunks, strict=True)
    return tuple(_hunk(hunk, raw, numbers) for hunk, raw in pairs)


def _hunk(hunk: ReadHunk, raw: RawHunk, numbers: Sequence[int]) -> Hunk:
    lines: list[HunkLine] = []
    for line in hunk:
        if line.line_type == LINE_TYPE_NO_NEWLINE:
            if lines:
                lines[-1] = replace(lines[-1], newline=False)
            continue
        if line.line_type not in (" ", "+", "-"):
            continue  # blank lines after the last hunk
        assert line.diff_line_no is not None, "unidiff numbers what it reads"
        lines.append(
            HunkLine(
                kind=cast(Literal[" ", "+", "-"], line.line_type),  # checked above
                text=line.value.removesuffix("\n").encode("latin-1"),
                newline=True,
                line=numbers[line.diff_line_no - 1],
            )
        )
    return Hunk(
        before_start=raw.before_start,
        before_lines=raw.before_lines,
        after_start=raw.after_start,
        after_lines=raw.after_lines,
        section=raw.section.decode("utf-8", "replace"),
        lines=tuple(lines),
        line=raw.line,
    )
