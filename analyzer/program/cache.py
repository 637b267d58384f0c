"""Share between trees what follows from a file's text alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from analyzer.c.blank import blank_comments
from analyzer.c.constants import constants, enumerators
from analyzer.c.ir import Definition, Function, Signature
from analyzer.c.lower import lower, read_signature
from analyzer.c.own import Own
from analyzer.c.unit import Unit, called_names, scan_unit
from analyzer.pages.laws import Law, derive_law
from analyzer.program.memo import Memos
from analyzer.program.storing import reading, storing

_STORE = re.compile(rb"=\s*&?\s*([a-z_]\w*)\s*[,;}]")
_STORED_IN = re.compile(rb"\b(?:(\w++)(?:\.|->))?(\w++)\s*+$")
_POINTER_CALL = re.compile(rb"(?:\(\s*\*\s*(?:[\w.>-]*[.>])?|(?:->|\.)\s*)(\w+)\s*\)?\s*\(")


@dataclass(frozen=True, slots=True)
class Stored:
    """A function's name stored into a variable or field: `holder.slot = value`."""

    slot: str
    holder: str  # variable or last component before the field; "" for a plain variable
    value: str
    path: str
    at: int


@dataclass(frozen=True, slots=True)
class Facets:
    """What is cheaply known of one unit: the names that definitions call, and stores."""

    unit: Unit
    calls: Mapping[str, frozenset[str]]
    pointers: Mapping[str, frozenset[str]]  # called as `(*name)(...)` or `x->name(...)`
    stores: tuple[Stored, ...]


@dataclass
class Cache:
    """Share work between trees: a file or a definition with the same text is read once."""

    facets: dict[tuple[str, bytes], Facets] = field(default_factory=dict)
    lowered: dict[tuple[str, int, int, bytes, Own], Function] = field(default_factory=dict)
    signatures: dict[tuple[str, int, bytes], Signature] = field(default_factory=dict)
    laws: dict[tuple[bytes, tuple[str, ...]], Law] = field(default_factory=dict)
    values: dict[tuple[str, bytes], Mapping[str, int]] = field(default_factory=dict)
    memos: Memos = field(default_factory=Memos)

    def law(self, header: bytes, types: tuple[str, ...]) -> Law:
        """Return the law that a header lays down."""
        # What a comment says is no law.
        lines = (b" ".join(line.split()) for line in blank_comments(header).split(b"\n"))
        key = (b"\n".join(filter(None, lines)), types)
        if key not in self.laws:
            self.laws[key] = derive_law(header, types)
        return self.laws[key]

    def scan(self, path: str, text: bytes) -> Facets:
        """Return the facets of a file."""
        key = (path, text)
        found = self.facets.get(key)
        if found is None:
            unit = scan_unit(path, text)
            found = Facets(
                unit,
                _names(unit, _called),
                _names(unit, _pointer_calls),
                tuple(_stores(unit)),
            )
            self.facets[key] = found
        return found

    def numbers(self, path: str, text: bytes) -> Mapping[str, int]:
        """Return the enumerators and integer macros that a file defines."""
        key = (path, text)
        if key not in self.values:
            unit = self.scan(path, text).unit
            self.values[key] = {**constants(unit), **enumerators(unit)}
        return self.values[key]

    def lower(
        self, unit: Unit, definition: Definition, config: Mapping[str, bool], own: Own
    ) -> Function:
        """Return a lowered definition."""
        start, end, line = definition.span.start, definition.span.end, definition.span.line
        key = (unit.path, start, line, unit.text[start:end], own)
        found = self.lowered.get(key)
        if found is None:
            found = lower(unit, definition, config=config, own=own)
            self.lowered[key] = found
        return found

    def signature(self, unit: Unit, definition: Definition) -> Signature:
        """Return what a definition's head says."""
        start = definition.span.start
        key = (unit.path, start, unit.flat[start : definition.body])
        if key not in self.signatures:
            self.signatures[key] = read_signature(unit, definition)
        return self.signatures[key]


def _names(
    unit: Unit, of: Callable[[Unit, Definition], frozenset[str]]
) -> Mapping[str, frozenset[str]]:
    return {
        name: frozenset().union(*(of(unit, d) for d in definitions))
        for name, definitions in unit.definitions.items()
    }


def _called(unit: Unit, definition: Definition) -> frozenset[str]:
    body = unit.flat[definition.body : definition.span.end]
    return called_names(unit, definition) | storing(body) | reading(body)


def _pointer_calls(unit: Unit, definition: Definition) -> frozenset[str]:
    body = unit.flat[definition.body : definition.span.end]
    return frozenset(m.decode("latin-1") for m in _POINTER_CALL.findall(body))


def _stores(unit: Unit) -> Iterator[Stored]:
    code = unit.code
    for m in _STORE.finditer(code):
        begin = max(0, m.start() - 100)
        target = _STORED_IN.search(code[begin : m.start()])
        if target is not None:
            holder = (target[1] or b"").decode("latin-1")
            slot, value = target[2].decode("latin-1"), m[1].decode("latin-1")
            yield Stored(slot, holder, value, unit.path, begin + target.start(2))
