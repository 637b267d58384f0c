"""Interpret function bodies over path states, entering callees in the context of each call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial

from analyzer.base import FunctionId, Span
from analyzer.flow.body import Body
from analyzer.flow.cells import leave_in_cells
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.observe import Kind, Outcome
from analyzer.flow.domain.sight import Entrance
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import Int, NonZero, Page, Symbol, Unknown, Value
from analyzer.flow.frames import (
    fewer,
    kept_by_callback,
    leave_frame,
    narrow,
    observe_return,
)
from analyzer.flow.loops import range_counts
from analyzer.flow.operations import Results, lose_pages
from analyzer.flow.populations import entered_page
from analyzer.flow.run import Context, Run
from analyzer.flow.structures import received
from analyzer.flow.watch import lookout
from analyzer.flow.weight import sliced
from analyzer.pages.facts import ALLOCATED
from analyzer.program.params import is_page_pointer
from analyzer.program.shape import shape_of


def run_root(id: FunctionId, run: Run) -> None:
    """Interpret a function with arguments of which nothing is known."""
    run.steps = 0
    start = State({}, {}, config=dict(run.program.config))
    for state, value in _function(id, None, start, None, Span("", 0, 0, 0, 0, 0, 0), run):
        leave_in_cells(state, id, run)
        _observe_exit(id, state, value, run)


def run_call(
    id: FunctionId,
    args: Sequence[Value],
    state: State,
    caller: Activation | None,
    span: Span,
    run: Run,
) -> Results:
    """Interpret one call: the states at the function's returns, each with the value it returns."""
    run.steps = 0
    return _function(id, args, state, caller, span, run)


def _observe_exit(id: FunctionId, state: State, value: Value, run: Run) -> None:
    """Observe what has become of the pages of every population that the root made.

    Who returns 0, or nothing, has done what it was called for.
    """
    for function in [f for f in run.program.lowered(id) if f.variants][:1]:
        done = value == Int(0) or function.returns.split()[-1:] == ["void"]
        act = Activation(function, function.variants[0], 0, (), id)
        for key, page in sorted(state.pages.items()):
            if page.population and page.population != ALLOCATED:
                run.observe(
                    act,
                    function.span,
                    Kind.EXIT,
                    Outcome.DONE if done else Outcome.SEEN,
                    page,
                    text=function.name,
                    given=state.given.get(key, ""),
                )


def _function(
    id: FunctionId,
    args: Sequence[Value] | None,
    state: State,
    caller: Activation | None,
    span: Span,
    run: Run,
) -> Results:
    """Interpret all definitions and variants of a function that the configuration allows."""
    depth = caller.depth + 1 if caller else 0
    stack = (*caller.stack, run.frame(caller, span)) if caller else ()
    results: Results = []
    run.reached.add(id)
    if id in run.watched.calls and args is not None and caller is not None:
        entrance = Entrance(id, tuple(args), state, caller, span)
        run.entrances.setdefault(entrance.key, entrance)
    built = run.program.built_with(id[0])
    for function in run.program.lowered(id):
        for gap in function.gaps:
            run.gaps.setdefault(gap)
        for variant in function.variants:
            entry = _assume(state, (*built, *function.conditions, *variant.conditions))
            if entry is None:
                continue
            act = Activation(function, variant, depth, stack, caller.root if caller else id)
            entry = _bound(args, entry, act, run)
            if args is None:
                entry = entered_page(entry, act, run)
            body = Body(act, run, shape_of(variant), sliced(act, run), partial(_enter, run))
            if run.watched.lines:
                body.watch = lookout(act, run)
            results.extend(body.interpret(entry))
    return results


def _assume(state: State, conditions: Iterable[tuple[str, bool]]) -> State | None:
    """Return the state with conditions assumed, or None where it contradicts them."""
    for symbol, held in conditions:
        decided = state.config.get(symbol)
        if decided is None:
            state = state.assume(symbol, held)
        elif decided is not held:
            return None
    return state


def _bound(args: Sequence[Value] | None, entry: State, act: Activation, run: Run) -> State:
    """Return the state in which the parameters hold what is passed, or what nobody knows."""
    counts = range_counts(act, run)
    for n, param in enumerate(act.function.params):
        place = act.place(param.name)
        value: Value = Unknown(place)
        if args is not None and n < len(args):
            value = args[n]
        elif is_page_pointer(param.type):
            value = Page(place, "page")
        if param.name in counts and isinstance(value, Unknown):
            value = NonZero(value.key)  # of the same page, where it is a frame number
        elif param.name in counts and isinstance(value, Symbol):
            value = NonZero(value.name)
        entry = received(param, value, place, entry.put(place, value))
    return entry


def _enter(
    run: Run,
    id: FunctionId,
    args: Sequence[Value],
    state: State,
    act: Activation,
    span: Span,
    here: str,
    *,
    callback: bool = False,
) -> Results:
    """Return the states after a callee, which is interpreted once in each context."""
    on_stack = any(f.id == id for f in act.stack) or act.id == id
    if on_stack or act.depth >= run.limits.depth:
        if not on_stack:
            run.gap("budget", act, span.line, f"calls nested too deep at {id[1]}")
        elif run.role(id).strong and (lost := lose_pages(args, state, run)) is not state:
            detail = f"{id[1]}() calls itself: what that does to the page is not followed"
            run.gap("recursion", act, span.line, detail)
            state = lost
        return [(state, Unknown(here))]
    seen, aside = narrow(args, state)
    key = seen.key
    known = Context(id, tuple(args), key[1], key, span, act.stack, act.id)
    returned = run.memory.get(known)
    if returned is None:
        returned = run.memory[known] = _function(id, args, seen, act, span, run)
        for after, _ in returned:
            leave_in_cells(after, act.root, run)
    results: dict[object, tuple[State, Value]] = {}
    for after, value in returned:
        whole = after.with_store({**after.store, **aside})
        left, renamed = leave_frame(whole, value, act.depth, here, state)
        if callback:
            observe_return(id, args, left, act, span, run)
            left = kept_by_callback(args, left)
        results.setdefault((left.key, renamed), (left, renamed))
    found = list(results.values())
    if len(found) > run.limits.states:
        for left, _ in found:
            leave_in_cells(left, act.root, run)
        found = fewer(found, run.limits.states)
    return found
