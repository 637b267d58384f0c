"""Read what file-scope variables are initialised with: callbacks, notifiers, tables."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from analyzer.base import unspaced
from analyzer.c.body import Body, uncommented
from analyzer.c.heads import plain_type
from analyzer.c.ir import Expr, Initializer
from analyzer.c.lower import RULES
from analyzer.c.parser import Syntax, query_text
from analyzer.c.prepare import prepare
from analyzer.c.prototypes import file_scope, file_statements
from analyzer.c.unit import Unit

_LEADING = re.compile(rb"(?:[A-Z_][A-Z0-9_]+\s*\([^();]*\)\s*)+(?=[a-z_])")


def initializers(unit: Unit) -> tuple[Initializer, ...]:
    """Return the initial values of file-scope variables, those of all `#if` arms.

    Members of nested structures have dotted names, elements of arrays are `[index]` in them.
    """
    found: list[Initializer] = []
    scope = file_scope(unit)
    for begin, end in file_statements(unit, scope):
        if scope.find(b"=", begin, end) < 0 or scope.startswith(b"typedef", begin):
            continue
        text = scope[begin : end + 1]
        leading = _LEADING.match(text)
        if leading is not None:  # uses of macros without a semicolon
            text = b" " * leading.end() + text[leading.end() :]
        try:
            for match in query_text(prepare(text, unit.attributes), begin, "initializers"):
                found += _of_declarator(unit, match)
        except RecursionError:
            continue
    return tuple(found)


def _of_declarator(unit: Unit, match: Mapping[str, Syntax]) -> Iterator[Initializer]:
    declaration, declarator = match["declaration"], match["declarator"]
    name = declarator
    while name.kind != "identifier":
        inner = name.child("declarator") or (name.children[0] if name.children else None)
        if inner is None:
            return
        name = inner
    variable = unit.source(name.start, name.end)
    spelled = (
        uncommented(unit, declaration.start, _specifiers_end(declaration, declarator)),
        uncommented(unit, declarator.start, name.start),
        uncommented(unit, name.end, declarator.end),
    )
    declared = plain_type(" ".join(spelled))
    b = Body(unit, variable, RULES)
    for field, node in _members(b, "", match["value"]):
        yield Initializer(
            variable=variable,
            type=declared,
            field=field,
            value=_value(b, node),
            span=unit.span(node.start, node.end),
            conditions=unit.conditions.at(node.start),
        )


def _specifiers_end(declaration: Syntax, declarator: Syntax) -> int:
    """Return where the first declarator starts."""
    return min((c.start for c in declaration.children if c.field == "declarator"),
               default=declarator.start)  # fmt: skip


def _value(b: Body, node: Syntax) -> Expr:
    """Return a constant expression; one that would need instructions is opaque."""
    before = b.temporaries
    value = b.value(node)
    return value if b.temporaries == before else b.opaque(node)


def _members(b: Body, path: str, node: Syntax) -> Iterator[tuple[str, Syntax]]:
    if node.kind != "initializer_list":
        yield path, node
        return
    position = 0
    for item in node.children:
        if item.kind != "initializer_pair":
            yield from _members(b, f"{path}[{position}]", item)
            position += 1
            continue
        value = item.child("value")
        designated = path
        for part in item.children:
            match part.kind:
                case "field_designator" | "field_identifier":
                    dotted = b.text(part).lstrip(".").strip()
                    designated = f"{designated}.{dotted}".lstrip(".")
                case "subscript_designator" | "subscript_range_designator":
                    designated += unspaced(b.text(part))
        if value is not None:
            yield from _members(b, designated, value)
