"""A migration is data: complete, strict, and refused by file and key where it is wrong."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

import pytest

from analyzer.base import AnalyzerError
from analyzer.data import QUERIES, Table, read_facts, read_toml
from analyzer.migrations import (
    Described,
    known_migrations,
    load_migrations,
    migration_named,
    parse_migration,
)
from analyzer.pages.facts import load_facts

MIGRATIONS = load_migrations()
GOOD = deepcopy(dict(read_facts("migrations/hotplug-offline.toml")))
WHERE = "queries/migrations/hotplug-offline.toml"


@pytest.mark.parametrize("migration", MIGRATIONS.values(), ids=list(MIGRATIONS))
def test_a_migration_is_named_and_told_in_house_style(migration: Described) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", migration.name)
    assert not migration.title.endswith(".")
    assert all(paragraph.endswith(".") for paragraph in migration.text)
    assert all(not o.text.endswith(".") for o in migration.obligations)


@pytest.mark.parametrize("migration", MIGRATIONS.values(), ids=list(MIGRATIONS))
def test_a_migration_cites_a_commit(migration: Described) -> None:
    cited = [s for s in migration.sources if re.search(r"\b[0-9a-f]{12} \(\"", s)]

    assert cited


@pytest.mark.parametrize("migration", MIGRATIONS.values(), ids=list(MIGRATIONS))
def test_its_populations_are_known_or_described(migration: Described) -> None:
    known = {p.name for p in load_facts().populations}
    spoken_of = {m.name for m in migration.populations if not m.when and not m.handed_on_by}
    spoken_of |= {s.population for s in migration.exceptions}

    assert set() == spoken_of - known


def test_every_file_is_a_migration() -> None:
    assert sorted(MIGRATIONS) == sorted(p.stem for p in (QUERIES / "migrations").iterdir())


def test_the_first_migration_moves_hotplugged_pages_and_spares_device_memory() -> None:
    migration = migration_named("hotplug-offline")
    moved = migration.moved("hotplugged")

    assert moved is not None
    assert ("Reserved", "Offline") == (moved.before, moved.after)
    assert "zone-device" in [s.population for s in migration.exceptions]
    assert migration.moved("zone-device") is None


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("titel", "x", "unknown key 'titel': expected exception, flags, "),
        ("title", "", "title: expected a text, found ''"),
        ("sources", [], "sources: expected a list of texts, found []"),
        ("flags", "Reserved", "flags: expected a list of texts, found 'Reserved'"),
        ("population", {"name": "x"}, "population: expected tables, each headed [[population]]"),
        (
            "population",
            [{"name": "x", "before": "Buddy", "after": "Offline"}],
            "population 1: before: expected neither or some of its flags and types (Reserved, Off",
        ),
        ("population", [{"nam": "x"}], "population 1: unknown key 'nam': expected after, before"),
        (
            "obligation",
            [{"must_not": "forget", "what": "Reserved", "text": "x"}],
            "obligation 1: must_not: expected set, clear, test, ",
        ),
        (
            "obligation",
            [{"must_not": "set", "what": "Dirty", "text": "x"}],
            "obligation 1: what: expected one of its flags or types (Reserved, Offline)",
        ),
        ("exception", [{"population": "x"}], "exception 1: state: expected a text, found nothing"),
        ("origin", [{"names": ["f"], "source": 3}], "origin 1: source: expected a text, found 3"),
    ],
)
def test_a_bad_migration_is_refused_by_file_and_key(key: str, value: Any, complaint: str) -> None:
    with pytest.raises(AnalyzerError, match=re.escape(f"{WHERE}: {complaint}")):
        parse_migration("hotplug-offline", WHERE, {**GOOD, key: value})


def test_a_migration_moves_something() -> None:
    nothing = {k: v for k, v in GOOD.items() if k not in ("flags", "types")}

    with pytest.raises(AnalyzerError, match="expected flags or types"):
        parse_migration("hotplug-offline", WHERE, nothing)


def test_an_unknown_migration_suggests_close_ones() -> None:
    with pytest.raises(AnalyzerError, match="did you mean hotplug-offline"):
        migration_named("hotplug_offlin")


def tables(text: str) -> tuple[Table, ...]:
    """Return the migrations of a tree's settings."""
    return read_toml(".offlint.toml", text).tables("migration")


MINE = """
[[migration]]
name = "lent-offline"
title = "lent pages stay PageOffline()"
text = "They do."
types = ["Offline"]
sources = ["mm/lend.c"]
"""


def test_a_tree_describes_further_migrations() -> None:
    known = known_migrations(tables(MINE))

    assert {*MIGRATIONS, "lent-offline"} == set(known)
    assert "lent pages stay PageOffline()" == known["lent-offline"].title


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("lent-offline", "hotplug-offline", "migration 1: name: expected a name that no other"),
        ("lent-offline", "Lent", "migration 1: name: expected a name such as hotplug-offline"),
        ("title =", "titel =", "migration 1: unknown key 'titel': expected exception, flags"),
        ('types = ["Offline"]', "", "migration 1: expected flags or types"),
    ],
)
def test_a_tree_is_refused_a_bad_migration(old: str, new: str, complaint: str) -> None:
    with pytest.raises(AnalyzerError, match=re.escape(f".offlint.toml: {complaint}")):
        known_migrations(tables(MINE.replace(old, new)))
