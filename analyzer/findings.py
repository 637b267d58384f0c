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
    """One step of a trace: a place and what is known there."""

    span: Span
    function: str
    message: str


@dataclass(frozen=True, slots=True)
class Cause:
    """The place that makes a finding's site stale; patch is the index (from 1) in the series."""

    span: Span
    function: str
    patch: int | None = None


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
    cause: Cause | None = field(compare=False, default=None)
    trace: tuple[Step, ...] = field(compare=False, default=())  # at most seven
    fix: str | None = field(compare=False, default=None)  # a unified diff
    fingerprint: str = field(compare=False, default="")
    missing: str = field(compare=False, default="")  # the accessor that should be called, if known


@dataclass(frozen=True, slots=True, kw_only=True)
class Migration:
    """How the initial state of a population differs between the trees."""

    name: str  # of the migration file that describes it, or "derived"
    population: str
    before: str  # "Reserved"
    after: str  # "Offline"
    cause: Cause | None
    exceptions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PatchInfo:
    """What a report says of one patch of the series; index counts from 1."""

    index: int
    subject: str
    message_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """Everything a run found; formats render it and compute nothing."""

    tree: str  # how the user named the tree
    patches: tuple[PatchInfo, ...] = ()
    migrations: tuple[Migration, ...] = ()
    findings: tuple[Finding, ...] = ()  # introduced, fixed and pre-existing, sorted
    gaps: tuple[Gap, ...] = ()
    suppressed: int = 0
    files_read: int = 0
    functions: int = 0
    seconds: tuple[tuple[str, float], ...] = ()  # stage -> seconds, for --stats
    notes: tuple[str, ...] = ()  # one-line remarks for stderr: repairs, offsets, partial results
