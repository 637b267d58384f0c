"""Lower what a macro stands for, where a file gives it the name of something else."""

from __future__ import annotations

from analyzer.c.body import Body
from analyzer.c.ir import Expr
from analyzer.c.macros import expand
from analyzer.c.own import NOTHING
from analyzer.c.parser import Syntax, parse_body
from analyzer.c.prepare import prepare
from analyzer.c.unit import scan_unit


def expansion_of(b: Body, node: Syntax, name: str) -> Expr | None:
    """Lower a call of a macro that a file defines under the name of something else.

    None where the name is none. What the macro stands for has the place of the call.
    """
    macros = b.own.at(node.start)
    if name not in macros:
        return None
    unit = scan_unit(b.unit.path, f"{{ {expand(b.plain(node), macros)}; }}".encode("latin-1"))
    tree = parse_body(prepare(unit.code, b.unit.attributes), 0)
    if tree is None or tree.broken:
        b.lose(node, "cannot expand")
        return b.opaque(node)
    outer = b.unit, b.own, b.at, b.cases
    b.unit, b.own, b.at, b.cases = unit, NOTHING, b.span(node), {}
    value = b.block_value(tree)
    b.unit, b.own, b.at, b.cases = outer
    return value
