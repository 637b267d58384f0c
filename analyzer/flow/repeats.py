"""Let a condition that is asked for again be what it was.

What memory holds, and what a function answers that is not followed, is not known. But who marks a
page under a condition, and unmarks it under the same one, means one thing by both; so do two
functions of which one marks it and the other unmarks it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache

from analyzer.c import ir
from analyzer.flow.conditions import Asked, leaves
from analyzer.flow.expressions import evaluate
from analyzer.flow.program import FunctionId
from analyzer.flow.run import Activation, Run
from analyzer.flow.shape import names_in
from analyzer.flow.state import DECIDED, SHARED, State
from analyzer.flow.stores import fields_written
from analyzer.flow.values import ONE, Int, NonZero, Ref, Symbol, Unknown, Value, compound_key

#: What stands in keys that are made of others or belong to a turn of a loop, and configurations.
_PASSING = re.compile(r":[0-9a-f]{12}(?!\w)|:turn|:joined|@|^config:")
_FIELD = re.compile(r"(?:\.|->)(\w+)")


def decided(
    asked: Asked,
    outcomes: list[tuple[bool, State]],
    state: State,
    act: Activation,
    run: Run,
    *,
    shared: bool,
) -> list[tuple[bool, State]]:
    """Return those outcomes of a branch that agree with the last time, and remember which it was.

    What is known of values and pages decides first. What decides whether a page is marked is
    shared by all functions.
    """
    if len(outcomes) < 2 or any(_is_followed(name, act, run) for name in asked.calls):
        return outcomes
    values = [evaluate(e, state, act, run) for e in asked.reads]
    places = [_place(asked, values)] if asked.again else []
    if shared and _is_shared(asked, values, act, run):
        places.append(_shared_place(asked, values))
    for known in (state.store[place] for place in places if place in state.store):
        return [(held, s) for held, s in outcomes if (held != asked.negated) == (known == ONE)]
    for place in places:
        outcomes = [(held, s.put(place, Int(int(held != asked.negated)))) for held, s in outcomes]
    return outcomes


def turned_back(
    asked_here: Mapping[int, Asked], loop: ir.Loop, state: State, act: Activation, run: Run
) -> State:
    """Return the state in which a loop begins its next turn.

    What it waits for has changed at last, and so may what it assigns have.
    """
    places = [place for place in state.store if place.startswith(DECIDED)]
    if not places:
        return state
    waits = {
        place
        for n, asked in asked_here.items()
        if leaves(act.variant, n, loop)
        for values in [[evaluate(e, state, act, run) for e in asked.reads]]
        for place in (_place(asked, values), _shared_place(asked, values))
    }

    def may_differ(place: str) -> bool:
        if place in waits:
            return True
        if place.startswith(SHARED):
            return any(_mentions(place, act.place(name)) for name in loop.assigns)
        return not loop.assigns.isdisjoint(_parts(place)[1])

    return state.without([place for place in places if may_differ(place)])


def after_call(step: ir.Call, state: State, act: Activation, run: Run) -> State:
    """Return the state in which what a callee may have written is to be asked for again."""
    places = [place for place in state.store if place.startswith(DECIDED)]
    if not places:
        return state
    here, written = f"{act.depth}:{step.span.start}", _written(step, act, run)

    def is_about(place: str, names: frozenset[str], arg: ir.Expr) -> bool:
        if not place.startswith(SHARED):
            return not names.isdisjoint(names_in(arg))
        key = _key_of(evaluate(arg, state, act, run))
        return key is not None and _mentions(place, key)

    def may_differ(place: str) -> bool:
        fields, names = _parts(place)
        return (place.startswith(SHARED) and _mentions(place, here)) or (
            bool(fields)
            and any(
                is_about(place, names, arg)
                and ((w := written(n)) is None or not w.isdisjoint(fields))
                for n, arg in enumerate(step.args)
            )
        )

    return state.without([place for place in places if may_differ(place)])


def _written(step: ir.Call, act: Activation, run: Run) -> Callable[[int], frozenset[str] | None]:
    """Return what tells the fields that a call may write behind each of its arguments."""
    found: Sequence[FunctionId] = ()
    if isinstance(step.callee, ir.Name) and not act.is_local(step.callee.id):
        found = run.program.resolve(step.callee.id, act.function.path)

    def reads(name: str, path: str) -> bool:
        return name in run.facts.words.read_by or not run.program.resolve(name, path)

    return cache(lambda n: fields_written(run.program, found, n, reads))


def _place(asked: Asked, values: Sequence[Value]) -> str:
    """Return where a function remembers how a condition of its own was decided."""
    about = (",".join(sorted(asked.fields)), ",".join(sorted(asked.names)))
    return DECIDED.join(("", *about, compound_key("if", Symbol(asked.text), *values)))


def _shared_place(asked: Asked, values: Sequence[Value]) -> str:
    """Return where all functions remember how a condition was decided."""
    return f"{SHARED}{asked.form}?{values}"


def _is_shared(asked: Asked, values: Sequence[Value], act: Activation, run: Run) -> bool:
    """Tell whether another function asks for the same: of memory, or of somebody else."""
    keys = [_key_of(v) for v in values if not isinstance(v, Int | Symbol)]
    own = f"{act.depth}:"
    return (
        asked.is_flag
        and asked.shape(act.is_local) in run.common(act.function.path).shapes
        and not any(key is None or key.startswith(own) or _PASSING.search(key) for key in keys)
    )


def _mentions(place: str, key: str) -> bool:
    """Tell whether a decision is about a value of this key, or about what is behind it."""
    return key in place and None is not re.search(rf"(?<![\w%]){re.escape(key)}(?!\w)", place)


def _key_of(value: Value) -> str | None:
    match value:
        case Unknown(key) | NonZero(key) | Ref(key):
            return key
    return None


def _parts(place: str) -> tuple[frozenset[str], frozenset[str]]:
    """Return the fields that a decision is about, and the names unless all functions share it."""
    if place.startswith(SHARED):
        return frozenset(_FIELD.findall(place)), frozenset()
    fields, names = place.split(DECIDED)[1:3]
    return frozenset(filter(None, fields.split(","))), frozenset(names.split(","))


def _is_followed(name: str, act: Activation, run: Run) -> bool:
    """Tell whether what a function answers follows from the pages that are followed."""
    if name in run.facts.lists.entry:
        return False  # what a structure is part of
    if act.is_local(name) or name in run.space.operations or run.facts.speaks_of(name):
        return True
    return any(run.hear(name, act.function.path))
