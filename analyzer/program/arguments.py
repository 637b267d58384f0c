"""Split the text of a call into its arguments, and count those that a function takes."""

from __future__ import annotations

import re
from dataclasses import dataclass

from analyzer.c.unit import Unit


@dataclass(frozen=True, slots=True)
class Argument:
    """The text of one argument of a call found in blanked code."""

    text: str
    path: str
    at: int


#: How many bytes of a call are looked at.
_FAR = 4096


def argument_spans(code: bytes, at: int) -> tuple[tuple[tuple[int, int], ...], bool]:
    """Return the (start, end) offsets of a call's arguments, and whether its end was found.

    at is the offset behind its opening parenthesis. Of a call whose end is too far away, the
    arguments that are whole are returned.
    """
    spans: list[tuple[int, int]] = []
    depth, start = 1, at
    for i in range(at, min(len(code), at + _FAR)):
        c = code[i]
        if c in b"([{":
            depth += 1
        elif c in b")]}":
            depth -= 1
            if depth == 0:
                return (*spans, (start, i)), True
        elif c in b"," and depth == 1:
            spans.append((start, i))
            start = i + 1
    return tuple(spans), False


def split_arguments(code: bytes, at: int) -> tuple[str, ...]:
    """Split the arguments of a call at the offset behind its opening parenthesis."""
    spans, _ = argument_spans(code, at)
    return tuple(b" ".join(code[s:e].split()).decode("latin-1") for s, e in spans)


def sizes_of(unit: Unit, name: str) -> frozenset[int]:
    """Return the numbers of parameters of a function's definitions; none where it is variadic."""
    sizes = set()
    for d in unit.definitions.get(name, ()):
        head = unit.code[d.span.start : d.body]
        at = re.search(rb"\b" + re.escape(name.encode()) + rb"\s*\(", head)
        if at is None:
            return frozenset()
        parameters = split_arguments(head, at.end())
        if any("..." in p for p in parameters):
            return frozenset()
        sizes.add(0 if parameters in (("",), ("void",)) else len(parameters))
    return frozenset(sizes)
