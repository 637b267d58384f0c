"""Tell which expressions of a body name a page, and which name another one beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from analyzer.c import ir
from analyzer.pages.facts import Facts
from analyzer.program.shape import names_in

#: Tells the number that an expression is, where it is known.
Valued = Callable[[ir.Expr], int | None]


def _unvalued(e: ir.Expr) -> int | None:
    return e.value if isinstance(e, ir.Const) else None


def page_key(e: ir.Expr, value: Valued = _unvalued) -> str:
    """Return what tells the page that an expression names from others, or from a part of one.

    A page's own fields are the page. What lies so many pages behind another page is not that page,
    but where the number is known to be zero.
    """
    match e:
        case ir.Name(id):
            return id
        case ir.Const(number):
            return str(number)
        case ir.Cast(_, inner):
            return page_key(inner, value)
        case ir.Unary("&", ir.Index(base, index)):
            return _beside("+", base, index, value)
        case ir.Unary("&", ir.Field(base, _, _)):
            return page_key(base, value)
        case ir.Unary(op, inner):
            return f"{op}({page_key(inner, value)})"
        case ir.Binary("+" | "-" as op, left, right):
            return _beside(op, left, right, value)
        case ir.Binary(op, left, right):
            return f"({page_key(left, value)} {op} {page_key(right, value)})"
        case ir.Field(base, name, _):
            return f"{page_key(base, value)}.{name}"
        case ir.Index(base, index):
            return f"{page_key(base, value)}[{page_key(index, value)}]"
    return ""


def _beside(op: str, base: ir.Expr, amount: ir.Expr, value: Valued) -> str:
    key, number = page_key(base, value), value(amount)
    if number == 0:
        return key
    if value(base) == 0 and op == "+":
        return page_key(amount, value)
    return f"({key} {op} {page_key(amount, value)})"


def stands_for(callee: str, args: tuple[ir.Expr, ...], facts: Facts) -> ir.Expr | None:
    """Return what names the page that a call gives back; None where it gives something else."""
    identity = facts.identities.get(callee)
    if identity is None or not args:
        return None
    away = identity.distance
    return args[0] if away is None or away >= len(args) else ir.Binary("+", args[0], args[away])


def same_page(
    variant: ir.Variant, page: ir.Expr, facts: Facts
) -> tuple[frozenset[str], frozenset[str]]:
    """Return the keys of what names a page in a body, in whatever form, and the names in them."""
    steps = list(variant.steps)
    linked = [(name, e) for s in steps for name, e in _links(s, facts)]
    same, forming = {page_key(page)}, set(names_in(page))
    changed = True
    while changed:
        before = len(same)
        for name, e in linked:
            if name in same or page_key(e) in same:
                same |= {name, page_key(e)}
                forming |= {name, *names_in(e)}
        changed = len(same) > before
    return frozenset(same - {""}), frozenset(forming)


def _links(step: ir.Instruction, facts: Facts) -> Iterator[tuple[str, ir.Expr]]:
    """Yield a variable and an expression that name the same page after an instruction."""
    match step:
        case ir.Assign(ir.Name(id), ir.Name() as value):
            yield id, value
        case ir.Call(result, ir.Name(callee), args):
            named = stands_for(callee, args, facts)
            if named is not None:
                yield result.id, named
