"""Read the migrations that are described as data: what moved, from which state, to which.

A migration is derived from the difference of two trees where there is a patch that makes it. A
file under `queries/migrations/` gives it a name and a text, and serves where no patch makes it:
for the audit of a tree, and for a later patch that brings the old habits back.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from analyzer.base import AnalyzerError
from analyzer.data import Table, names_under, read_facts

#: The state of a page that has none of a migration's flags and types.
NEITHER = "neither"


class Forbidden(StrEnum):
    """Say what code must no longer do once a migration is in."""

    SET = "set"
    CLEAR = "clear"
    TEST = "test"
    CLEAR_BEFORE_FREEING = "clear-before-freeing"
    USE_AS_BIT = "use-as-bit"


@dataclass(frozen=True, slots=True)
class Moved:
    """A population whose state the migration changes; the states are words such as `Reserved`."""

    name: str
    before: str
    after: str
    title: str = ""  # empty where the facts on populations give one
    when: tuple[tuple[str, str], ...] = ()  # an origin's parameters, likewise
    handed_on_by: tuple[
        str, ...
    ] = ()  # functions that return such pages, where they have no origin


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

    def is_met_by(self, text: bytes) -> bool:
        """Tell whether a source speaks of what the migration brings: a type, or who hands it on."""
        types = "|".join(map(re.escape, self.types)) or "(?!)"
        lower = "|".join(re.escape(t.lower()) for t in self.types) or "(?!)"
        names = "|".join(re.escape(n) for m in self.populations for n in m.handed_on_by) or "(?!)"
        spelt = rf"(?:(?:__)?(?:Set|Clear))?Page(?:{types})|{types}|PG(?:TY)?_(?:{lower})"
        folio = rf"(?:__)?folio_(?:set|clear|test)_(?:{lower})"
        return re.search(rf"\b(?:{spelt}|{folio}|{names})\b".encode(), text) is not None

    @property
    def become_types(self) -> tuple[str, ...]:
        """Return what is a flag before the migration and a page type after it."""
        return tuple(t for t in self.types if t in self.flags)

    def forbids(self, verb: Forbidden) -> bool:
        """Tell whether an obligation of this kind is stated."""
        return any(o.must_not is verb for o in self.obligations)


_NAME = re.compile(r"[a-z]+(-[a-z]+)*")
_KEYS = (
    "title", "text", "flags", "types", "users", "population", "exception", "origin", "obligation",
    "sources",
)  # fmt: skip


@cache
def load_migrations() -> Mapping[str, Described]:
    """Return every migration under `queries/migrations/` by name, sorted."""
    return {
        name: parse_migration(
            name, f"queries/migrations/{name}.toml", read_facts(f"migrations/{name}.toml")
        )
        for name in names_under("migrations")
    }


def known_migrations(tables: Iterable[Table]) -> Mapping[str, Described]:
    """Return the migrations that are shipped, and those that a tree's settings describe.

    A table has the shape of a file, and a name beside it.
    """
    known = dict(load_migrations())
    for table in tables:
        name = table.line("name")
        if _NAME.fullmatch(name) is None:
            raise table.wrong("name", "a name such as hotplug-offline")
        if name in known:
            raise table.wrong("name", "a name that no other migration has")
        rest = {key: value for key, value in table.values.items() if key != "name"}
        known[name] = parse_migration(name, table.where, rest)
    return known


def migration_named(name: str, known: Mapping[str, Described] | None = None) -> Described:
    """Return the migration with a name; raise AnalyzerError that names close matches."""
    known = load_migrations() if known is None else known
    if name not in known:
        raise AnalyzerError(f"unknown migration {name!r}: {_instead(name, known)}")
    return known[name]


def parse_migration(name: str, where: str, facts: Mapping[str, Any]) -> Described:
    """Return the migration that a table describes; raise AnalyzerError naming file and key."""
    table = Table(where, facts).only(*_KEYS)
    flags, types = table.texts("flags", ()), table.texts("types", ())
    if not flags and not types:
        raise AnalyzerError(f"{where}: expected flags or types: a migration moves at least one")
    words = (*flags, *types)
    return Described(
        name=name,
        title=table.line("title"),
        text=tuple(" ".join(p.split()) for p in table.text("text").split("\n\n")),
        flags=flags,
        types=types,
        users=table.texts("users", ()),
        populations=tuple(_moved(t, words) for t in table.tables("population")),
        exceptions=tuple(_spared(t, words) for t in table.tables("exception")),
        origins=tuple(_origin(t) for t in table.tables("origin")),
        obligations=tuple(_obligation(t, words) for t in table.tables("obligation")),
        sources=table.texts("sources"),
    )


def _moved(table: Table, words: Iterable[str]) -> Moved:
    table.only("name", "before", "after", "title", "when", "handed_on_by")
    return Moved(
        table.line("name"),
        _state(table, "before", words),
        _state(table, "after", words),
        table.line("title", ""),
        table.pairs("when"),
        table.texts("handed_on_by", ()),
    )


def _spared(table: Table, words: Iterable[str]) -> Spared:
    table.only("population", "state", "why")
    return Spared(table.line("population"), _state(table, "state", words), table.line("why"))


def _origin(table: Table) -> Origin:
    table.only("names", "source")
    return Origin(table.texts("names"), table.line("source"))


def _obligation(table: Table, words: Iterable[str]) -> Obligation:
    table.only("must_not", "what", "callbacks", "frees", "text")
    return Obligation(
        table.choice("must_not", Forbidden),
        _one_of(table, "what", words),
        table.texts("callbacks", ()),
        table.texts("frees", ()),
        table.line("text"),
    )


def _state(table: Table, key: str, words: Iterable[str]) -> str:
    """Return a state in words: `neither`, or flags and types of the migration."""
    state = table.line(key)
    if state != NEITHER:
        for word in state.split(", "):
            if word not in words:
                raise table.wrong(key, _states(words))
    return state


def _one_of(table: Table, key: str, words: Iterable[str]) -> str:
    held = table.line(key)
    if held not in words:
        raise table.wrong(key, f"one of its flags or types ({', '.join(words)})")
    return held


def _states(words: Iterable[str]) -> str:
    return f"{NEITHER} or some of its flags and types ({', '.join(words)})"


def _instead(name: str, known: Iterable[str]) -> str:
    import difflib  # only a typing mistake pays for it

    close = difflib.get_close_matches(name.lower().replace("_", "-"), list(known), n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"the migrations are {', '.join(known) or 'none'}"
