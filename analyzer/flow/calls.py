"""Decide what a call does: by fact, by accessor, by the bodies that it can enter."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.flow import behind, operations, unentered, words
from analyzer.flow.asks import bits, typed
from analyzer.flow.asks.repeats import passed
from analyzer.flow.behind import passes_page
from analyzer.flow.callbacks import candidates, registered_in_chain, slot_of
from analyzer.flow.callsite import CallSite, Enter, call_site
from analyzer.flow.computed import note_called
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import (
    FROM,
    ZERO,
    Element,
    Fn,
    Link,
    NonZero,
    Page,
    Ref,
    Unknown,
    Value,
    page_key,
)
from analyzer.flow.expressions import evaluate
from analyzer.flow.lists import on_list
from analyzer.flow.operations import Results, pass_addresses
from analyzer.flow.populations import told_by_call
from analyzer.flow.ranges import element
from analyzer.flow.run import Run
from analyzer.flow.structures import whole
from analyzer.flow.zeroing import zeroed
from analyzer.pages.aside import is_harmless
from analyzer.pages.facts import ALLOCATED, Chain
from analyzer.program.answers import answering
from analyzer.program.params import list_params, page_params

#: Up to so many candidates of a pointer are entered whatever they do.
_FEW = 8


def call(step: ir.Call, state: State, act: Activation, run: Run, enter: Enter) -> list[State]:
    """Return the states after a call, with its result assigned."""
    args = [
        passed(a, held, state, act, run, asks=partial(_asks, step, n, act, run))
        for n, a in enumerate(step.args)
        for held in (whole(a, evaluate(a, state, act, run), state, act),)
    ]
    site = call_site(step, args, act, run, enter)
    results = words.by_bit(site, state)
    if results is None and typed.may_read(site):
        value_of = partial(evaluate, state=state, act=act, run=run)
        results = typed.by_reading(site, value_of, state)
    if results is None:
        results = _dispatch(site, words.passed(site, state))
    place = act.place(step.result.id)
    if any(v == Unknown(site.here) and site.here not in s.pages for s, v in results):
        note_called(site.name, (site.here, f"{place}."), args, state, run)
    return [_renewed(s, site.here, v).put(place, v) for s, v in results]


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


def _dispatch(site: CallSite, state: State) -> Results:
    name, run = site.name, site.run
    if not name:
        return _indirect(site, state)
    known = _by_fact(site, state)
    if known is not None:
        return known
    operation = run.space.operations.get(name)
    if operation is not None:
        return operations.apply(operation, site.args, state, site.act, site.step.span, run)
    chain = run.facts.chains.get(name)
    if chain is not None:
        return _through_chain(chain, site, state)
    path = site.act.function.path
    # What does not matter and is passed no address does nothing, whether it was read or not.
    acts = any(isinstance(a, Ref) for a in site.args) or any(run.hear(name, path))
    acts = acts or (passes_page(site.args, state) and typed.answers_by_type(name, path, run))
    # A name that stands for a call everywhere, like max(), may name a variable elsewhere.
    points = not is_harmless(name) and bool(run.program.stored(name))
    if (acts or points) and (found := run.program.resolve(name, path)):
        return _direct(site, found, state)
    if points:
        return _indirect(site, state)
    told = run.facts.told_by.keys()
    asked = answering(name, path, run.program, told) if _are_held(site.args, state) else ()
    results = [result for id in asked for result in site.enter(id, state)]
    return results or site.unknown(unentered.unread(site, state))


def _are_held(args: Sequence[Value], state: State) -> bool:
    """Tell whether what is learnt of some values stays known: variables hold them.

    What memory holds is read anew the next time; the same question is known again by its text.
    """
    held = state.store.values()
    return all(a in held for a in args if isinstance(a, Unknown | NonZero))


def _by_fact(site: CallSite, state: State) -> Results | None:
    """Apply what the facts say of a core interface; None where they say nothing."""
    step, name, args, here, act, run, _ = site
    facts, first = run.facts, args[0] if args else None
    for told in (
        zeroed(site, state),
        bits.by_call(site, state),
        told_by_call(name, args, state, act, run),
    ):
        if told is not None:
            return told
    identity = facts.identities.get(name)
    if identity is not None and first is not None:
        key = page_key(first)
        if key is None or (identity.head and FROM in key):
            return site.unknown(state)
        if identity.to == "page" and key not in state.pages and key not in state.given:
            state = state.with_page(key, operations.page_of(key, state, run))
        same, n = Page(key, identity.to), identity.distance
        page: Value = same
        if n is not None and n < len(args):
            page = element(same, ir.Binary("+", step.args[0], step.args[n]), args[n], act, run)
        found: Results = [(state, page)]
        return [*found, (state, ZERO)] if identity.maybe_null else found
    if name in facts.allocators:
        fresh = operations.allocated(here, state, act, step.span, run)
        return [(fresh, Page(here, "page")), (state, ZERO)]
    if name in facts.range_allocators:
        key = page_key(args[facts.range_allocators[name]])
        if key is None:
            return site.unknown(state)
        fresh = operations.born(key, state, act, step.span, ALLOCATED, run)
        return [(fresh, ZERO), (state, NonZero(here))]
    if name in facts.sinks or name in facts.puts or name in facts.resets:
        return site.unknown(_from_or_to_core(site, state))
    if name in facts.index_of and isinstance(first, Element):
        return [(state, first.index)]
    if name in facts.opaque or name in facts.words.read_by:
        return site.unknown(state)
    return on_list(site, state)


def _from_or_to_core(site: CallSite, state: State) -> State:
    """Hand a page to the buddy, drop a reference to it, or make it afresh."""
    name, args, act, span, run = site.name, site.args, site.act, site.step.span, site.run
    put = run.facts.puts.get(name)
    sink = put or run.facts.sinks.get(name)
    index = sink.arg if sink is not None else run.facts.resets[name]
    key = page_key(args[index]) if index < len(args) else None
    if key is None:
        return state
    if sink is None:
        return operations.born(key, state, act, span, "", run)
    if put is None:
        return operations.hand_over(sink, key, args, state, act, span, name, run)
    if operations.drops_last(key, state, act, run):  # nobody knows it from then on
        return operations.hand_over(sink, key, args, state, act, span, name, run).take(key)
    operations.note_dropped(key, state, act, span, name, run)
    return state


def _is_worth(id: FunctionId, site: CallSite, state: State) -> bool:
    """Tell whether a callee is entered: it matters, and a page or the making of one is involved."""
    args, run = site.args, site.run
    if passes_page(args, state):
        return run.role(id).matters or typed.is_by_type(id, run)
    if run.role(id).gives:
        return True
    own = id[0] == site.act.function.path
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


def _direct(site: CallSite, found: Sequence[FunctionId], state: State) -> Results:
    """Enter the functions that a name can mean, where they matter here."""
    entered = [id for id in found if _is_worth(id, site, state)]
    if entered:
        return [result for id in entered for result in site.enter(id, state)]
    if not any(site.run.program.returns(id) for id in found):
        return []
    freed = behind.freed(site, found, state)
    return site.unknown(unentered.unfollowed(site, found, state)) if freed is None else freed


def _indirect(site: CallSite, state: State) -> Results:
    """Enter every function that the pointer can hold."""
    args, act, run = site.args, site.act, site.run
    unentered.expose(args, run)
    if not passes_page(args, state):
        return site.unknown(pass_addresses(args, state, site.here))
    held = site.step.callee
    while isinstance(held, ir.Unary) and held.op == "*":  # a function's address is the function
        held = held.operand
    value = evaluate(held, state, act, run)
    if isinstance(value, Fn):
        ids = run.program.resolve(value.name, value.path or act.function.path)
    else:
        slot = slot_of(site.step.callee)
        ids = candidates(slot, run) if slot else ()
    if len(ids) > _FEW:
        ids = tuple(i for i in ids if run.role(i).matters)
    if not ids:
        site.admit("callback")
        state = operations.lose_pages(args, pass_addresses(args, state, site.here), run)
        return site.unknown(state)
    kept = isinstance(held, ir.Field)
    optional = kept and any(
        isinstance(b.end, ir.Branch) and b.end.cond == held for b in act.variant.blocks
    )
    if optional:  # whether there is one goes with what else the structure holds
        state = operations.lose_pages(args, state, run)
    found = [site.enter_callback(id, args, state) for id in ids]
    results = [result for each in found for result in each]
    if optional or (kept and _differ(found, args)):
        site.admit("callback")
        return [(operations.lose_pages(args, s, run), v) for s, v in results]
    return results


def _differ(found: Sequence[Results], args: Sequence[Value]) -> bool:
    """Tell whether functions that a structure may hold do different things to the pages.

    Which one it holds goes with what it holds beside it, which nobody knows.
    """
    keys = [key for a in args if (key := page_key(a)) is not None]
    done = {
        frozenset((k, page.types) for s, _ in each for k in keys if (page := s.pages.get(k)))
        for each in found
    }
    return len(done) > 1


def _through_chain(chain: Chain, site: CallSite, state: State) -> Results:
    """Run each callback of a chain for itself; together they would multiply."""
    padded = [Unknown(f"{site.here}:0"), *site.args]  # the notifier block comes first
    ids = [id for id in registered_in_chain(chain, site.run) if site.run.role(id).matters]
    after = [s for id in ids for s, _ in site.enter_callback(id, padded, state)]
    return [result for s in (state, *after) for result in site.unknown(s)]
