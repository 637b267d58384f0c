"""Define what is told of one function or one line: contracts, and what is known where."""

from __future__ import annotations

from dataclasses import dataclass, field

from analyzer.base import Gap, Pair


@dataclass(frozen=True, slots=True)
class Place:
    """A line of the tree, and the function around it."""

    file: str
    line: int
    function: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One thing that can become of a page: from the state it comes in to how it ends.

    outcome is "returns", "traps", "fails" (an assertion) or "leaks" (to the buddy); exit is the
    state at the end, as "Offline, Dirty"; given says where the page went, and is empty where it
    stays; value is what the function returns then, and is empty where that is not known.
    """

    entry: str
    outcome: str
    exit: str = ""
    given: str = ""
    value: str = ""
    operation: str = ""
    at: Place | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What a function does when it is called in one way.

    pages says which pages come ("hotplugged pages"), constants which arguments are known, callers
    who calls so; callers is empty for a page of which nothing is known.
    """

    pages: str
    constants: tuple[tuple[str, str], ...]
    callers: tuple[str, ...]
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    """Everything that one tree's version of a function can do to pages."""

    place: Place
    prototype: str
    contexts: tuple[Context, ...]


@dataclass(frozen=True, slots=True, order=True)
class Known:
    """What is known of a variable right after a line, for one kind of pages on one way there."""

    variable: str
    pages: str
    state: str
    given: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A line that was asked for, and what is known after it; nothing where no page gets there.

    bare tells that nothing is done on the line.
    """

    place: Place
    bare: bool
    known: tuple[Known, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """The contract of a function before and after a patch; None where it is not defined.

    Without a patch both are the same. sightings count lines in the tree after. taken is what a call
    of the function is taken to do where it is not followed, and is empty where it is.
    """

    function: str
    tree: str
    compared: bool
    contracts: Pair[Contract | None]
    sightings: tuple[Sighting, ...] = ()
    gaps: tuple[Gap, ...] = ()
    taken: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """What happens to some pages at a line: by which way they come, in which state, and what then.

    outcome is "traps", "leaks", "changes nothing" and the like, and is empty where nothing on the
    line concerns pages; operation is then empty as well.
    """

    pages: str
    state: str
    operation: str = ""
    outcome: str = ""
    way: tuple[str, ...] = field(default=(), compare=False)


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding that has to do with a line: on it, in its function, or broken by way of it."""

    relation: str  # "here", "function" or "trace"
    rule: str
    severity: str
    status: str
    message: str
    place: Place


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the audit says of a use of a migration's flags: "unaffected" and why, for example."""

    migration: str
    operation: str
    verdict: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why a line is or is not reported.

    before is None where the line is new, or where there is no patch. reason is one sentence.
    """

    place: Place
    text: str
    tree: str
    compared: bool
    reason: str
    before: tuple[Happening, ...] | None
    after: tuple[Happening, ...]
    remarks: tuple[Remark, ...] = ()
    migrations: tuple[str, ...] = ()  # the described ones whose flags the line uses
    rulings: tuple[Ruling, ...] = ()  # what the audits of these say of the line
    gaps: tuple[Gap, ...] = ()
