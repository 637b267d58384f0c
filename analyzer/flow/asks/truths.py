"""Know what is computed from the answer to a test of a page and from what is true or false.

`backed << 1 | PageOffline(page)` is one number for each of the ways in which the two go together.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from analyzer.c import ir
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import ONE, ZERO, Int, Unknown
from analyzer.flow.expressions import evaluate
from analyzer.flow.run import Run

#: What puts several answers into one number.
_JOINING = frozenset(("+", "-", "*", "<<", "|", "^"))
_BOOL = frozenset(("bool", "_Bool"))


def by_truths(e: ir.Expr, state: State, act: Activation, run: Run) -> list[State] | None:
    """Return the states in which the next part of a number that is true or false is known.

    None where all of them are, or none: nothing is then known that goes together with it.
    """
    joined = _joined(e)
    if joined is None:
        return None
    values = [(part, evaluate(part, state, act, run)) for part in _parts(joined)]
    if not any(isinstance(value, Int) for _, value in values):
        return None
    for part, value in values:
        if isinstance(value, Unknown) and _is_truth(part, act, run):
            return [state.substitute(value, told) for told in (ONE, ZERO)]
    return None


def _joined(e: ir.Expr) -> ir.Expr | None:
    """Return what is computed by an expression, or by one side of a comparison."""
    match e:
        case ir.Binary(op) if op in _JOINING:
            return e
        case ir.Binary(_, ir.Binary(op) as side) | ir.Binary(_, _, ir.Binary(op) as side):
            return side if op in _JOINING else None
    return None


def _parts(e: ir.Expr) -> Iterator[ir.Expr]:
    match e:
        case ir.Binary(op, left, right) if op in _JOINING:
            yield from _parts(left)
            yield from _parts(right)
        case ir.Cast(_, operand) | ir.Unary("!", operand):
            yield from _parts(operand)
        case ir.Name():
            yield e


def _is_truth(e: ir.Expr, act: Activation, run: Run) -> bool:
    """Tell whether a variable, or the answer of a function, can be nothing but true or false."""
    if not isinstance(e, ir.Name):
        return False
    if not e.id.startswith("%"):
        return not _BOOL.isdisjoint(act.type_of(e.id).split())
    called = _callees(act.variant).get(e.id)
    found = run.program.resolve(called, act.function.path) if called else ()
    answers = [f.returns for id in found for f in run.program.lowered(id)]
    return bool(answers) and all(not _BOOL.isdisjoint(a.split()) for a in answers)


@lru_cache(maxsize=4096)
def _callees(variant: ir.Variant) -> dict[str, str]:
    """Return the functions that are called by name, by the temporary that holds the answer."""
    return {
        step.result.id: step.callee.id
        for step in variant.steps
        if isinstance(step, ir.Call) and isinstance(step.callee, ir.Name)
    }
