"""Define what is reported: findings, migrations and the result that every format renders."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from analyzer.base import Confidence, Gap, Severity, Span


class Status(StrEnum):
    """Say what the patch did to a finding."""

    INTRODUCED = "introduced"
    FIXED = "fixed"
    PRE_EXISTING = "pre-existing"


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a trace: a place and what is known there.

    before and after say in which state the page is when it arrives, in the tree before the patch
    and after it; empty where that is not known. is_call marks a step that enters a function.
    """

    span: Span
    function: str
    message: str
    before: str = ""
    after: str = ""
    is_call: bool = False

    @property
    def has_turned(self) -> bool:
        """Tell whether the page is known to arrive in another state than before the patch."""
        return bool(self.before and self.after) and self.before != self.after


@dataclass(frozen=True, slots=True)
class Cause:
    """The place that makes a finding's site stale; patch is the index (from 1) in the series.

    hunk counts the hunks of the file in that patch from 1; it is None where the place lies in none.
    """

    span: Span
    function: str
    patch: int | None = None
    hunk: int | None = None


@dataclass(frozen=True, slots=True, order=True)
class Break:
    """A function in which an operation traps, a page leaks or an assertion fails, and a way there.

    through is the function that leads there and is to blame, or to who is; else that one itself.
    """

    file: str
    function: str
    rule: str
    through: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One mistake at the place to mend. Equality means the same problem, not the same text."""

    rule: str
    function: str
    file: str
    operation: str  # source text of the operation, or the name of what is missing
    span: Span = field(compare=False)
    severity: Severity = field(compare=False)
    confidence: Confidence = field(compare=False)
    message: str = field(compare=False)
    status: Status = field(compare=False, default=Status.INTRODUCED)
    introduced_by: int | None = field(compare=False, default=None)  # patch index from 1
    fixed_by: int | None = field(compare=False, default=None)
    seen_after: int = field(compare=False, default=1)  # that patch, where none is charged
    cause: Cause | None = field(compare=False, default=None)
    trace: tuple[Step, ...] = field(compare=False, default=())  # at most seven
    fix: str | None = field(compare=False, default=None)  # a unified diff
    fingerprint: str = field(compare=False, default="")
    missing: str = field(compare=False, default="")  # the accessor that should be called, if known
    mark: Span | None = field(compare=False, default=None)  # of a long span, what is wrong in it
    breaks: tuple[Break, ...] = field(compare=False, default=())  # where pages fail over it
    by_hand: bool = field(compare=False, default=False)  # no edit of the operation mends it

    @property
    def shown(self) -> Span:
        """Return what a reader is to look at: the part of the span that is wrong, if known."""
        return self.mark or self.span

    @property
    def stage(self) -> int:
        """Return the patch after which the lines count: 0 is the tree before the series."""
        if self.status is Status.FIXED:
            return (self.fixed_by or 1) - 1
        return self.introduced_by or self.seen_after


@dataclass(frozen=True, slots=True, kw_only=True)
class ContractChange:
    """What a function does to a population after the patch and did not before, and the reverse.

    gained and lost are phrases that follow the function's name: "clears PageOffline". own tells
    whether the change shows at this function, and not only in one that it calls.
    """

    function: str
    span: Span
    gained: tuple[str, ...]
    lost: tuple[str, ...]
    own: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """How the initial state of a population differs between the trees."""

    name: str  # of the migration file that describes it, or "derived"
    population: str
    before: str  # "Reserved"
    after: str  # "Offline"
    cause: Cause | None
    exceptions: tuple[str, ...] = ()
    contracts: tuple[ContractChange, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Treatment:
    """What functions do otherwise to the pages of a population since the patch."""

    population: str  # by its title; "pages" where nothing is known of them
    contracts: tuple[ContractChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchInfo:
    """What a report says of one patch of the series; index counts from 1."""

    index: int
    subject: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    """A hunk that does not apply, or (hunk 0) a whole file; line is the one in the patch."""

    patch: int
    file: str
    hunk: int
    line: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything a run found; formats render it and compute nothing."""

    tree: str  # how the user named the tree
    patches: tuple[PatchInfo, ...] = ()
    migrations: tuple[Migration, ...] = ()
    unmoved: str = ""  # why no page changes its state, in words; empty where one does or may
    brought: tuple[str, ...] = ()  # types and flags that the patches bring
    treated: tuple[Treatment, ...] = ()  # where no page starts otherwise and nothing is stale
    findings: tuple[Finding, ...] = ()  # introduced, fixed and pre-existing, sorted
    gaps: tuple[Gap, ...] = ()
    left_out: tuple[LeftOut, ...] = ()  # where there are any, the result is partial
    suppressed: int = 0  # by comments in the source
    known: int = 0  # hidden by a baseline
    files_read: int = 0
    functions: int = 0
    seconds: tuple[tuple[str, float], ...] = ()  # stage -> seconds, for --stats
    blind: bool = False  # a gap lies in a file that the series changes
    unjudged: tuple[int, ...] = ()  # the patches of which nothing was judged
    stopped: str = ""  # why something was not judged at all: interrupted, out of time, of memory
    notes: tuple[str, ...] = ()  # one-line remarks for stderr: repairs, offsets, partial results

    @property
    def is_whole(self) -> bool:
        """Tell whether all that was given was applied and judged, whatever came of it."""
        return not (self.stopped or self.unjudged or self.left_out or self.is_cut)

    @property
    def is_cut(self) -> bool:
        """Tell whether a budget ended the work on something, other than on a whole patch."""
        return sum(g.kind == "budget" for g in self.gaps) > len(self.unjudged)


def order_of(f: Finding) -> tuple[object, ...]:
    """Return by what findings stand in order: the grave ones first, then by place."""
    return (-f.severity.rank, f.file, f.span.line, f.rule, f.function, f.status)
