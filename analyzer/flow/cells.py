"""Follow pages into the fields of a file's structures, and to who frees them from there.

All fields of one name in a file are one cell: a list with a contract, as others are. What stands
in it is what each function leaves in such a field. Who frees a page that it took from a field, and
has not asked or changed its state, frees what stands in the cell, if all that does is alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.contents import Put, is_own, own_place
from analyzer.flow.domain.observe import Kind, Observation, Outcome
from analyzer.flow.domain.seen import Seen
from analyzer.flow.domain.state import BUDDY, State
from analyzer.flow.domain.values import Unknown, page_key
from analyzer.flow.run import Run
from analyzer.pages.machine import TYPE, UNTYPED, Operation, PageState, Verb, unknown_page
from analyzer.program.arrays import own_arrays
from analyzer.program.held import Held


def note_cell(e: ir.Expr, place: str, act: Activation, run: Run, *, stores: bool = False) -> None:
    """Take note of the cell that a place belongs to, which holds no page that is followed yet.

    The elements of an array that a function keeps to itself are the cell of that call.
    """
    if isinstance(e, ir.Index) and isinstance(e.base, ir.Name) and act.is_local(e.base.id):
        if e.base.id in own_arrays(act.variant):
            run.cells[place] = own_place(act.place(e.base.id), act.stack, act.id)
        return
    if place in run.cells:
        return
    path = act.function.path
    held = run.held(path)
    whole = e.base if isinstance(e, ir.Index) else e
    if not isinstance(whole, ir.Field | ir.Name):
        return
    name = whole.name if isinstance(whole, ir.Field) else whole.id
    if (name in held.arrays) is not isinstance(e, ir.Index):
        return
    if isinstance(whole, ir.Name):
        if name in held.variables:
            run.cells[place] = f"{path}#{name}"
    elif name in held.fields:
        own = _is_own(whole.base, act, run)
        if own:
            run.cells[place] = f"{path}#.{name}"
        elif own is None and stores:
            _put(f"{path}#.{name}", unknown_page(run.space), run)


def _is_own(base: ir.Expr, act: Activation, run: Run) -> bool | None:
    """Tell whether a structure is one of the file's own, of which no other file knows the fields.

    None where its type does not stand there.
    """
    if not isinstance(base, ir.Name):
        return None
    path = act.function.path
    if not act.is_local(base.id):
        return run.program.is_private(base.id, path)
    owner = act.type_of(base.id).replace("*", " ").split()
    return run.program.is_private(owner[-1], path) if owner else None


def leave_in_cells(state: State, root: FunctionId, run: Run) -> None:
    """Take note of what stands in cells where a state ends, or forgets what it knows of some."""
    for place, cell in run.cells.items():
        held = state.store.get(place)
        if held == Unknown(place):
            held = None  # in memory that was zeroed what is forgotten stands there so
        key = place if held is None else page_key(held)
        if key is None or state.given.get(key) == BUDDY:
            continue
        page = state.pages.get(key)
        if held is None and (page is None or not _is_changed(page, root)):
            continue
        listed = state.given.get(key, "").startswith("list:")  # and may be changed from there
        _put(cell, unknown_page(run.space) if page is None or listed else page, run)


def _put(cell: str, page: PageState, run: Run) -> None:
    run.puts.setdefault(cell, {}).setdefault(Put(page, cell))


def cleared_page(key: str, op: Operation, state: State, run: Run) -> PageState | None:
    """Return the page of a cell whose type is taken off, where all that stand there have it."""
    if not _is_untouched(key, state, run):
        return None
    run.unsure.add(run.cells[key])
    if op.dimension != TYPE or op.verb is not Verb.CLEAR:
        return None
    page = held_page(key, state, run)
    return None if page is None or page.types & UNTYPED else page


def without_lost(before: State, after: State, run: Run) -> State:
    """Return a state without what stands in cells, where it has lost the page in between."""
    lost = before.pages.keys() - after.pages.keys()
    if not lost or not run.cells:
        return after
    return after.forget(lambda place: place in run.cells and page_key(after.store[place]) in lost)


def _is_changed(page: PageState, root: FunctionId) -> bool:
    """Tell whether the walk from a root has changed a page."""
    return any(e.kind == "write" and e.entry == root for e in page.history)


def held_page(key: str, state: State, run: Run) -> PageState | None:
    """Return the page that is freed from a cell, where all that stand there are alike."""
    if not _is_untouched(key, state, run):
        return None
    known = run.draw(run.cells[key])
    if not known or len({(p.types, p.flags, p.rest) for p in known}) > 1:
        return None
    return known[0]


def _is_untouched(key: str, state: State, run: Run) -> bool:
    """Tell whether a page stands in a cell, and nothing was done to it yet."""
    if key not in run.cells:
        return False
    page = state.pages.get(key)
    return page is None or not page.history


def observed(
    seen: Mapping[FunctionId, Seen],
    holders: frozenset[FunctionId],
    held: Callable[[str], Held],
) -> Iterator[Observation]:
    """Yield what was observed; of pages that were freed from cells only what is known for certain.

    All who store into the cell were followed, without a gap, and the root that frees from it does
    not also ask for the page's state or change it, as it may do under a condition that nobody else
    asks for. Of the rest that holders free only what they have made themselves is observed: all
    other pages are known from the others. held says what holds pages in a file.
    """
    reached: frozenset[FunctionId] = frozenset().union(*(run.reached for run in seen.values()))
    blind = {path for (path, _), run in seen.items() if run.cut}
    blind |= {gap.file for run in seen.values() for gap in run.gaps}
    for root, run in seen.items():
        for o in run.observations:
            path, opening, _ = o.given.partition("#")
            if opening and is_own(o.given):
                path = o.path
            if o.kind is not Kind.SINK or not opening:
                wanted = root not in holders or _is_all_seen(o)
            else:
                known = path not in blind and (is_own(o.given) or held(path).storing <= reached)
                wanted = o.outcome is Outcome.LEAK and known and o.given not in run.unsure
            if wanted:
                yield o


def _is_all_seen(o: Observation) -> bool:
    """Tell whether a page was made, marked and freed on one walk from its root."""
    if o.kind is not Kind.SINK or o.outcome is not Outcome.LEAK:
        return False
    source = o.source
    made = any(e.kind == "birth" and e.entry == o.root for e in o.page.history)
    return made and source is not None and source.kind == "write" and source.entry == o.root
