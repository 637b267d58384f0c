"""Decide what a call does: by fact, by accessor, by the bodies that it can enter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from analyzer.base import FunctionId, Span
from analyzer.c import ir
from analyzer.flow import behind, operations, words
from analyzer.flow.asks import bits, typed
from analyzer.flow.asks.repeats import passed
from analyzer.flow.behind import passes_page
from analyzer.flow.callbacks import candidates, registered_in_chain, slot_of
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.contents import own_place
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import (
    FROM,
    ZERO,
    Element,
    Fn,
    Link,
    NonZero,
    Offset,
    Page,
    Ref,
    Unknown,
    Value,
    page_key,
)
from analyzer.flow.enter import Enter
from analyzer.flow.expressions import evaluate
from analyzer.flow.left import looked_at
from analyzer.flow.lists import on_list
from analyzer.flow.loops import range_positions
from analyzer.flow.operations import Results, pass_addresses
from analyzer.flow.populations import told_by_call
from analyzer.flow.ranges import element
from analyzer.flow.run import Run
from analyzer.flow.zeroing import zeroed
from analyzer.pages.aside import is_harmless
from analyzer.pages.facts import ALLOCATED, Chain
from analyzer.program.answers import answering
from analyzer.program.params import list_params, page_params
from analyzer.program.stores import fields_written

#: Up to so many candidates of a pointer are entered whatever they do.
_FEW = 8


def call(step: ir.Call, state: State, act: Activation, run: Run, enter: Enter) -> list[State]:
    """Return the states after a call, with its result assigned."""
    args = [
        passed(a, held, state, act, run, asks=partial(_asks, step, n, act, run))
        for n, a in enumerate(step.args)
        for held in (evaluate(a, state, act, run),)
    ]
    here = f"{act.depth}:{step.span.start}"
    results = words.by_bit(step, here, state, act, run)
    if results is None and typed.may_read(step, act, run):
        value_of = partial(evaluate, state=state, act=act, run=run)
        results = typed.by_reading(step, args, value_of, state, act, run)
    if results is None:
        state = words.passed(step, state, act, run)
        results = _dispatch(step, args, here, state, act, run, enter)
    place = act.place(step.result.id)
    return [_renewed(s, here, v).put(place, v) for s, v in results]


def _asks(step: ir.Call, n: int, act: Activation, run: Run) -> bool:
    """Tell whether a callee is passed nothing but yes or no at a position."""
    if not isinstance(step.callee, ir.Name) or act.is_local(step.callee.id):
        return False
    found = run.program.resolve(step.callee.id, act.function.path)
    heads = [s for id in found for s in run.program.signatures(id)]
    return bool(heads) and all(n < len(s.params) and s.params[n].type == "bool" for s in heads)


def _renewed(state: State, key: str, value: Value) -> State:
    """Forget what was known of the value that this call gave the last time, and of its page."""
    if not isinstance(value, Unknown) or value.key != key:
        return state
    if state.unequal:
        kept = frozenset(f for f in state.unequal if f[0] != key)
        state = replace(state, unequal=kept)
    return state.lose(key)


def _dispatch(
    step: ir.Call,
    args: Sequence[Value],
    here: str,
    state: State,
    act: Activation,
    run: Run,
    enter: Enter,
) -> Results:
    callee = step.callee
    if isinstance(callee, ir.Name) and not act.is_local(callee.id):
        name = callee.id
        known = _by_fact(name, step, args, here, state, act, run)
        if known is not None:
            return known
        operation = run.space.operations.get(name)
        if operation is not None:
            return operations.apply(operation, args, state, act, step.span, run)
        chain = run.facts.chains.get(name)
        if chain is not None:
            return _through_chain(chain, step, args, here, state, act, run, enter)
        path = act.function.path
        # What does not matter and is passed no address does nothing, whether it was read or not.
        acts = any(isinstance(a, Ref) for a in args) or any(run.hear(name, path))
        acts = acts or (passes_page(args, state) and typed.answers_by_type(name, path, run))
        # A name that stands for a call everywhere, like max(), may name a variable elsewhere.
        points = not is_harmless(name) and bool(run.program.stored(name))
        if (acts or points) and (found := run.program.resolve(name, path)):
            return _direct(found, step, args, here, state, act, run, enter)
        if not points:
            results = [
                result
                for id in (answering(name, path, run.program) if _are_held(args, state) else ())
                for result in enter(id, args, state, act, step.span, here)
            ]
            if results:
                return results
            if not is_harmless(name):
                _expose(args, run)
            state = behind.called_back(step, args, state, act, run)
            passes = passes_page(args, state)
            if passes or any(_is_used_list(a, act, run) for a in args):
                run.met.setdefault((name, path))
            if passes and run.program.is_undefined(name):
                run.gap("undefined", act, step.span.line, run.text(act, step.span))
                state = operations.lose_pages(args, state, run)
            state = behind.overwritten(step, args, state, act, run)
            return [(pass_addresses(args, state, here), Unknown(here))]
    return _indirect(step, args, here, state, act, run, enter)


def _are_held(args: Sequence[Value], state: State) -> bool:
    """Tell whether what is learnt of some values stays known: variables hold them.

    What memory holds is read anew the next time; the same question is known again by its text.
    """
    held = state.store.values()
    return all(a in held for a in args if isinstance(a, Unknown | NonZero))


def _expose(args: Sequence[Value], run: Run) -> None:
    """Take note that code which was not read is passed pages from cells."""
    for arg in args:
        key = page_key(arg)
        if key is not None and key in run.cells:
            run.unsure.add(run.cells[key])


def _is_used_list(value: Value, act: Activation, run: Run) -> bool:
    """Tell whether a value is the head of a list that pages were put on."""
    return isinstance(value, Ref | Link) and own_place(value.place, act.stack, act.id) in run.puts


def _by_fact(
    name: str,
    step: ir.Call,
    args: Sequence[Value],
    here: str,
    state: State,
    act: Activation,
    run: Run,
) -> Results | None:
    """Apply what the facts say of a core interface; None where they say nothing."""
    facts, first = run.facts, args[0] if args else None
    for told in (
        zeroed(name, step, args, here, state, run),
        bits.by_call(name, step, here, state, act, run),
        told_by_call(name, args, state, act, run),
    ):
        if told is not None:
            return told
    identity = facts.identities.get(name)
    if identity is not None and first is not None:
        key = page_key(first)
        if key is None or (identity.head and FROM in key):
            return [(state, Unknown(here))]
        if identity.to == "page" and key not in state.pages and key not in state.given:
            state = state.with_page(key, operations.page_of(key, state, run))
        same, n = Page(key, identity.to), identity.distance
        page: Value = same
        if n is not None and n < len(args):
            page = element(same, step.args[n], args[n], act, run)
        found: Results = [(state, page)]
        return [*found, (state, ZERO)] if identity.maybe_null else found
    if name in facts.allocators:
        fresh = operations.allocated(here, state, act, step.span, run)
        return [(fresh, Page(here, "page")), (state, ZERO)]
    if name in facts.range_allocators:
        key = page_key(args[facts.range_allocators[name]])
        if key is None:
            return [(state, Unknown(here))]
        fresh = operations.born(key, state, act, step.span, ALLOCATED, run)
        return [(fresh, ZERO), (state, NonZero(here))]
    if name in facts.sinks or name in facts.puts or name in facts.resets:
        return _from_or_to_core(name, args, here, state, act, step.span, run)
    if name in facts.index_of and isinstance(first, Element):
        return [(state, first.index)]
    if name in facts.opaque or name in facts.words.read_by:
        return [(state, Unknown(here))]
    return on_list(name, step, args, here, state, act, run)


def _from_or_to_core(
    name: str,
    args: Sequence[Value],
    here: str,
    state: State,
    act: Activation,
    span: Span,
    run: Run,
) -> Results:
    """Hand a page to the buddy, drop a reference to it, or make it afresh."""
    put = run.facts.puts.get(name)
    sink = put or run.facts.sinks.get(name)
    index = sink.arg if sink is not None else run.facts.resets[name]
    key = page_key(args[index]) if index < len(args) else None
    if key is None:
        return [(state, Unknown(here))]
    if sink is None:
        state = operations.born(key, state, act, span, "", run)
    elif put is None:
        state = operations.hand_over(sink, key, args, state, act, span, name, run)
    elif operations.drops_last(key, state, act, run):  # nobody knows it from then on
        state = operations.hand_over(sink, key, args, state, act, span, name, run).take(key)
    return [(state, Unknown(here))]


def _is_worth(
    id: FunctionId, args: Sequence[Value], state: State, act: Activation, run: Run
) -> bool:
    """Tell whether a callee is entered: it matters, and a page or the making of one is involved."""
    if passes_page(args, state):
        return run.role(id).matters or typed.is_by_type(id, run)
    if run.role(id).gives:
        return True
    own = id[0] == act.function.path
    if not run.role(id).strong:
        return own and run.role(id).weak and _passes_list(id, args, run)
    if own:
        return True
    if any("struct page" in head.returns for head in run.program.signatures(id)):
        return True
    passed = page_params(run.program, run.facts, id)
    if any(n < len(args) and page_key(args[n]) is not None for n in passed):
        return True
    return _passes_list(id, args, run)


def _passes_list(id: FunctionId, args: Sequence[Value], run: Run) -> bool:
    lists = list_params(run.program, id)
    return any(n < len(args) and isinstance(args[n], Ref | Link) for n in lists)


def pass_out(
    step: ir.Call, args: Sequence[ir.Expr], state: State, act: Activation, run: Run
) -> State:
    """Return the state after a call that matters to no page, but may store through addresses."""
    name = step.callee.id if isinstance(step.callee, ir.Name) else ""
    changes = run.facts.words.set_by | run.facts.words.cleared_by
    if name not in run.facts.filled and name not in changes:
        values = [evaluate(a, state, act, run) for a in args if _may_be_address(a)]
        if not any(_is_address(v, state) for v in values):
            return behind.overwritten(step, values, state, act, run)
    values = [evaluate(a, state, act, run) for a in args]
    found: Sequence[FunctionId] = ()
    if isinstance(step.callee, ir.Name) and not act.is_local(step.callee.id):
        if step.callee.id in run.facts.words.read_by:
            return state
        here = f"{act.depth}:{step.span.start}"
        cleared = zeroed(step.callee.id, step, values, here, state, run)
        if cleared is not None:
            return cleared[0][0]
        single = bits.by_call(step.callee.id, step, here, state, act, run)
        if single is not None:
            return single[0][0]
        found = run.program.resolve(step.callee.id, act.function.path)
    state = looked_at(values, behind.called_back(step, values, state, act, run))
    return _passed(values, found, state, f"{act.depth}:{step.span.start}", act, run)


def _may_be_address(e: ir.Expr) -> bool:
    return isinstance(e, ir.Name | ir.Field) or (isinstance(e, ir.Unary) and e.op == "&")


def _is_address(value: Value, state: State) -> bool:
    """Tell whether there is memory behind a value of which something may be known."""
    return isinstance(value, Ref) or (
        isinstance(value, Unknown | NonZero) and f"*{value.key}" in state.store
    )


def _passed(
    args: Sequence[Value],
    found: Sequence[FunctionId],
    state: State,
    here: str,
    act: Activation,
    run: Run,
) -> State:
    """Return the state after a call of functions that are not entered.

    What steps through a range of pages may be moved by them, but not out of the range.
    """
    if not any(_is_address(a, state) for a in args):
        return state
    if found:
        after = pass_addresses(args, state, here, lambda n: fields_written(run.program, found, n))
    else:
        after = pass_addresses(args, state, here)
    for name in range_positions(act, run):
        place = act.place(name)
        held = state.store.get(place)
        if held is not None and after.store.get(place) != held and (key := page_key(held)):
            after = after.put(place, Offset(key))
    return after


def _direct(
    found: Sequence[FunctionId],
    step: ir.Call,
    args: Sequence[Value],
    here: str,
    state: State,
    act: Activation,
    run: Run,
    enter: Enter,
) -> Results:
    """Enter the functions that a name can mean, where they matter here."""
    results: Results = []
    entered = [id for id in found if _is_worth(id, args, state, act, run)]
    if not entered and not any(run.program.returns(id) for id in found):
        return []
    if not entered:
        freed = behind.freed(found, step, args, here, state, act, run, enter)
        if freed is not None:
            return freed
        state = behind.called_back(step, args, state, act, run)
        state = behind.overwritten(step, args, state, act, run)
        return [(_passed(args, found, state, here, act, run), Unknown(here))]
    for id in entered:
        results.extend(enter(id, args, state, act, step.span, here))
    return results


def _indirect(
    step: ir.Call,
    args: Sequence[Value],
    here: str,
    state: State,
    act: Activation,
    run: Run,
    enter: Enter,
) -> Results:
    """Enter every function that the pointer can hold."""
    _expose(args, run)
    if not passes_page(args, state):
        return [(pass_addresses(args, state, here), Unknown(here))]
    held = step.callee
    while isinstance(held, ir.Unary) and held.op == "*":  # a function's address is the function
        held = held.operand
    value = evaluate(held, state, act, run)
    if isinstance(value, Fn):
        ids = run.program.resolve(value.name, value.path or act.function.path)
    else:
        slot = slot_of(step.callee)
        ids = candidates(slot, run) if slot else ()
    if len(ids) > _FEW:
        ids = tuple(i for i in ids if run.role(i).matters)
    if not ids:
        run.gap("callback", act, step.span.line, run.text(act, step.span))
        state = operations.lose_pages(args, pass_addresses(args, state, here), run)
        return [(state, Unknown(here))]
    results: Results = []
    for id in ids:
        results.extend(enter(id, args, state, act, step.span, here, callback=True))
    return results


def _through_chain(
    chain: Chain,
    step: ir.Call,
    args: Sequence[Value],
    here: str,
    state: State,
    act: Activation,
    run: Run,
    enter: Enter,
) -> Results:
    """Run each callback of a chain for itself; together they would multiply."""
    results: Results = [(state, Unknown(here))]
    for id in registered_in_chain(chain, run):
        if not run.role(id).matters:
            continue
        padded: list[Value] = [Unknown(f"{here}:0"), *args]  # the notifier block comes first
        results.extend(
            (s, Unknown(here))
            for s, _ in enter(id, padded, state, act, step.span, here, callback=True)
        )
    return results
