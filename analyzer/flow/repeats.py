"""Let a condition that a function asks for again be what it was.

What memory holds, and what a function answers that is not followed, is not known. But who marks a
page under a condition, and unmarks it under the same one, means one thing by both.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from analyzer.c import ir
from analyzer.flow.expressions import evaluate
from analyzer.flow.run import Activation, Run
from analyzer.flow.shape import names_in, successors
from analyzer.flow.state import DECIDED, State
from analyzer.flow.stores import fields_of, fields_written
from analyzer.flow.values import Int, Symbol, Value, compound_key


@dataclass(frozen=True, slots=True)
class Asked:
    """A condition: its text, whether it is the opposite, what it reads, and whom it asks."""

    text: str
    negated: bool
    reads: tuple[ir.Expr, ...]
    fields: frozenset[str]
    names: frozenset[str]
    calls: frozenset[str]


@lru_cache(maxsize=4096)
def repeated(variant: ir.Variant) -> Mapping[int, Asked]:
    """Return the branches whose condition stands at another branch as well, by block.

    What a loop goes on for is no condition of the kind: it is different at last.
    """
    answers = _answers(variant)
    asked = {
        n: _asked(block.end.cond, answers)
        for n, block in enumerate(variant.blocks)
        if isinstance(block.end, ir.Branch)
        and not any(_leaves(variant, n, x) for x in variant.loops)
    }
    times: dict[str, int] = {}
    for one in asked.values():
        times[one.text] = times.get(one.text, 0) + 1
    return {n: x for n, x in asked.items() if times[x.text] > 1 and (x.reads or x.calls)}


def _leaves(variant: ir.Variant, n: int, loop: ir.Loop) -> bool:
    """Tell whether a block is the last one of a loop's turns."""
    outside = (to not in loop.blocks for to in successors(variant.blocks[n].end))
    return n in loop.blocks and any(outside)


def decided(
    asked: Asked,
    outcomes: list[tuple[bool, State]],
    state: State,
    act: Activation,
    run: Run,
) -> list[tuple[bool, State]]:
    """Return those outcomes of a branch that agree with the last time, and remember which it was.

    What is known of values and pages decides first.
    """
    if len(outcomes) < 2 or any(_is_followed(name, act, run) for name in asked.calls):
        return outcomes
    place = _place(asked, state, act, run)
    known = state.store.get(place)
    if isinstance(known, Int):
        return [(held, s) for held, s in outcomes if (held != asked.negated) == bool(known.value)]
    return [(held, s.put(place, Int(int(held != asked.negated)))) for held, s in outcomes]


def turned_back(
    repeats: Mapping[int, Asked], loop: ir.Loop, state: State, act: Activation, run: Run
) -> State:
    """Return the state in which a loop begins its next turn.

    What it waits for has changed at last, and so may what it assigns have.
    """
    waits = {
        _place(asked, state, act, run)
        for n, asked in repeats.items()
        if _leaves(act.variant, n, loop)
    }

    def may_differ(place: str) -> bool:
        return place.startswith(DECIDED) and (
            place in waits or not loop.assigns.isdisjoint(_parts(place)[1])
        )

    return state.forget(may_differ)


def after_call(step: ir.Call, state: State, act: Activation, run: Run) -> State:
    """Return the state in which what a callee may have written is to be asked for again."""
    places = [place for place in state.store if place.startswith(DECIDED)]
    if not places or not isinstance(step.callee, ir.Name) or act.is_local(step.callee.id):
        return state
    found = run.program.resolve(step.callee.id, act.function.path)

    def may_differ(place: str) -> bool:
        fields, names = _parts(place)
        passed = (n for n, arg in enumerate(step.args) if names & set(names_in(arg)))
        written = (fields_written(run.program, found, n) for n in passed)
        return bool(fields) and any(w is None or w & fields for w in written)

    return state.without([place for place in places if may_differ(place)]) if found else state


def _place(asked: Asked, state: State, act: Activation, run: Run) -> str:
    values: list[Value] = [evaluate(e, state, act, run) for e in asked.reads]
    about = (",".join(sorted(asked.fields)), ",".join(sorted(asked.names)))
    return DECIDED.join(("", *about, compound_key("if", Symbol(asked.text), *values)))


def _parts(place: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the fields and the names that a decision is about."""
    fields, names = place.split(DECIDED)[1:3]
    return frozenset(filter(None, fields.split(","))), frozenset(names.split(","))


def _is_followed(name: str, act: Activation, run: Run) -> bool:
    """Tell whether what a function answers follows from the pages that are followed."""
    if act.is_local(name) or name in run.space.operations or run.facts.speaks_of(name):
        return True
    return any(run.hear(name, act.function.path))


def _answers(variant: ir.Variant) -> Mapping[str, ir.Call]:
    """Return the calls, by the temporaries that hold their values and nothing else."""
    calls: dict[str, ir.Call] = {}
    again: set[str] = set()
    for block in variant.blocks:
        for step in block.instructions:
            match step:
                case ir.Call(ir.Name(id)):
                    again |= {id} & calls.keys()
                    calls[id] = step
                case ir.Assign(ir.Name(id)):
                    again.add(id)
    return {id: call for id, call in calls.items() if id not in again}


def _asked(cond: ir.Expr, answers: Mapping[str, ir.Call]) -> Asked:
    cond, negated = _plain(cond)
    read = tuple(dict.fromkeys(_read(cond, answers)))
    names = frozenset(n for e in read for n in names_in(e))
    fields = frozenset(f for e in read for f in fields_of(e))
    return Asked(
        _text(cond, answers), negated, read, fields, names, frozenset(_calls(cond, answers))
    )


def _plain(cond: ir.Expr) -> tuple[ir.Expr, bool]:
    """Return a condition that all who mean it write alike, and whether it is its opposite."""
    negated = False
    while True:
        match cond:
            case ir.Cast(operand=operand):
                cond = operand
            case ir.Unary("!", operand) | ir.Binary("==", operand, ir.Const(0)):
                negated, cond = not negated, operand
            case ir.Binary("!=", left, right):
                negated, cond = not negated, ir.Binary("==", left, right)
            case _:
                return cond, negated


def _text(e: ir.Expr, answers: Mapping[str, ir.Call]) -> str:
    """Return the text of an expression, with calls in place of what holds their values."""
    match e:
        case ir.Name(id) if id in answers:
            call = answers[id]
            return f"{_text(call.callee, answers)}({_texts(call.args, answers)})"
        case ir.Field(base, name, arrow):
            return f"{_text(base, answers)}{'->' if arrow else '.'}{name}"
        case ir.Index(base, index):
            return f"{_text(base, answers)}[{_text(index, answers)}]"
        case ir.Unary(op, operand):
            return f"{op}({_text(operand, answers)})"
        case ir.Binary(op, left, right):
            return f"({_text(left, answers)}{op}{_text(right, answers)})"
        case ir.Cast(operand=operand):
            return _text(operand, answers)
    return repr(e)


def _texts(args: Iterable[ir.Expr], answers: Mapping[str, ir.Call]) -> str:
    return ",".join(_text(a, answers) for a in args)


def _read(e: ir.Expr, answers: Mapping[str, ir.Call]) -> Iterator[ir.Expr]:
    """Yield the variables and fields that an expression reads, in calls as well."""
    match e:
        case ir.Name(id) if id in answers:
            for arg in answers[id].args:
                yield from _read(arg, answers)
        case ir.Name() | ir.Field():
            yield e
        case ir.Index(left, right) | ir.Binary(_, left, right):
            yield from _read(left, answers)
            yield from _read(right, answers)
        case ir.Unary(_, operand) | ir.Cast(operand=operand):
            yield from _read(operand, answers)


def _calls(e: ir.Expr, answers: Mapping[str, ir.Call]) -> Iterator[str]:
    for name in names_in(e):
        if name in answers:
            call = answers[name]
            yield call.callee.id if isinstance(call.callee, ir.Name) else ""
            for arg in call.args:
                yield from _calls(arg, answers)
