"""Derive the contract of a function: what it does to pages in each way in which it is called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product

from analyzer.base import FunctionId
from analyzer.contracts import Context, Contract, Place, Way
from analyzer.effects.arguments import Arguments, deciding_params, named_arguments
from analyzer.effects.words import (
    STRANGE,
    entry_words,
    place_words,
    returned_words,
    state_words,
    title,
)
from analyzer.flow.analyse import Prepared
from analyzer.flow.domain.observe import Behaviour, Kind, Observation, Outcome
from analyzer.flow.domain.sight import Entrance
from analyzer.flow.domain.values import page_key
from analyzer.flow.replay import Replay, constants_of, play, replay
from analyzer.pages.machine import CLEAR, SET, TYPE, PageState, Space
from analyzer.program.interest import Interest

_INSIDE = "pages met inside"
_BAD = {
    Outcome.TRAP: "traps",
    Outcome.MAY_TRAP: "may trap",
    Outcome.FAILED: "fails",
    Outcome.LEAK: "leaks",
    Outcome.MAY_LEAK: "may leak",
}

_HANDED = (Outcome.CLEAN, Outcome.MAY_LEAK)


def contract_of(
    id: FunctionId, tree: Prepared, interest: Interest, behaviour: Behaviour
) -> Contract | None:
    """Return the contract of a function in one tree; None where the tree does not define it."""
    functions = tree.program.lowered(id)
    if not functions:
        return None
    calls = _calls(id, tree, behaviour)
    contexts: list[Context] = []
    callers: dict[Arguments, dict[str, None]] = {}
    seen: set[object] = set()
    for call in calls:
        callers.setdefault(call.arguments, {}).setdefault(call.caller)
        if (call.signature, call.caller) in seen or not call.is_known:
            continue
        seen.add((call.signature, call.caller))
        done = replay(call.entrance, tree, interest, behaviour)
        contexts.extend(_contexts(done, call.arguments, call.caller, id, tree, behaviour.space))
    entrances: dict[Arguments, Entrance | None] = {c.arguments: c.entrance for c in reversed(calls)}
    for arguments, entrance in (entrances or {(): None}).items():
        strange = _strange(id, arguments, entrance, tree, interest, behaviour)
        if strange is None:
            contexts.extend(_by_itself(id, arguments, entrance, tree, interest, behaviour))
        elif not any(c.pages == STRANGE and c.constants == arguments for c in contexts):
            known = {c.caller for c in calls if c.arguments == arguments and not c.is_known}
            contexts.append(replace(strange, callers=tuple(sorted(known))))
    head = tree.program.heads(id)
    return Contract(
        place=Place(id[0], functions[0].span.line, id[1]),
        prototype=" ".join(head[0].decode("utf-8", "replace").split()) if head else id[1],
        contexts=_merged(contexts),
    )


def unread_by(
    id: FunctionId, tree: Prepared, interest: Interest, behaviour: Behaviour
) -> frozenset[str]:
    """Return the functions to which one passes a page, and which are defined nowhere as yet."""
    if not tree.program.lowered(id):
        return frozenset()
    page = PageState(behaviour.space.every)
    done = play(id, page, {}, tree, interest, behaviour)
    done = done or play(id, None, {}, tree, interest, behaviour)
    return frozenset() if done is None else done.unread


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of the function: who calls, with what arguments known, in what states."""

    entrance: Entrance
    arguments: Arguments
    caller: str
    states: tuple[object, ...]

    @property
    def is_known(self) -> bool:
        """Tell whether anything is known of a page that is passed."""
        return bool(self.states)

    @property
    def signature(self) -> object:
        """Return what tells calls apart, whoever makes them."""
        return (self.arguments, self.states)


def _calls(id: FunctionId, tree: Prepared, behaviour: Behaviour) -> list[_Call]:
    weighty = deciding_params(id, tree)
    calls = []
    for e in behaviour.entrances:
        if e.id == id:
            known = {n: v for n, v in constants_of(e.args).items() if n in weighty}
            named = named_arguments(id, known, e, tree)
            caller = f"{e.caller.id[1]}()"
            calls.append(_Call(e, named, caller, _states(e)))
    return calls


def _states(e: Entrance) -> tuple[object, ...]:
    """Return the states of the pages that are passed, as far as anything is known of them."""
    states = []
    for n, arg in enumerate(e.args):
        key = page_key(arg)
        page = e.state.pages.get(key) if key is not None else None
        if page is not None and page.population:
            states.append((n, page.types, page.flags, page.rest, page.population))
    return tuple(states)


def _by_itself(
    id: FunctionId,
    arguments: Arguments,
    entrance: Entrance | None,
    tree: Prepared,
    interest: Interest,
    behaviour: Behaviour,
) -> list[Context]:
    """Return what a function that is passed no page does to pages that it comes by."""
    if entrance is None:
        done = play(id, None, {}, tree, interest, behaviour)
        return [] if done is None else _contexts(done, arguments, "", id, tree, behaviour.space)
    done = replay(entrance, tree, interest, behaviour)
    return _contexts(done, arguments, f"{entrance.caller.id[1]}()", id, tree, behaviour.space)


def _contexts(
    done: Replay, arguments: Arguments, caller: str, id: FunctionId, tree: Prepared, space: Space
) -> list[Context]:
    """Return what became of each page of a call."""
    passed = dict.fromkeys(k for a in done.args if (k := page_key(a)) in done.entry.pages and k)
    groups: dict[str, list[Way]] = {}
    for key in passed:
        page = done.entry.pages[key]
        ways = _ways(done, key, state_words(page, space), id, tree, space)
        groups.setdefault(title(page.population, tree), []).extend(ways)
    if not passed and (inside := _inside(done, id, tree, space)):
        groups[_INSIDE] = inside
    callers = (caller,) if caller else ()
    return [
        Context(pages=pages, constants=arguments, callers=callers, ways=tuple(dict.fromkeys(ways)))
        for pages, ways in groups.items()
    ]


def _inside(done: Replay, id: FunctionId, tree: Prepared, space: Space) -> list[Way]:
    """Return what a function that is passed no page does to those that it comes by.

    Many of them are out of its sight when it returns: they are on lists, or the buddy's.
    """
    ways = _bad_ways(done, "", space)
    ways += [w for key in _met(done) for w in _ended(done, key, "", id, tree, space)]
    for p in done.passages:
        if p.given.startswith("list:") and p.left is not None:
            text = _with_title(state_words(p.left, space), p.population, "", tree)
            ways.append(Way(entry="", outcome="returns", exit=text, given=place_words(p.given)))
    if any(o.kind is Kind.SINK and o.outcome in _HANDED for o in done.observations):
        ways.append(Way(entry="", outcome="returns", given=place_words("buddy")))
    known = {(w.exit, w.given) for w in ways if w.value}
    return [w for w in ways if w.value or w.outcome != "returns" or (w.exit, w.given) not in known]


def _met(done: Replay) -> list[str]:
    """Return the pages that a call made, or found by itself."""
    keys: dict[str, None] = {}
    for state, _ in done.results:
        for key, page in state.pages.items():
            if key not in done.entry.pages and (page.history or key in state.given):
                keys.setdefault(key)
    return list(keys)


def _ways(
    done: Replay, key: str, entry: str, id: FunctionId, tree: Prepared, space: Space
) -> list[Way]:
    return [*_bad_ways(done, entry, space), *_ended(done, key, entry, id, tree, space)]


def _bad_ways(done: Replay, entry: str, space: Space) -> list[Way]:
    return [
        Way(
            entry=entry,
            outcome=_BAD[o.outcome],
            operation=o.text,
            at=Place(o.path, o.span.line, o.function),
            exit=state_words(o.page, space),
        )
        for o in done.observations
        if o.outcome in _BAD
    ]


def _ended(
    done: Replay, key: str, entry: str, id: FunctionId, tree: Prepared, space: Space
) -> list[Way]:
    """Return how a page is left by each way out of a function."""
    ways = []
    for state, value in done.results:
        page, given = state.pages.get(key), state.given.get(key, "")
        if page is None and not given:
            continue
        population = page.population if page is not None else ""
        gone = given == "buddy" or page is None
        if gone and page is not None and _leaked(page, done):
            continue
        text = "" if gone or page is None else state_words(page, space)
        text = _with_title(
            text, population, done.entry.pages.get(key, PageState(0)).population, tree
        )
        ways.append(
            Way(
                entry=entry,
                outcome="returns",
                exit=text,
                given=place_words(given),
                value=returned_words(value, id, tree),
            )
        )
    return ways


def _with_title(text: str, population: str, came: str, tree: Prepared) -> str:
    """Say of a state which pages are in it, where they are not those that came."""
    return f"{text} ({title(population, tree)})" if population not in ("", came) else text


def _leaked(page: PageState, done: Replay) -> bool:
    """Tell whether the hand-over that a page went through is told as a leak already."""
    for event in reversed(page.history):
        if event.kind == "handed":
            there = [
                o
                for o in done.observations
                if o.kind is Kind.SINK and (o.path, o.span.start) == (event.path, event.at)
            ]
            bad = {o.page for o in there if o.outcome in _BAD}
            return bool(bad) and all(o.page in bad for o in there)
    return False


def _strange(
    id: FunctionId,
    arguments: Arguments,
    entrance: Entrance | None,
    tree: Prepared,
    interest: Interest,
    behaviour: Behaviour,
) -> Context | None:
    """Return what happens to a page of which nothing was known, for each state it can be in.

    None where the function is passed no page.
    """
    space = behaviour.space
    names = {name for name, _ in arguments}
    params = tree.program.lowered(id)[0].params
    given = {} if entrance is None else constants_of(entrance.args)
    known = {n: v for n, v in given.items() if n < len(params) and params[n].name in names}
    config = {} if entrance is None else entrance.state.config
    first = play(id, PageState(space.every), known, tree, interest, behaviour, config)
    if first is None or not _passed(first):
        return None
    flags = sorted({o.dimension for o in first.observations if _asks(o, space)})
    outcomes: dict[tuple[Way, ...], list[tuple[int, str]]] = {}
    for index, label in enumerate(space.names):
        if " and " in label:
            continue
        for masks in product((CLEAR, SET), repeat=len(flags)):
            page = PageState(1 << index, tuple(zip(flags, masks, strict=True)))
            done = play(id, page, known, tree, interest, behaviour, config)
            assert done is not None, "it was passed a page a moment ago"
            ways = _told(done, page, id, tree, space)
            pairs = zip(flags, masks, strict=True)
            rest = ", ".join(f if m == SET else f"not {f}" for f, m in pairs)
            outcomes.setdefault(ways, []).append((1 << index, rest))
    strange = [
        replace(w, entry=entry_words(entries, space))
        for found, entries in outcomes.items()
        for w in found
    ]
    return Context(
        pages=STRANGE, constants=arguments, callers=(), ways=tuple(dict.fromkeys(strange))
    )


def _passed(done: Replay) -> bool:
    return any(page_key(a) in done.entry.pages for a in done.args)


def _asks(o: Observation, space: Space) -> bool:
    op = space.operations.get(o.operation)
    tests = o.kind is Kind.OPERATION and op is not None and (op.is_test or op.dimension == TYPE)
    return o.dimension != TYPE and (tests or o.kind is Kind.SINK)


def _told(
    done: Replay,
    page: PageState,
    id: FunctionId,
    tree: Prepared,
    space: Space,
) -> tuple[Way, ...]:
    """Return the ways of a page, those that leave it alone marked as such."""
    came = state_words(page, space)
    found: dict[Way, None] = {}
    for key in sorted(done.entry.pages):
        for way in _ways(done, key, "", id, tree, space):
            same = way.outcome == "returns" and way.exit == came
            ended = "" if way.outcome != "returns" else "as it was" if same else way.exit
            found.setdefault(replace(way, exit=ended))
    return tuple(found)


def _merged(contexts: Sequence[Context]) -> tuple[Context, ...]:
    """Join contexts in which the same happens: what they have in common decides it."""
    by_ways: dict[object, Context] = {}
    for c in contexts:
        held = by_ways.get((c.pages, c.ways))
        by_ways[c.pages, c.ways] = c if held is None else _joined(held, c)
    by_name: dict[object, Context] = {}
    for c in by_ways.values():
        held = by_name.get((c.pages, c.constants))
        by_name[c.pages, c.constants] = c if held is None else _joined(held, c)
    order = {STRANGE: 2, _INSIDE: 1}
    return tuple(
        sorted(by_name.values(), key=lambda c: (order.get(c.pages, 0), c.pages, c.constants))
    )


def _joined(one: Context, other: Context) -> Context:
    return Context(
        pages=one.pages,
        constants=tuple(k for k in one.constants if k in other.constants),
        callers=tuple(dict.fromkeys((*one.callers, *other.callers))),
        ways=tuple(dict.fromkeys((*one.ways, *other.ways))),
    )
