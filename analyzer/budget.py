"""Bound the work on one patch: how long it may take and how much memory it may hold."""

from __future__ import annotations

import math
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

#: The most that a limit may be: seconds, MB.
LONGEST, MOST = 1_000_000, 1 << 20

_PAGE = resource.getpagesize()


class OutOfBudgetError(BaseException):
    """Stop whatever runs: the budget is spent and nothing below has noticed.

    No Exception, so that nothing that tidies up after an ordinary one takes it for its own.
    """


#: What ends work from outside.
ENDS = (OutOfBudgetError, MemoryError, KeyboardInterrupt)


def reason_of(end: BaseException) -> str:
    """Say in a word or two what ended work."""
    if isinstance(end, KeyboardInterrupt):
        return "interrupted"
    return "out of memory" if isinstance(end, MemoryError) else str(end)


def never() -> bool:
    """Be a budget that nobody interrupts."""
    return False


def unheard() -> None:
    """Be somebody who is told and does nothing about it."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What one patch may cost; without arguments there is no bound.

    deadline is a time of `time.monotonic()`; memory counts resident bytes, 0 is no bound.
    interrupted tells whether the user wants to have what there is by now. begun is told whenever a
    part of the work starts.
    """

    deadline: float = math.inf
    memory: int = 0
    interrupted: Callable[[], bool] = never
    every: int = 256  # steps of an analysis between two looks
    begun: Callable[[], None] = unheard

    @property
    def spent(self) -> str:
        """Say what has run out; nothing where work may go on."""
        if self.interrupted():
            return "interrupted"
        if time.monotonic() >= self.deadline:
            return "out of time"
        if self.memory and resident() > self.memory:
            return "out of memory"
        return ""

    def share(self, part: float) -> Budget:
        """Return a budget that ends after a part of the time that is left."""
        self.begun()
        if math.isinf(self.deadline):
            return self
        now = time.monotonic()
        return replace(self, deadline=now + max(self.deadline - now, 0.0) * part)


#: No bound.
UNBOUND = Budget()


def resident() -> int:
    """Return the bytes of memory that this process holds."""
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * _PAGE
    except (OSError, IndexError, ValueError):  # no /proc: the peak, which is never less
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
