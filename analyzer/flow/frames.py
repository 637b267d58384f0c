"""Leave a function: drop its locals, name what it made, join what is too much."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from analyzer.base import FunctionId, Span
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.observe import Kind, Outcome
from analyzer.flow.domain.state import DECIDED, SHARED, State, join_states
from analyzer.flow.domain.values import (
    Int,
    NonZero,
    Offset,
    Page,
    Ref,
    Unknown,
    Value,
)
from analyzer.flow.operations import Results
from analyzer.flow.run import Run
from analyzer.pages.facts import ALLOCATED
from analyzer.pages.machine import PageState

#: What goes by a key. Made once: it is asked of all that is known whenever a function is left.
_KEYED = Page | Unknown | Offset | NonZero


def fewer(found: Results, most: int) -> Results:
    """Join results that know the same of the pages until few enough are left."""
    groups: dict[object, tuple[State, Value]] = {}
    for state, value in found:
        key = (frozenset(state.pages.items()), frozenset(state.given.items()), value)
        held = groups.get(key)
        groups[key] = (state, value) if held is None else (join_states(held[0], state), value)
    kept = list(groups.values())
    while len(kept) > most:
        (one, a), (other, b) = kept.pop(), kept.pop()
        kept.append((join_states(one, other), a if a == b else Unknown("joined")))
    return kept


def leave_frame(
    state: State, value: Value, depth: int, here: str, entry: State
) -> tuple[State, Value]:
    """Leave a frame: drop its locals, name what it made after the call."""
    inner = f"{depth + 1}:"
    fresh = _made_inside(value, inner)
    renamed = value
    ours = re.compile(rf"(?<!\w){inner}")

    def is_over(place: str) -> bool:
        if place.startswith(SHARED) or (
            place.startswith("*") and isinstance(state.store[place], Int)
        ):
            return ours.search(place) is not None
        return place.startswith(inner) or (
            place.startswith(("*", DECIDED)) and place not in entry.store
        )

    state = state.forget(is_over)
    if fresh is not None:
        match value:
            case Page(_, form):
                renamed = Page(here, form)
            case NonZero(_, among):
                renamed = NonZero(here, among)
            case Offset():
                renamed = Offset(here)
            case Unknown(_, among):
                renamed = Unknown(here, among)
        if fresh in state.pages or fresh in state.given:
            state = state.rename_page(fresh, here)
        state = state.substitute(value, renamed)
    held = {v.key for v in state.store.values() if isinstance(v, _KEYED)}
    if isinstance(renamed, _KEYED):
        held.add(renamed.key)
    pages = {
        k: p
        for k, p in state.pages.items()
        if k in held
        or k in entry.pages
        or (p.population not in ("", ALLOCATED) and not _is_met(k, state))
    }
    given = {k: g for k, g in state.given.items() if k in held or k in entry.pages or k in pages}
    unequal = frozenset(u for u in state.unequal if not u[0].startswith(inner))
    stands = {k: s for k, s in state.stands.items() if k in pages}
    left = State(state.store, pages, given, state.config, unequal, entry.forced, stands)
    return left, renamed


def _is_met(key: str, state: State) -> bool:
    """Tell whether a page was only met on a list, and stands there still."""
    return key in state.stands and state.stands[key][1][1] == key


def _made_inside(value: Value, inner: str) -> str | None:
    if isinstance(value, _KEYED) and value.key.startswith(inner):
        return value.key
    return None


def observe_return(
    id: FunctionId, args: Sequence[Value], state: State, act: Activation, span: Span, run: Run
) -> None:
    """Observe how a callback left the page that it was handed."""
    for arg in args:
        if isinstance(arg, Page) and arg.key in (state.pages.keys() | state.given.keys()):
            page = state.pages.get(arg.key, PageState(run.space.every))
            for function in [f for f in run.program.lowered(id) if f.variants][:1]:
                inner = Activation(
                    function,
                    function.variants[0],
                    act.depth + 1,
                    (*act.stack, run.frame(act, span)),
                    act.root,
                )
                run.observe(
                    inner,
                    function.span,
                    Kind.RETURNED,
                    Outcome.SEEN,
                    page,
                    text=function.name,
                    given=state.given.get(arg.key, ""),
                )


def narrow(args: Sequence[Value], state: State) -> tuple[State, Mapping[str, Value]]:
    """Split off the callers' locals that a callee can neither see nor tell anything about.

    What it can: places behind addresses that it is passed, structures that it is passed, and locals
    that hold a value which it is passed as well, since its tests tell the caller something about
    them.
    """
    shown = {a for a in args if isinstance(a, (Unknown, NonZero))}
    behind = tuple(a.place for a in args if isinstance(a, Ref))
    wholes = {a.key for a in args if isinstance(a, Unknown)}
    behind += tuple(f"{key}." for key in wholes)
    seen: dict[str, Value] = {}
    aside: dict[str, Value] = {}
    for place, value in state.store.items():
        local = place[0].isdigit() or (place.startswith(DECIDED) and not place.startswith(SHARED))
        if not local or value in shown or place in wholes or place.startswith(behind):
            seen[place] = value
        else:
            aside[place] = value
    return state.with_store(seen).deciding(None), aside


def kept_by_callback(args: Sequence[Value], state: State) -> State:
    """Return the state in which a page that a callback did not hand on is the callback's."""
    for arg in args:
        if isinstance(arg, Page) and arg.key in state.pages and arg.key not in state.given:
            state = state.give(arg.key, "callback")
    return state
