"""Make a body ready to be walked: what names the page, what is told of it, what is meant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from analyzer.c import ir
from analyzer.program.defs import Place
from analyzer.program.shape import names_in
from analyzer.ways.body import Answering, Body, spell_expression
from analyzer.ways.naming import same_page
from analyzer.ways.walk import World


def body_of(
    function: ir.Function,
    variant: ir.Variant,
    page: ir.Expr,
    starts: Iterable[Place],
    world: World,
    answer: Answering,
) -> Body:
    """Return a function's body as it is walked for a page that comes into it at some places."""
    same, forming = same_page(variant, page, world.facts)
    return Body(
        variant,
        same,
        frozenset((*(p.name for p in function.params), *variant.locals)),
        forming,
        frozenset(starts),
        _telling_in(variant, world),
        _meanings_of(variant),
        answer,
    )


def _telling_in(variant: ir.Variant, world: World) -> frozenset[str]:
    """Return the variables whose value is returned, stored or passed on."""
    found: set[str] = set()
    quiet = world.quiet
    for block in variant.blocks:
        for step in block.instructions:
            match step:
                case ir.Assign(target, value) if not isinstance(target, ir.Name):
                    found.update(names_in(value))
                case ir.Call(_, ir.Name(callee), args) if callee not in quiet:
                    found.update(n for a in args for n in names_in(a))
        if isinstance(block.end, ir.Return) and block.end.value is not None:
            found.update(names_in(block.end.value))
    return frozenset(found)


def _meanings_of(variant: ir.Variant) -> Mapping[str, str]:
    """Return for each temporary the text of the call that makes it."""
    found: dict[str, str] = {}
    for step in variant.steps:
        if isinstance(step, ir.Call):
            args = ", ".join(spell_expression(a, found) for a in step.args)
            found[step.result.id] = f"{spell_expression(step.callee, found)}({args})"
    return found
