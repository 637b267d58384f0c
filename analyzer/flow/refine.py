"""Split a state by a condition: the outcomes that can be, each with what it tells."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from analyzer.c import ir
from analyzer.flow.asks import typed
from analyzer.flow.asks.tested import is_condition
from analyzer.flow.asks.truths import by_truths
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.numbers import IS_ZERO
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import (
    MIRRORED,
    ZERO,
    Fn,
    Int,
    NonZero,
    Ref,
    Symbol,
    Unknown,
    Value,
    compare,
    counted,
    numbers_of,
    test_of,
    truth,
)
from analyzer.flow.expressions import CONFIG, evaluate
from analyzer.flow.run import Run
from analyzer.program.shape import returned_by


def valued(e: ir.Expr, state: State, act: Activation, run: Run) -> list[tuple[Value, State]]:
    """Return what is known of a value: of a comparison that tells something, either outcome."""
    value = evaluate(e, state, act, run)
    if (apart := by_truths(e, state, act, run)) is not None:
        return [found for one in apart for found in valued(e, one, act, run)]
    if typed.reads_types(act, run):
        value_of = partial(evaluate, state=state, act=act, run=run)
        if is_condition(e) and (told := typed.split(e, value_of, state, act, run)) is not None:
            return [(Int(int(held)), s.deciding(state.forced)) for held, s in told]
        state = typed.kept(e, value_of, state, run)
    if isinstance(value, Unknown) and is_condition(e):
        outcomes = refine(e, state, act, run)
        if len(outcomes) == 1 or any(told.store != state.store for _, told in outcomes):
            return [(Int(int(held)), told.deciding(state.forced)) for held, told in outcomes]
    return [(value, state)]


def refine(cond: ir.Expr, state: State, act: Activation, run: Run) -> list[tuple[bool, State]]:
    """Split a state by a condition: the outcomes that can be, each with what it tells."""
    if typed.reads_types(act, run):
        value_of = partial(evaluate, state=state, act=act, run=run)
        if (told := typed.split(cond, value_of, state, act, run)) is not None:
            return told
    if (apart := by_truths(cond, state, act, run)) is not None:
        return [outcome for one in apart for outcome in refine(cond, one, act, run)]
    match cond:
        case ir.Unary("!", operand):
            return [(not held, s) for held, s in refine(operand, state, act, run)]
        case ir.Cast(operand=operand):
            return refine(operand, state, act, run)
        case ir.Binary("==" | "!=" as op, left, right):
            one, other = evaluate(left, state, act, run), evaluate(right, state, act, run)
            if compare(op, one, other) is None:
                return _split_equal(op == "==", one, other, state)
        case ir.Binary("<" | "<=" | ">" | ">=") if (
            split := _split_ordered(cond, state, act, run)
        ) is not None:
            return split
    value = evaluate(cond, state, act, run)
    held = truth(value)
    if held is not None:
        if isinstance(cond, ir.Const):
            return [(held, state)]
        forced = value.tested if isinstance(value, Int) else None
        return [(held, state.deciding(forced))]
    state = state.deciding(None)
    if isinstance(value, Unknown):
        if value.key.startswith(CONFIG):
            symbol = value.key.removeprefix(CONFIG)
            return [(True, state.assume(symbol, True)), (False, state.assume(symbol, False))]
        return [
            (True, state.substitute(value, NonZero(value.key, value.among))),
            (False, state.substitute(value, ZERO)),
        ]
    return [(True, state), (False, state)]


def _split_ordered(
    cond: ir.Binary, state: State, act: Activation, run: Run
) -> list[tuple[bool, State]] | None:
    """Split by a comparison with a number; None where it tells nothing that is asked for."""
    op, e = cond.op, cond.left
    one, other = evaluate(e, state, act, run), evaluate(cond.right, state, act, run)
    if isinstance(one, Int):
        op, e, one, other = MIRRORED[op], cond.right, other, one
    if not isinstance(other, Int) or compare(op, one, other) is not None:
        return None
    if isinstance(one, Unknown) and counted(one.key)[1]:
        return _split_counted(op, one, other.value, state)
    if isinstance(one, Unknown | NonZero) and (one.among or e in returned_by(act.variant)):
        return _split_numbers(op, one, other.value, state)
    return None


def _split_numbers(
    op: str, one: Unknown | NonZero, number: int, state: State
) -> list[tuple[bool, State]]:
    """Split by what a comparison with a number tells of a value that the caller gets."""
    state = state.deciding(None)
    test, meant = test_of(op, number)
    outcomes = []
    for held in (True, False):
        left = numbers_of(one).passing(test, held=held is meant)
        assert left is not None, "it is not decided"
        new: Value = Unknown(one.key, left)
        if left.low is not None and left.low == left.high:
            new = Int(left.low)
        elif left.passing(IS_ZERO, held=True) is None:
            new = NonZero(one.key, left)
        outcomes.append((held, state.substitute(one, new)))
    return outcomes


def _split_counted(op: str, one: Unknown, number: int, state: State) -> list[tuple[bool, State]]:
    """Split by how many there are of what was counted from a number that is not negative."""
    state = state.deciding(None)
    least = counted(one.key)[1]
    most = number if op in ("<=", ">") else number - 1
    held = op in ("<", "<=")
    outcomes = [(not held, state)]
    if most >= least:
        few = state.substitute(one, Int(least)) if most == least else state
        outcomes.append((held, few))
    return outcomes


def _split_equal(equal: bool, one: Value, other: Value, state: State) -> list[tuple[bool, State]]:
    """Split by an equality that cannot be decided."""
    state = state.deciding(None)
    if isinstance(one, Int | Symbol | Fn | Ref):
        one, other = other, one
    if isinstance(one, Unknown | NonZero) and isinstance(other, Int | Symbol | Fn | Ref):
        fact = (one.key, other)
        if fact in state.unequal:
            return [(not equal, state)]
        same = state.substitute(one, other)
        differ = (
            state.substitute(one, NonZero(one.key, one.among))
            if other == ZERO
            else replace(state, unequal=state.unequal | {fact})
        )
        return [(equal, same), (not equal, differ)]
    return [(True, state), (False, state)]
