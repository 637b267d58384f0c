"""Apply what accessors, allocators, lists and hand-overs do to a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from analyzer.base import Span
from analyzer.flow.cells import cleared_page, held_page
from analyzer.flow.computed import without_same
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.contents import Put, is_some, own_place
from analyzer.flow.domain.memory import is_in_zeroed
from analyzer.flow.domain.observe import Kind, Outcome
from analyzer.flow.domain.state import BUDDY, State
from analyzer.flow.domain.values import (
    Element,
    Int,
    NonZero,
    Offset,
    Page,
    Ref,
    Unknown,
    Value,
    page_key,
)
from analyzer.flow.left import left_on, without_left
from analyzer.flow.run import Run
from analyzer.flow.several import has_equals, is_alone
from analyzer.flow.standing import note_changed
from analyzer.pages.facts import ALLOCATED, Sink
from analyzer.pages.machine import (
    CLEAR,
    EITHER,
    SET,
    TYPE,
    UNTYPED,
    Operation,
    PageState,
    Verb,
    clean_page,
    unknown_page,
)
from analyzer.program.references import is_last
from analyzer.program.stores import Writes

Results = list[tuple[State, Value]]


def page_of(key: str, state: State, run: Run) -> PageState:
    """Return what is known of a page; a page met for the first time is unknown."""
    found = state.pages.get(key)
    return unknown_page(run.space) if found is None else found


def apply(
    op: Operation, args: Sequence[Value], state: State, act: Activation, span: Span, run: Run
) -> Results:
    """Apply an accessor to its page argument; a trap leaves no state."""
    key = page_key(args[0]) if args else None
    result: Value = Unknown(f"{act.depth}:{span.start}")
    if key is None:
        return [(state, result)]
    if op.dimension != TYPE and op.dimension not in run.interest.flags:
        return [(state, result)]
    page = cleared_page(key, op, state, run) or page_of(key, state, run)
    known, state = state, without_same(key, state, run, changed=not op.is_test)
    if state is not known:
        run.gap("frame", act, span.line, run.text(act, span))
    if not op.is_test and state.given.get(key) == BUDDY:
        _note(run, act, span, op, Outcome.LATE, page)
    if op.dimension == TYPE:
        if op.is_test:
            return _test_type(op, key, page, state, act, span, run)
        return _change_type(op, key, page, state, act, span, run)
    return _flag(op, key, page, state, act, span, run)


def _note(
    run: Run, act: Activation, span: Span, op: Operation, outcome: Outcome, page: PageState
) -> None:
    run.observe(act, span, Kind.OPERATION, outcome, page, operation=op.name, dimension=op.dimension)


def _test_type(
    op: Operation, key: str, page: PageState, state: State, act: Activation, span: Span, run: Run
) -> Results:
    _note(run, act, span, op, Outcome.SEEN, page)
    answers = {n: int(held) for n, held in enumerate(op.truth)}
    return by_answer(key, answers, state, act, span, run)


def by_answer(
    key: str, answers: Mapping[int, int], state: State, act: Activation, span: Span, run: Run
) -> Results:
    """Return a state for each answer that the types of a page give."""
    page = page_of(key, state, run)
    groups: dict[int, int] = {}
    for n, answer in answers.items():
        if page.types >> n & 1:
            groups[answer] = groups.get(answer, 0) | 1 << n
    results: Results = []
    for answer, types in sorted(groups.items(), reverse=True):
        told = page
        if types != page.types:
            told = page.with_types(types).with_event(run.event(act, span, "test", TYPE))
        results.append((state.with_page(key, told), Int(answer, (key, TYPE, len(groups) == 1))))
    return results


def _change_type(
    op: Operation, key: str, page: PageState, state: State, act: Activation, span: Span, run: Run
) -> Results:
    """Apply an accessor that writes the type, with the states for which it does not trap.

    A page that may have had another type or none has had none where it gets one: that a page has
    two types is told where it must be so. Whether it would trap differs from tree to tree.
    """
    after = trapped = both = 0
    for i, to in enumerate(op.steps):
        if page.types >> i & 1:
            if to is None:
                trapped |= 1 << i
            elif run.space.every >> to & 1:
                after |= 1 << to
            else:
                both |= 1 << to
    after = after or both
    if not after:
        _note(run, act, span, op, Outcome.TRAP, page)
        return []
    if trapped:
        outcome = Outcome.MAY_TRAP
    else:
        outcome = Outcome.NO_EFFECT if after == page.types else Outcome.EFFECTIVE
    _note(run, act, span, op, outcome, page)
    if after != page.types:
        new = page.with_types(after).with_event(run.event(act, span, "write", TYPE, op.name))
        note_changed(key, page, new, state, act, span, run)
        page, state = new, _without_others(key, state, run)
    return [(state.with_page(key, page), Unknown(f"{act.depth}:{span.start}"))]


def _without_others(key: str, state: State, run: Run) -> State:
    """Forget the pages that other elements of an array hold, where one of them may be the page.

    An element by an index that is not known may be any.
    """
    array, opening, _ = key.partition("[")
    if not opening:
        return state
    held = [(place, v.key) for place, v in state.store.items() if isinstance(v, Page)]
    for place, other in (*held, *((k, k) for k in state.pages)):
        apart = not (is_some(place) or is_some(key))
        if place.startswith(f"{array}[") and other != key and not apart and other in state.pages:
            state = state.with_page(other, unknown_page(run.space))
    return state


def _flag(
    op: Operation, key: str, page: PageState, state: State, act: Activation, span: Span, run: Run
) -> Results:
    name, held = op.dimension, page.flag(op.dimension)
    sets = op.verb in (Verb.SET, Verb.TEST_SET)
    if op.verb in (Verb.SET, Verb.CLEAR):
        wanted = SET if sets else CLEAR
        _note(run, act, span, op, Outcome.NO_EFFECT if held == wanted else Outcome.EFFECTIVE, page)
        if held != wanted:
            new = page.with_flag(name, wanted).with_event(
                run.event(act, span, "write", name, op.name)
            )
            if name in run.facts.flags:
                note_changed(key, page, new, state, act, span, run)
            page = new
        return [(state.with_page(key, page), Unknown(f"{act.depth}:{span.start}"))]
    _note(run, act, span, op, Outcome.SEEN, page)
    results: Results = []
    for mask, truth in ((SET, 1), (CLEAR, 0)):
        if not held & mask:
            continue
        told = page
        if held == EITHER:
            tested = run.event(act, span, "test", name, op.name)
            told = page.with_flag(name, mask).with_event(tested)
        if op.verb is not Verb.TEST and mask != (SET if sets else CLEAR):
            told = told.with_flag(name, SET if sets else CLEAR)
            told = told.with_event(run.event(act, span, "write", name, op.name))
        results.append((state.with_page(key, told), Int(truth, (key, name, held != EITHER))))
    return results


def hand_over(
    sink: Sink,
    key: str,
    args: Sequence[Value],
    state: State,
    act: Activation,
    span: Span,
    name: str,
    run: Run,
) -> State:
    """Give a page to the buddy and observe whether it may go there.

    A page of a range that stands on a list is another one than the one that is freed.
    """
    listed = state.given.get(key, "").startswith("list:") and not is_alone(key, state, run)
    taken = held_page(key, state, run)
    page = taken or (unknown_page(run.space) if listed else page_of(key, state, run))
    cell = run.cells[key] if taken is not None else ""
    if sink.untyped:
        free = page.types & UNTYPED
        outcome = Outcome.CLEAN
        if run.types_forgotten and not has_equals(sink, key, page, args, state, run):
            pass
        elif not free:
            outcome = Outcome.LEAK
        elif page.types != UNTYPED:
            outcome = Outcome.MAY_LEAK
        run.observe(act, span, Kind.SINK, outcome, page, operation=name, dimension=TYPE, given=cell)
    checked = (f for f in run.facts.flags if f in run.space.checked)
    for flag in dict.fromkeys((*sink.flags_clear, *checked)):
        held = page.flag(flag)
        outcome = {CLEAR: Outcome.CLEAN, SET: Outcome.LEAK}.get(held, Outcome.MAY_LEAK)
        run.observe(act, span, Kind.SINK, outcome, page, operation=name, dimension=flag, given=cell)
    state = without_same(key, state, run)
    gone = unknown_page(run.space).with_event(run.event(act, span, "handed", ""))
    return run.take(key, state).with_page(key, gone).give(key, BUDDY)


def drops_last(key: str, state: State, act: Activation, run: Run) -> bool:
    """Tell whether the reference to a page that a function drops is the last one."""
    page = held_page(key, state, run) or page_of(key, state, run)
    return is_last(page, act.function.path, act.stack, run.program, run.facts)


def note_dropped(key: str, state: State, act: Activation, span: Span, name: str, run: Run) -> None:
    """Observe whether a page has a type where one of several references to it may be dropped.

    Freeing it may reset the type: then nobody need take it off.
    """
    if run.types_forgotten:
        return
    page = held_page(key, state, run) or page_of(key, state, run)
    outcome = Outcome.MAY_LEAK if page.types & UNTYPED else Outcome.LEAK
    outcome = Outcome.CLEAN if page.types == UNTYPED else outcome
    run.observe(act, span, Kind.DROP, outcome, page, operation=name, dimension=TYPE)


def born(key: str, state: State, act: Activation, span: Span, population: str, run: Run) -> State:
    """Make a page afresh: no type, no flags."""
    state = without_same(key, state, run)
    page = clean_page().of_population(population).with_event(run.event(act, span, "birth", ""))
    return run.take(key, state).with_page(key, page)


def allocated(key: str, state: State, act: Activation, span: Span, run: Run) -> State:
    """Make a page of the allocator's; what held the one that the same call made is another."""
    held = {p: v for p, v in state.store.items() if isinstance(v, Page) and v.key == key}
    for place, page in held.items():
        state = state.put(place, Page(place, page.form))
    return born(key, state, act, span, ALLOCATED, run)


def put_on_list(key: str, place: str, here: str, state: State, act: Activation, run: Run) -> State:
    """Put a page on a list; what stands on the list is the list's contract."""
    state = without_left(place, state)
    place, call = own_place(place, act.stack, act.id), (act.id, here)
    put = Put(page_of(key, state, run), (act.stack, call))
    run.puts.setdefault(place, {}).setdefault(put)
    return run.take(key, state).give(key, f"list:{place}").stand(key, (place, call))


def hand_on(source: str, target: str, state: State, act: Activation, run: Run) -> State:
    """Put whatever stands on one list on another one, each kind as it is."""
    left, after = left_on(source, state), without_left(target, without_left(source, state))
    source, target = (own_place(place, act.stack, act.id) for place in (source, target))
    puts = run.puts.setdefault(target, {})
    if left is None:
        left = run.draw(source) or (unknown_page(run.space),)
    for page in left:
        puts.setdefault(Put(page, (source, page)))
    return after


def draw(place: str, here: str, state: State, act: Activation, run: Run) -> list[State]:
    """Meet some page on a list: one state for each state that producers put on it."""
    left, state = left_on(place, state), without_left(place, state)
    place = own_place(place, act.stack, act.id)
    known = left or run.draw(place)
    state = state.forget(lambda held: page_key(state.store[held]) == here)  # that was another one
    state = state.take(here).stand(here, (place, (act.id, here)))
    if not known:
        return [state.with_page(here, unknown_page(run.space))]
    return [state.with_page(here, page) for page in known]


def pass_addresses(
    args: Sequence[Value], state: State, here: str, writes: Writes = lambda _: None
) -> State:
    """Forget what a callee may have stored behind the addresses that it was passed."""
    for n, arg in enumerate(args):
        if isinstance(arg, Unknown | NonZero) and (whole := f"*{arg.key}") in state.store:
            state = _written_behind(whole, writes(n), f"{here}:{n}", state)
        if isinstance(arg, Ref):
            written = writes(n)
            if written is not None:
                for name in sorted(written):
                    state = _without_fields(state, f"{arg.place}.{name}")
                if is_in_zeroed(arg.place, state.store):
                    state = _written_behind(arg.place, written, f"{here}:{n}", state)
                continue
            if is_in_zeroed(arg.place, state.store):
                state = state.put(arg.place, Unknown(arg.place))
            held = state.store.get(arg.place, Unknown(arg.place))
            named = arg.place in state.store or arg.place in state.pages
            if named and not isinstance(held, Page | Offset):
                fresh = Unknown(f"{here}:{n}")  # on every turn of a loop another value
                state = state.lose(fresh.key).put(arg.place, fresh)
            state = _without_fields(state, f"{arg.place}.")
    return state


def _written_behind(whole: str, written: frozenset[str] | None, here: str, state: State) -> State:
    """Return the state in which memory is not known to be zero any more where it may be written."""
    if written is None:
        return state.put(whole, Unknown(f"{here}*"))
    for name in sorted(written):
        state = state.put(f"{whole}.{name}", Unknown(f"{whole}.{name}"))
    return state


def lose_pages(values: Iterable[Value], state: State, run: Run) -> State:
    """Forget the state of the pages that values name: nobody knows what becomes of them."""
    for value in values:
        key = page_key(value)
        if key is not None and key in state.pages:
            state = state.take(key).with_page(key, unknown_page(run.space))
    return state


def lose(names: Iterable[str], at: int, state: State, act: Activation, run: Run) -> State:
    """Forget locals that code which was not understood names, and all that lies behind them."""
    for name in sorted(names):
        if act.is_local(name):
            place = act.place(name)
            held = state.store.get(place, Unknown(place))
            state = _lose_behind(held, place, frozenset(), state, run)
            state = state.put(place, Unknown(f"{place}:{at}"))
    return state


def _lose_behind(value: Value, place: str, seen: frozenset[str], state: State, run: Run) -> State:
    """Forget the page that a value names, and what is reached through it or inside its place."""
    key = page_key(value)
    if key is not None and (key in state.pages or key in state.given):
        state = state.take(key).with_page(key, unknown_page(run.space))
    behind = value.place if isinstance(value, Ref | Element) else f"*{key}"
    inside = {p for p in state.store if _is_part(p, behind) or (_is_part(p, place) and p != place)}
    inside -= seen
    for inner in sorted(inside):
        held = state.store.get(inner)
        if held is not None:
            state = _lose_behind(held, inner, seen | inside, state, run)
    return state.forget(inside.__contains__)


def _is_part(place: str, whole: str) -> bool:
    return place.startswith(whole) and place[len(whole) :][:1] in ("", ".", "[")


def _without_fields(state: State, prefix: str) -> State:
    return state.forget(lambda place: place.startswith(prefix))
