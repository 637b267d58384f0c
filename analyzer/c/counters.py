"""Lower calls that read, store or count in the place whose address they are passed."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.c.body import Body
from analyzer.c.facts import Counted, macros
from analyzer.c.ir import Binary, Branch, Const, Expr, Field, Name, Unary
from analyzer.c.parser import Syntax


def lower_counted(b: Body, node: Syntax, name: str, given: Sequence[Syntax]) -> Expr | None:
    """Return the value of such a call; None where it is another one."""
    known = macros().counted.get(name)
    if known is None or len(given) <= max(_positions(known)):
        return None
    target = _counter(b, given[known.place])
    if target is None:
        return None
    new = _becomes(b, known, target, given)
    if new is None:
        return target
    old = b.temporary()
    b.assign(old, target, node)
    limit = known.if_is if known.if_is is not None else known.if_not
    bound = Const(0) if limit is None or limit < 0 else b.value(given[limit])
    if limit is None:
        b.assign(target, new, node)
    else:
        then, join = b.graph.block(), b.graph.block()
        ways = (then, join) if known.if_is is not None else (join, then)
        b.graph.end(Branch(Binary("==", old, bound), *ways, b.span(node)))
        b.graph.place(then)
        b.assign(target, new, node)
        b.graph.place(join)
    match known.value:
        case "zero":
            return Binary("==", target, Const(0))
        case "done":
            return Binary("!=", old, bound)
        case "new":
            return target
    return old


def _positions(known: Counted) -> tuple[int, ...]:
    found = (known.stored, known.adds, known.subtracts, known.if_is, known.if_not)
    return (known.place, *(n for n in found if n is not None))


def _becomes(b: Body, known: Counted, target: Expr, given: Sequence[Syntax]) -> Expr | None:
    """Return what is stored; None where the number is only read."""
    if known.becomes is not None:
        return Const(known.becomes)
    if known.stored is not None:
        return b.value(given[known.stored])
    if known.adds is not None:
        return Binary("+", target, b.value(given[known.adds]))
    if known.subtracts is not None:
        return Binary("-", target, b.value(given[known.subtracts]))
    if known.by is not None:
        return Binary("+" if known.by > 0 else "-", target, Const(abs(known.by)))
    return None


def _counter(b: Body, address: Syntax) -> Expr | None:
    """Return the field or variable whose address is passed; None for anything else.

    So is what a pointer to a pointer points at, which no number of users is.
    """
    if address.kind == "identifier" and (b.type_of(b.text(address)) or "").count("*") > 1:
        return Unary("*", b.value(address))
    of = address.child("argument") if address.kind == "pointer_expression" else None
    if of is None or of.kind not in ("field_expression", "identifier"):
        return None
    match b.value(address):
        case Unary("&", Field(name=name) as place) if name not in macros().uncounted:
            return place
        case Unary("&", Name() as place):
            return place
    return None
