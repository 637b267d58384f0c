"""Let a condition that is asked for again be what it was.

What memory holds, and what a function answers that is not followed, is not known. But who marks a
page under a condition, and unmarks it under the same one, means one thing by both; so do two
functions of which one marks it and the other unmarks it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.flow.asks.conditions import Asked
from analyzer.flow.asks.questions import answer_by, leaves, told_by
from analyzer.flow.asks.tested import is_condition
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.numbers import ANY, IS_ZERO, Numbers
from analyzer.flow.domain.state import DECIDED, SHARED, State
from analyzer.flow.domain.values import Int, NonZero, Ref, Symbol, Unknown, Value, compound_key
from analyzer.flow.expressions import evaluate
from analyzer.flow.run import Run
from analyzer.program.params import is_page_pointer
from analyzer.program.shape import names_in
from analyzer.program.stores import Writes, fields_written

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
    if not places:
        return outcomes
    known = next((n for place in places if isinstance(n := state.store.get(place), Numbers)), ANY)
    value = evaluate(asked.tested, state, act, run)
    if isinstance(value, NonZero):
        known = known.passing(IS_ZERO, held=False) or known
    found: list[tuple[bool, State]] = []
    for held, after in outcomes:
        left = known.passing(asked.test, held=held != asked.negated)
        if left is None or (asked.counts and not left.may_count):
            continue
        for place in places:
            after = after.put(place, left)
        found.append((held, after))
    return found


def passed(
    e: ir.Expr,
    value: Value,
    state: State,
    act: Activation,
    run: Run,
    *,
    asks: Callable[[], bool],
) -> Value:
    """Return a value that is passed: of a condition the one that it has wherever it is the same.

    So has the answer of a function that is not followed, where the callee asks for yes or no.
    """
    if not isinstance(value, Unknown):
        return value
    asked: Asked | None = None
    if is_condition(e):
        asked = told_by(e)
    elif isinstance(e, ir.Name) and e.id.startswith("%") and asks():
        asked = answer_by(act.variant, e)
    if asked is None or any(_is_followed(name, act, run) for name in asked.calls):
        return value
    values = [evaluate(read, state, act, run) for read in asked.reads]
    if not _is_stable(values):
        return value
    return Unknown(f"{asked.test}{asked.negated:d}{_shared_place(asked, values)}")


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
    here, written = f"{act.depth}:{step.span.start}", written_by(step, act, run)

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


def written_by(step: ir.Call, act: Activation, run: Run) -> Writes:
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
    same = map(_same, values)
    return DECIDED.join(("", *about, compound_key("if", Symbol(asked.text), *same)))


def _shared_place(asked: Asked, values: Sequence[Value]) -> str:
    """Return where all functions remember how a condition was decided."""
    return f"{SHARED}{asked.form}?{[*map(_same, values)]}"


def _same(value: Value) -> Value:
    """Return a value as it was before anybody compared it."""
    return Unknown(value.key) if isinstance(value, NonZero | Unknown) else value


def _is_shared(asked: Asked, values: Sequence[Value], act: Activation, run: Run) -> bool:
    """Tell whether another function may ask for the same: of memory, of somebody else, of a number.

    What a function asks that is passed it with a page, another one may ask that is passed the same.
    """
    if not _is_stable(values):
        return False
    if (shape := asked.shape(act.is_local)) is None:
        params = act.function.params
        read = {n for e in asked.reads for n in names_in(e)}
        is_passed = bool(read) and read <= {p.name for p in params}
        return is_passed and any(is_page_pointer(p.type) for p in params)
    own = f"{act.depth}:"
    return (
        asked.is_flag
        and shape in run.common(act.function.path).shapes
        and not any(key.startswith(own) for v in values if (key := _key_of(v)) is not None)
    )


def _is_stable(values: Sequence[Value]) -> bool:
    """Tell whether values are the same wherever they have the same keys."""
    keys = [_key_of(v) for v in values if not isinstance(v, Int | Symbol)]
    return not any(key is None or _PASSING.search(key) for key in keys)


def _mentions(place: str, key: str) -> bool:
    """Tell whether a decision is about a value of this key, or about what is behind it."""
    return key in place and None is not re.search(rf"(?<![\w%]){re.escape(key)}(?!\w)", place)


def _key_of(value: Value) -> str | None:
    match value:
        case Unknown(key) | NonZero(key) | Ref(key):
            return key
    return None


@lru_cache(maxsize=65536)
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
