"""Read the facts about core kernel interfaces that `queries/kernel/` states as data."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from analyzer.data import read_facts
from analyzer.pages.machine import Event, Frame, PageState

#: The population of pages from the buddy, which no origin made: they concern whoever is given
#: them, and nobody on the way.
ALLOCATED = "allocated"

_FILE = re.compile(r"[\w*./-]+\.[ch]\b")


@dataclass(frozen=True, slots=True)
class Identity:
    """A call that names the same page in another way: as "page", "pfn", "phys" or "virt".

    Or the page that lies a number of pages behind it, which the argument at distance gives, or the
    head of the allocation that it belongs to.
    """

    to: str
    maybe_null: bool
    distance: int | None
    head: bool


@dataclass(frozen=True, slots=True)
class Sink:
    """A call that hands its argument to the buddy, and what it asks of the page.

    order or count is the argument that says how many pages are handed over; without one it is one.
    by_address says that the argument is no page but the address of what it holds.
    """

    arg: int
    order: int | None
    untyped: bool
    flags_clear: tuple[str, ...]
    by_address: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Free:
    """A call that gives pages up; freeing forgets the type of each, or of the first."""

    arg: int
    each: bool


class Fill(NamedTuple):
    """A call that fills memory: the arguments that say where, and with what; None is zero."""

    to: int
    by: int | None


class Release(NamedTuple):
    """The function that frees a page, where it stands, and the field in which it resets its type.

    Whether it does tells whether a tree forgets a page's type when it is freed.
    """

    file: str
    function: str
    field: str


@dataclass(frozen=True, slots=True)
class Words:
    """The fields of a page that hold its type and its flags, and who only reads them.

    bits is what the names of single flags begin with; set_by, cleared_by and tested_by are calls
    that do so to one bit of any word; some test it and then set or clear it.
    """

    types: frozenset[str]
    flags: frozenset[str]
    read_by: frozenset[str]
    set_by: frozenset[str]
    cleared_by: frozenset[str]
    tested_by: frozenset[str]
    bits: str


@dataclass(frozen=True, slots=True)
class Role:
    """A parameter of an origin, told by its type or by what call it is passed on to, and where.

    name is how conditions of populations speak of it, and the last resort.
    """

    name: str
    type: str
    passed_to: str
    argument: int


@dataclass(frozen=True, slots=True)
class Population:
    """A kind of page, told by what the origin's parameters hold: (role, enumerator)."""

    name: str
    title: str
    when: tuple[tuple[str, str], ...]
    starts: str = ""  # in words, where readers all over the tree rely on it; else empty
    needs: str = ""  # the configuration symbol without which there are none


@dataclass(frozen=True, slots=True)
class Entry:
    """A function that is handed pages of a population, with the flags that may be set."""

    population: str
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Chain:
    """A call that runs every callback registered with one of the named functions."""

    call: str
    register: tuple[str, ...]
    field: str


@dataclass(frozen=True, slots=True)
class Lists:
    """The list operations that pages travel with."""

    members: frozenset[str]
    put: frozenset[str]
    take: frozenset[str]
    entry: frozenset[str]
    first: frozenset[str]
    step: frozenset[str]
    passing: Mapping[str, tuple[int, int]]  # call -> (argument from which, argument to which)
    iterators: Mapping[str, tuple[int, int]]  # macro -> (cursor argument, head argument)
    links: frozenset[str]  # the iterators whose cursor is no page but a link of the list
    rest: frozenset[str]  # those that do not begin at the list's head


@dataclass(frozen=True, slots=True)
class References:
    """What stands in files that take references to pages: names, and how words in names begin."""

    names: tuple[str, ...]
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All facts that the analysis uses; names are C names."""

    identities: Mapping[str, Identity]
    allocators: frozenset[str]
    range_allocators: Mapping[str, int]
    sinks: Mapping[str, Sink]
    puts: Mapping[str, Sink]  # calls that drop a reference, and what they ask of the last one
    references: References
    frees: Mapping[str, Free]
    release: Release
    resets: Mapping[str, int]
    zeroed: Mapping[str, str]  # call that gives zeroed memory -> the flag without which it does not
    filled: Mapping[str, Fill]
    words: Words
    lists: Lists
    index_of: frozenset[str]
    rounded: frozenset[str]
    opaque: frozenset[str]
    headers: tuple[str, ...]
    shared: tuple[str, ...]  # the folders that define what any file may call
    origins: frozenset[str]
    makes: Mapping[str, str]  # origin that makes pages of one population only -> its name
    handers: Mapping[str, str]  # function that returns pages -> their population
    roles: tuple[Role, ...]
    populations: tuple[Population, ...]
    formerly: Mapping[str, str]  # enumerator of a condition -> its name in trees without it
    told_by: Mapping[str, str]  # call that tells a population from all others -> its name
    entries: Mapping[str, Entry]
    chains: Mapping[str, Chain]
    search: tuple[str, ...]
    types: tuple[str, ...]
    beside: tuple[str, ...]
    flags: tuple[str, ...]
    config: Mapping[str, bool]
    sources: Mapping[str, tuple[str, ...]]  # name -> the files (or patterns) that show the fact

    def moves(self, name: str) -> bool:
        """Tell whether a call makes pages, gives them away, names them or moves them on lists."""
        return (
            name in self.identities
            or name in self.allocators
            or name in self.range_allocators
            or name in self.sinks
            or name in self.puts
            or name in self.resets
            or name in self.lists.put
            or name in self.lists.take
        )

    def speaks_of(self, name: str) -> bool:
        """Tell whether the facts say what a call does to a page."""
        lists = self.lists
        return (
            self.moves(name)
            or name in self.index_of
            or name in self.chains
            or name in lists.entry
            or name in lists.first
            or name in lists.step
            or name in lists.passing
        )

    def is_initial(self, event: Event, page: PageState) -> bool:
        """Tell whether an event is a part of how a page is made.

        It is an origin's, of what one calls, or of who calls one and marks what it has made.
        """
        frames = [f.function for f in event.chain]
        if event.function in self.origins or not self.origins.isdisjoint(frames):
            return True
        return any(self._asked_by(e) == event.owner for e in page.history if e.kind == "birth")

    def _asked_by(self, birth: Event) -> tuple[str, str] | None:
        """Return who calls the origin that makes a page, by itself or by a helper."""
        names = [*(f.function for f in birth.chain), birth.function]
        n = next((n for n, name in enumerate(names) if name in self.origins), 0)
        return birth.chain[n - 1].id if n else None

    def is_origin(self, frame: Frame) -> bool:
        """Tell whether a call is made by a function that makes pages."""
        return frame.function in self.origins

    def title(self, population: str) -> str:
        """Return how a population is called in a message."""
        for p in self.populations:
            if p.name == population:
                return p.title
        return {ALLOCATED: "allocated pages"}.get(population, "pages")


def load_facts() -> Facts:
    """Return the facts of `queries/kernel/pages.toml` and `populations.toml`."""
    pages, where = read_facts("kernel/pages.toml"), read_facts("kernel/populations.toml")
    lists = pages["list"]
    return Facts(
        identities={
            n: Identity(
                e["to"], e.get("maybe_null", False), e.get("distance"), e.get("head", False)
            )
            for e in pages["identity"]
            for n in e["names"]
        },
        allocators=frozenset(n for e in pages["allocator"] for n in e["names"]),
        range_allocators={n: e["arg"] for e in pages["range_allocator"] for n in e["names"]},
        sinks=_sinks(pages["sink"]),
        puts=_sinks(pages["put"]),
        references=References(*(tuple(pages["references"][key]) for key in ("names", "words"))),
        frees={n: Free(e["arg"], e["pages"] == "each") for e in pages["free"] for n in e["names"]},
        release=Release(*(pages["release"][key] for key in ("file", "function", "field"))),
        resets={n: e["arg"] for e in pages["reset"] for n in e["names"]},
        zeroed={n: e.get("flag", "") for e in pages["zeroed"] for n in e["names"]},
        filled={n: Fill(e["to"], e.get("by")) for e in pages["filled"] for n in e["names"]},
        words=Words(
            types=frozenset(w["field"] for w in pages["word"] if w["holds"] == "type"),
            flags=frozenset(w["field"] for w in pages["word"] if w["holds"] == "flags"),
            read_by=frozenset(pages["words"]["read_by"]),
            set_by=frozenset(pages["words"]["set_by"]),
            cleared_by=frozenset(pages["words"]["cleared_by"]),
            tested_by=frozenset(pages["words"]["tested_by"]),
            bits=pages["words"]["bits"],
        ),
        lists=Lists(
            members=frozenset(lists["members"]),
            put=frozenset(lists["put"]),
            take=frozenset(lists["take"]),
            entry=frozenset(lists["entry"]),
            first=frozenset(lists["first"]),
            step=frozenset(lists["step"]),
            passing={n: (e["from"], e["to"]) for e in pages["passing"] for n in e["names"]},
            iterators={n: (e["cursor"], e["head"]) for e in pages["iterator"] for n in e["names"]},
            links=frozenset(n for e in pages["iterator"] if e.get("links") for n in e["names"]),
            rest=frozenset(n for e in pages["iterator"] if e.get("rest") for n in e["names"]),
        ),
        index_of=frozenset(pages["index_of"]["names"]),
        rounded=frozenset(pages["rounded"]["names"]),
        opaque=frozenset(pages["opaque"]["names"]),
        headers=tuple(pages["constants"]["headers"]),
        shared=tuple(pages["shared"]["folders"]),
        origins=frozenset(n for e in where["origin"] for n in e["names"]),
        makes={},
        handers={},
        roles=tuple(
            Role(e["name"], e.get("type", ""), e.get("passed_to", ""), e.get("argument", 0))
            for e in where["parameter"]
        ),
        populations=tuple(
            Population(
                e["name"],
                e["title"],
                tuple(sorted(e["when"].items())),
                e.get("starts", ""),
                e.get("needs", ""),
            )
            for e in where["population"]
        ),
        formerly={e["name"]: e["formerly"] for e in where["enumerator"]},
        told_by={n: e["population"] for e in where["told"] for n in e["names"]},
        entries={
            n: Entry(e["population"], tuple(e["flags"])) for e in where["entry"] for n in e["names"]
        },
        chains={
            e["call"]: Chain(e["call"], tuple(e["register"]), e["field"]) for e in where["chain"]
        },
        search=tuple(where["search"]["words"]),
        types=tuple(pages["track"]["types"]),
        beside=tuple(pages["track"]["beside"]),
        flags=tuple(pages["track"]["flags"]),
        config=dict(pages["config"]),
        sources=_sources((*_tables(pages), *where["chain"])),
    )


def _sinks(tables: Iterable[Mapping[str, Any]]) -> Mapping[str, Sink]:  # TOML
    return {
        n: Sink(
            e["arg"],
            e.get("order"),
            e["untyped"],
            tuple(e["flags_clear"]),
            e.get("by_address", False),
            e.get("count"),
        )
        for e in tables
        for n in e["names"]
    }


def _tables(pages: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:  # TOML
    """Yield the tables that say what calls of some names do."""
    for kind in (
        "identity",
        "allocator",
        "range_allocator",
        "sink",
        "free",
        "reset",
        "zeroed",
        "filled",
        "passing",
        "iterator",
    ):
        yield from pages[kind]
    yield from (pages["list"], pages["index_of"], pages["rounded"], pages["opaque"])


def _sources(tables: Iterable[Mapping[str, Any]]) -> Mapping[str, tuple[str, ...]]:
    """Return the files that the sources of facts name, for each name that they are about."""
    found: dict[str, tuple[str, ...]] = {}
    for table in tables:
        files = tuple(_FILE.findall(table.get("source", "")))
        kinds = ("names", "put", "take", "entry", "first", "step", "call")
        for name in (n for kind in kinds for n in _listed(table.get(kind, ()))):
            found[name] = (*found.get(name, ()), *files)
    return found


def _listed(names: str | Iterable[str]) -> tuple[str, ...]:
    return (names,) if isinstance(names, str) else tuple(names)


def as_named_by(numbers: Collection[str], facts: Facts) -> Facts:
    """Return the facts in terms of the enumerators that a tree has."""
    former = {n: f for n, f in facts.formerly.items() if n not in numbers and f in numbers}
    if not former:
        return facts
    return replace(
        facts,
        populations=tuple(
            replace(p, when=tuple((role, former.get(value, value)) for role, value in p.when))
            for p in facts.populations
        ),
    )
