"""Read what is known of where pages come from: `queries/kernel/provenance.toml`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from analyzer.data import read_facts

#: The kind of a page of which is not known where it comes from.
UNKNOWN = "unknown"
#: Stands for every population.
ANY = "*"


@dataclass(frozen=True, slots=True)
class Kind:
    """A way by which pages come, and the populations that do (can) or that may come by it."""

    name: str
    title: str
    can: frozenset[str]
    may: frozenset[str]

    def brings(self, population: str) -> bool:
        """Tell whether pages of a population do come this way."""
        return population in self.can or ANY in self.can

    def may_bring(self, population: str) -> bool:
        """Tell whether it cannot be excluded that they do."""
        return self.brings(population) or population in self.may or ANY in self.may


@dataclass(frozen=True, slots=True)
class Beside:
    """A kind that holds where a value of a type is at hand and no more is known than `of`."""

    kind: str
    of: frozenset[str]


@dataclass(frozen=True, slots=True)
class Apart:
    """What calls answer for the pages of a population, or for what they are asked of.

    zone holds those that are asked of the zone of a page, zones_left_out_by the macros that step
    over no zone of theirs. built_with is the symbol without which there are no such pages, or is
    empty. is_each tells whether one answer stands for no pages but those of a turn of a loop; else
    the first page of a walk stands for those after it.
    """

    page: Mapping[str, int]
    zone: Mapping[str, int]
    built_with: str = ""
    is_each: bool = False
    zones_left_out_by: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Part:
    """A population that is a part of another; what tells its pages apart excludes it.

    before is empty where its pages were as the others are. There are none in a tree whose header
    does not define what it needs, if it needs something. It comes by the kinds in comes or, where
    there are none, by those that can bring it.
    """

    name: str
    title: str
    of: str
    before: str
    after: str
    comes: frozenset[str]
    excluded_where: frozenset[str]
    needs: str
    header: str


@dataclass(frozen=True, slots=True)
class Need:
    """What populations cannot do without: an architecture's symbol, or a symbol that is not set."""

    populations: frozenset[str]
    arch: str
    without: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """All facts on where pages come from; names are C names."""

    kinds: Mapping[str, Kind]
    handed_on: frozenset[str]  # populations whose pages come by pointer and are not followed
    further: frozenset[str]  # what a migration's own populations are parts of
    unfreed: Mapping[str, str]  # population -> why none of its pages is given to the allocator
    calls: Mapping[str, str]  # name -> kind of what it returns
    fills: Mapping[str, str]  # name -> kind of what it writes through its arguments
    types: Mapping[str, str]
    beside: Mapping[str, Beside]  # type -> kind of the function's pages
    handed: Mapping[str, str]  # function -> kind of its parameters
    early: frozenset[str]
    iterators: Mapping[str, str]
    addresses: Mapping[str, str]
    objects: Mapping[str, str]
    fields: Mapping[str, str]
    same: frozenset[str]
    online: frozenset[str]
    parts: tuple[Part, ...]
    apart: Mapping[str, Apart]  # population -> what tells its pages apart from others
    needs: tuple[Need, ...]
    fresh: Mapping[str, Mapping[str, int]]  # population -> call -> its value
    typed: frozenset[str]  # calls that tell whether a page has any type
    pure: frozenset[str]
    printing: frozenset[str]  # calls that tell a reader something and do no more
    free: frozenset[str]
    recheck: frozenset[str]

    def tells_of(self, population: str) -> bool:
        """Tell whether the kinds speak of a population; of a migration's own they do not."""
        return population in self.handed_on or any(
            population in k.can or population in k.may for k in self.kinds.values()
        )

    def part(self, population: str) -> Part | None:
        """Return what is known of a population that is a part of another."""
        return next((p for p in self.parts if p.name == population), None)


def is_of_type(name: str, declared: str) -> bool:
    """Tell whether a declared type is one of a name, or a pointer to it."""
    return name in declared and re.search(rf"\b{re.escape(name)}\b", declared) is not None


@cache
def load_provenance() -> Provenance:
    """Return the facts of `queries/kernel/provenance.toml`."""
    facts = read_facts("kernel/provenance.toml")
    kinds = {
        e["name"]: Kind(e["name"], e["title"], frozenset(e["can"]), frozenset(e.get("may", ())))
        for e in facts["kind"]
    }
    kinds[UNKNOWN] = Kind(UNKNOWN, "a page of unknown origin", frozenset(), frozenset((ANY,)))
    fresh: dict[str, dict[str, int]] = {}
    for entry in facts["fresh"]:
        for population in entry["populations"]:
            fresh.setdefault(population, {}).update(entry["values"])
    return Provenance(
        kinds=kinds,
        handed_on=frozenset(facts["handed_on"]["may"]),
        further=frozenset(facts["further"]["of"]),
        unfreed={p: e["why"] for e in facts["unfreed"] for p in e["populations"]},
        calls=_kinds_of(facts, "source"),
        fills=_kinds_of(facts, "fill"),
        types=_kinds_of(facts, "type"),
        beside={
            name: Beside(e["kind"], frozenset(e["of"]))
            for e in facts["beside"]
            for name in e["names"]
        },
        handed=_kinds_of(facts, "handed"),
        early=frozenset(n for e in facts["early"] for n in e["names"]),
        iterators=_kinds_of(facts, "iterator"),
        addresses=_kinds_of(facts, "address"),
        objects=_kinds_of(facts, "object"),
        fields=_kinds_of(facts, "field"),
        same=frozenset(facts["same"]["names"]),
        online=frozenset(n for e in facts["online"] for n in e["names"]),
        parts=tuple(
            Part(
                e["name"],
                e["title"],
                e["of"],
                e.get("before", ""),
                e["after"],
                frozenset(e.get("comes", ())),
                frozenset(e.get("excluded_where", ())),
                e.get("needs", ""),
                e.get("header", ""),
            )
            for e in facts["part"]
        ),
        apart={
            e["population"]: Apart(
                e.get("page", {}),
                e.get("zone", {}),
                e.get("built_with", ""),
                e.get("each", False),
                frozenset(e.get("zones_left_out_by", ())),
            )
            for e in facts["apart"]
        },
        needs=tuple(
            Need(frozenset(e["populations"]), e.get("arch", ""), frozenset(e.get("without", ())))
            for e in facts["needs"]
        ),
        fresh=fresh,
        typed=frozenset(facts["typed"]["names"]),
        pure=frozenset(facts["pure"]["names"]),
        printing=frozenset(facts["printing"]["names"]),
        free=frozenset(facts["free"]["names"]),
        recheck=frozenset(facts["recheck"]["names"]),
    )


def _kinds_of(facts: Mapping[str, Any], key: str) -> Mapping[str, str]:  # TOML is typed here
    return {name: e["kind"] for e in facts[key] for name in e["names"]}
