"""Build small trees for audits: the common core of the fixtures and one file beside it."""

from __future__ import annotations

from fixture.harness import common_files, tree_of, unified
from fixture.harness import posted as series_posted

from analyzer.auditing import audit
from analyzer.migrations import migration_named
from analyzer.patch.read import read_series
from analyzer.sites import Audit, Site
from analyzer.tree import MemoryTree

FILE = "drivers/toy/toy.c"
MIGRATION = migration_named("hotplug-offline")
#: Lets a part of the pages be put to use that are added.
_HEADER = "include/linux/memory_hotplug.h"
SELF_HOSTING = {
    _HEADER: common_files("strict", "after")[_HEADER] + "#define MHP_MEMMAP_ON_MEMORY 2\n"
}


def audited(text: str, base: str = "after", path: str = FILE, **more: str) -> Audit:
    """Audit the common core with one more file."""
    files = {**common_files("strict", base), path: text, **more}
    return audit(MemoryTree(dict(files)), MIGRATION)


def patched(before: dict[str, str], after: dict[str, str]) -> Audit:
    """Audit the difference of two trees."""
    tree = MemoryTree(dict(before))
    series = read_series(unified(before, after).encode(), "change.patch", tree)
    return audit(tree, MIGRATION, series)


def site(result: Audit, function: str, operation: str = "") -> Site:
    """Return the one site in a function."""
    found = [s for s in result.sites if s.function == function and operation in s.operation]
    assert len(found) == 1, [(s.function, s.operation) for s in result.sites]
    return found[0]


def posted(*states: dict[str, str]) -> Audit:
    """Audit a series of one patch between each two states of a tree."""
    return audit(tree_of(states[0]), MIGRATION, series_posted(*states))
