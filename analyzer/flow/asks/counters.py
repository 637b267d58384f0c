"""Follow what is counted in memory: whose users there are, and how many."""

from __future__ import annotations

from functools import lru_cache

from analyzer.c import ir
from analyzer.flow import ranges
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import Unknown, counted
from analyzer.flow.expressions import evaluate, place_of
from analyzer.flow.run import Run
from analyzer.flow.steps import is_own_step
from analyzer.flow.weight import is_asked_for
from analyzer.program.shape import is_part_of

#: How far a number is followed from what it was.
_FAR = 3


def counters_of(act: Activation, run: Run) -> frozenset[ir.Expr]:
    """Return the places in which a function counts what decides for others what they do."""
    return frozenset(e for e in _counted_in(act.variant) if is_asked_for(e, act, run))


def is_count(step: ir.Assign) -> bool:
    """Tell whether a step adds a constant to what a place holds, or subtracts one."""
    match step.value:
        case ir.Binary("+" | "-", _, ir.Const()):
            return is_own_step(step)
    return False


def stepped(
    step: ir.Assign, counters: frozenset[ir.Expr], state: State, act: Activation, run: Run
) -> ir.Expr:
    """Return what a step assigns; a counter is followed for some steps."""
    if step.target in counters and is_count(step):
        value = evaluate(step.value, state, act, run)
        if not isinstance(value, Unknown) or abs(counted(value.key)[1]) <= _FAR:
            return step.value
    return ranges.stepped(step, act)


def placed(
    cond: ir.Expr, counters: frozenset[ir.Expr], state: State, act: Activation, run: Run
) -> State:
    """Return the state with a place for each counter that a condition reads, to be told of."""
    for e in counters:
        if is_part_of(e, cond):
            place = place_of(e, state, act, run)
            state = state.put(place, evaluate(e, state, act, run))
    return state


@lru_cache(maxsize=4096)
def _counted_in(variant: ir.Variant) -> frozenset[ir.Expr]:
    return frozenset(
        step.target for step in variant.steps if isinstance(step, ir.Assign) and is_count(step)
    )
