"""Find the diff in a patch mail: which lines belong to which file and to which hunk."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from analyzer.base import AnalyzerError

#: A line without its newline, and its number in the input.
Numbered = tuple[int, bytes]

_HUNK = re.compile(rb"@@ -(\d{1,9})(?:,(\d{1,9}))? \+(\d{1,9})(?:,(\d{1,9}))? @@ ?(.*)", re.DOTALL)
_EXTENDED = re.compile(
    rb"(old mode|new mode|deleted file mode|new file mode|copy from|copy to|rename from|rename to"
    rb"|similarity index|dissimilarity index|index) (.*)"
)
#: Characters of a line that a message shows.
_SHOWN = 60
_BINARY = re.compile(rb"(Binary files? .* differ|GIT binary patch)\s*")


@dataclass(frozen=True, slots=True, kw_only=True)
class RawHunk:
    """A hunk as it stands in the input; its lines still carry their markers."""

    line: int
    before_start: int
    before_lines: int
    after_start: int
    after_lines: int
    section: bytes
    lines: tuple[Numbered, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """What the input says of one file. Names are as written: prefix, quotes and time stamp."""

    line: int
    git: bytes | None  # what follows "diff --git "
    extended: Mapping[bytes, bytes]  # "rename from" -> name, "new mode" -> mode ...
    before: bytes | None  # what follows "--- "
    after: bytes | None
    binary: bool
    hunks: tuple[RawHunk, ...]


#: Read a hunk's body: given the lines, where it starts and its head, return it and where it ends.
BodyReader = Callable[[Sequence[Numbered], int, RawHunk], tuple[RawHunk, int]]


@dataclass(slots=True)
class _Cursor:
    """Where the reading stands."""

    lines: Sequence[Numbered]
    at: int = 0

    def text(self, ahead: int = 0) -> bytes:
        at = self.at + ahead
        return self.lines[at][1] if at < len(self.lines) else b""

    @property
    def number(self) -> int:
        return self.lines[min(self.at, len(self.lines) - 1)][0]


def find_sections(
    lines: Sequence[Numbered], name: str, read_body: BodyReader
) -> tuple[Section, ...]:
    """Return what the lines say of each file; prose between files is passed over.

    read_body decides how far a hunk goes. Raise AnalyzerError where a diff is malformed.
    """
    cursor = _Cursor(lines)
    sections: list[Section] = []
    while cursor.at < len(lines):
        text = cursor.text()
        if text.startswith((b"diff --cc ", b"diff --combined ")):
            raise AnalyzerError(
                f"{name}:{cursor.number}: found the combined diff of a merge, which applies to no "
                "single tree; take the diff against one parent"
            )
        if text.startswith(b"diff --git a/") and cursor.at + 1 == len(lines):
            raise _cut_off(cursor, name)
        if text.startswith(b"diff --git ") and _opens_section(cursor.text(1)):
            sections.append(_git_section(cursor, name, read_body))
        elif _opens_file(cursor):
            sections.append(_plain_section(cursor, name, read_body))
        elif _BINARY.fullmatch(text) and text.startswith(b"Binary"):
            sections.append(_binary_section(cursor, text))
        elif sections and _HUNK.fullmatch(text) and cursor.text(1)[:1] in (b" ", b"+", b"-"):
            raise AnalyzerError(
                f"{name}:{cursor.number}: malformed diff: found a hunk after lines that belong to "
                "none; expected the names of its file before it"
            )
        else:
            cursor.at += 1
    return tuple(sections)


def _opens_section(text: bytes) -> bool:
    """Say whether a line can follow "diff --git ..." (in prose it cannot)."""
    return text.startswith((b"--- ", b"Binary ")) or _EXTENDED.match(text) is not None


def _opens_file(cursor: _Cursor) -> bool:
    names = cursor.text().startswith(b"--- ") and cursor.text(1).startswith(b"+++ ")
    return names and cursor.text(2).startswith(b"@@ -")


def _git_section(cursor: _Cursor, name: str, read_body: BodyReader) -> Section:
    line, git = cursor.number, cursor.text()[len(b"diff --git ") :]
    cursor.at += 1
    extended: dict[bytes, bytes] = {}
    while match := _EXTENDED.match(cursor.text()):
        extended[match[1]] = match[2]
        cursor.at += 1
    binary = _BINARY.fullmatch(cursor.text()) is not None
    cursor.at += binary
    before = after = None
    hunks: tuple[RawHunk, ...] = ()
    if not binary and _is_cut_off(cursor, extended):
        raise _cut_off(cursor, name)
    if cursor.text().startswith(b"--- ") and cursor.text(1).startswith(b"+++ "):
        if not cursor.text(2).startswith(b"@@"):
            raise AnalyzerError(
                f"{name}:{cursor.number}: malformed diff: found file names without a hunk; "
                "expected a line that starts with @@"
            )
        before, after, hunks = _names_and_hunks(cursor, name, read_body)
    return Section(
        line=line,
        git=git,
        extended=extended,
        before=before,
        after=after,
        binary=binary,
        hunks=hunks,
    )


def _cut_off(cursor: _Cursor, name: str) -> AnalyzerError:
    return AnalyzerError(
        f"{name}:{cursor.number}: malformed diff: it is cut off in the head of a file's changes"
    )


def _is_cut_off(cursor: _Cursor, extended: Mapping[bytes, bytes]) -> bool:
    """Say whether no more comes where a file's lines have to follow."""
    if cursor.text().startswith(b"--- "):
        return not cursor.text(1).startswith(b"+++ ")
    whole = extended.keys() & {b"new file mode", b"deleted file mode"}
    return cursor.at == len(cursor.lines) and b"index" in extended and not whole


def _plain_section(cursor: _Cursor, name: str, read_body: BodyReader) -> Section:
    line = cursor.number
    before, after, hunks = _names_and_hunks(cursor, name, read_body)
    return Section(
        line=line, git=None, extended={}, before=before, after=after, binary=False, hunks=hunks
    )


def _binary_section(cursor: _Cursor, text: bytes) -> Section:
    line = cursor.number
    cursor.at += 1
    before, _, after = text.partition(b" ")[2].removeprefix(b"files ").partition(b" and ")
    return Section(
        line=line,
        git=None,
        extended={},
        before=before,
        after=after.removesuffix(b" differ"),
        binary=True,
        hunks=(),
    )


def _names_and_hunks(
    cursor: _Cursor, name: str, read_body: BodyReader
) -> tuple[bytes, bytes, tuple[RawHunk, ...]]:
    before, after = cursor.text()[4:], cursor.text(1)[4:]
    cursor.at += 2
    hunks: list[RawHunk] = []
    while cursor.text().startswith(b"@@ ") or (not hunks and cursor.text().startswith(b"@@")):
        head = read_head(cursor.lines[cursor.at], name)
        hunk, cursor.at = read_body(cursor.lines, cursor.at + 1, head)
        hunks.append(hunk)
        blanks = 0
        while cursor.at + blanks < len(cursor.lines) and not cursor.text(blanks).strip():
            blanks += 1
        if cursor.text(blanks).startswith(b"@@ -"):
            cursor.at += blanks
    return before, after, tuple(hunks)


def read_head(line: Numbered, name: str) -> RawHunk:
    """Read the @@ line of a hunk; raise AnalyzerError where it is none."""
    number, text = line
    match = _HUNK.fullmatch(text)
    if match is None:
        raise AnalyzerError(
            f"{name}:{number}: malformed diff: found {quote(text)}; "
            "expected @@ -LINE,COUNT +LINE,COUNT @@"
        )
    return RawHunk(
        line=number,
        before_start=int(match[1]),
        before_lines=1 if match[2] is None else int(match[2]),
        after_start=int(match[3]),
        after_lines=1 if match[4] is None else int(match[4]),
        section=match[5],
        lines=(),
    )


def quote(text: bytes) -> str:
    """Quote a line for a message, shortened and without control characters."""
    return _quoted(_printable(text), 0)


def quote_both(one: bytes, other: bytes) -> tuple[str, str]:
    """Quote two lines so that what tells them apart is in sight."""
    first, second = _printable(one), _printable(other)
    pairs = enumerate(zip(first, second, strict=False))
    alike = next((n for n, (a, b) in pairs if a != b), min(len(first), len(second)))
    out_of_sight = alike >= _SHOWN and first != second
    start = first.rfind(" ", 0, alike - _SHOWN // 3) + 1 if out_of_sight else 0
    return _quoted(first, start), _quoted(second, start)


def _quoted(text: str, start: int) -> str:
    if not text:
        return "a blank line"
    before, after = "..." * (start > 0), "..." * (len(text) - start > _SHOWN)
    return f'"{before}{text[start : start + _SHOWN]}{after}"'


def _printable(text: bytes) -> str:
    words = " ".join(text.decode("utf-8", "replace").split())
    return "".join(c if c.isprintable() else "?" for c in words)
