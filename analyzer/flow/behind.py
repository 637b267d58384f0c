"""Know which pages a call is passed or finds behind an address, and what becomes of them there."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from analyzer.base import FunctionId
from analyzer.flow import operations
from analyzer.flow.asks.repeats import written_by
from analyzer.flow.callsite import CallSite
from analyzer.flow.cells import leave_in_cells
from analyzer.flow.domain.memory import is_inside
from analyzer.flow.domain.state import BUDDY, State, is_page
from analyzer.flow.domain.values import Fn, Page, Ref, Value
from analyzer.flow.expressions import held_behind
from analyzer.flow.left import looked_at
from analyzer.flow.operations import Results
from analyzer.flow.zeroing import memory_of


def passes_page(args: Sequence[Value], state: State) -> bool:
    """Tell whether a call is passed a page."""
    return any(is_page(a, state) for a in args)


def _behind(args: Iterable[Value], state: State) -> frozenset[Page]:
    """Return the pages that are followed and held in the memory behind addresses.

    Of what memory holds nothing else may be known than that it is such a page.
    """
    memories = [m for m in map(memory_of, args) if m is not None]
    held = {page for m in memories for _, page in held_behind(m, state) if page.key in state.pages}
    inside = (Page(key, "page") for key in state.pages for m in memories if is_inside(key, m))
    return frozenset({*held, *inside})


def overwritten(site: CallSite, state: State) -> State:
    """Forget what memory and lists hold that a function which is not entered may have changed."""
    state = looked_at(site.args, state)
    lost: set[str] = set()
    for n, arg in enumerate(site.args):
        memory = None if isinstance(arg, Ref) else memory_of(arg)
        held = [] if memory is None else [place for place, _ in held_behind(memory, state)]
        if held:
            fields = written_by(site.step, site.act, site.run)(n) or ()
            lost.update(place for place in held if place.rpartition(".")[2] in fields)
    return state.without(lost)


def freed(site: CallSite, found: Sequence[FunctionId], state: State) -> Results | None:
    """Enter a helper of the file that may free what it finds in memory; None where nobody knows.

    On a condition that is not known, such as a number of users, it may leave the page alone just
    where its caller relies on that.
    """
    act, run = site.act, site.run
    helpers = [id for id in found if id[0] == act.function.path and run.role(id).weak]
    if not helpers or not _behind(site.args, state):
        return None
    leave_in_cells(state, act.root, run)  # the helper may also be one that frees from there
    seen = len(run.observations)
    results = [r for id in helpers for r in site.enter(id, state)]
    gone = {frozenset(k for k in state.pages if s.given.get(k) == BUDDY) for s, _ in results}
    if len(gone) < 2:
        return results
    for unsure in tuple(run.observations)[seen:]:
        del run.observations[unsure]
    return None


def called_back(site: CallSite, state: State) -> State:
    """Forget the pages that a call is passed together with a function that marks or unmarks some.

    Whoever is passed both, as stop_machine() is, calls the one with the other, or has it called, as
    INIT_WORK() does. The same holds for the address of memory that holds the page, or of a part of
    it, from which container_of() leads to the whole.
    """
    args, act, run = site.args, site.act, site.run
    passed = [a for a in args if isinstance(a, Fn)]
    if not passed:
        return state
    pages = [a for a in args if is_page(a, state)] + [*_behind(map(_whole, args), state)]
    if not pages:
        return state
    if not any(run.marks(a.name, a.path or act.function.path) for a in passed):
        return state
    site.admit("callback")
    return operations.lose_pages(pages, state, run)


def _whole(value: Value) -> Value:
    """Return the address of a variable, or of what a pointer leads to, for that of a part of it."""
    if isinstance(value, Ref) and not value.place.startswith("g:"):
        return Ref(value.place.partition(".")[0])
    return value
