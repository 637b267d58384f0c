"""Analyse two trees, reading on until pages go nowhere that was not read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from analyzer.base import FunctionId, Gap, Pair
from analyzer.clock import Clock
from analyzer.flow.analyse import (
    UNWATCHED,
    Prepared,
    explore,
    gathered,
    holders_of,
    interest_of,
    roots_of,
)
from analyzer.flow.domain.observe import Behaviour, comparable
from analyzer.flow.rounds import Ran, joined
from analyzer.flow.run import Watched
from analyzer.pages.aside import is_harmless, speaks_of_pages
from analyzer.parallel import shared_out
from analyzer.program.interest import Interest
from analyzer.program.parts import Part, Reach, parts_of
from analyzer.program.program import Program
from analyzer.undefined import is_lost, read_replacing

#: From here on an analysis takes much longer than starting a process.
_MANY_FUNCTIONS = 400


#: Tells which parts of the roots need not be walked, and what each of them would meet.
Spare = Callable[[Interest, Sequence[Part]], Mapping[Part, Reach]]


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
    read_replacing(prepared)
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
    spare: Spare = lambda *_: {},
) -> tuple[Interest, Pair[Behaviour]]:
    """Return what matters in either tree, and how both behave, as far as they are read.

    Of the roots that spare tells to be the same in both trees nothing is returned.
    """
    clock.enter("analyse")
    interest = _interest(prepared)
    found = _behaviours(prepared, interest, watch or (lambda _: UNWATCHED), clock, jobs, spare)
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
        return _give_up(prepared, further, behaviours, missing)
    prepared.before.program.adopt(further.before.program)
    prepared.after.program.adopt(further.after.program)
    return True


def _give_up(
    prepared: Pair[Prepared],
    further: Pair[Prepared],
    behaviours: Pair[Behaviour],
    missing: frozenset[str],
) -> bool:
    """Find what pages go to and nobody defines, in place of what did something to them.

    That is half of a change, as one patch of a series may be, or a macro from afar: what it does is
    not known. What nobody defines and stands for nothing else is taken to leave pages alone, and so
    is an empty macro.
    """
    found = False
    for tree, read, other, behaviour in (
        (prepared.before, further.before, prepared.after, behaviours.before),
        (prepared.after, further.after, prepared.before, behaviours.after),
    ):
        lost = frozenset(
            name
            for name in behaviour.unresolved & missing
            if not tree.program.is_undefined(name) and not read.program.named(name)
            if is_lost(name, tree, other) and not read.program.stands_for_nothing(name)
        )
        tree.program.give_up(lost)
        found = found or bool(lost)
    return found


def _added(prepared: Pair[Prepared], missing: frozenset[str]) -> frozenset[str]:
    """Read the files that define functions which pages go to; return those that are new."""
    added = prepared.map(lambda p: frozenset(p.program.define(missing)))
    return added.before | added.after


def _interest(prepared: Pair[Prepared]) -> Interest:
    """Return what of both trees matters: an operation that is gone matters as well."""
    mine = prepared.map(interest_of)
    flags = mine.before.flags | mine.after.flags
    if mine.before.flags != mine.after.flags:
        mine = prepared.map(lambda p: p.interest(flags))
    strong = mine.before.strong | mine.after.strong
    return Interest(
        strong,
        (mine.before.weak | mine.after.weak) - strong,
        flags,
        mine.before.givers | mine.after.givers,
    )


def _behaviours(
    prepared: Pair[Prepared],
    interest: Interest,
    watch: Callable[[Program], Watched],
    clock: Clock,
    jobs: int,
    spare: Spare,
) -> Pair[Behaviour]:
    """Analyse both trees from the roots of either; neither knows which it is."""
    first = prepared.map(lambda p: roots_of(p, interest))
    roots = tuple(dict.fromkeys((*first.before, *first.after)))
    beside = prepared.map(lambda p: holders_of(p, interest))
    holders = tuple(h for h in dict.fromkeys((*beside.before, *beside.after)) if h not in roots)
    ran, unread = _ran(prepared, interest, (*roots, *holders), watch, clock, jobs, spare)
    roots = tuple(root for root in roots if root in ran.after.runs)
    holders = tuple(holder for holder in holders if holder in ran.after.runs)
    after = gathered(prepared.after, ran.after, roots, holders)
    after = replace(after, unresolved=after.unresolved | unread)
    if prepared.before is prepared.after:
        return Pair(after, after)
    return Pair(gathered(prepared.before, ran.before, roots, holders), after)


def _ran(
    prepared: Pair[Prepared],
    interest: Interest,
    roots: tuple[FunctionId, ...],
    watch: Callable[[Program], Watched],
    clock: Clock,
    jobs: int,
    spare: Spare,
) -> tuple[Pair[Ran], frozenset[str]]:
    """Run the roots in both trees; in several processes where there is enough to do.

    Also return what pages may go to, from roots that are spared, and was not read.

    Roots that are run apart show what they would together, or are run once more. So they are where
    something was read on the way, which others should have known, or where a list leads to some
    that were spared.
    """
    watched = prepared.map(lambda p: watch(p.program))
    is_one = prepared.before is prepared.after  # one tree, and nothing to compare it with
    programs = dict.fromkeys((prepared.before.program, prepared.after.program))
    parts = parts_of(roots, programs, prepared.after.facts, interest)
    spared = spare(interest, parts)
    parts = tuple(part for part in parts if part not in spared)
    if not is_worth(prepared, jobs):
        walked = {root for part in parts for root in part}
        parts = (tuple(root for root in roots if root in walked),)
    clock.expect((1 if is_one else 2) * sum(map(len, parts)) // min(jobs, len(parts) or 1))

    def run(part: Part) -> Pair[Ran]:
        if is_one:
            ran = explore(prepared.after, interest, part, watched.after)
            return Pair(ran, ran)
        before = explore(prepared.before, interest, part, watched.before, part=1 / 2)
        return Pair(before, explore(prepared.after, interest, part, watched.after))

    while True:
        known = prepared.map(lambda p: p.program.paths)
        apart = shared_out([partial(_apart, prepared, run, part) for part in parts], jobs)
        for found in apart:
            _learn(prepared.before.program, found.before)
            _learn(prepared.after.program, found.after)
        before, after = joined([f.before.ran for f in apart]), joined([f.after.ran for f in apart])
        if before and after and known == prepared.map(lambda p: p.program.paths):
            ran = Pair(before, after)
            if not any(_meets(reach, ran) for reach in spared.values()):
                return ran, frozenset().union(*(reach.unread for reach in spared.values()))
        parts, spared = (roots,), {}


def _meets(reach: Reach, walked: Pair[Ran]) -> bool:
    """Tell whether roots that were not walked may meet what others have met."""
    return any(
        any(map(reach.knows, ran.places))
        or any(not reach.functions.isdisjoint(run.reached) for run in ran.runs.values())
        for ran in (walked.before, walked.after)
    )


class _Apart(NamedTuple):
    """What a part of the roots has shown in one tree, what it looked up and could not follow."""

    ran: Ran
    looked_up: Sequence[tuple[str, ...]]
    gaps: Sequence[Gap]


def _apart(prepared: Pair[Prepared], run: Callable[[Part], Pair[Ran]], part: Part) -> Pair[_Apart]:
    """Run a part of the roots, perhaps in a process that nobody else learns anything of."""
    known = prepared.map(lambda p: (len(p.program.looked_up), len(p.program.gaps)))
    ran = run(part)

    def told(p: Prepared, known: tuple[int, int], ran: Ran) -> _Apart:
        return _Apart(ran, p.program.looked_up[known[0] :], p.program.gaps[known[1] :])

    return Pair(
        told(prepared.before, known.before, ran.before),
        told(prepared.after, known.after, ran.after),
    )


def _learn(program: Program, found: _Apart) -> None:
    """Know what a part of the roots has looked up, and admit what it could not follow."""
    for words in found.looked_up:
        program.look_up(words)
    for gap in found.gaps:
        program.admit(gap)


def is_worth(prepared: Pair[Prepared], jobs: int) -> bool:
    """Tell whether there is enough to do for more than one process."""
    return jobs > 1 and prepared.after.program.count >= _MANY_FUNCTIONS
