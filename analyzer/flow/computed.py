"""Know of a page whose number was computed from another one's that the two may be the same."""

from __future__ import annotations

from collections.abc import Sequence

from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import FROM, Page, Unknown, Value, page_key
from analyzer.flow.run import Run
from analyzer.pages.machine import unknown_page


def note_computed(key: str, values: tuple[Value, ...], state: State, run: Run) -> None:
    """Take note that the value of a key was computed from what may be the number of a page.

    Where none of the values is known to be one, the first may still become one.
    """
    known = [v for v in values if isinstance(v, Page) or page_key(v) in state.pages]
    found = {k for v in known or values[:1] if (k := page_key(v)) is not None}
    origins = {o for k in found for o in _origins(k, run)} - {key}
    if origins:
        run.computed[key] = run.computed.get(key, frozenset()) | origins


def note_called(name: str, here: str, args: Sequence[Value], state: State, run: Run) -> None:
    """Take note that what a call gives was computed from the pages that it is passed."""
    pages = tuple(a for a in args if isinstance(a, Page) or page_key(a) in state.pages)
    if not pages and name in run.facts.rounded:
        pages = tuple(args[:1])
    if pages:
        note_computed(here, pages, state, run)


def note_stored(before: State, after: State, run: Run) -> None:
    """Take note that a place which somebody may have stored to may still name the same page."""
    for place, value in before.store.items() if after.store is not before.store else ():
        now = after.store.get(place, Unknown(place))
        key = page_key(now)
        if now != value and key is not None and page_key(value) in before.pages:
            note_computed(key, (value,), before, run)


def is_computed_from(value: Value, other: Value, run: Run) -> bool:
    """Tell whether a value was computed from another one, as the low bits of its number are."""
    if not run.computed:
        return False
    key, of = page_key(value), page_key(other)
    return key is not None and of is not None and _range(of) in run.computed.get(_range(key), ())


def without_same(key: str, state: State, run: Run, *, changed: bool = True) -> State:
    """Forget the pages that may be the one that something is done to, as their numbers go.

    Where that does not change the page, nothing is forgotten of those computed from its number.
    """
    if not run.computed or not (changed or _range(key) in run.computed):
        return state
    origins = _origins(key, run)
    for other, page in state.pages.items():
        apart = _range(other) == _range(key) or origins.isdisjoint(_origins(other, run))
        if not apart and page != (nothing := unknown_page(run.space)):
            state = state.with_page(other, nothing)
    return state


def _range(key: str) -> str:
    return key.partition(FROM)[0]


def _origins(key: str, run: Run) -> frozenset[str]:
    """Return what a number was computed from, and itself."""
    return run.computed.get(_range(key), frozenset()) | {_range(key)}
