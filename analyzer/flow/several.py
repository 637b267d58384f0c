"""Tell whether a page is one of several: of a range, or of those that are freed at once."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.base import FunctionId
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import FROM, Int, Value
from analyzer.flow.run import Run
from analyzer.pages.facts import Sink
from analyzer.pages.machine import TYPE, UNTYPED, PageState
from analyzer.program.defs import call_from
from analyzer.program.reach import Reader
from analyzer.program.sums import Extent


def is_alone(key: str, state: State, run: Run) -> bool:
    """Tell whether a page was put on its list by itself, and not with others of a range."""
    if key not in state.stands:
        return False
    id, here = state.stands[key][1]
    found = _passed(id, int(here.partition(":")[2]), run)
    return bool(found) and all(one is not None and not one.is_range for one in found)


def has_equals(
    sink: Sink, key: str, page: PageState, args: Sequence[Value], state: State, run: Run
) -> bool:
    """Tell whether pages that are handed over with one have the type that it has.

    Freeing resets the type of the first page only. Who makes pages gives a type to each of them,
    and so does who sets it in a loop over a range. Somebody may have taken it off the others.
    """
    if sink.order is None or (sink.order < len(args) and args[sink.order] == Int(0)):
        return False
    source = page.source(TYPE)
    if source is None or run.facts.is_initial(source, page):
        return source is not None
    op = run.space.operations.get(source.accessor)
    if op is None or not op.is_set or _is_rest_unmarked(key, state):
        return False
    return any(one is not None and one.is_range for one in _passed(source.owner, source.at, run))


def _is_rest_unmarked(key: str, state: State) -> bool:
    """Tell whether a page that lies behind one has no type."""
    return any(
        other.startswith(f"{key}{FROM}") and page.types == UNTYPED
        for other, page in state.pages.items()
    )


def _passed(id: FunctionId, at: int, run: Run) -> list[Extent | None]:
    """Return the pages that a call at an offset of a function is passed, in each variant of it."""
    return [
        Reader(variant, run.facts, frozenset()).argument(at, 0)
        for _, variant in run.program.bodies(id)
        if call_from(variant, at)
    ]
