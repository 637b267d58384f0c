"""Know of a number that a function only ever raises whether it was, and how far it can be."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from analyzer.c import ir
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.numbers import Numbers
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import MIRRORED, Int, NonZero, Value
from analyzer.flow.expressions import evaluate
from analyzer.flow.run import Run
from analyzer.flow.steps import is_own_step, loops_around
from analyzer.program.shape import expressions_of, names_in, written


def stepped(step: ir.Assign, value: Value, act: Activation) -> Value:
    """Return what a step assigns: what was raised from what is not negative is above zero."""
    match step.target:
        case ir.Name(id) if id in raised_in(act.variant) and is_own_step(step):
            place = act.place(id)
            return value if isinstance(value, Int) else NonZero(f"{place}:raised", Numbers(low=1))
    return value


def widened(name: str, n: int, state: State, act: Activation, run: Run) -> State:
    """Return the state in which a number may have been raised more often; what was not is zero."""
    place = act.place(name)
    if state.store.get(place, Int(0)) == Int(0):
        return state
    among = Numbers(low=1, high=_most(act.variant, n, name, state, act, run))
    return state.put(place, NonZero(f"{place}:turn{n}", among))


def _most(
    variant: ir.Variant, n: int, name: str, state: State, act: Activation, run: Run
) -> int | None:
    """Return how far a loop counts that does so one by one and ends when it has come there."""
    loop = variant.loops[n]
    match variant.blocks[loop.header].end:
        case ir.Branch(ir.Binary("<" | "<=" | "!=" as op, ir.Name(id), end), then) if (
            id == name and then in loop.blocks and loop.assigns.isdisjoint(names_in(end))
        ):
            found = evaluate(end, state, act, run)
        case _:
            return None
    steps = [
        (b, step.value)
        for b, block in enumerate(variant.blocks)
        for step in block.instructions
        if isinstance(step, ir.Assign) and step.target == ir.Name(name)
    ]
    raising = [(b, value.right) for b, value in steps if isinstance(value, ir.Binary)]
    if not isinstance(found, Int) or len(raising) != 1 or raising[0][1] != ir.Const(1):
        return None
    if loop not in (around := loops_around(variant, raising[0][0])) or any(
        other.header in loop.blocks for other in around if other != loop
    ):
        return None
    most = found.value + (op == "<=")
    return most if all(v.value <= most for _, v in steps if isinstance(v, ir.Const)) else None


@lru_cache(maxsize=4096)
def raised_in(variant: ir.Variant) -> frozenset[str]:
    """Return the locals that are only set to what is not negative, raised, and compared.

    What chooses a page or an element is none: that goes by the loop that steps it.
    """
    raised: set[str] = set()
    others: set[str] = set()
    for block in variant.blocks:
        for step in block.instructions:
            match step:
                case ir.Assign(ir.Name(id), ir.Const(number)) if number >= 0:
                    pass
                case ir.Assign(ir.Name(id), ir.Binary("+", _, ir.Const(by))) if (
                    by > 0 and is_own_step(step)
                ):
                    raised.add(id)
                case ir.Assign(ir.Name(), ir.Name()):  # such as `n++` leaves
                    others.update(written(step))
                case ir.Call(_, _, args) if any(isinstance(a, ir.Text) for a in args):
                    others.update(written(step))
                case _:
                    others.update(written(step))
                    others.update(x for e in expressions_of(step) for x in names_in(e))
        match block.end:
            case ir.Branch(cond):
                others.update(_elsewhere(cond))
            case ir.Return(value) if value is not None:
                others.update(names_in(value))
    own = {name for name, kind in variant.locals.items() if "static" not in kind.split()}
    return frozenset(raised & own - others)


def _elsewhere(cond: ir.Expr) -> Iterator[str]:
    """Yield the names that a condition reads other than to compare them."""
    match cond:
        case ir.Name() | ir.Const():
            return
        case ir.Unary("!", operand) | ir.Cast(_, operand):
            yield from _elsewhere(operand)
        case ir.Binary(op, left, right) if op in MIRRORED:
            yield from _elsewhere(left)
            yield from _elsewhere(right)
        case _:
            yield from names_in(cond)
