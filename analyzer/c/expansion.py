"""Lower what a macro of a file stands for: a value, or the head of a loop."""

from __future__ import annotations

from analyzer.base import Span
from analyzer.c.body import HOLE, Body, uncommented
from analyzer.c.ir import Expr
from analyzer.c.macros import expand
from analyzer.c.own import NOTHING, Own
from analyzer.c.parser import Syntax, parse_body
from analyzer.c.prepare import prepare
from analyzer.c.unit import Unit, scan_unit

#: What a body is lowered from: a text, what names mean in it, whose place it has, its cases.
_Place = tuple[Unit, Own, Span | None, dict[int, int]]


def expansion_of(b: Body, node: Syntax, name: str) -> Expr | None:
    """Lower a call of a macro that a file defines under the name of something else.

    None where the name is none. What the macro stands for has the place of the call.
    """
    macros = b.own.at(node.start)
    if name not in macros:
        if not b.own.is_pasted(name) or name in b.unit.definitions:
            return None
        b.lose(node, "a macro may define what is called in")
        return b.opaque(node)
    unit, tree = _parsed(b, expand(b.plain(node), macros))
    if tree is None or name in b.own.unsure:
        b.lose(node, "cannot expand" if tree is None else "cannot choose a definition for")
        return b.opaque(node)
    outer = b.unit, b.own, b.at, b.cases
    b.unit, b.own, b.at, b.cases = unit, NOTHING, b.span(node), {}
    value = b.block_value(tree)
    b.unit, b.own, b.at, b.cases = outer
    return value


def expanded_head(b: Body, node: Syntax, name: str, end: int) -> bool:
    """Lower a loop that a macro of the file heads, up to an offset; tell whether it is one.

    What the macro stands for has the place of the head, and the loop's body its own.
    """
    macros = b.own.at(node.start)
    body = node.child("body")
    if name not in macros or body is None:
        return False
    head = " ".join(uncommented(b.unit, node.start, end).split())
    unit, tree = _parsed(b, f"{expand(head, macros)} {HOLE}")
    if tree is None or unit.text.count(HOLE.encode()) != 1:
        return False
    outer = b.unit, b.own, b.at, b.cases, b.inner
    inside: _Place = (unit, NOTHING, b.at or b.unit.span(node.start, end), {})

    def inner() -> None:
        b.unit, b.own, b.at, b.cases, b.inner = outer
        b.statement(body)
        b.unit, b.own, b.at, b.cases = inside
        b.inner = inner

    b.unit, b.own, b.at, b.cases = inside
    b.inner = inner
    b.statement(tree)
    b.unit, b.own, b.at, b.cases, b.inner = outer
    return True


def _parsed(b: Body, text: str) -> tuple[Unit, Syntax | None]:
    """Return expanded text as a file of its own, and its statements if they can be read."""
    unit = scan_unit(b.unit.path, f"{{ {text}; }}".encode("latin-1"))
    tree = parse_body(prepare(unit.code, b.unit.attributes), 0)
    return unit, None if tree is None or tree.broken else tree
