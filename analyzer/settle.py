"""Analyse two trees, reading on until pages go nowhere that was not read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from analyzer.base import Pair
from analyzer.clock import Clock
from analyzer.flow.analyse import (
    UNWATCHED,
    Prepared,
    behave,
    behave_aside,
    holders_of,
    interest_of,
    roots_of,
)
from analyzer.flow.domain.observe import Behaviour, comparable
from analyzer.flow.run import Watched
from analyzer.pages.aside import is_harmless, speaks_of_pages
from analyzer.parallel import later
from analyzer.program.interest import Interest
from analyzer.program.program import Program

#: From here on an analysis takes much longer than starting a process.
_MANY_FUNCTIONS = 400


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
    found = _behaviours(prepared, interest, watch or (lambda _: UNWATCHED), clock, jobs)
    return interest, comparable(found)


def read_on(prepared: Pair[Prepared], behaviours: Pair[Behaviour], clock: Clock) -> bool:
    """Read the functions that pages go to; tell whether one of them matters.

    Where none does, the programs are left as they were: nobody is told more than was analysed.
    """
    clock.enter("search and read")
    if prepared.after.program.budget.spent:
        return False
    unread = behaviours.before.unresolved | behaviours.after.unresolved
    missing = frozenset(n for n in unread if speaks_of_pages(n) or not is_harmless(n))
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
    clock: Clock,
    jobs: int,
) -> Pair[Behaviour]:
    """Analyse both trees from the roots of either; neither knows which it is."""
    first = prepared.map(lambda p: roots_of(p, interest))
    roots = tuple(dict.fromkeys((*first.before, *first.after)))
    beside = prepared.map(lambda p: holders_of(p, interest))
    holders = tuple(h for h in dict.fromkeys((*beside.before, *beside.after)) if h not in roots)
    sides = 2 if prepared.before is not prepared.after and not is_worth(prepared, jobs) else 1
    clock.expect(sides * (len(roots) + len(holders)))

    def alone(p: Prepared, part: float = 1.0) -> Behaviour:
        return behave(p, interest, roots, watch(p.program), holders=holders, part=part)

    if prepared.before is prepared.after:  # one tree, and nothing to compare it with
        behaviour = alone(prepared.after)
        return Pair(behaviour, behaviour)
    if not is_worth(prepared, jobs):
        before = alone(prepared.before, 1 / 2)
        return Pair(before, alone(prepared.after))

    def follow() -> tuple[Behaviour, list[tuple[str, ...]]]:
        watched = watch(prepared.before.program)
        return behave_aside(prepared.before, interest, roots, watched, holders=holders)

    with later(follow, aside=True) as told:
        after = alone(prepared.after)
        behaviour, looked_up = told.value()
    for words in looked_up:  # what was read there is read here as well
        prepared.before.program.look_up(words)
    return Pair(behaviour, after)


def is_worth(prepared: Pair[Prepared], jobs: int) -> bool:
    """Tell whether there is enough to do for a second process."""
    return jobs > 1 and prepared.after.program.count >= _MANY_FUNCTIONS
