"""Know how far two variables are apart before a loop steps one of them to the other.

A loop over a range of pages is walked once, whatever its range. Where it ends before its first
turn, as one over all pages but the last does where there is one page, that can be seen from where
its variables begin: so far from the same variable.
"""

from __future__ import annotations

from functools import lru_cache

from analyzer.c import ir
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import MIRRORED, Element, Int, compare
from analyzer.flow.expressions import evaluate
from analyzer.flow.run import Run
from analyzer.flow.steps import is_looped, loops_around, variables_of_loops
from analyzer.program.shape import names_in, written

#: What the place of what is known of a variable ends with.
_FROM = ".="


def assigned(step: ir.Assign, before: State, after: State, act: Activation, run: Run) -> State:
    """Return the state after a store with where the variable stands now, if that is known."""
    match step.target:
        case ir.Name(id) if id in _compared(act.variant):
            place = act.place(id) + _FROM
        case _:
            return after
    copied = id.startswith("%") and isinstance(step.value, ir.Name)
    known = copied or not is_looped(step, act.variant)
    found = _stands(step.value, before, act, run) if known else None
    if found is not None:
        return after.put(place, found)
    return after.without([place]) if place in after.store else after


def told(
    cond: ir.Expr, block: int, turns: int, state: State, act: Activation, run: Run
) -> bool | None:
    """Return the outcome of a comparison, outside of loops or where a loop has not begun.

    What holds there on the first turn need not hold on others: it is told that there is none.
    """
    match cond:
        case ir.Binary(op, left, right) if op in MIRRORED:
            around = loops_around(act.variant, block)
        case _:
            return None
    if around and (turns or len(around) > 1 or around[0].header != block):
        return None
    one, other = _stands(left, state, act, run), _stands(right, state, act, run)
    if one is None or other is None or one.place != other.place:
        return None
    held = compare(op, one.index, other.index)
    end = act.variant.blocks[block].end
    if around and isinstance(end, ir.Branch):
        return held if (end.then if held else end.orelse) not in around[0].blocks else None
    return held


def _stands(e: ir.Expr, state: State, act: Activation, run: Run) -> Element | None:
    """Return how far from which variable a value is."""
    match e:
        case ir.Cast(operand=operand):
            return _stands(operand, state, act, run)
        case ir.Name(id) if act.is_local(id):
            place = act.place(id)
            found = state.store.get(place + _FROM)
            if isinstance(found, Element):
                return found
            steady = id in _compared(act.variant) and _times(act.variant).get(id, 0) <= 1
            return Element(place, Int(0)) if steady else None
        case ir.Binary("+" | "-" as op, left, right):
            base, by = _stands(left, state, act, run), evaluate(right, state, act, run)
            counted = variables_of_loops(act.variant).isdisjoint(names_in(right))
            if base is not None and isinstance(base.index, Int) and isinstance(by, Int) and counted:
                by_number = by.value if op == "+" else -by.value
                return Element(base.place, Int(base.index.value + by_number))
    return None


@lru_cache(maxsize=4096)
def _compared(variant: ir.Variant) -> frozenset[str]:
    """Return the variables that loops are held against each other, and what these come from."""
    found: set[str] = set()
    for loop in variant.loops:
        match variant.blocks[loop.header].end:
            case ir.Branch(ir.Binary(op, left, right)) if op in MIRRORED:
                found |= {*names_in(left), *names_in(right)}
    todo = list(found)
    while todo:
        name = todo.pop()
        for step in variant.steps:
            if isinstance(step, ir.Assign) and step.target == ir.Name(name):
                new = set(names_in(step.value)) - found
                found |= new
                todo += new
    return frozenset(found) - _iterated(variant)


def _iterated(variant: ir.Variant) -> frozenset[str]:
    return frozenset(
        name
        for step in variant.steps
        if isinstance(step, ir.Iterate)
        for e in step.args
        for name in names_in(e)
    )


@lru_cache(maxsize=4096)
def _times(variant: ir.Variant) -> dict[str, int]:
    """Return how often a variable is written; what a loop writes is written more than once."""
    found: dict[str, int] = {}
    for step in variant.steps:
        for name in written(step):
            found[name] = found.get(name, 0) + 1
    return {n: 2 if n in variables_of_loops(variant) else count for n, count in found.items()}
