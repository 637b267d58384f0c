"""Know of a page whose number was computed from another one's that the two may be the same."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from analyzer.flow.domain.state import State, is_page
from analyzer.flow.domain.values import (
    FROM,
    ZERO,
    NonZero,
    Ref,
    Unknown,
    Value,
    page_key,
)
from analyzer.flow.run import Run
from analyzer.pages.machine import unknown_page
from analyzer.program.stores import Writes

#: What a member or an element begins with in the name of its place.
_PART = re.compile(r"[.\[]")


def note_computed(key: str, values: tuple[Value, ...], state: State, run: Run) -> None:
    """Take note that the value of a key was computed from what may be the number of a page.

    Where none of the values is known to be one, the first may still become one.
    """
    known = [v for v in values if is_page(v, state)]
    found = {k for v in known or values[:1] if (k := page_key(v)) is not None}
    origins = {o for k in found for o in _origins(k, run)} - {key}
    if origins:
        run.computed[key] = run.computed.get(key, frozenset()) | origins


def note_called(
    name: str, given: Iterable[str], args: Sequence[Value], state: State, run: Run
) -> None:
    """Take note that what a call gives, by its keys, was computed from the pages it is passed."""
    pages = tuple(a for a in args if is_page(a, state))
    if not pages and name in run.facts.rounded:
        pages = tuple(args[:1])
    for key in given if pages else ():
        note_computed(key, pages, state, run)


def note_stored(
    args: Sequence[Value], before: State, after: State, run: Run, writes: Writes
) -> None:
    """Take note that a place which a call may have stored to may still name the same page.

    Or one that the call is passed, or finds in a variable of which it is passed the address.
    """
    for place, value in before.store.items() if after.store is not before.store else ():
        now = after.store.get(place, Unknown(place))
        key = page_key(now)
        if now != value and key is not None and page_key(value) in before.pages:
            note_computed(key, (value,), before, run)
    held = (before.store.get(a.place, ZERO) for a in args if isinstance(a, Ref))
    pages = tuple(v for v in (*args, *held) if is_page(v, before))
    for n, arg in enumerate(args) if pages else ():
        if isinstance(arg, Ref | Unknown | NonZero) and writes(n) != frozenset():
            for key in _filled(arg, after):
                note_computed(key, pages, before, run)


def _filled(arg: Ref | Unknown | NonZero, state: State) -> Iterator[str]:
    """Yield the keys of what is read where a call may have stored behind an argument."""
    match arg:
        case Ref(place):
            yield from (place, f"{place}.", f"{place}[")
            key = page_key(state.store.get(place, ZERO))
            if key is not None:
                yield key
        case Unknown(key) | NonZero(key):
            yield from (f"{key}[", f"*{key}", f"*{key}.", f"*{key}[")


def note_copied(source: str, target: str, run: Run) -> None:
    """Take note that a structure holds now what another one does."""
    if (found := run.computed.get(f"{source}.")) is not None:
        run.computed[f"{target}."] = run.computed.get(f"{target}.", frozenset()) | found


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
    """Return what a number was computed from, and itself; that of a member goes by its whole."""
    key = _range(key)
    wholes = (key[: m.end()] for m in _PART.finditer(key))
    return frozenset({key}).union(*(run.computed.get(k, ()) for k in (key, *wholes)))
