"""Find the statement that an operation is, and what it stands in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from analyzer.c.ir import Definition
from analyzer.c.parser import Syntax, parse_body
from analyzer.c.prepare import prepare
from analyzer.c.unit import Unit
from analyzer.c.variants import choose

_VARIANTS = 16


@dataclass(frozen=True, slots=True)
class Site:
    """A statement that is nothing but a call, in a function's body.

    chain goes from the body's block down to the statement, else clauses included. Offsets are
    those of the file.
    """

    unit: Unit
    definition: Definition
    chain: tuple[Syntax, ...]

    @property
    def text(self) -> bytes:
        """Return the file's text."""
        return self.unit.text

    @property
    def statement(self) -> Syntax:
        """Return the statement itself."""
        return self.chain[-1]

    @property
    def call(self) -> Syntax:
        """Return the call that the statement is."""
        return self.statement.children[0]

    @property
    def above(self) -> Site:
        """Return the site of what the statement stands in."""
        return Site(self.unit, self.definition, self.chain[:-1])

    @property
    def conditions(self) -> tuple[str, ...]:
        """Return the conditions of what the statement stands in."""
        held = (node.child("condition") for node in self.chain)
        return tuple(self.code(c) for c in held if c is not None)

    def code(self, node: Syntax) -> str:
        """Return a node's text in one line, comments blanked."""
        return " ".join(self.unit.code[node.start : node.end].decode("utf-8", "replace").split())

    @property
    def arguments(self) -> tuple[str, ...]:
        """Return the texts of the call's arguments."""
        return tuple(map(self.code, arguments_of(self.call)))


def arguments_of(call: Syntax) -> tuple[Syntax, ...]:
    """Return the arguments of a call expression."""
    listed = call.child("arguments")
    return listed.children if listed is not None else ()


def callee_of(unit: Unit, call: Syntax) -> str:
    """Return the name that a call expression calls; empty where it goes through a pointer."""
    function = call.child("function")
    if function is None or function.kind != "identifier":
        return ""
    return unit.source(function.start, function.end)


def site_at(unit: Unit, start: int, end: int) -> Site | None:
    """Return the statement that is the call at a stretch of a file; None where it is no such."""
    for site in sites(unit, start, end):
        if site.call.start == start and site.call.end == end:
            return site
    return None


def sites(unit: Unit, start: int, end: int) -> Iterator[Site]:
    """Yield the calls that are statements and lie within a stretch of one function's body."""
    definition = _around(unit, start)
    if definition is None:
        return
    seen: set[int] = set()
    bodies = choose(
        unit,
        definition.body,
        definition.span.end,
        dict(definition.conditions),
        max_variants=_VARIANTS,
    )
    for choice in bodies.choices:
        body = parse_body(prepare(choice.text, unit.attributes), definition.body)
        for chain in _walk((body,)) if body is not None else ():
            node = chain[-1]
            within = start <= node.start and node.end <= end + 1  # a `;` may follow the end
            if within and node.start not in seen:
                seen.add(node.start)
                yield Site(unit, definition, chain)


def _around(unit: Unit, at: int) -> Definition | None:
    for found in unit.definitions.values():
        for d in found:
            if d.span.start <= at < d.span.end:
                return d
    return None


def _walk(chain: tuple[Syntax, ...]) -> Iterator[tuple[Syntax, ...]]:
    """Yield the chain to every statement that is one call, in the order of the text."""
    node = chain[-1]
    if node.kind == "expression_statement":
        if len(node.children) == 1 and node.children[0].kind == "call_expression":
            yield chain
        return
    for child in node.children:
        yield from _walk((*chain, child))
