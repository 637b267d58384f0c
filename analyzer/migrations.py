"""Read the migrations that are described as data: what moved, from which state, to which.

A migration is derived from the difference of two trees where there is a patch that makes it. A
file under `queries/migrations/` gives it a name and a text, and serves where no patch makes it:
for the audit of a tree, and for a later patch that brings the old habits back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from analyzer.base import AnalyzerError
from analyzer.data import Table, instead, names_under, read_facts
from analyzer.spelling import NEITHER, names_of

#: A search of a tree: which of some words stand in which file.
Search = Callable[[Iterable[str]], Mapping[str, frozenset[str]]]


class Forbidden(StrEnum):
    """Say what code must no longer do once a migration is in."""

    SET = "set"
    CLEAR = "clear"
    TEST = "test"
    CLEAR_BEFORE_FREEING = "clear-before-freeing"
    USE_AS_BIT = "use-as-bit"


@dataclass(frozen=True, slots=True)
class Moved:
    """A population whose state the migration changes; the states are words such as `Reserved`.

    title, and when (what parameters of an origin are), are empty where the facts on populations
    give them. made_by are functions that make such pages and no others, handed_on_by functions
    that return such pages, whoever made them.
    """

    name: str
    before: str
    after: str
    title: str = ""
    when: tuple[tuple[str, str], ...] = ()
    made_by: tuple[str, ...] = ()
    handed_on_by: tuple[str, ...] = ()

    @property
    def told_by(self) -> frozenset[str]:
        """Return the functions whose pages are all of this population."""
        return frozenset((*self.made_by, *self.handed_on_by))


@dataclass(frozen=True, slots=True)
class Spared:
    """A population that keeps its state, and why."""

    population: str
    state: str
    why: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Functions that make pages of the migration, and where that is to be seen."""

    names: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Obligation:
    """What code must no longer do to a flag or type, with the reason in words.

    callbacks limits it to functions registered with one of these; where it is empty it holds
    wherever the pages go. frees limits CLEAR_BEFORE_FREEING to some of the calls that free a page;
    where it is empty it holds for all that are known.
    """

    must_not: Forbidden
    what: str
    callbacks: tuple[str, ...]
    frees: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Described:
    """A migration as a file describes it; name is the file's and never changes."""

    name: str
    title: str
    text: tuple[str, ...]  # paragraphs
    flags: tuple[str, ...]
    types: tuple[str, ...]
    users: tuple[str, ...]  # further functions that read or write the flags by another name
    populations: tuple[Moved, ...]
    exceptions: tuple[Spared, ...]
    origins: tuple[Origin, ...]
    obligations: tuple[Obligation, ...]
    sources: tuple[str, ...]

    def moved(self, population: str) -> Moved | None:
        """Return how a population moves; None where the migration leaves it alone."""
        return next((m for m in self.populations if m.name == population), None)

    def is_met_by(self, text: bytes, spelled: Mapping[str, tuple[str, ...]] = {}) -> bool:
        """Tell whether a source speaks of a type of the migration, or of a function that tells it.

        Those are its users, and who makes or hands on its pages.
        spelled holds the lower-case names that a tree has for a type, beside the usual ones.
        """
        types = "|".join(map(re.escape, self.types)) or "(?!)"
        names = dict.fromkeys(name for t in self.types for name in names_of(t, spelled))
        lower = "|".join(map(re.escape, names)) or "(?!)"
        told_by = sorted({*self.users, *(n for m in self.populations for n in m.told_by)})
        makers = "|".join(map(re.escape, told_by)) or "(?!)"
        spelt = rf"(?:(?:__)?(?:Set|Clear))?Page(?:{types})|{types}|PG(?:TY)?_(?:{lower})"
        folio = rf"(?:__)?folio_(?:set|clear|test)_(?:{lower})"
        return re.search(rf"\b(?:{spelt}|{folio}|{makers})\b".encode(), text) is not None

    @property
    def become_types(self) -> tuple[str, ...]:
        """Return what is a flag before the migration and a page type after it.

        A type that has lost its title is spelled in other letters: HugeTLB, Hugetlb.
        """
        flags = {flag.lower() for flag in self.flags}
        return tuple(t for t in self.types if t.lower() in flags)

    @property
    def functions(self) -> tuple[tuple[str, ...], ...]:
        """Return the functions and enumerators that it speaks of; of each list one is enough."""
        lists = (
            self.users,
            *(m.made_by for m in self.populations),
            *(m.handed_on_by for m in self.populations),
            *((value,) for m in self.populations for _, value in m.when),
            *(o.names for o in self.origins),
            *(o.callbacks for o in self.obligations),
        )
        return tuple(dict.fromkeys(names for names in lists if names))

    def forbids(self, verb: Forbidden) -> bool:
        """Tell whether an obligation of this kind is stated."""
        return any(o.must_not is verb for o in self.obligations)


_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_NAMED = "a name such as hotplug-offline, lower-case with hyphens"
_FUNCTION = re.compile(r"[A-Za-z_]\w*")
_WORD = re.compile(r"(?!Page|PG_|PGTY_)[A-Z]\w*")
_POPULATIONS, _PAGES = "kernel/populations.toml", "kernel/pages.toml"
_KEYS = (
    "title", "text", "flags", "types", "users", "population", "exception", "origin", "obligation",
    "sources",
)  # fmt: skip


@cache
def load_migrations() -> Mapping[str, Described]:
    """Return every migration under `queries/migrations/` by name, sorted."""
    known: dict[str, Described] = {}
    for name in names_under("migrations"):
        where, facts = f"queries/migrations/{name}.toml", read_facts(f"migrations/{name}.toml")
        if _NAME.fullmatch(name) is None:
            raise AnalyzerError(f"{where}: the file's name is the migration's: expected {_NAMED}")
        if "migration" in facts:
            raise AnalyzerError(
                f"{where}: unknown key 'migration': the file is one, with [[population]] and so on"
            )
        read = parse_migration(name, where, facts)
        for other in known.values():
            _demand_one_population(where, read.populations, other)
        known[name] = read
    return known


def known_migrations(tables: Iterable[Table]) -> Mapping[str, Described]:
    """Return the migrations that are shipped, and those that a tree's settings describe.

    A table has the shape of a file, and a name beside it.
    """
    known = dict(load_migrations())
    for table in tables:
        name = table.line("name")
        if _NAME.fullmatch(name) is None:
            raise table.wrong("name", _NAMED)
        if name in known:
            raise table.wrong("name", "a name that no other migration has")
        rest = {key: value for key, value in table.values.items() if key != "name"}
        where = f"{table.where} ({name})"
        read = parse_migration(name, where, rest, table.within)
        for other in known.values():
            _demand_one_population(where, read.populations, other)
        known[name] = read
    return known


def _demand_one_population(where: str, moved: Iterable[Moved], other: Described) -> None:
    """Raise AnalyzerError where a function gives pages to which another migration gives a name.

    Its pages have one name, whatever moves them; and that name tells of no other pages.
    """
    for mine in moved:
        for theirs in other.populations:
            shared = sorted(mine.told_by & theirs.told_by)
            if shared and mine.name != theirs.name:
                raise AnalyzerError(
                    f"{where}: population {mine.name!r}: {shared[0]}() gives pages that "
                    f"{other.name} calls {theirs.name!r}; expected one name for them"
                )
            alike = (mine.when, mine.told_by) == (theirs.when, theirs.told_by)
            if mine.name == theirs.name and mine.name not in _populations() and not alike:
                raise AnalyzerError(
                    f"{where}: population {mine.name!r}: {other.name} calls other pages so; "
                    "expected the same when, made_by and handed_on_by, or another name"
                )


def unmet_by(described: Iterable[Described], search: Search) -> Iterator[str]:
    """Yield in words of which functions that migrations speak a tree has none.

    search returns which words stand in which file.
    """
    lists = {m.name: m.functions for m in described}
    words = {name for found in lists.values() for names in found for name in names}
    held = frozenset().union(*search(words).values()) if words else frozenset()
    for name, found in lists.items():
        for names in found:
            if held.isdisjoint(names):
                yield f"{name}: nothing in the tree is called {' or '.join(names)}"


def migration_named(name: str, known: Mapping[str, Described] | None = None) -> Described:
    """Return the migration with a name; raise AnalyzerError that names close matches."""
    known = load_migrations() if known is None else known
    if name not in known:
        raise AnalyzerError(f"unknown migration {name!r}: {instead(name, known, 'migrations')}")
    return known[name]


def parse_migration(name: str, where: str, facts: Mapping[str, Any], within: str = "") -> Described:
    """Return the migration that a table describes; raise AnalyzerError naming file and key.

    within is what the headings of its tables begin with.
    """
    table = Table(where, facts, within).only(*_KEYS)
    flags, types = _flags(table, "flags"), _flags(table, "types")
    if not flags and not types:
        raise AnalyzerError(f"{where}: expected flags or types: a migration moves at least one")
    words = (*flags, *types)
    moving, sparing = table.tables("population"), table.tables("exception")
    moved = tuple(_moved(t, words, types) for t in moving)
    spared = tuple(_spared(t, words, types) for t in sparing)
    giving: set[str] = set()
    for at, one in zip(moving, moved, strict=True):
        for key, names in (("made_by", one.made_by), ("handed_on_by", one.handed_on_by)):
            if twice := sorted(giving & {*names}):
                raise at.wrong(key, f"{twice[0]} once: a function gives pages of one population")
            giving |= {*names}
    told: set[str] = set()
    for at, key in (*((t, "name") for t in moving), *((t, "population") for t in sparing)):
        if at.line(key) in told:
            raise at.wrong(key, "a population of which the migration says nothing else")
        told.add(at.line(key))
    return Described(
        name=name,
        title=table.line("title"),
        text=tuple(" ".join(p.split()) for p in table.text("text").split("\n\n")),
        flags=flags,
        types=types,
        users=_functions(table, "users"),
        populations=moved,
        exceptions=spared,
        origins=tuple(_origin(t) for t in table.tables("origin")),
        obligations=tuple(_obligation(t, words, types) for t in table.tables("obligation")),
        sources=table.texts("sources"),
    )


def _moved(table: Table, words: Iterable[str], types: Iterable[str]) -> Moved:
    table.only("name", "before", "after", "title", "when", "made_by", "handed_on_by")
    name, known = table.line("name"), _populations()
    for key in ("title", "when"):
        if name in known and key in table.values:
            raise _needless(table, key, f"queries/{_POPULATIONS} tells what {name} is")
    when = _conditions(table)
    made_by, handed_on_by = _functions(table, "made_by"), _functions(table, "handed_on_by")
    if name not in known and not (when or made_by or handed_on_by):
        told = "or a key when, made_by or handed_on_by that tells which pages these are"
        raise table.wrong("name", f"one of {', '.join(known)}, {told}")
    before, after = (_state(table, key, words, types) for key in ("before", "after"))
    if before == after:
        raise table.wrong("after", "another state than before")
    title = "" if name in known else table.line("title")
    return Moved(name, before, after, title, when, made_by, handed_on_by)


def _conditions(table: Table) -> tuple[tuple[str, str], ...]:
    """Return what parameters of an origin hold for pages of a new population."""
    when = table.pairs("when")
    roles = [*dict.fromkeys(role["name"] for role in read_facts(_POPULATIONS)["parameter"])]
    fit = all(role in roles and _FUNCTION.fullmatch(value) for role, value in when)
    if "when" in table.values and not (when and fit):
        example = '{ zone = "ZONE_DEVICE" }'
        raise table.wrong("when", f"what {' or '.join(roles)} is, as in {example}")
    for name, told_by in _populations().items():
        if when and told_by <= {*when}:
            raise table.wrong("when", f"other pages than those of {name}")
    return when


def _populations() -> Mapping[str, frozenset[tuple[str, str]]]:
    """Return the populations that the kernel's facts tell of, and by what."""
    found = read_facts(_POPULATIONS)["population"]
    return {p["name"]: frozenset(p["when"].items()) for p in found}


def _spared(table: Table, words: Iterable[str], types: Iterable[str]) -> Spared:
    table.only("population", "state", "why")
    population = _one_of(table, "population", _populations(), "the populations")
    return Spared(population, _state(table, "state", words, types), table.line("why"))


def _origin(table: Table) -> Origin:
    table.only("names", "source")
    table.texts("names")
    return Origin(_functions(table, "names"), table.line("source"))


def _obligation(table: Table, words: Iterable[str], types: Iterable[str]) -> Obligation:
    table.only("must_not", "what", "callbacks", "frees", "text")
    must_not, frees = table.choice("must_not", Forbidden), _functions(table, "frees")
    if frees and must_not is not Forbidden.CLEAR_BEFORE_FREEING:
        raise _needless(table, "frees", f"it goes with {Forbidden.CLEAR_BEFORE_FREEING}")
    if frees:
        known = {name for call in read_facts(_PAGES)["free"] for name in call["names"]}
        if not known.issuperset(frees):
            raise table.wrong("frees", f"some of {', '.join(sorted(known))}")
    is_typed = must_not is Forbidden.CLEAR_BEFORE_FREEING
    kind = "its types" if is_typed else "its flags or types"
    return Obligation(
        must_not,
        _one_of(table, "what", types if is_typed else words, kind),
        _functions(table, "callbacks"),
        frees,
        table.line("text"),
    )


def _functions(table: Table, key: str) -> tuple[str, ...]:
    """Return the functions that a key names, none where it is absent."""
    return _names(table, key, _FUNCTION, "shelf_take")


def _flags(table: Table, key: str) -> tuple[str, ...]:
    """Return the flags or types that a key names, none where it is absent."""
    return _names(table, key, _WORD, "Offline")


def _names(table: Table, key: str, form: re.Pattern[str], example: str) -> tuple[str, ...]:
    names = table.texts(key, ())
    if key in table.values and not (names and all(map(form.fullmatch, names))):
        raise table.wrong(key, f"a list of names such as {example}, at least one")
    return names


def _state(table: Table, key: str, words: Iterable[str], types: Iterable[str]) -> str:
    """Return a state in words: `neither`, or flags and one type at most of the migration."""
    state = table.line(key)
    if state != NEITHER:
        held = state.split(", ")
        if not {*held} <= {*words}:
            raise table.wrong(key, _states(words))
        if len({*held} & {*types}) > 1:
            raise table.wrong(key, f"one of {', '.join(types)} at most: a page has one type")
    return state


def _one_of(table: Table, key: str, words: Iterable[str], kind: str) -> str:
    held = table.line(key)
    if held not in words:
        raise table.wrong(key, f"one of {kind} ({', '.join(words)})")
    return held


def _needless(table: Table, key: str, why: str) -> AnalyzerError:
    return AnalyzerError(f"{table.where}: {key}: leave it out: {why}")


def _states(words: Iterable[str]) -> str:
    return f"{NEITHER} or some of its flags and types ({', '.join(words)})"
