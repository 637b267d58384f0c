"""Say which functions matter to an analysis, and what each is to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from analyzer.base import FunctionId


class Role(NamedTuple):
    """What one function is to the analysis."""

    strong: bool
    weak: bool
    gives: bool

    @property
    def matters(self) -> bool:
        """Tell whether the function does something to pages that are followed."""
        return self.strong or self.weak


@dataclass(frozen=True, slots=True)
class Interest:
    """What the analysis follows: functions that matter, flags that are tracked.

    strong functions reach an operation on a tracked type or a population's origin; weak ones
    only an operation on a flag or a hand-over, and are entered where a page is passed. givers
    return pages that they allocate or take from a list.
    """

    strong: frozenset[FunctionId]
    weak: frozenset[FunctionId]
    flags: frozenset[str]
    givers: frozenset[FunctionId] = frozenset()

    def role(self, id: FunctionId) -> Role:
        """Return what a function is to the analysis."""
        return Role(id in self.strong, id in self.weak, id in self.givers)


class Heard(NamedTuple):
    """What a name of a function stands for: those that matter, and whether none comes back."""

    matter: tuple[FunctionId, ...]
    ends: bool
