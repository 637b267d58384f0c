"""Define what an audit says: one site for each use of the flags, with a verdict and a reason."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

from analyzer.base import Gap, Span


class Verdict(StrEnum):
    """Say what a migration means for one use."""

    AFFECTED = "affected"  # it does something else now, and nobody has seen to it
    MIGRATED = "migrated"  # it relies on the state that the pages have now
    UNAFFECTED = "unaffected"
    UNDECIDED = "undecided"  # the reason says what is missing


class Delta(StrEnum):
    """Say what a patch did to a use."""

    ADDED = "added"
    REMOVED = "removed"
    KEPT = "kept"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One use of a migration's flags. ways say what happens before and after, where they differ.

    absent marks a place where an operation is missing: it is a site, and no use. pasted marks a
    name that a macro puts together, of the argument that stands there. history is for a series:
    each patch after which the verdict is another, with that verdict.
    """

    file: str
    function: str  # empty where the use stands in none
    operation: str
    verb: str  # "reads", "sets", "clears" or "names"
    verdict: Verdict
    reason: str
    populations: tuple[str, ...]
    span: Span = field(compare=False)
    ways: tuple[str, str] | None = None
    delta: Delta | None = None  # None where no patch is audited
    absent: bool = False
    pasted: bool = False
    history: tuple[tuple[int, Verdict], ...] = ()

    @property
    def line(self) -> int:
        """Return the line of the use, from 1."""
        return self.span.line


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """How a population moves, in words, and whether this tree starts it so already."""

    population: str
    before: str
    after: str
    starts: str  # how the tree under audit starts it; empty where it does not make it


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """Everything that an audit found; formats render it and compute nothing."""

    tree: str
    migration: str
    title: str
    moves: tuple[Move, ...]
    sites: tuple[Site, ...]  # by file and line
    words: int  # how often the words stand in the files that were searched
    others: tuple[tuple[str, int], ...]  # words that are no use, by kind
    patch: str = ""  # what was audited: a patch's subject, or nothing
    gaps: tuple[Gap, ...] = ()
    files_read: int = 0
    seconds: tuple[tuple[str, float], ...] = ()
    notes: tuple[str, ...] = ()
    stopped: str = ""  # why some uses were not judged: interrupted, out of time, of memory

    @property
    def counts(self) -> dict[str, int]:
        """Return how many uses got each verdict; together they are `uses`."""
        uses = [s for s in self.sites if not s.absent]
        return {
            **{str(v): sum(s.verdict is v for s in uses) for v in Verdict},
            "uses": len(uses),
            "absent": len(self.sites) - len(uses),
        }

    @property
    def is_in(self) -> bool:
        """Tell whether the tree starts every population as the migration wants it."""
        return all(m.starts == m.after for m in self.moves)


def count_late(sites: Iterable[Site], stopped: str) -> int:
    """Count the uses that are undecided only because the work was ended, which says why."""
    return sum(site.reason.startswith(stopped) for site in sites)
