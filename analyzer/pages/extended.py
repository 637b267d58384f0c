"""Add to the facts what described migrations bring, where the sources at hand speak of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from analyzer.migrations import Described, Forbidden
from analyzer.pages.facts import Facts, Population
from analyzer.spelling import names_of


def in_question(
    facts: Facts,
    described: Iterable[Described],
    texts: Iterable[bytes],
    spelled: Mapping[str, tuple[str, ...]] = {},
) -> tuple[Described, ...]:
    """Return the migrations that sources have to do with; those that bring nothing new always.

    What a migration adds to the facts widens the search and the states: that is only paid where
    a source speaks of it, or defines the function that frees pages.
    """
    texts = tuple(texts)
    frees = any(re.search(rf"\b{facts.release.function}\s*\(".encode(), text) for text in texts)
    return tuple(
        m
        for m in described
        if not _brings(m, facts)
        or any(m.is_met_by(text, spelled) for text in texts)
        or (frees and m.forbids(Forbidden.CLEAR_BEFORE_FREEING))
    )


def _bits(migration: Described, spelled: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the names of bits that a migration forbids to use as such."""
    return tuple(
        f"PG_{name}"
        for o in migration.obligations
        if o.must_not is Forbidden.USE_AS_BIT
        for name in names_of(o.what, spelled)
    )


def _brings(migration: Described, facts: Facts) -> bool:
    """Tell whether a migration widens what is searched for and tracked."""
    tracked = {*facts.types, *facts.flags} >= {*migration.types, *migration.flags}
    handed_on = any(m.handed_on_by or m.made_by for m in migration.populations)
    return not tracked or handed_on or bool(migration.origins)


def extended(
    facts: Facts,
    described: Iterable[Described],
    spelled: Mapping[str, tuple[str, ...]] = {},
) -> Facts:
    """Return the facts with what described migrations add: types, populations, who makes them."""
    for migration in described:
        known = {p.name for p in facts.populations}
        new = tuple(
            Population(m.name, m.title, m.when)
            for m in migration.populations
            if m.name not in known
        )
        kept = {s.population: s.state for s in migration.exceptions}
        facts = replace(
            facts,
            types=tuple(dict.fromkeys((*facts.types, *migration.types))),
            flags=tuple(dict.fromkeys((*facts.flags, *migration.flags))),
            search=tuple(dict.fromkeys((*facts.search, *_bits(migration, spelled)))),
            origins=facts.origins.union(
                *(o.names for o in migration.origins), *(m.made_by for m in migration.populations)
            ),
            makes={
                **facts.makes,
                **{f: m.name for m in migration.populations for f in m.made_by},
            },
            handers={
                **facts.handers,
                **{f: m.name for m in migration.populations for f in m.handed_on_by},
            },
            populations=tuple(
                replace(p, starts=p.starts or kept.get(p.name, "")) for p in facts.populations
            )
            + new,
        )
    return facts
