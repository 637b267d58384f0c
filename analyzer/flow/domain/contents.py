"""Tell what stands on lists: the kinds of pages that were put there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from analyzer.pages.machine import Frame, PageState, join

#: What stands on each list, by its place.
Lists = Mapping[str, tuple[PageState, ...]]
#: Kinds of pages, none of which is there twice.
Kinds = frozenset[object]

#: What stands between who has a local variable and its name.
_OWNER = "#"
_UNKNOWN = re.compile(r"\[(?!-?\d+\])")


class Put(NamedTuple):
    """A page as it was put on a list, and the call that did it with those that led there."""

    page: PageState
    by: object


#: So many kinds of pages are told apart on a list.
MOST = 12


def is_own(place: str) -> bool:
    """Tell whether a list lies in a local variable: nobody else's pages stand on it."""
    return place[:1].isdigit()


def own_place(place: str, chain: Sequence[Frame], id: object) -> str:
    """Return the place of a list, told from others where it lies in a local variable.

    Another function at the same depth, and the same one where it is called again, has a list of
    its own. chain is the calls that led to the function id, which is at work.
    """
    if not is_own(place) or _OWNER in place:
        return place
    depth, _, name = place.partition(":")
    calls = [(f.id, f.text) for f in chain[: int(depth) + 1]]
    owner = (calls[: int(depth)], calls[int(depth)][0] if len(calls) > int(depth) else id)
    digest = hashlib.blake2b(repr(owner).encode(), digest_size=6).hexdigest()
    return f"{depth}:{digest}{_OWNER}{name}"


def is_some(place: str) -> bool:
    """Tell whether a place is an element of an array by an unknown index: any of them."""
    return _UNKNOWN.search(place) is not None


def few(puts: Iterable[Put]) -> tuple[PageState, ...]:
    """Keep one state of each kind: same type, flags, population and last writers.

    What one call puts there with this type or that, as some condition has it, is of either, and of
    a kind that is not known: who takes it off may ask for the same condition.
    """
    either: dict[object, PageState] = {}
    for page, by in puts:
        one = (by, page.population, page.flags, page.rest)
        held = either.get(one, page)
        either[one] = held if held.types == page.types else join(held, page).of_population("")
    return united(either.values(), ())


def united(one: Iterable[PageState], other: Iterable[PageState]) -> tuple[PageState, ...]:
    """Return one page of each kind that is among some pages or others."""
    kept: dict[object, PageState] = {}
    for page in (*one, *other):
        kept.setdefault(_kind(page), page)
    return tuple(kept.values())[:MOST]


def kinds(pages: Iterable[PageState], every: int) -> Kinds:
    """Return the kinds of the pages on a list; none where nothing is known of any of them.

    Nor is anything known of pages on a list that is not known. every is all that a type can be.
    """
    found = frozenset(_kind(page) for page in pages)
    return found - {_kind(PageState(every))} if len(found) == 1 else found


def _kind(page: PageState) -> object:
    last = page.history[-1].owner if page.history else None
    return (page.types, page.flags, page.rest, page.population, last)
