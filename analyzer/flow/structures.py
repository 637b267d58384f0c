"""Know of a structure that is passed or assigned as a whole what is known of its members."""

from __future__ import annotations

import re
from collections.abc import Mapping

from analyzer.c import ir
from analyzer.flow.computed import note_copied
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import ZERO, NonZero, Unknown, Value
from analyzer.flow.run import Run

_NAMED = re.compile(r"[A-Za-z_]")


def whole(e: ir.Expr | None, held: Value, state: State, act: Activation) -> Value:
    """Return the value of a variable; a structure that began as zero is no number.

    It goes by its place.
    """
    if held != ZERO or not isinstance(e, ir.Name) or not act.is_local(e.id):
        return held
    place = act.place(e.id)
    return Unknown(place) if _members(place, state.store) else held


def received(param: ir.Param, value: Value, place: str, state: State) -> State:
    """Return the state in which a parameter that is a structure has the members it is passed."""
    by_value = param.type.startswith(("struct ", "const struct ")) and "*" not in param.type
    if not by_value or not isinstance(value, Unknown | NonZero):
        return state
    copy = copied(value.key, place, state)
    return copy.put(place, ZERO) if state.store.get(value.key) == ZERO else copy


def assigned(step: ir.Assign, state: State, act: Activation, run: Run) -> State:
    """Return the state after an assignment of one local variable to another, with its members."""
    match step:
        case ir.Assign(ir.Name(to), ir.Name(of)) if act.is_local(to) and act.is_local(of):
            source = act.place(of)
            note_copied(source, act.place(to), run)
            is_number = state.store.get(source, ZERO) != ZERO
            return state if is_number else copied(source, act.place(to), state)
    return state


def copied(source: str, target: str, state: State) -> State:
    """Return the state in which a place has the members of another one, and no others."""
    members = _members(source, state.store)
    if not members or source == target:
        return state
    kept = {p: v for p, v in state.store.items() if not p.startswith(f"{target}.")}
    new = {f"{target}{p.removeprefix(source)}": v for p, v in members.items()}
    return state.with_store({**kept, **new})


def _members(place: str, store: Mapping[str, Value]) -> dict[str, Value]:
    """Return what is known of members, by their places; a sign is no member's name."""
    begin = f"{place}."
    return {p: v for p, v in store.items() if p.startswith(begin) and _NAMED.match(p, len(begin))}
