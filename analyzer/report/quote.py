"""Quote the hunk of a patch mail that a reply is about, trimmed to what matters."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from analyzer.base import Span
from analyzer.report.letter import Letter, Quotable
from analyzer.report.plain import is_safe

_LEFT_OUT = b"[ ... ]"
_MOST = 8  # lines of a hunk that are quoted
_LONGEST = 900  # bytes; mail allows no lines of 1,000


def quoted(letter: Letter, span: Span, source_line: bytes | None) -> list[bytes]:
    """Return the lines of a mail up to the one that a span in the tree is about, quoted.

    What is quoted is the mail's, byte for byte. Patches apply at an offset, so that the line is
    told by its text first and by its number then. Empty where the mail says nothing of the file.
    """
    extracts = [e for e in letter.extracts if e.file == span.file and e.lines]
    if not extracts:
        return []
    extract, at = min(
        ((e, n) for e in extracts for n in range(len(e.lines))),
        key=lambda place: _distance(place[0].lines[place[1]], span.line, source_line),
    )
    start = _start(extract.lines, at)
    out = [*extract.names, extract.head]
    lines = [line.raw for line in extract.lines[start : at + 1]]
    quote = [_quote(line) for line in out]
    return [*quote, *([_LEFT_OUT] if start else []), *(_quote(line) for line in lines)]


def _distance(line: Quotable, number: int, text: bytes | None) -> tuple[bool, bool, int]:
    """Rank a line: the same text first, then added lines, then the nearest."""
    return (line.kind == "-" or line.text != text, line.kind != "+", abs(line.line - number))


def _start(lines: Sequence[Quotable], at: int) -> int:
    """Return where the changed lines around a line begin, with one line of context."""
    changed = takewhile(lambda n: lines[n].kind != " ", range(at - 1, -1, -1))
    first = min(changed, default=at)
    return max(first - 1, at - _MOST + 1, 0)


def _quote(line: bytes) -> bytes:
    """Quote a line, or say that it is left out where it could steer a terminal or break a mail."""
    if len(line) > _LONGEST or not all(is_safe(c) or c == "\t" for c in _text(line)):
        return _LEFT_OUT
    return b"> " + line if line else b">"


def _text(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")
