"""Analyse two trees, reading on until pages go nowhere that was not read."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from analyzer.base import Pair
from analyzer.flow.analyse import UNWATCHED, Prepared, behave, interest_of, roots_of
from analyzer.flow.observe import Behaviour, comparable
from analyzer.flow.program import FunctionId, Program
from analyzer.flow.run import Interest, Watched
from analyzer.parallel import later

Progress = Callable[[str, float], None]
#: From here on an analysis takes much longer than starting a process.
_MANY_FUNCTIONS = 400


#: Which share of the work on a patch is done when a stage begins, as measured.
_SHARES = {"search and read": 0.02, "analyse": 0.6, "compare": 0.93}


@dataclass
class Clock:
    """Add up the seconds of each stage."""

    report: Progress | None
    patches: int = 1
    seconds: dict[str, float] = field(default_factory=dict)
    _applied: int = 0
    _stage: str = ""
    _since: float = 0.0

    def enter(self, stage: str) -> None:
        """Close the running stage and open the next."""
        now = time.perf_counter()
        if self._stage:
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now
        self._applied += stage == "apply"
        if self.report is not None:
            self.report(stage, (max(self._applied - 1, 0) + _SHARES.get(stage, 0)) / self.patches)


def settle(
    prepared: Pair[Prepared],
    clock: Clock,
    watch: Callable[[Program], Watched] | None = None,
    *,
    jobs: int = 1,
) -> tuple[Interest, Pair[Behaviour]]:
    """Analyse both trees, reading on as long as pages go where nothing was read.

    watch tells what to look at on the way, in each of the two.
    """
    while True:
        interest, behaviours = analyse_both(prepared, clock, watch, jobs=jobs)
        if not read_on(prepared, behaviours, clock):
            return interest, behaviours


def analyse_both(
    prepared: Pair[Prepared],
    clock: Clock,
    watch: Callable[[Program], Watched] | None = None,
    *,
    jobs: int,
) -> tuple[Interest, Pair[Behaviour]]:
    """Return what matters in either tree, and how both behave, as far as they are read."""
    clock.enter("analyse")
    interest = _interest(prepared)
    found = _behaviours(prepared, interest, watch or (lambda _: UNWATCHED), jobs)
    return interest, comparable(found)


def read_on(prepared: Pair[Prepared], behaviours: Pair[Behaviour], clock: Clock) -> bool:
    """Read the functions that pages go to; tell whether one of them matters.

    Where none does, the programs are left as they were: nobody is told more than was analysed.
    """
    clock.enter("search and read")
    if prepared.after.program.budget.spent:
        return False
    missing = behaviours.before.unresolved | behaviours.after.unresolved
    further = prepared.map(lambda p: replace(p, program=p.program.copy(), _interests={}))
    added = _added(further, missing)
    if further.before.program.cut or further.after.program.cut:
        return False
    new = _interest(further) if added else None
    if new is None or not any(f in added and name in missing for f, name in new.strong | new.weak):
        return False
    prepared.before.program.adopt(further.before.program)
    prepared.after.program.adopt(further.after.program)
    return True


def _added(prepared: Pair[Prepared], missing: frozenset[str]) -> frozenset[str]:
    """Read the files that define functions which pages go to; return those that are new."""
    added = prepared.map(lambda p: frozenset(p.program.define(missing)))
    return added.before | added.after


def _interest(prepared: Pair[Prepared]) -> Interest:
    """Return what of both trees matters: an operation that is gone matters as well."""
    mine = prepared.map(interest_of)
    strong = mine.before.strong | mine.after.strong
    return Interest(
        strong,
        (mine.before.weak | mine.after.weak) - strong,
        mine.before.flags | mine.after.flags,
        mine.before.givers | mine.after.givers,
    )


def _behaviours(
    prepared: Pair[Prepared],
    interest: Interest,
    watch: Callable[[Program], Watched],
    jobs: int,
) -> Pair[Behaviour]:
    """Analyse both trees from the roots of either; neither knows which it is."""
    first = prepared.map(lambda p: roots_of(p, interest))
    roots = tuple(dict.fromkeys((*first.before, *first.after)))
    if prepared.before is prepared.after:  # one tree, and nothing to compare it with
        alone = behave(prepared.after, interest, roots, watch(prepared.after.program))
        return Pair(alone, alone)
    if not is_worth(prepared, jobs):
        before = behave(
            prepared.before, interest, roots, watch(prepared.before.program), part=1 / 2
        )
        return Pair(before, behave(prepared.after, interest, roots, watch(prepared.after.program)))
    with later(lambda: _told(prepared.before, interest, roots, watch), aside=True) as told:
        after = behave(prepared.after, interest, roots, watch(prepared.after.program))
        behaviour, looked_up = told.value()
    for words in looked_up:  # what was read there is read here as well
        prepared.before.program.look_up(words)
    return Pair(behaviour, after)


def is_worth(prepared: Pair[Prepared], jobs: int) -> bool:
    """Tell whether there is enough to do for a second process."""
    return jobs > 1 and prepared.after.program.count >= _MANY_FUNCTIONS


def _told(
    tree: Prepared,
    interest: Interest,
    roots: tuple[FunctionId, ...],
    watch: Callable[[Program], Watched],
) -> tuple[Behaviour, list[tuple[str, ...]]]:
    """Return how a tree behaves, and what was searched for on the way."""
    known = len(tree.program.looked_up)
    return behave(tree, interest, roots, watch(tree.program)), tree.program.looked_up[known:]
