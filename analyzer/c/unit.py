"""Read a source file cheaply: functions, comments, conditions, without parsing bodies."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, count
from operator import add

from analyzer.base import Span
from analyzer.c.blank import (
    Directive,
    blank_ranges,
    blank_text,
    comment_ranges,
    directives,
    without_directives,
)
from analyzer.c.conditionals import ConditionMap, map_conditions
from analyzer.c.heads import calls, find_head
from analyzer.c.ir import Definition

_BRACE = re.compile(rb"[{}]")
#: Files above this size are register lists; they are searched but not read.
LARGEST = 1 << 20
#: Beyond this distance braces are not counted anew for each function.
_FAR = 1 << 15
_ATTRIBUTE = re.compile(
    rb"#[ \t]*define[ \t]+(\w+)(?:\([^()\n]*\))?[ \t]+(?:\\\n\s*)?__attribute__"
)
#: The words of C that are no identifiers, as they stand in a file and as names.
KEYWORDS = frozenset(
    b"auto break case char const continue default do double else enum extern float for goto if "
    b"inline int long register return short signed sizeof static struct switch typedef union "
    b"unsigned void volatile while".split()
)
KEYWORD_NAMES = frozenset(word.decode() for word in KEYWORDS)


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """One source file. code and flat have the length of text, so offsets fit all three."""

    path: str
    text: bytes = field(repr=False)
    code: bytes = field(repr=False)  # comments and the insides of quotes blanked
    flat: bytes = field(repr=False)  # preprocessor lines and dead `#if 0` text blanked as well
    definitions: Mapping[str, tuple[Definition, ...]] = field(repr=False)
    directives: tuple[Directive, ...] = field(repr=False)
    conditions: ConditionMap = field(repr=False)
    attributes: frozenset[bytes]  # macros of this file that stand for an attribute
    starts: Sequence[int] = field(repr=False)  # offset of each line

    def line_of(self, offset: int) -> int:
        """Return the line of an offset, from 1."""
        return bisect_right(self.starts, offset)

    def span(self, start: int, end: int) -> Span:
        """Return the span of a stretch of text."""
        return make_span(self.path, self.starts, start, end)

    def said(self, span: Span) -> str:
        """Return the original text of a span on one line, for a reader."""
        return " ".join(self.text[span.start : span.end].decode("utf-8", "replace").split())

    def source(self, start: int, end: int) -> str:
        """Return original text as a string; bytes that are not UTF-8 are kept as latin-1."""
        return self.text[start:end].decode("latin-1")


def make_span(path: str, starts: Sequence[int], start: int, end: int) -> Span:
    """Return a span from the offsets at which lines start."""
    line = bisect_right(starts, start)
    last = max(end - 1, start)
    end_line = bisect_right(starts, last)
    column = last - starts[end_line - 1] + (2 if end > start else 1)
    return Span(path, start, end, line, start - starts[line - 1] + 1, end_line, column)


@lru_cache(maxsize=64)  # each stage that looks at a patch's files asks anew
def scan_unit(path: str, text: bytes) -> Unit:
    """Find the functions of a file. Never raises; costs about as much as reading the file."""
    code = blank_text(text)
    lines = directives(code)
    conditions = map_conditions(lines)
    flat = without_directives(code, lines)
    if True in conditions.dead:
        bounds = (*conditions.offsets, len(text))
        flat = blank_ranges(
            flat, ((bounds[n], bounds[n + 1]) for n, dead in enumerate(conditions.dead) if dead)
        )
    starts = _line_starts(text)
    return Unit(
        path=path,
        text=text,
        code=code,
        flat=flat,
        definitions=_definitions(path, code, flat, conditions, starts),
        directives=lines,
        conditions=conditions,
        attributes=frozenset(_ATTRIBUTE.findall(code)),
        starts=starts,
    )


def _line_starts(text: bytes) -> Sequence[int]:
    lengths = map(len, text.split(b"\n"))
    starts = array("I", (0, *map(add, accumulate(lengths), count(1))))  # a tenth of a tuple
    starts.pop()
    return starts


def _definitions(
    path: str, code: bytes, flat: bytes, conditions: ConditionMap, starts: Sequence[int]
) -> Mapping[str, tuple[Definition, ...]]:
    found: dict[str, tuple[Definition, ...]] = {}
    at = 0
    braces = Braces(flat)
    while (brace := flat.find(b"{", at)) >= 0:
        begin = max(flat.rfind(b";", at, brace), flat.rfind(b"}", at, brace), at - 1) + 1
        head = find_head(flat, begin, brace)
        at = body_end(braces, code, brace)
        if head is not None:
            definition = Definition(
                name=head.name,
                path=path,
                span=make_span(path, starts, head.start, at),
                body=brace,
                static=head.static,
                conditions=conditions.at(head.start),
            )
            found[head.name] = (*found.get(head.name, ()), definition)
    return found


class Braces:
    """The braces of a file; which of them match is found in one pass, where that is asked."""

    def __init__(self, flat: bytes) -> None:
        self.flat = flat
        self._ends: dict[int, int] | None = None
        self._column_0 = 0

    def column_0(self, brace: int) -> int:
        """Return the offset behind the next brace that closes in column 0; 1 where none does.

        Asked in order, it looks at each part of a file once.
        """
        if self._column_0 != 1 and self._column_0 <= brace:
            self._column_0 = self.flat.find(b"\n}", brace) + 2
        return self._column_0

    def end(self, brace: int) -> int:
        """Return the offset behind the brace that matches; -1 where none does."""
        if self._ends is None:
            self._ends = {}
            opened: list[int] = []
            for m in _BRACE.finditer(self.flat):
                if m.group() == b"{":
                    opened.append(m.start())
                elif opened:
                    self._ends[opened.pop()] = m.end()
        return self._ends.get(brace, -1)


def body_end(braces: Braces, code: bytes, brace: int) -> int:
    """Return the offset behind the brace that closes a top-level one.

    Kernel style closes it in column 0. That is taken where the braces between are balanced, or
    where `#if` arms may each hold one of a pair.
    """
    flat = braces.flat
    column_0 = braces.column_0(brace)
    if column_0 - brace > _FAR and braces.end(brace) == column_0:
        return column_0
    if 1 < column_0 <= brace + _FAR:
        inside = flat[brace:column_0]
        if inside.count(b"{") == inside.count(b"}") and not _closes_early(inside):
            return column_0
    elif column_0 <= 1:
        column_0 = len(flat)
    matching = braces.end(brace)
    if matching < 0:
        return column_0
    if code.find(b"#", brace, min(matching, column_0)) >= 0:
        return column_0
    if matching > column_0 and flat.find(b"\n{", column_0, matching) >= 0:
        return column_0  # a brace is missing; what follows is another function
    return matching


def _closes_early(inside: bytes) -> bool:
    """Tell whether balanced text may hold more than one top-level pair: `{ } ... { }`."""
    line_end = inside.find(b"\n")
    return inside.find(b"}", 0, line_end) >= 0 or inside.find(b"\n{") >= 0


def comment_spans(unit: Unit) -> tuple[Span, ...]:
    """Return the comments of a file in order."""
    return tuple(unit.span(*r) for r in comment_ranges(unit.text))


def called_names(unit: Unit, definition: Definition) -> frozenset[str]:
    """Return what a function calls: the identifiers before `(`, of all its `#if` arms."""
    return frozenset(calls(unit.flat[definition.body : definition.span.end]))
