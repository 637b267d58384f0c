"""Know what a call that is not entered leaves behind: of its pages, of memory and of lists."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache, partial

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.flow import behind, operations
from analyzer.flow.asks import bits
from analyzer.flow.callsite import CallSite, Enter, call_site
from analyzer.flow.computed import note_stored
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.contents import own_place
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import (
    ZERO,
    Link,
    NonZero,
    Offset,
    Page,
    Ref,
    Unknown,
    Value,
    page_key,
)
from analyzer.flow.expressions import evaluate
from analyzer.flow.loops import range_positions
from analyzer.flow.operations import pass_addresses
from analyzer.flow.run import Run
from analyzer.flow.zeroing import zeroed
from analyzer.pages.aside import is_harmless
from analyzer.program.stores import Writes, fields_written

#: The type of what leads to memory: an array, or a pointer, but to a page.
_MEMORY = re.compile(r"(?:\[|(?<!page )(?<!folio )\*)")


def unread(site: CallSite, state: State) -> State:
    """Return the state after a call of a function of which no body was read."""
    args, run = site.args, site.run
    if not is_harmless(site.name):
        expose(args, run)
    state = behind.called_back(site, state)
    passes = behind.passes_page(args, state)
    if passes or any(_is_used_list(a, site.act, run) for a in args):
        run.met.setdefault((site.name, site.act.function.path))
    if run.program.is_undefined(site.name):
        site.admit("undefined")
        state = _lost(site, state, every=not passes)
    after = pass_addresses(args, behind.overwritten(site, state), site.here)
    note_stored(args, state, after, run, partial(_into_variables, args))
    return after


def _into_variables(args: Sequence[Value], n: int) -> frozenset[str] | None:
    """Tell what is written behind an argument, of a callee that was not read.

    Where that is the address of a variable, it may be anything.
    """
    return None if isinstance(args[n], Ref) else frozenset()


def _lost(site: CallSite, state: State, *, every: bool) -> State:
    """Return the state after what may have marked or unmarked pages, or all that are known.

    It may also have found them on lists.
    """
    act, run = site.act, site.run
    state = operations.lose_pages(site.args, state, run)
    if every:
        state = operations.lose_pages([Page(key, "page") for key in state.pages], state, run)
    for arg in site.args:
        if isinstance(arg, Ref | Link):
            run.changed.add((own_place(arg.place, act.stack, act.id), (act.id, site.here)))
    return state


def unfollowed(site: CallSite, found: Sequence[FunctionId], state: State) -> State:
    """Return the state after a call of functions whose bodies have to do with none of its pages."""
    state = behind.overwritten(site, behind.called_back(site, state))
    return _passed(site, found, state)


def weightless(step: ir.Call, state: State, act: Activation, run: Run, enter: Enter) -> State:
    """Return the state after a call that matters to no page, but may store through addresses."""
    name = step.callee.id if isinstance(step.callee, ir.Name) else ""
    words = run.facts.words
    if name not in run.facts.filled and name not in words.set_by | words.cleared_by:
        held = [evaluate(a, state, act, run) if _may_be_address(a) else ZERO for a in step.args]
        if not any(_is_address(v, state) for v in held) and not _may_fill(step, act, state):
            return behind.overwritten(call_site(step, held, act, run, enter), state)
    values = [evaluate(a, state, act, run) for a in step.args]
    site = call_site(step, values, act, run, enter)
    found: Sequence[FunctionId] = ()
    if site.name:
        if name in words.read_by:
            return state
        told = zeroed(site, state) or bits.by_call(site, state)
        if told is not None:
            return told[0][0]
        found = run.program.resolve(name, act.function.path)
    return unfollowed(site, found, state)


def expose(args: Sequence[Value], run: Run) -> None:
    """Take note that code which was not read is passed pages from cells."""
    for arg in args:
        key = page_key(arg)
        if key is not None and key in run.cells:
            run.unsure.add(run.cells[key])


def _is_used_list(value: Value, act: Activation, run: Run) -> bool:
    """Tell whether a value is the head of a list that pages were put on."""
    return isinstance(value, Ref | Link) and own_place(value.place, act.stack, act.id) in run.puts


def _may_be_address(e: ir.Expr) -> bool:
    return isinstance(e, ir.Name | ir.Field) or (isinstance(e, ir.Unary) and e.op == "&")


def _may_fill(step: ir.Call, act: Activation, state: State) -> bool:
    """Tell whether a call is passed memory into which it may store a page that it is passed."""
    return bool(state.pages) and any(
        isinstance(e, ir.Name) and _MEMORY.search(act.type_of(e.id)) for e in step.args
    )


def _is_address(value: Value, state: State) -> bool:
    """Tell whether there is memory behind a value of which something may be known."""
    return isinstance(value, Ref) or (
        isinstance(value, Unknown | NonZero) and f"*{value.key}" in state.store
    )


def _passed(site: CallSite, found: Sequence[FunctionId], state: State) -> State:
    """Return the state after functions have stored through what they are passed.

    What steps through a range of pages may be moved by them, but not out of the range.
    """
    args, act, run = site.args, site.act, site.run
    stores: Writes = partial(_into_variables, args)
    if found:
        stores = cache(partial(fields_written, run.program, found))
        after = pass_addresses(args, state, site.here, stores)
    else:
        after = pass_addresses(args, state, site.here)
    for name in range_positions(act, run) if after is not state else ():
        place = act.place(name)
        held = state.store.get(place)
        if held is not None and after.store.get(place) != held and (key := page_key(held)):
            after = after.put(place, Offset(key))
    note_stored(args, state, after, run, stores)
    return after
