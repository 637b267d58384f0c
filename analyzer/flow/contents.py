"""Tell what stands on lists: the kinds of pages that were put there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from analyzer.pages.machine import PageState

#: What stands on each list, by its place.
Lists = Mapping[str, tuple[PageState, ...]]
#: Kinds of pages, none of which is there twice.
Kinds = frozenset[object]

#: So many kinds of pages are told apart on a list.
MOST = 12


def is_own(place: str) -> bool:
    """Tell whether a list lies in a local variable: nobody else's pages stand on it."""
    return place[0].isdigit()


def few(pages: Iterable[PageState]) -> tuple[PageState, ...]:
    """Keep one state of each kind: same type, flags, population and last writers."""
    kept: dict[object, PageState] = {}
    for page in pages:
        kept.setdefault(_kind(page), page)
    return tuple(kept.values())[:MOST]


def kinds(pages: Iterable[PageState]) -> Kinds:
    """Return the kinds of some pages."""
    return frozenset(_kind(page) for page in pages)


def _kind(page: PageState) -> object:
    last = page.history[-1].owner if page.history else None
    return (page.types, page.flags, page.rest, page.population, last)
