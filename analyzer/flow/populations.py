"""Name the population of a page by how it was made, and answer calls that ask for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analyzer.c import ir
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.numbers import Numbers
from analyzer.flow.domain.observe import Kind, Outcome
from analyzer.flow.domain.state import DECIDED, State
from analyzer.flow.domain.values import (
    Element,
    Int,
    Page,
    Symbol,
    Unknown,
    Value,
    compare,
    page_key,
)
from analyzer.flow.operations import Results
from analyzer.flow.ranges import is_part
from analyzer.flow.refine import refine
from analyzer.flow.run import Run
from analyzer.pages.facts import Population
from analyzer.pages.machine import CLEAR, EITHER, UNTYPED, PageState
from analyzer.program.params import page_params, role_params

#: Set before the name of a population that a page is not of.
_NO = "no "


def told_by_call(
    name: str, args: Sequence[Value], state: State, act: Activation, run: Run
) -> Results | None:
    """Return the answers of a call that tells one population from all others.

    Of a page that has a name, that is known. Where pages are made, the call asks what the
    parameters say, and each of its answers comes with that. None where nothing is known.
    """
    if name in run.facts.index_of and not isinstance(args[0], Element):
        return _numbered(name, state, run) if _is_marker(act, run) else None
    asked = run.facts.told_by.get(name)
    if asked is None:
        return None
    key = page_key(args[0]) if args else None
    page = None if key is None else state.pages.get(key)
    if page is not None and page.population:
        return [(state, Int(int(page.population == asked)))]
    if key is not None and page is not None and any(map(run.facts.is_origin, act.stack)):
        return _told_to_helper(asked, key, page, state)
    if act.function.name not in run.facts.origins:
        return _told_to_marker(asked, state, run) if _is_marker(act, run) else None
    if (only := run.facts.makes.get(act.function.name)) is not None:
        return [(state, Int(int(only == asked)))]
    params = role_params(act.function, run.facts)
    answers: Results = []
    for population in _named(asked, run):
        left = [state]
        for role, wanted in population.when:
            cond = ir.Binary("==", ir.Name(params.get(role, role)), ir.Name(wanted))
            told = [found for one in left for found in refine(cond, one, act, run)]
            answers += [(after, Int(0)) for held, after in told if not held]
            left = [after for held, after in told if held]
        answers += [(after, Int(1)) for after in left]
    return answers or None


def _is_marker(act: Activation, run: Run) -> bool:
    """Tell whether a function marks what it has an origin make, or helps one that does."""
    return not run.finishing.isdisjoint((act.id, *(f.id for f in act.stack)))


def _told_to_helper(asked: str, key: str, page: PageState, state: State) -> Results | None:
    """Return the answers for who helps an origin, which names the page by the parameters later."""
    if not page.history or page.history[0].kind != "birth":
        return None
    found = ((Int(0), f"{_NO}{asked}"), (Int(1), asked))
    return [(state.with_page(key, page.of_population(name)), told) for told, name in found]


def _told_to_marker(asked: str, state: State, run: Run) -> Results | None:
    """Return the answers for who marks what an origin makes: it asks of that, before or after."""
    made = _made(state, run)
    if made:
        return [(state, Int(int(made == {asked})))] if len(made) == 1 else None
    place = _told(asked)
    held = state.store.get(place)
    if isinstance(held, Int):
        return [(state, held)]
    return [(state.put(place, answer), answer) for answer in (Int(0), Int(1))]


def _numbered(name: str, state: State, run: Run) -> Results | None:
    """Return what a zone's number is for who marks what was made: a population's, or another."""
    made = _made(state, run)
    for population in run.facts.populations:
        if population.name in run.facts.told_by.values() and len(population.when) == 1:
            number = run.numbers.get(population.when[0][1])
            if number is None or len(made) != 1:
                return None
            others = Unknown(f"{name}:{population.name}", Numbers(but=frozenset({number})))
            return [(state, Int(number) if made == {population.name} else others)]
    return None


def _made(state: State, run: Run) -> set[str]:
    """Return which populations pages are of that origins have made."""
    return {p.population for p in state.pages.values()} & {p.name for p in run.facts.populations}


def _told(population: str) -> str:
    """Return where a function remembers whether pages that it has made are of a population."""
    return f"{DECIDED * 3}of {population}"


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
    if act.id in run.finishing:
        return _finished(results, act, run)
    if act.function.name not in run.facts.origins:
        return results
    made = [(state, value) for state, value in results if _origin_key(act, entry, state)]
    if not made:
        return results
    named: Results = []
    for state, value in made:  # a way on which nothing was made is nobody's page
        key = _origin_key(act, entry, state)
        page = state.pages.get(key) if key else None
        if key is None or page is None or not page.history:
            named.append((state, value))
            continue
        population = _agreed(_population(act, state, run), page.population, act, state, run)
        if population is None or any(
            p.needs and not state.config.get(p.needs, True) for p in _named(population, run)
        ):
            continue  # what is asked for does not exist there
        page = _started(page, run.starts.get(population)).of_population(population)
        if not act.stack or act.stack[-1].id not in run.finishing:
            _observe_birth(page, state, act, run)
        state = state.with_page(key, page)
        whole = _asked_for(key, act, entry)
        named.append((state if whole is None else state.rename_page(key, whole), value))
    return named


def _finished(results: Results, act: Activation, run: Run) -> Results:
    """Observe how pages start that a function has an origin make, and marks itself.

    It may have asked which population they are of before they were made.
    """
    left: Results = []
    for state, value in results:
        pages = dict.fromkeys(state.pages.values())
        made = [page for page in pages if page.population and _is_made_by(page, act)]
        told = [(p.name, state.store.get(_told(p.name))) for p in run.facts.populations]
        if any(
            answer not in (None, Int(int(page.population == name)))
            for page in made
            for name, answer in told
        ):
            continue
        for page in made:
            _observe_birth(page, state, act, run)
        left.append((state, value))
    return left


def _is_made_by(page: PageState, act: Activation) -> bool:
    """Tell whether a page is one that a function had made."""
    chain = page.history[0].chain if page.history and page.history[0].kind == "birth" else ()
    return len(chain) > len(act.stack) and chain[len(act.stack)].id == act.id


def _observe_birth(page: PageState, state: State, act: Activation, run: Run) -> None:
    run.observe(
        act,
        act.function.span,
        Kind.BIRTH,
        Outcome.SEEN,
        page,
        text=act.function.name,
        conditions=_assumed(state, run),
    )


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


def _origin_key(act: Activation, entry: State, state: State) -> str | None:
    """Return the key of the page that the origin was asked to make, unlike those from before."""
    born = [
        k
        for k, p in state.pages.items()
        if p.history and p.history[0].kind == "birth"
        if p.history[0].owner == act.id or _is_made_by(p, act)
        if p != entry.pages.get(k)
    ]
    return born[0] if born else None


def _agreed(population: str, told: str, act: Activation, state: State, run: Run) -> str | None:
    """Return the population by the parameters and by what helpers were told; None if they differ.

    What the parameters leave open helpers may have asked for.
    """
    names = [p.name for p in run.facts.populations]
    if not told or told == population or told.removeprefix(_NO) not in names:
        return population
    if told.startswith(_NO):
        return None if told == f"{_NO}{population}" else population
    if population in names and names.index(population) < names.index(told):
        return None
    is_open = all(
        c is not False for p in _named(told, run) for c in _conditions(p, act, state, run)
    )
    return told if is_open else None


def _conditions(
    population: Population, act: Activation, state: State, run: Run
) -> Iterator[bool | None]:
    """Yield which of a population's conditions the parameters of an origin meet."""
    params = role_params(act.function, run.facts)
    for role, wanted in population.when:
        value = state.store.get(act.place(params.get(role, role)))
        number = run.numbers.get(wanted)
        meant: Value = Symbol(wanted) if number is None else Int(number)
        held = None if value is None else compare("==", value, meant)
        if held is None and value is not None:  # it may have been asked for before
            cond = ir.Binary("==", ir.Name(params.get(role, role)), ir.Name(wanted))
            held = None if any(is_so for is_so, _ in refine(cond, state, act, run)) else False
        yield held


def _named(name: str, run: Run) -> Iterator[Population]:
    return (p for p in run.facts.populations if p.name == name)


def _population(act: Activation, state: State, run: Run) -> str:
    """Return the population that an origin makes: the only one, or what its parameters say.

    That is the first whose conditions they meet.
    """
    if (only := run.facts.makes.get(act.function.name)) is not None:
        return only
    params = role_params(act.function, run.facts)
    for role in run.facts.roles:
        if role.name not in params:
            line = act.function.span.line
            run.gap("population", act, line, f"no parameter found that is its {role.name}")
    for population in run.facts.populations:
        if all(_conditions(population, act, state, run)):
            return population.name
    return "unnamed"
