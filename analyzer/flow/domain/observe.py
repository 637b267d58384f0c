"""Define what an analysis of one tree observes: operations, hand-overs, failed checks, exits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from analyzer.base import Gap, Pair, Span, unspaced
from analyzer.flow.domain.sight import Entrance, Sight
from analyzer.pages.machine import TYPE, Event, Frame, Operation, PageState, Space, Verb


class Kind(StrEnum):
    """Say what was observed of a page."""

    OPERATION = "operation"  # an accessor was applied
    SINK = "sink"  # the page was handed to the buddy
    DROP = "drop"  # a reference to the page was dropped, and others may hold it
    CHECK = "check"  # an assertion about the page failed
    BIRTH = "birth"  # an origin function has initialised the page
    RETURNED = "returned"  # a callback that was handed the page returned
    EXIT = "exit"  # the function that made the page's population returned


class Outcome(StrEnum):
    """Say how it went."""

    EFFECTIVE = "effective"
    NO_EFFECT = "no effect"
    TRAP = "trap"  # every state the page can be in traps
    MAY_TRAP = "may trap"
    LEAK = "leak"  # handed over in a state that is certainly not allowed
    MAY_LEAK = "may leak"
    CLEAN = "clean"
    FAILED = "failed"
    DONE = "done"  # the function returned, and no error
    LATE = "late"  # the page was handed to the buddy before
    SEEN = "seen"


@dataclass(frozen=True, slots=True)
class Observation:
    """One thing that happens to a page on a path that exists.

    stack holds the calls from the root to the function at hand, outermost first. callback is the
    function that was entered through a pointer last, or empty. page is the state just before.
    """

    kind: Kind
    outcome: Outcome
    path: str
    function: str
    span: Span
    text: str
    operation: str
    dimension: str
    page: PageState
    stack: tuple[Frame, ...]
    root: tuple[str, str]
    given: str = ""
    conditions: tuple[tuple[str, bool], ...] = ()  # the configuration that a birth needs

    @property
    def id(self) -> tuple[str, str]:
        """Return the function in which it happens as (path, name)."""
        return (self.path, self.function)

    @property
    def chain(self) -> tuple[tuple[str, str], ...]:
        """Return all functions from the root to the one at hand."""
        return (*(f.id for f in self.stack), self.id)

    @property
    def place(self) -> tuple[object, ...]:
        """Return where pages come to: from where, through which calls, to which operation."""
        return (self.root, self.stack, self.id, self.span, self.dimension)

    @property
    def is_typed_sink(self) -> bool:
        """Tell whether the page is handed to the buddy here, and it is its type that counts."""
        return self.kind is Kind.SINK and self.dimension == TYPE

    @property
    def source(self) -> Event | None:
        """Return what made the page be what it is here in the dimension that is at stake."""
        return self.page.source(self.dimension)


def by_site(observations: Iterable[Observation]) -> dict[object, list[Observation]]:
    """Return observations by where they stand: by their function and text, whatever the line."""
    found: dict[object, list[Observation]] = {}
    for o in observations:
        found.setdefault((o.id, unspaced(o.text)), []).append(o)
    return found


@dataclass(frozen=True, slots=True)
class Passage:
    """One way of a population's page through a function.

    entered is None for a page that comes to be inside and is handed on; left is None where the
    page went to somebody else for good, and given says where to.
    """

    function: tuple[str, str]
    population: str
    entered: PageState | None
    left: PageState | None
    given: str


def unmarks_unknown(o: Observation, space: Space) -> bool:
    """Tell whether the type is taken off a page of which nothing is known: nor who has set it."""
    clears = o.kind is Kind.OPERATION and o.dimension == TYPE and not o.page.population
    source = o.page.source(TYPE)
    known = source is not None and source.kind != "test"
    return clears and not known and space.operations[o.operation].verb is Verb.CLEAR


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """Everything that one tree does to pages: the input of every comparison."""

    space: Space
    observations: tuple[Observation, ...]
    roots: tuple[tuple[str, str], ...]
    reached: frozenset[tuple[str, str]]
    callbacks: Mapping[str, tuple[tuple[str, str], ...]]  # variable or field -> functions
    types_forgotten: bool  # freeing a page takes off whatever type it has
    passages: tuple[Passage, ...]
    unresolved: frozenset[str]  # functions that were passed a page and are defined nowhere yet
    gaps: tuple[Gap, ...]
    lists: Mapping[str, tuple[PageState, ...]]  # what stands on each list
    altered: Mapping[str, tuple[str, str]]  # lists on which pages change: who puts them there
    freed_next: frozenset[tuple[str, str, int]] = frozenset()  # where clears stand before that
    sights: tuple[Sight, ...] = ()  # of watched lines
    entrances: tuple[Entrance, ...] = ()  # into watched functions
    cuts: Mapping[tuple[str, str], frozenset[str]]  # root -> what of its run a limit left out
    ended: frozenset[tuple[str, str]]  # roots whose runs did not come to their end
    drawing: frozenset[tuple[str, str]]  # roots that take pages from lists
    stopped: str = ""  # what ended these: time, memory or somebody, before the limit on steps

    def without(self, roots: frozenset[tuple[str, str]]) -> Behaviour:
        """Return what is left where nothing that was seen from some roots counts."""
        seen = tuple(o for o in self.observations if o.root not in roots)
        return replace(self, observations=seen, passages=())

    def operations(self) -> Iterator[tuple[Observation, Operation]]:
        """Yield what accessors were seen to do, each with what it is."""
        for o in self.observations:
            if o.kind is Kind.OPERATION:
                yield o, self.space.operations[o.operation]

    def births(self, population: str | None = None) -> Iterator[Observation]:
        """Yield where pages come into the world, those of one population or all."""
        for o in self.observations:
            if o.kind is Kind.BIRTH and population in (None, o.page.population):
                yield o

    @property
    def is_whole(self) -> bool:
        """Tell whether nothing was left out for lack of time, memory or patience."""
        return not self.ended and not any(self.cuts.values())


def comparable(behaviours: Pair[Behaviour]) -> Pair[Behaviour]:
    """Return what can be held against each other where a budget has cut one side or both.

    What was seen from a root whose run was cut in one tree is missing there, and would look as if
    the patch had brought it. So do pages that such a root should have put onto lists.
    """
    before, after = behaviours.before, behaviours.after
    uneven = frozenset(root for root in before.cuts if before.cuts[root] != after.cuts[root])
    left_out = uneven | before.ended | after.ended
    if not left_out:
        return behaviours
    return behaviours.map(lambda b: b.without(left_out | before.drawing | after.drawing))
