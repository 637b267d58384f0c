"""Find function prototypes at file scope."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from analyzer.base import Span
from analyzer.c.blank import blank_ranges
from analyzer.c.heads import find_head
from analyzer.c.unit import Braces, Unit, body_end

_MARK = re.compile(rb"[;{]")
_SOLID = re.compile(rb"\S")


@dataclass(frozen=True, slots=True)
class Prototype:
    """A declaration of a function."""

    name: str
    span: Span


def prototypes(unit: Unit) -> tuple[Prototype, ...]:
    """Return the function declarations of a file in order, those of all `#if` arms."""
    found = []
    scope = file_scope(unit)
    for begin, end in _statements(unit, scope):
        head = find_head(scope, begin, end)
        if head is None or head.definer is not None:
            continue
        before = scope[head.start : head.opening].split()
        if len(before) < 2 and b"*" not in before[0]:
            continue  # without a type before its name it is the use of a macro
        found.append(Prototype(head.name, unit.span(head.start, end + 1)))
    return tuple(found)


def file_scope(unit: Unit) -> bytes:
    """Return the flat text of a file with its functions blanked."""
    return blank_ranges(
        unit.flat,
        ((d.span.start, d.span.end) for found in unit.definitions.values() for d in found),
    )


def _statements(unit: Unit, scope: bytes) -> Iterator[tuple[int, int]]:
    """Yield (start, offset of the semicolon) of each declaration at file scope."""
    begin = at = 0
    braces = Braces(scope)
    while (m := _MARK.search(scope, at)) is not None:
        if m.group() == b"{":
            at = body_end(braces, unit.code, m.start())
        else:
            solid = _SOLID.search(scope, begin)
            assert solid is not None, "the semicolon is solid"
            yield solid.start(), m.start()
            begin = at = m.end()
