"""Give a derived migration the name that a file describes it by, and its cause a hunk."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from analyzer.checks.births import PAGE_TYPE
from analyzer.findings import Cause, Migration
from analyzer.migrations import Described
from analyzer.pages.facts import Facts
from analyzer.patch.model import Patch
from analyzer.patch.where import hunk_at


def named(
    migrations: Iterable[Migration], described: Iterable[Described], patch: Patch, facts: Facts
) -> tuple[Migration, ...]:
    """Return migrations named and charged to a patch of the series."""
    described = tuple(described)
    return tuple(
        replace(m, name=_name(m, described, facts), cause=_charged(m.cause, patch))
        for m in migrations
    )


def _name(migration: Migration, described: tuple[Described, ...], facts: Facts) -> str:
    """Return the name of the file that tells of the same move; a derived one keeps its own."""
    for known in described:
        if migration.population.removeprefix("Page").removesuffix("()") in known.become_types:
            return known.name if migration.after == PAGE_TYPE else migration.name
        for moved in known.populations:
            title = moved.title or facts.title(moved.name)
            told = (title, moved.before, moved.after)
            if told == (migration.population, migration.before, migration.after):
                return known.name
    return migration.name


def _charged(cause: Cause | None, patch: Patch) -> Cause | None:
    if cause is None:
        return None
    hunk = hunk_at(patch, cause.span.file, cause.span.line)
    return replace(cause, patch=patch.index, hunk=hunk)
