"""Know the lines of a source: indentation, comments, blank lines."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from analyzer.c.parser import Syntax
from analyzer.c.unit import Unit

_COMMENT_END = re.compile(rb"(?:\*/|//[^\n]*)[ \t]*\n\Z")


class Splice(NamedTuple):
    """Text to put in place of a stretch of a file."""

    start: int
    end: int
    text: bytes


def spliced(text: bytes, splices: Iterable[Splice]) -> bytes:
    """Return a text with stretches replaced; those at one place go in, in the order given."""
    ordered = sorted(splices, key=lambda s: (s.start, s.end))
    out, at = [], 0
    for s in ordered:
        out += [text[at : s.start], s.text]
        at = max(at, s.end)
    return b"".join((*out, text[at:]))


def line_start(text: bytes, at: int) -> int:
    """Return where the line around an offset starts."""
    return text.rfind(b"\n", 0, at) + 1


def line_end(text: bytes, at: int) -> int:
    """Return the offset behind the newline of the line around an offset."""
    end = text.find(b"\n", at)
    return len(text) if end < 0 else end + 1


def indent_of(text: bytes, at: int) -> bytes:
    """Return the blanks in front of the line around an offset."""
    line = text[line_start(text, at) : line_end(text, at)]
    return line[: len(line) - len(line.lstrip(b" \t"))]


def is_alone(text: bytes, node: Syntax) -> bool:
    """Tell whether a statement has its lines for itself."""
    before = text[line_start(text, node.start) : node.start]
    return not before.strip() and not text[node.end : line_end(text, node.end)].strip()


def shifted(text: bytes) -> bytes:
    """Return a statement's text with every line but the first one tab further in."""
    return re.sub(rb"\n(?=[^\n])", b"\n\t", text)


def comment_above(unit: Unit, at: int) -> int | None:
    """Return where the comment right above a line starts; None where there is none."""
    end = line_start(unit.text, at)
    if not _COMMENT_END.search(unit.text[max(0, end - 400) : end]):
        return None
    start = end
    while start > 0:
        above = line_start(unit.text, start - 1)
        if unit.code[above:start].strip() or not unit.text[above:start].strip():
            break
        start = above
    return start if start < end else None


def tidied(text: bytes, splices: Iterable[Splice]) -> bytes:
    """Return a text without the blank lines that a removal leaves doubled or at a block's edge."""
    shift = 0
    for s in sorted(splices, key=lambda s: s.start):
        text, cut = _without_blank(text, s.start + len(s.text) + shift)
        shift += len(s.text) - (s.end - s.start) - cut
    return text


def _without_blank(text: bytes, at: int) -> tuple[bytes, int]:
    start = line_start(text, at)
    if start < at and text[start:at].strip():
        start = line_end(text, at)
    above = text[line_start(text, start - 1) : start] if start else b""
    here = text[start : line_end(text, start)]
    if not here.strip() and here and (not above.strip() or above.rstrip().endswith(b"{")):
        return text[:start] + text[start + len(here) :], len(here)
    if above and not above.strip() and here.strip() == b"}":
        return text[: start - len(above)] + text[start:], len(above)
    return text, 0
