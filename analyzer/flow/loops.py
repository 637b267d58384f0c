"""Tell loops over a range of pages from all others."""

from __future__ import annotations

from analyzer.c import ir
from analyzer.flow.run import Activation, Run
from analyzer.flow.shape import expressions_of, names_in, shape_of
from analyzer.flow.state import State
from analyzer.flow.values import Page


def is_page_pointer(declared: str) -> bool:
    """Tell whether a declared type is a pointer to a page, not to a pointer or an array."""
    words = declared.replace("*", " * ").split()
    return words.count("*") == 1 and ("page" in words or "folio" in words)


def range_counts(act: Activation, run: Run) -> frozenset[str]:
    """Return the parameters that bound a loop over a range of pages: a range is not empty."""
    found: set[str] = set()
    shape = shape_of(act.variant)
    params = {p.name for p in act.function.params if "*" not in p.type}
    for n, loop in enumerate(act.variant.loops):
        if not _names_pages(act, loop, shape.advanced[n], run):
            continue
        header = act.variant.blocks[loop.header]
        read = {x for s in header.instructions for e in expressions_of(s) for x in names_in(e)}
        if isinstance(header.end, ir.Branch):
            read |= set(names_in(header.end.cond))
        found |= read & params
    return frozenset(found)


def _names_pages(act: Activation, loop: ir.Loop, advanced: frozenset[str], run: Run) -> bool:
    """Tell whether a loop turns what it steps into pages."""
    return any(
        isinstance(step, ir.Call)
        and isinstance(step.callee, ir.Name)
        and step.callee.id in run.facts.identities
        and advanced & {x for a in step.args for x in names_in(a)}
        for b in loop.blocks
        for step in act.variant.blocks[b].instructions
    )


def walks_range(act: Activation, n: int, advanced: frozenset[str], state: State, run: Run) -> bool:
    """Tell whether a loop steps through a range of pages."""
    for name in advanced:
        if is_page_pointer(act.type_of(name)) or isinstance(state.store.get(act.place(name)), Page):
            return True
    loop = act.variant.loops[n]
    if loop.kind == "iterator" or not advanced:
        return False
    if _names_pages(act, loop, advanced, run):
        return True
    for b in loop.blocks:
        for step in act.variant.blocks[b].instructions:
            for e in expressions_of(step):
                if _steps_page(e, advanced, state, act, run):
                    return True
    return False


def _steps_page(
    e: ir.Expr, advanced: frozenset[str], state: State, act: Activation, run: Run
) -> bool:
    match e:
        case ir.Binary("+" | "-", left, right) | ir.Index(left, right):
            for base, other in ((left, right), (right, left)):
                if set(names_in(other)) & advanced and isinstance(base, ir.Name):
                    value = state.store.get(act.place(base.id))
                    if isinstance(value, Page):
                        return True
                    if value is None and is_page_pointer(act.type_of(base.id)):
                        return True
            return _steps_page(left, advanced, state, act, run)
        case ir.Unary(_, operand) | ir.Cast(_, operand) | ir.Field(operand, _, _):
            return _steps_page(operand, advanced, state, act, run)
    return False
