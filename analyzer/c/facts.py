"""Read what is known of the kernel's macros from `queries/kernel/`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

from analyzer.data import read_facts


@dataclass(frozen=True, slots=True)
class Definer:
    """A macro that defines a function; pairs: type and name take turns after the name."""

    pattern: re.Pattern[str]
    prefix: str
    pairs: bool


@dataclass(frozen=True, slots=True)
class Declarer:
    """A macro that declares a variable: the position of its name, and its type."""

    pattern: re.Pattern[str]
    name: int
    type: str


@dataclass(frozen=True, slots=True)
class Assertion:
    """A macro that complains when an argument is true."""

    fatal: bool
    condition: int
    severity: str
    value: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What a call does to the number in the place whose address it is passed, and what it answers.

    Positions of arguments: place, that of the address; stored, adds and subtracts, of what becomes
    of the number; if_is and if_not, of what it has to be before (-1 is 0). by and becomes are
    numbers. value is `old`, `new`, `zero` (whether the new one is 0), `done` or nothing.
    """

    place: int
    stored: int | None = None
    becomes: int | None = None
    by: int | None = None
    adds: int | None = None
    subtracts: int | None = None
    if_is: int | None = None
    if_not: int | None = None
    value: str = ""


class Passed(NamedTuple):
    """A call that runs a function that it is passed: positions of it, and of what it is handed."""

    function: int
    handed: tuple[int, ...]


class Range(NamedTuple):
    """A macro that heads `for (cursor = first; cursor < end; cursor++)`: positions of arguments."""

    cursor: int
    first: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What preparation blanks or rewrites."""

    annotations: frozenset[str]  # alone
    calls: frozenset[str]  # with their arguments
    typeof: frozenset[str]
    inferred: frozenset[str]  # in the place of a type
    opaque: frozenset[str]
    iterators: Mapping[str, tuple[int, ...]]  # positions of the arguments that it assigns
    ranges: Mapping[str, Range]  # iterators that step through numbers one by one
    iterator_pattern: str
    closing: frozenset[str]  # they close a loop
    closing_opened_by: str  # unless a macro that is named so opened it: then they are nothing
    scoped: frozenset[str]
    scoped_prefix: str
    definers: tuple[Definer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Macros:
    """What calls of macros lower to, when it is not a call."""

    assertions: Mapping[str, Assertion]
    noreturn: Mapping[str, bool]  # whether it stays visible as a call
    attributes: frozenset[str]  # of functions that do not come back
    transparent: Mapping[str, int]  # position of the argument that is the value
    compared: Mapping[str, str]  # how the argument is compared with 0
    runs: Mapping[str, Passed]
    loads: frozenset[str]
    stores: Mapping[str, bool]  # whether the first argument is an address
    exchanges: frozenset[str]
    taken: Mapping[str, bool]  # whether the function returns it
    counted: Mapping[str, Counted]
    uncounted: frozenset[str]  # fields
    configuration: frozenset[str]
    nothing: frozenset[str]
    opaque: frozenset[str]
    declarers: tuple[Declarer, ...]
    cleanups: frozenset[str]  # annotations that say what is done at the end of a scope
    cleaned: frozenset[str]  # types of variables of which that matters
    guards: frozenset[str]


@cache
def words() -> Words:
    """Return the words that preparation and heads need."""
    facts = read_facts("kernel/annotations.toml")
    loops = read_facts("kernel/iterators.toml")
    groups = facts["annotation"]
    return Words(
        annotations=_names(groups, "words"),
        calls=_names(groups, "calls"),
        typeof=frozenset(facts["types"]["typeof"]),
        inferred=frozenset(facts["types"]["inferred"]),
        opaque=frozenset(facts["opaque"]["calls"]),
        iterators={
            **{n: tuple(g["cursors"]) for g in loops["iterator"] for n in g["names"]},
            **{n: (g["cursor"],) for g in loops["range"] for n in g["names"]},
        },
        ranges={
            n: Range(g["cursor"], g["first"], g["end"]) for g in loops["range"] for n in g["names"]
        },
        iterator_pattern=str(loops["pattern"]),
        closing=frozenset(loops["closing"]["names"]),
        closing_opened_by=str(loops["closing"]["opening"]),
        scoped=frozenset(loops["guard"]["scoped"]),
        scoped_prefix=str(loops["guard"]["pattern"]),
        definers=tuple(
            Definer(re.compile(d["pattern"]), d["prefix"], d["parameters"] == "pairs")
            for d in facts["definer"]
        ),
    )


@cache
def macros() -> Macros:
    """Return what lowering needs to know of macros that look like calls."""
    facts = read_facts("kernel/expressions.toml")
    checks = read_facts("kernel/assertions.toml")
    declared = read_facts("kernel/annotations.toml")
    guard = read_facts("kernel/iterators.toml")["guard"]
    return Macros(
        assertions={
            n: Assertion(a["fatal"], a["condition"], a["severity"], a["value"])
            for a in checks["assertion"]
            for n in a["names"]
        },
        noreturn={n: bool(g["call"]) for g in checks["noreturn"] for n in g["names"]},
        attributes=frozenset(checks["declared"]["noreturn"]),
        transparent={n: int(g["argument"]) for g in facts["transparent"] for n in g["names"]},
        compared={n: str(g["operator"]) for g in facts["compared"] for n in g["names"]},
        runs={
            n: Passed(g["function"], tuple(g["handed"])) for g in facts["run"] for n in g["names"]
        },
        loads=_names(facts["load"], "names"),
        stores={n: bool(g["pointer"]) for g in facts["store"] for n in g["names"]},
        exchanges=_names(facts["exchange"], "names"),
        taken={n: bool(g["returns"]) for g in facts["taken"] for n in g["names"]},
        counted={
            n: Counted(**{k: v for k, v in g.items() if k not in ("names", "source")})
            for g in facts["counted"]
            for n in g["names"]
        },
        uncounted=frozenset(facts["counters"]["but"]),
        configuration=_names(facts["configuration"], "names"),
        nothing=_names(facts["nothing"], "names"),
        opaque=_names(facts["opaque"], "names"),
        declarers=tuple(
            Declarer(re.compile(d["pattern"]), d["name"], d["type"]) for d in declared["declarer"]
        ),
        cleanups=frozenset(declared["cleanup"]["calls"]),
        cleaned=frozenset(declared["cleanup"]["types"]),
        guards=frozenset((*guard["plain"], *guard["variable"])),
    )


def iterator_cursors(macro: str) -> tuple[int, ...] | None:
    """Return the positions of the arguments that an iterator macro assigns; None: unknown."""
    return words().iterators.get(macro)


def iterator_range(macro: str) -> Range | None:
    """Return which arguments of an iterator macro are numbers that it steps through, if any."""
    return words().ranges.get(macro)


def _names(groups: Iterable[Mapping[str, Any]], key: str) -> frozenset[str]:  # TOML
    return frozenset(name for group in groups for name in group.get(key, ()))
