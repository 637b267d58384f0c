"""Find what a function asks for: the conditions of its branches, and which of them are alike."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from analyzer.c import ir
from analyzer.flow.asks.conditions import Asked, asked_for, is_difference
from analyzer.program.program import Program
from analyzer.program.shape import names_in, written


@dataclass(frozen=True, slots=True, eq=False)
class Questions:
    """The branches of a variant whose condition may be asked for again, by block.

    What a loop goes on for is no condition of the kind: it is different at last. variables are
    those that conditions go back to and do not name.
    """

    asked: Mapping[int, Asked]
    variables: frozenset[str]


def questions_of(variant: ir.Variant, path: str, program: Program) -> Questions:
    """Return the questions of a variant, with the numbers that its file defines.

    A helper that only answers a question is asked for by what it asks for.
    """
    names, calls = _said(variant)
    numbers = program.own_numbers(path) if names else {}
    known: dict[str, ir.Expr] = {n: ir.Const(numbers[n]) for n in names if n in numbers}
    for id, call in calls:
        if (meant := _meant(call, path, program)) is not None:
            known[id] = meant
    return _questions(variant, tuple(known.items()))


def _meant(call: ir.Call, path: str, program: Program) -> ir.Expr | None:
    """Return what a helper answers that does nothing else; None for any other call."""
    if not isinstance(call.callee, ir.Name) or call.callee.id.startswith("%"):
        return None
    found = program.resolve(call.callee.id, path)
    functions = program.lowered(found[0]) if len(found) == 1 else ()
    if len(functions) != 1 or len(functions[0].variants) != 1 or functions[0].gaps:
        return None
    (variant,) = functions[0].variants
    match variant.blocks:
        case (ir.Block((), ir.Return(value)),) if value is not None:
            params = functions[0].params
            given = {p.name: arg for p, arg in zip(params, call.args, strict=False)}
            numbers = program.own_numbers(functions[0].path)
            return _replaced(value, given, numbers) if len(given) == len(params) else None
    return None


def _replaced(
    e: ir.Expr, given: Mapping[str, ir.Expr], numbers: Mapping[str, int]
) -> ir.Expr | None:
    """Return an expression with others in place of names; None where it has more in it."""
    match e:
        case ir.Const():
            return e
        case ir.Name(id) if id in given:
            return given[id]
        case ir.Name(id) if id in numbers:
            return ir.Const(numbers[id])
        case ir.Field(base, name, arrow):
            of = _replaced(base, given, numbers)
            return None if of is None else ir.Field(of, name, arrow)
        case ir.Index(base, index):
            of, at = _replaced(base, given, numbers), _replaced(index, given, numbers)
            return None if of is None or at is None else ir.Index(of, at)
        case ir.Unary("!" | "-" | "~" as op, operand):
            of = _replaced(operand, given, numbers)
            return None if of is None else ir.Unary(op, of)
        case ir.Binary(op, left, right):
            one, other = _replaced(left, given, numbers), _replaced(right, given, numbers)
            return None if one is None or other is None else ir.Binary(op, one, other)
        case ir.Cast(type, operand):
            of = _replaced(operand, given, numbers)
            return None if of is None else ir.Cast(type, of)
    return None


@lru_cache(maxsize=4096)
def _said(variant: ir.Variant) -> tuple[Sequence[str], Sequence[tuple[str, ir.Call]]]:
    """Return the names of constants in what a variant asks for and compares, and the calls."""
    said = {n for b in variant.blocks if isinstance(b.end, ir.Branch) for n in names_in(b.end.cond)}
    said.update(n for e in _copies(variant).values() for n in names_in(e))
    names = sorted(n for n in said - variant.locals.keys() if n[:1].isupper())
    return names, [(id, call) for id, call in _answers(variant).items() if id in said]


@lru_cache(maxsize=4096)
def _questions(variant: ir.Variant, known: Sequence[tuple[str, ir.Expr]]) -> Questions:
    answers, copies = _answers(variant), _copies(variant)
    found = {
        n: asked_for(block.end.cond, answers, copies, dict(known))
        for n, block in enumerate(variant.blocks)
        if isinstance(block.end, ir.Branch)
        and not any(leaves(variant, n, x) for x in variant.loops)
    }
    alike: dict[str, list[Asked]] = {}
    for one in found.values():
        alike.setdefault(one.text, []).append(one)
    asked = {
        n: replace(
            x,
            again=len(same) > 1,
            counts=all(y.test.number >= 0 for y in same) and not is_difference(x.tested),
            names=frozenset().union(*(y.names for y in same)),
        )
        for n, x in found.items()
        if x.reads or x.calls
        for same in (alike[x.text],)
    }
    variables = frozenset(name for x in asked.values() for name in x.behind)
    return Questions(asked, variables)


@lru_cache(maxsize=4096)
def answer_by(variant: ir.Variant, e: ir.Name) -> Asked | None:
    """Return what is asked of the function whose answer is in a temporary; None for others."""
    answers = _answers(variant)
    return asked_for(e, answers, {}, {}) if e.id in answers else None


@lru_cache(maxsize=4096)
def told_by(e: ir.Expr) -> Asked:
    """Return what an expression asks for that is a condition."""
    return asked_for(e, {}, {}, {})


def leaves(variant: ir.Variant, n: int, loop: ir.Loop) -> bool:
    """Tell whether a block is the last one of a loop's turns."""
    outside = (to not in loop.blocks for to in ir.successors(variant.blocks[n].end))
    return n in loop.blocks and any(outside)


@lru_cache(maxsize=4096)
def _answers(variant: ir.Variant) -> Mapping[str, ir.Call]:
    """Return the calls, by the temporaries that hold their values and nothing else."""
    calls: dict[str, ir.Call] = {}
    again: set[str] = set()
    for step in variant.steps:
        match step:
            case ir.Call(ir.Name(id)):
                again |= {id} & calls.keys()
                calls[id] = step
            case ir.Assign(ir.Name(id)):
                again.add(id)
    return {id: call for id, call in calls.items() if id not in again}


@lru_cache(maxsize=4096)
def _copies(variant: ir.Variant) -> Mapping[str, ir.Expr]:
    """Return what the local variables hold that are assigned once, of what does not change."""
    times: dict[str, int] = {}
    values: dict[str, ir.Expr] = {}
    for step in variant.steps:
        for name in written(step):
            times[name] = times.get(name, 0) + 1
        if isinstance(step, ir.Assign) and isinstance(step.target, ir.Name):
            values[step.target.id] = step.value
    return {
        name: value
        for name, value in values.items()
        if name in variant.locals
        and times[name] == 1
        and all(times.get(n, 0) <= 1 for n in names_in(value))
    }
