"""Leave a function: drop its locals, name what it made, join what is too much."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from analyzer.base import Span
from analyzer.flow.observe import Kind, Outcome
from analyzer.flow.operations import Results
from analyzer.flow.params import page_params, role_params
from analyzer.flow.program import FunctionId
from analyzer.flow.ranges import is_part
from analyzer.flow.run import Activation, Run
from analyzer.flow.state import DECIDED, SHARED, State, join_states
from analyzer.flow.values import (
    Int,
    NonZero,
    Offset,
    Page,
    Ref,
    Symbol,
    Unknown,
    Value,
    compare,
    page_key,
)
from analyzer.pages.facts import ALLOCATED, Population
from analyzer.pages.machine import CLEAR, EITHER, UNTYPED, PageState


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
            state = _rename_page(state, fresh, here)
        state = state.substitute(value, renamed)
    held = {v.key for v in state.store.values() if isinstance(v, Page | Unknown | Offset | NonZero)}
    if isinstance(renamed, Page | Unknown | Offset | NonZero):
        held.add(renamed.key)
    pages = {
        k: p
        for k, p in state.pages.items()
        if k in held or k in entry.pages or p.population not in ("", ALLOCATED)
    }
    given = {k: g for k, g in state.given.items() if k in held or k in entry.pages or k in pages}
    unequal = frozenset(u for u in state.unequal if not u[0].startswith(inner))
    stands = {k: s for k, s in state.stands.items() if k in pages}
    left = replace(
        state, pages=pages, given=given, unequal=unequal, stands=stands, forced=entry.forced
    )
    return left, renamed


def _made_inside(value: Value, inner: str) -> str | None:
    if isinstance(value, Page | Unknown | Offset | NonZero) and value.key.startswith(inner):
        return value.key
    return None


def _rename_page(state: State, old: str, new: str) -> State:
    pages = {new if k == old else k: p for k, p in state.pages.items() if k != new}
    given = {new if k == old else k: g for k, g in state.given.items() if k != new}
    stands = {new if k == old else k: s for k, s in state.stands.items() if k != new}
    store = {
        k: Page(new, v.form) if isinstance(v, Page) and v.key == old else v
        for k, v in state.store.items()
    }
    return replace(state, pages=pages, given=given, store=store, stands=stands)


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

    What it can: places behind addresses that it is passed, and locals that hold a value which it
    is passed as well, since its tests tell the caller something about them.
    """
    shown = {a for a in args if isinstance(a, Unknown | NonZero)}
    behind = tuple(a.place for a in args if isinstance(a, Ref))
    seen: dict[str, Value] = {}
    aside: dict[str, Value] = {}
    for place, value in state.store.items():
        local = place[0].isdigit() or (place.startswith(DECIDED) and not place.startswith(SHARED))
        if not local or value in shown or place.startswith(behind):
            seen[place] = value
        else:
            aside[place] = value
    return replace(state, store=seen, forced=None), aside


def kept_by_callback(args: Sequence[Value], state: State) -> State:
    """Return the state in which a page that a callback did not hand on is the callback's."""
    for arg in args:
        if isinstance(arg, Page) and arg.key in state.pages and arg.key not in state.given:
            state = state.give(arg.key, "callback")
    return state


def entered_page(state: State, act: Activation, run: Run) -> State:
    """Return the state with what facts say of the page that a root is handed."""
    known = run.facts.entries.get(act.function.name)
    passed = page_params(run.program, run.facts, act.id) if known is not None else frozenset()
    if known is None or not passed:
        return state
    held = state.store.get(act.place(act.function.params[min(passed)].name))
    key = None if held is None else page_key(held)
    if key is None:
        return state
    page = PageState(UNTYPED, tuple((f, EITHER) for f in known.flags), CLEAR)
    return state.with_page(key, page.of_population(known.population))


def name_population(act: Activation, entry: State, results: Results, run: Run) -> Results:
    """Name the population of the pages that an origin function has made, or hands on."""
    if act.function.name in run.facts.handers:
        return [_handed_on(state, value, act, run) for state, value in results]
    if act.function.name not in run.facts.origins:
        return results
    made = [(state, value) for state, value in results if _origin_key(act, state)]
    if not made:
        return results
    named: Results = []
    for state, value in made:  # a way on which nothing was made is nobody's page
        key = _origin_key(act, state)
        page = state.pages.get(key) if key else None
        if key is None or page is None or not page.history:
            named.append((state, value))
            continue
        population = _population(act, state, run)
        if any(p.needs and not state.config.get(p.needs, True) for p in _named(population, run)):
            continue  # what is asked for does not exist there
        page = _started(page, run.starts.get(population)).of_population(population)
        run.observe(
            act,
            act.function.span,
            Kind.BIRTH,
            Outcome.SEEN,
            page,
            text=act.function.name,
            conditions=_assumed(state, run),
        )
        state = state.with_page(key, page)
        whole = _asked_for(key, act, entry)
        named.append((state if whole is None else _rename_page(state, key, whole), value))
    return named


def _asked_for(key: str, act: Activation, entry: State) -> str | None:
    """Return the key of the range that an origin was asked to make, where it made a part of it.

    What it leaves out at the beginning is for itself.
    """
    held = (entry.store.get(act.place(p.name)) for p in act.function.params)
    passed = (page_key(value) for value in held if value is not None)
    return next((k for k in passed if k is not None and is_part(key, k)), None)


def _handed_on(state: State, value: Value, act: Activation, run: Run) -> tuple[State, Value]:
    """Name the population of a page that is returned, whoever made it."""
    page = state.pages.get(value.key) if isinstance(value, Page) else None
    if page is None or not isinstance(value, Page):
        return state, value
    page = page.of_population(run.facts.handers[act.function.name])
    run.observe(act, act.function.span, Kind.BIRTH, Outcome.SEEN, page, text=act.function.name)
    return state.with_page(value.key, page), value


def _assumed(state: State, run: Run) -> tuple[tuple[str, bool], ...]:
    """Return which configuration a path has assumed beyond the one that is given."""
    given = run.program.config
    return tuple(sorted((s, h) for s, h in state.config.items() if s not in given))


def _started(page: PageState, wanted: PageState | None) -> PageState:
    """Return a page as it was made, or as it is wanted to have been made."""
    if wanted is None:
        return page
    page = page.with_types(wanted.types)
    for flag, mask in wanted.flags:
        page = page.with_flag(flag, mask)
    return page


def _origin_key(act: Activation, state: State) -> str | None:
    """Return the key of the page that the origin was asked to make."""
    born = [
        k
        for k, p in state.pages.items()
        if p.history and p.history[0].kind == "birth" and p.history[0].owner == act.id
    ]
    return born[0] if born else None


def _named(name: str, run: Run) -> Iterator[Population]:
    return (p for p in run.facts.populations if p.name == name)


def _population(act: Activation, state: State, run: Run) -> str:
    """Return the first population whose conditions the origin's parameters meet."""
    params = role_params(act.function, run.facts)
    for role in run.facts.roles:
        if role.name not in params:
            line = act.function.span.line
            run.gap("population", act, line, f"no parameter found that is its {role.name}")
    for population in run.facts.populations:
        for role_name, wanted in population.when:
            value = state.store.get(act.place(params.get(role_name, role_name)))
            number = run.numbers.get(wanted)
            meant: Value = Symbol(wanted) if number is None else Int(number)
            if value is None or compare("==", value, meant) is not True:
                break
        else:
            return population.name
    return "unnamed"
