"""Split the text of a call into its arguments, and count those that a function takes."""

from __future__ import annotations

import re
from collections.abc import Iterator
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
#: How many bytes in front of an argument its callee is looked for.
_NEAR = 512
_CALLEE = re.compile(rb"\b([A-Za-z_]\w*)\s*\Z")


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


def named_to(code: bytes, name: str) -> Iterator[tuple[int, str]]:
    """Yield where a name, or the address of what it names, is an argument; and the callee."""
    needle = name.encode()
    at = code.find(needle)
    while at >= 0:
        end = at + len(needle)
        before = code[max(0, at - _NEAR) : at].rstrip(b" \t\n&")
        alone = before[-1:] in (b"(", b",") and code[end : end + _NEAR].lstrip()[:1] in (b")", b",")
        callee = _CALLEE.search(before[: _opening(before)]) if alone else None
        if callee is not None:
            yield at, callee[1].decode("latin-1")
        at = code.find(needle, end)


def _opening(code: bytes) -> int:
    """Return where the parenthesis opens that code ends in; 0 where it is too far away."""
    depth = 0
    for i in range(len(code) - 1, 0, -1):
        if code[i] in b"([{":
            depth += 1
        elif code[i] in b")]}":
            depth -= 1
        if depth == 1:
            return i if code[i] in b"(" else 0
    return 0


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
