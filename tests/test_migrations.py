"""A migration is data: complete, strict, and refused by file and key where it is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable
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
    unmet_by,
)

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
        ("sources", [], "sources: expected a list of texts, at least one, found []"),
        ("flags", "Reserved", "flags: expected a list of texts, found 'Reserved'"),
        ("population", {"name": "x"}, "population: expected tables, each headed [[population]]"),
        (
            "population",
            [{"name": "hotplugged", "before": "Buddy", "after": "Offline"}],
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
        (
            "exception",
            [{"population": "boot"}],
            "exception 1: state: expected a text, found nothing",
        ),
        ("origin", [{"names": ["f"], "source": 3}], "origin 1: source: expected a text, found 3"),
    ],
)
def test_a_bad_migration_is_refused_by_file_and_key(key: str, value: Any, complaint: str) -> None:
    with pytest.raises(AnalyzerError, match=re.escape(f"{WHERE}: {complaint}")):
        parse_migration("hotplug-offline", WHERE, {**GOOD, key: value})


SHELVED = {
    "name": "shelved",
    "title": "pages from the shelf",
    "handed_on_by": ["shelf_take"],
    "before": "neither",
    "after": "Offline",
}
MOVABLE = {
    "name": "movable",
    "title": "movable pages",
    "when": {"zone": "ZONE_MOVABLE"},
    "before": "Reserved",
    "after": "Offline",
}
FREEING = {
    "must_not": "clear-before-freeing",
    "what": "Offline",
    "text": "freeing takes it off",
    "frees": ["put_page"],
    "callbacks": ["register_memory_notifier"],
}


DEVICE = {"zone": "ZONE_DEVICE"}
SPARED = dict(GOOD["exception"][0])
ORIGIN = {"names": ["shelf_make"], "source": "mm/shelf.c"}


def test_what_a_migration_may_say_of_its_own_is_read() -> None:
    own = {**GOOD, "population": [SHELVED, MOVABLE], "exception": [], "obligation": [FREEING]}

    read = parse_migration("mine", WHERE, own)

    assert ["shelved", "movable"] == [m.name for m in read.populations]
    assert (("zone", "ZONE_MOVABLE"),) == read.populations[1].when
    assert ("put_page",) == read.obligations[0].frees


@pytest.mark.parametrize(
    ("key", "good", "change", "complaint"),
    [
        ("population", SHELVED, {"handed_on_by": None}, "name: expected one of boot, zone-d"),
        ("population", SHELVED, {"made_by": ["f()"]}, "made_by: expected a list of names"),
        ("population", SHELVED, {"made_by": ["shelf_take"]}, "handed_on_by: expected shelf_take o"),
        ("population", SHELVED, {"handed_on_by": []}, "handed_on_by: expected a list of na"),
        ("population", SHELVED, {"handed_on_by": ["f()"]}, "handed_on_by: expected a list of"),
        ("population", SHELVED, {"title": None}, "title: expected a text, found nothing"),
        ("population", SHELVED, {"after": "neither"}, "after: expected another state than"),
        ("population", SHELVED, {"name": "hotplugged"}, "title: leave it out: queries/kernel"),
        ("population", MOVABLE, {"when": {}}, "when: expected what context or zone is, as"),
        ("population", MOVABLE, {"when": {"zon": "Z"}}, "when: expected what context or zone"),
        ("population", MOVABLE, {"when": {"zone": ""}}, "when: expected what context or zone"),
        ("population", MOVABLE, {"when": DEVICE}, "when: expected other pages than those of z"),
        ("exception", SPARED, {"population": "bot"}, "population: expected one of the popul"),
        ("obligation", FREEING, {"frees": ["shelf_put"]}, "frees: expected some of __free_f"),
        ("obligation", FREEING, {"frees": []}, "frees: expected a list of names such as"),
        ("obligation", FREEING, {"callbacks": []}, "callbacks: expected a list of names such"),
        ("obligation", FREEING, {"must_not": "clear"}, "frees: leave it out: it goes with"),
        ("origin", ORIGIN, {"names": ["f", "3"]}, "names: expected a list of names such as"),
    ],
)
def test_what_would_mean_nothing_is_refused(
    key: str, good: dict[str, Any], change: dict[str, Any], complaint: str
) -> None:
    wrong = {k: v for k, v in {**good, **change}.items() if v is not None}

    parse_migration("mine", WHERE, {**GOOD, "exception": [], "population": [], key: [good]})
    with pytest.raises(AnalyzerError, match=re.escape(f"{WHERE}: {key} 1: {complaint}")):
        parse_migration("mine", WHERE, {**GOOD, key: [wrong]})


@pytest.mark.parametrize(
    ("key", "others"),
    [("population", [dict(GOOD["population"][0])] * 2), ("exception", [SPARED] * 2)],
)
def test_a_population_is_spoken_of_once(key: str, others: list[dict[str, Any]]) -> None:
    with pytest.raises(AnalyzerError, match=rf"{key} 2: .*: expected a population of which"):
        parse_migration("mine", WHERE, {**GOOD, key: others})


def test_a_function_hands_on_pages_of_one_population() -> None:
    other = {**SHELVED, "name": "lent", "title": "lent pages"}

    with pytest.raises(
        AnalyzerError, match=r"population 2: handed_on_by: expected shelf_take once"
    ):
        parse_migration("mine", WHERE, {**GOOD, "exception": [], "population": [SHELVED, other]})


def test_a_population_that_moves_is_no_exception() -> None:
    spared = {**SPARED, "population": "hotplugged"}

    with pytest.raises(AnalyzerError, match=r"exception 1: population: expected .* 'hotplugged'"):
        parse_migration("mine", WHERE, {**GOOD, "exception": [spared]})


@pytest.mark.parametrize(
    "name", ["PageOffline", "PG_offline", "PGTY_offline", "offline", "Off line"]
)
def test_a_flag_is_named_without_what_the_kernel_puts_before_it(name: str) -> None:
    with pytest.raises(AnalyzerError, match="types: expected a list of names such as Offline"):
        parse_migration("mine", WHERE, {**GOOD, "types": ["Offline", name]})


@pytest.mark.parametrize(
    ("state", "complaint"),
    [
        ("Offline, Table", "after: expected one of Offline, Table at most: a page has one type"),
        ("Offline, Reserved", ""),
    ],
)
def test_a_page_has_one_type(state: str, complaint: str) -> None:
    own = {**GOOD, "types": ["Offline", "Table"], "population": [{**SHELVED, "after": state}]}

    if not complaint:
        assert state == parse_migration("mine", WHERE, own).populations[0].after
        return
    with pytest.raises(AnalyzerError, match=complaint):
        parse_migration("mine", WHERE, own)


@pytest.mark.parametrize(("what", "fits"), [("Offline", True), ("Reserved", False)])
def test_only_a_type_is_cleared_before_freeing(what: str, fits: bool) -> None:
    own = {**GOOD, "obligation": [{**FREEING, "what": what}]}

    if fits:
        assert parse_migration("mine", WHERE, own).obligations
        return
    with pytest.raises(AnalyzerError, match=r"what: expected one of its types \(Offline\)"):
        parse_migration("mine", WHERE, own)


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
        ("lent-offline", "2-lent", "migration 1: name: expected a name such as hotplug-offline"),
        ("title =", "titel =", "migration 1 (lent-offline): unknown key 'titel': expected exc"),
        ('types = ["Offline"]', "", "migration 1 (lent-offline): expected flags or types"),
        (
            "types =",
            "population = 3\ntypes =",
            "migration 1 (lent-offline): population: expected tables, each headed [[migration.pop",
        ),
    ],
)
def test_a_tree_is_refused_a_bad_migration(old: str, new: str, complaint: str) -> None:
    with pytest.raises(AnalyzerError, match=re.escape(f".offlint.toml: {complaint}")):
        known_migrations(tables(MINE.replace(old, new)))


LENT = """
[[migration.population]]
name = "{name}"
title = "lent pages"
handed_on_by = ["{function}"]
before = "neither"
after = "Offline"
"""


@pytest.mark.parametrize(
    ("name", "function", "complaint"),
    [
        ("lent", "balloon_page_dequeue", "balloon_page_dequeue() gives pages that offline-s"),
        ("deflated", "lend_page", "offline-sticky calls other pages so"),
    ],
)
def test_pages_have_one_name_whichever_migration_speaks_of_them(
    name: str, function: str, complaint: str
) -> None:
    own = MINE + LENT.format(name=name, function=function)

    with pytest.raises(AnalyzerError, match=re.escape(f"population {name!r}: {complaint}")):
        known_migrations(tables(own))
    known_migrations(tables(MINE + LENT.format(name="lent", function="lend_page")))
    known_migrations(tables(MINE + LENT.format(name="deflated", function="balloon_page_dequeue")))


@pytest.mark.parametrize("name", ["lent-v2", "pg-private-2"])
def test_a_name_may_have_digits(name: str) -> None:
    assert name in known_migrations(tables(MINE.replace("lent-offline", name)))


@pytest.mark.parametrize(
    ("zone", "told"),
    [("ZONE_NOSUCH", ["mine: nothing in the tree is called ZONE_NOSUCH"]), ("ZONE_MOVABLE", [])],
)
def test_an_enumerator_that_a_tree_lacks_is_told(zone: str, told: list[str]) -> None:
    made = {**MOVABLE, "when": {"zone": zone}}
    own = {**GOOD, "population": [made], "users": ["f"], "obligation": []}
    mine = parse_migration("mine", WHERE, own)

    def search(words: Iterable[str]) -> dict[str, frozenset[str]]:
        return {"mm/x.c": frozenset(words) & {"f", "ZONE_MOVABLE"}}

    assert told == [*unmet_by([mine], search)]


@pytest.mark.parametrize(
    ("text", "met"), [(b"\tlend_note(page);", True), (b"\tlend(page);", False)]
)
def test_a_source_that_calls_a_user_speaks_of_the_migration(text: bytes, met: bool) -> None:
    mine = parse_migration("mine", WHERE, {**GOOD, "users": ["lend_note"]})

    assert met == mine.is_met_by(text)


def test_functions_that_nothing_in_a_tree_is_called_are_told() -> None:
    own = MINE + LENT.format(name="lent", function="lend_page")
    known = known_migrations(tables(own.replace("types =", 'users = ["a", "b"]\ntypes =')))
    lent = [known["lent-offline"]]

    def search(*there: str) -> list[str]:
        return [*unmet_by(lent, lambda words: {"mm/x.c": frozenset(words) & frozenset(there)})]

    assert [
        "lent-offline: nothing in the tree is called a or b",
        "lent-offline: nothing in the tree is called lend_page",
    ] == search()
    assert ["lent-offline: nothing in the tree is called lend_page"] == search("b")
    assert [] == search("a", "lend_page")
