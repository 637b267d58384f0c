"""Find the functions and macros of headers by which a file marks pages and names no accessor.

Who calls one has to be read like whoever names an accessor, and a search for accessors does not
find him: `balloon_page_insert()` of include/linux/balloon_compaction.h is one in many kernels.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from analyzer.c.own import called_by_macros
from analyzer.c.unit import LARGEST, Unit, called_names, scan_unit
from analyzer.pages.facts import Facts
from analyzer.pages.laws import HEADER, usual_accessors
from analyzer.tree import Read, Search, Tree

#: Where headers for all the kernel are.
_SHARED = ("include",)


def marking_in(units: Iterable[Unit], accessors: Collection[str]) -> frozenset[str]:
    """Return what headers define that calls an accessor, or one of each other that does."""
    calls = [
        call
        for unit in units
        if unit.path.endswith(".h") and unit.path != HEADER
        for call in (*_called_by_functions(unit), *called_by_macros(unit))
    ]
    found: set[str] = set()
    while new := {n for n, called in calls if not called.isdisjoint({*accessors, *found})} - found:
        found |= new
    return frozenset(found)


def _called_by_functions(unit: Unit) -> Iterator[tuple[str, frozenset[str]]]:
    for name, definitions in unit.definitions.items():
        for definition in definitions:
            yield name, called_names(unit, definition)


def marking_ahead(accessors: Collection[str], read: Read, search: Search) -> frozenset[str]:
    """Return such functions of the headers for all the kernel, where no more is read of a tree."""
    texts = ((path, read(path)) for path in search(accessors, _SHARED) if path != HEADER)
    units = (scan_unit(p, text) for p, text in texts if text is not None and len(text) <= LARGEST)
    return marking_in(units, accessors)


def likely_words(facts: Facts, tree: Tree) -> frozenset[str]:
    """Return what is looked for in a tree, most likely; only its law knows for certain."""
    accessors = (name for label in facts.types for name in usual_accessors(label))
    writers = (name for label in facts.types for name in usual_accessors(label, writing=True))
    marking = marking_ahead(frozenset(writers), tree.read, tree.search)
    return marking.union(accessors, facts.origins, facts.handers, facts.search)
