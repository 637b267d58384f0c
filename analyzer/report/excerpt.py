"""Show the source lines of a span with what is meant marked."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.base import Span
from analyzer.report.paint import PLAIN, Glyphs, Paint
from analyzer.report.plain import BLOT, columns, is_safe

_TAB = 8
_BEFORE, _AFTER = 2, 1  # lines of context
_MOST = 6  # lines of a long span that are shown


def excerpt(
    source: bytes, span: Span, *, width: int, style: str, paint: Paint, glyphs: Glyphs = PLAIN
) -> list[str]:
    """Return lines with numbers: carets under a span in one line, a bar beside a longer one.

    Empty where the source has no such line. Blank lines around the span are left out.
    """
    lines = source.split(b"\n")
    if not 1 <= span.line <= len(lines):
        return []
    first, last = span.line, min(max(span.end_line, span.line), len(lines))
    shown_last = min(last, first + _MOST - 1)
    numbers = [
        *_nearby(lines, range(first - 1, max(first - 1 - _BEFORE, 0), -1))[::-1],
        *range(first, shown_last + 1),
        *(_nearby(lines, range(last + 1, min(last + _AFTER, len(lines)) + 1))),
    ]
    digits = len(str(numbers[-1]))
    room = max(width - digits - 4, 20)
    shift = _shift(lines[first - 1], span, room, len(glyphs.cut)) if first == last else 0
    empty = paint(" " * (digits + 2) + glyphs.bar, "gutter")
    out = [empty]
    for n in numbers:
        cells = _cells(lines[n - 1], glyphs)
        inside = first != last and first <= n <= shown_last
        bar = glyphs.side if inside else glyphs.bar
        text = _cut(cells, shift, room, glyphs)
        gutter = paint(f" {n:>{digits}} {bar}", "gutter")
        out.append(f"{gutter} {paint(text, style) if inside else text}".rstrip())
        if n == first == last:
            carets = _carets(lines[n - 1], span, shift, room, glyphs)
            out.append(f"{empty} {paint(carets, style)}")
        if inside and n == shown_last < last:
            out.append(paint(f"{' ' * (digits + 2)}{glyphs.side} {glyphs.cut}", "gutter"))
    return out


def gutter_width(source: bytes, span: Span) -> int:
    """Return how far from the left the bar of an excerpt stands."""
    return len(str(min(max(span.end_line, span.line) + _AFTER, source.count(b"\n") + 1))) + 2


def source_line(source: bytes, line: int, room: int, glyphs: Glyphs = PLAIN) -> str:
    """Return one line without its indentation, cut to a room; empty where there is none."""
    lines = source.split(b"\n")
    if not 1 <= line <= len(lines):
        return ""
    return _cut(_cells(lines[line - 1].strip(), glyphs), 0, room, glyphs)


def _nearby(lines: Sequence[bytes], numbers: range) -> list[int]:
    """Return the numbers up to the first blank line."""
    found = []
    for n in numbers:
        if not lines[n - 1].strip():
            break
        found.append(n)
    return found


def _cells(line: bytes, glyphs: Glyphs = PLAIN) -> list[str]:
    """Return what stands in each column; the second column of a wide character is empty."""
    cells: list[str] = []
    for c in line.rstrip(b"\r").decode("utf-8", "surrogateescape"):
        if c == "\t":
            cells.extend(" " * (_TAB - len(cells) % _TAB))
        elif not glyphs.all_letters and not (c.isascii() and c.isprintable()):
            cells.extend("?" * columns(c))
        elif not is_safe(c):
            cells.append(BLOT)
        elif columns(c) == 0 and cells:
            cells[-1] += c
        else:
            cells.extend([c, *[""] * (columns(c) - 1)])
    return cells


def _extent(line: bytes, span: Span) -> tuple[int, int]:
    """Return the columns of a span in its line, from 0, end exclusive, at least one wide."""
    start = len(_cells(line[: span.column - 1]))
    end = len(_cells(line[: span.end_column - 1])) if span.end_line == span.line else 0
    return start, max(end, start + 1)


def _shift(line: bytes, span: Span, room: int, cut: int) -> int:
    """Return how many columns to drop on the left so that a span is seen beside the cut."""
    start, end = _extent(line, span)
    return 0 if end <= room else max(0, min(start - _TAB, end - room + cut))


def _cut(cells: Sequence[str], shift: int, room: int, glyphs: Glyphs) -> str:
    """Return the columns that fit, with a sign where something was left out."""
    kept = list(cells[shift : shift + room])
    sign = list(glyphs.cut)
    if shift and kept:
        kept[: len(sign)] = sign
    if len(cells) > shift + room and kept:
        kept[-len(sign) :] = sign
    return "".join(kept)


def _carets(line: bytes, span: Span, shift: int, room: int, glyphs: Glyphs) -> str:
    start, end = _extent(line, span)
    left = max(start - shift, 0)
    return " " * left + glyphs.caret * max(min(end - shift, room) - left, 1)
