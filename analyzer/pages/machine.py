"""Define the states a page can be in and what a tree's operations do to them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from analyzer.base import Span
from analyzer.c.unit import Unit
from analyzer.pages.concrete import Machine
from analyzer.spelling import NEITHER, names_of

#: The dimension that holds a page's type; every other dimension is an ordinary flag.
TYPE = "type"

#: What stands in a space for all page types that are not told apart.
OTHER = "other type"

#: Stands between the types of a page that has several, where a tree's law allows that.
_BOTH = " and "

#: A flag's possible values as a mask.
CLEAR, SET, EITHER = 1, 2, 3


class Verb(StrEnum):
    """Say what an accessor does to its dimension."""

    TEST = "test"
    SET = "set"
    CLEAR = "clear"
    TEST_SET = "test-and-set"
    TEST_CLEAR = "test-and-clear"

    @property
    def says(self) -> str:
        """Return what is told of a function that does it: `sets`, `clears` or `tests`."""
        return f"{self.rpartition('-')[2]}s"


@dataclass(frozen=True, slots=True)
class Operation:
    """One accessor of the tree, `__SetPageOffline` for example.

    dimension is TYPE or a flag's name ("Reserved"); label is the upper-case name in either case
    ("Offline", "Reserved"), also of a type that the space does not tell apart. For an operation
    on the type, steps maps each type value (its index
    in the space) to the value it leaves, or to None where it traps; truth says for which values
    a test is true.
    """

    name: str
    verb: Verb
    dimension: str
    label: str
    steps: tuple[int | None, ...] = ()
    truth: tuple[bool, ...] = ()

    @property
    def is_test(self) -> bool:
        """Tell whether the operation only looks."""
        return self.verb is Verb.TEST

    @property
    def is_set(self) -> bool:
        """Tell whether the operation sets what it is about."""
        return self.verb in (Verb.SET, Verb.TEST_SET)


@dataclass(frozen=True)
class Space:
    """All values that the type word takes under a tree's law, and the tree's accessors.

    values[0] is the word of a page without a type; names[i] says what values[i] means. spelled
    holds for titles the lower-case names that stand beside them. readers are functions of a page
    that are no accessors of one type, with what they return for each value; machine computes
    whatever else the tree's header does with the word. checked are the flags for which the tree
    refuses a page that is freed.
    """

    values: tuple[int, ...]
    names: tuple[str, ...]
    operations: Mapping[str, Operation] = field(hash=False)
    spelled: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)
    readers: Mapping[str, tuple[bool, ...]] = field(default_factory=dict, hash=False)
    machine: Machine = field(default_factory=lambda: Machine({}, {}), hash=False, compare=False)
    checked: frozenset[str] = frozenset()

    def spellings(self, label: str) -> tuple[str, ...]:
        """Return the lower-case names of a flag or type: `pgtable` and `table` for `Table`."""
        return names_of(label, self.spelled)

    @cached_property
    def every(self) -> int:
        """Return the mask of all that the type of a page can be of which nothing is known.

        That is one type or none, whatever a tree lets a page have.
        """
        return sum(1 << n for n, name in enumerate(self.names) if _BOTH not in name)

    @cached_property
    def computing(self) -> frozenset[str]:
        """Return the functions of the header that are passed the word itself, or what it counts."""
        functions = self.machine.functions.items()
        return frozenset(n for n, f in functions if not any("*" in p.type for p in f.params))

    def mask_of(self, label: str) -> int:
        """Return the mask of the one value that is exactly this type; 0 where there is none."""
        return 1 << self.names.index(label) if label in self.names else 0

    def holding(self, label: str) -> int:
        """Return the mask of all values of which the test for a type is true; 0 where none is."""
        test = self._tests.get(label)
        return 0 if test is None else sum(1 << n for n, held in enumerate(test.truth) if held)

    @cached_property
    def _tests(self) -> Mapping[str, Operation]:
        """Return a test of each type, of a page or else of a folio."""
        tests = [op for op in self.operations.values() if op.is_test and op.dimension == TYPE]
        return {op.label: op for op in sorted(tests, key=lambda op: op.name, reverse=True)}

    def tells(self, label: str) -> bool:
        """Tell whether a type is told apart from the others."""
        return label in self.names

    def describe(self, mask: int) -> str:
        """Say in words which types a mask allows."""
        if mask == self.every:
            return "of unknown type"
        held = [self.names[i] for i in range(len(self.values)) if mask >> i & 1]
        if len(held) > 1 and (certain := self.common(mask)):
            return f"{' and '.join(certain)} and perhaps another type"
        return " or ".join(held) if held else "impossible"

    def common(self, mask: int) -> tuple[str, ...]:
        """Return the types that every value of a mask has; a page may have others besides."""
        labels = (label for label in self._tests if label in self.names)
        return tuple(sorted(n for n in labels if mask and not mask & ~self.holding(n)))


#: How a type is called that is none of those by name.
OTHER = "other type"


def called(label: str) -> str:
    """Return how a flag or type is called in a message: `PageOffline`, `another type`."""
    return "another type" if label == OTHER else f"Page{label}"


#: The mask of a page that has no type.
UNTYPED = 1


@dataclass(frozen=True, slots=True)
class Frame:
    """One call on the way to an observation: who calls, where, with what text."""

    path: str
    function: str
    span: Span = field(compare=False)
    text: str

    @property
    def id(self) -> tuple[str, str]:
        """Return the calling function as (path, name)."""
        return (self.path, self.function)

    @property
    def callee(self) -> str:
        """Return what the call's text has before its first parenthesis."""
        return self.text.partition("(")[0]


@dataclass(frozen=True, slots=True)
class Event:
    """What made a dimension of a page be what it is: a write, a test that told, or a birth.

    kind is "write", "test", "birth" or "handed" (to the buddy); function is (path, name); at is
    the byte offset of the operation, line its line from 1; operation its source text, which may be
    that of a macro; accessor what is called there in the end. chain holds the calls that led there,
    outermost first.
    """

    kind: str
    dimension: str
    path: str
    function: str
    at: int
    line: int
    operation: str
    chain: tuple[Frame, ...] = field(default=(), compare=False)
    accessor: str = ""

    @property
    def owner(self) -> tuple[str, str]:
        """Return the function that the event stands in as (path, name)."""
        return (self.path, self.function)

    @property
    def entry(self) -> tuple[str, str]:
        """Return the entry point from which the event was reached as (path, name)."""
        return self.chain[0].id if self.chain else self.owner

    def span_in(self, unit: Unit) -> Span:
        """Return where the operation stands in its file."""
        return unit.span(self.at, self.at + len(self.operation.encode()))


@dataclass(frozen=True, slots=True)
class PageState:
    """The abstract state of one page (or of a range of pages that are treated alike).

    types is a mask over the space's values. flags maps a flag to CLEAR, SET or EITHER; a flag
    that is not listed is rest. history holds what made it so, oldest first.
    """

    types: int
    flags: tuple[tuple[str, int], ...] = ()
    rest: int = EITHER
    history: tuple[Event, ...] = ()
    population: str = ""
    _hash: int = field(default=0, init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        # Computed once: states are looked up all the time, and a history is long.
        if not self._hash:
            parts = (self.types, self.flags, self.rest, self.history, self.population)
            object.__setattr__(self, "_hash", hash(parts) or 1)
        return self._hash

    def flag(self, name: str) -> int:
        """Return the mask of one flag."""
        for known, mask in self.flags:
            if known == name:
                return mask
        return self.rest

    def with_flag(self, name: str, mask: int) -> PageState:
        """Return the state with one flag's mask replaced."""
        flags = [(k, m) for k, m in self.flags if k != name]
        if mask != self.rest:
            flags.append((name, mask))
            flags.sort()
        return PageState(self.types, tuple(flags), self.rest, self.history, self.population)

    def with_types(self, types: int) -> PageState:
        """Return the state with the type mask replaced."""
        return PageState(types, self.flags, self.rest, self.history, self.population)

    def with_event(self, event: Event) -> PageState:
        """Return the state with an event added; the oldest but the birth fall off after twelve."""
        history = (*self.history, event)
        if len(history) > _HISTORY:
            history = (history[0], *history[-_HISTORY + 1 :])
        return PageState(self.types, self.flags, self.rest, history, self.population)

    def of_population(self, population: str) -> PageState:
        """Return the state as that of a population."""
        return PageState(self.types, self.flags, self.rest, self.history, population)

    def mask(self, dimension: str) -> int:
        """Return the mask of a dimension: of the type word or of a flag."""
        return self.types if dimension == TYPE else self.flag(dimension)

    def source(self, dimension: str) -> Event | None:
        """Return the last event that decided a dimension, or None where nothing did."""
        for event in reversed(self.history):
            if event.dimension in (dimension, ""):
                return event
        return None


_HISTORY = 12


def unknown_page(space: Space) -> PageState:
    """Return the state of a page of which nothing is known."""
    return PageState(space.every)


def clean_page() -> PageState:
    """Return the state of a page without type and without flags."""
    return PageState(UNTYPED, (), CLEAR)


def describe(space: Space, state: PageState, flags: tuple[str, ...] = ("Reserved",)) -> str:
    """Say a state in words: `Offline`, `maybe Reserved`, `neither`, `Offline, Dirty`."""
    words = []
    if state.types != UNTYPED:
        words.append(space.describe(state.types))
    for name in dict.fromkeys((*flags, *(n for n, _ in state.flags))):
        mask = state.flag(name)
        if mask == SET:
            words.append(name)
        elif mask == EITHER and name in flags:
            words.append(f"maybe {name}")
    return ", ".join(words) if words else NEITHER


def join(one: PageState, other: PageState) -> PageState:
    """Return the least state that allows what either allows."""
    names = sorted({n for n, _ in one.flags} | {n for n, _ in other.flags})
    rest = one.rest | other.rest
    flags = tuple((n, m) for n in names if (m := one.flag(n) | other.flag(n)) != rest)
    shared = tuple(e for e in one.history if e in other.history)
    population = one.population if one.population == other.population else ""
    return PageState(one.types | other.types, flags, rest, shared, population)
