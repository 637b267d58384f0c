"""Audit a tree as it is: follow the pages, find the uses, trace them, judge them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from analyzer.audit.callers import Tracer, Wish, trace_all
from analyzer.audit.moved import Shift, shifts_of
from analyzer.audit.names import names_of
from analyzer.audit.scene import Flow, Scene, Spot
from analyzer.audit.sources import Source
from analyzer.audit.uses import Found, Use, find_uses, first_words, likely_wrappers
from analyzer.audit.verdicts import judge_all, unjudged
from analyzer.base import FunctionId
from analyzer.budget import ENDS, OutOfBudgetError, reason_of
from analyzer.flow.analyse import (
    Prepared,
    behave,
    behave_aside,
    interest_of,
    law_of,
    roots_of,
)
from analyzer.flow.domain.observe import Behaviour
from analyzer.migrations import Described
from analyzer.pages.facts import Facts
from analyzer.pages.machine import CLEAR, SET, UNTYPED, PageState, Space
from analyzer.pages.provenance import load_provenance
from analyzer.parallel import later
from analyzer.program.cache import Cache
from analyzer.program.inline import marking_ahead
from analyzer.program.interest import Interest
from analyzer.program.mattering import search_words, writers
from analyzer.program.program import Program
from analyzer.sites import Move, Site
from analyzer.tree import Tree, searching
from analyzer.ways.state import Held


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit of one tree found."""

    sites: tuple[Site, ...]
    found: Found
    moves: tuple[Move, ...]
    behaviour: Behaviour
    program: Program
    stopped: str = ""  # what ended it before all was judged


#: Parts of the time that is left for following pages the first time, and the second.
_FIRST, _SECOND = 0.5, 0.5


def search_ahead(tree: Tree, cache: Cache, facts: Facts, migration: Described) -> frozenset[str]:
    """Search once for all that is sure to be asked for; return what then will be asked for."""
    space = law_of(tree.read, cache, facts).space
    names = names_of(space, migration)
    marking = marking_ahead(writers(space, facts), tree.read, tree.search)
    tree.search([*search_words(space, facts), *first_words(names), *marking])  # the tree remembers
    return likely_wrappers(names, tree, lambda path, text: cache.scan(path, text).unit)


def audit_tree(
    prepared: Prepared,
    tree: Tree,
    migration: Described,
    ahead: Iterable[str] = (),
    *,
    jobs: int = 1,
) -> Audited:
    """Return a verdict on every use of a migration's flags in a tree.

    Pages are followed twice, from the state that they start in before the migration and after
    it; the tree itself makes one of the two. ahead are words that will be searched for. Where
    time or memory runs out once the uses are known, those that were not reached are undecided.
    """
    with searching(tree, ahead):
        interest = interest_of(prepared)
        plain = behave(prepared, interest, roots_of(prepared, interest), part=_FIRST)
    audit = _Audit(prepared, tree, migration, plain, jobs)
    try:
        return audit.judged(interest)
    except ENDS as end:
        if audit.found is None:
            raise
        return audit.audited(unjudged(audit.found.uses, reason_of(end)), reason_of(end))


@dataclass
class _Audit:
    """An audit at work: what is known by now is there if it is stopped."""

    prepared: Prepared
    tree: Tree
    migration: Described
    plain: Behaviour
    jobs: int
    found: Found | None = None

    def judged(self, interest: Interest) -> Audited:
        """Find the uses, follow the pages once more, judge."""
        prepared, plain, space = self.prepared, self.plain, self.prepared.law.space
        moved, known = self.migration.populations, load_provenance()
        shifts = shifts_of(moved, self.migration, known, prepared.facts, prepared.program)
        moves = moves_of(plain, self.migration, prepared.facts)
        if self.cut(plain):
            self._find()
            raise OutOfBudgetError(self.cut(plain))
        if not shifts:  # no page is another then: which of them come where decides nothing
            self._find()
            scene = self._traced(shifts, after=plain, before=plain, is_in=False)
        elif not (moves and all(m.starts == m.after for m in moves)):
            self._find()
            # Nobody writes the new state yet: where the one that is left is used matters.
            mine = interest_of(prepared)
            interest = Interest(mine.strong | mine.weak, frozenset(), mine.flags)
            self.plain = plain = behave(
                prepared, interest, roots_of(prepared, interest), part=_SECOND
            )
            ours = _roots_with(plain, shifts)
            states = _starts(shifts, space, after=True)
            other = behave(prepared, interest, ours, starts=states, part=_SECOND)
            scene = self._traced(shifts, after=other, before=plain, is_in=False)
        else:
            ours = _roots_with(plain, shifts)
            # What was before does not matter to where pages come from: neither knows what the
            # other one reads.
            apart = replace(prepared, program=prepared.program.copy())

            def follow() -> tuple[Behaviour, list[tuple[str, ...]]]:
                states = _starts(shifts, space, after=False)
                return behave_aside(apart, interest, ours, starts=states, part=_SECOND)

            with later(follow, aside=self.jobs > 1) as task:
                self._find()
                scene = self._traced(shifts, after=plain, before=plain, is_in=True)
                other, looked_up = task.value()
            for words in looked_up:  # what was read there is read here as well
                prepared.program.look_up(words)
            scene.before = Flow.of(other)
        scene.cut = self.cut(scene.after.behaviour) or self.cut(scene.before.behaviour)
        budget = prepared.program.budget
        assert self.found is not None, "found above"
        sites = judge_all(self.found.uses, scene, self.jobs, budget)
        return self.audited(sites, scene.cut or budget.spent)

    def cut(self, behaviour: Behaviour) -> str:
        """Say what ran out before all pages were followed; nothing where they were."""
        return self.prepared.program.cut or behaviour.stopped

    def audited(self, sites: tuple[Site, ...], stopped: str) -> Audited:
        """Return what was found, with what ended it."""
        assert self.found is not None, "sites stand for uses"
        moves = moves_of(self.plain, self.migration, self.prepared.facts)
        program = self.prepared.program
        return Audited(sites, self.found, moves, self.plain, program, stopped)

    def _find(self) -> None:
        """Find the uses; where there was no time to read all their files, that is all."""
        names = names_of(self.prepared.law.space, self.migration)
        self.found = find_uses(names, self.prepared.program, self.tree)
        if self.prepared.program.cut:
            raise OutOfBudgetError(self.prepared.program.cut)

    def _traced(
        self, shifts: tuple[Shift, ...], *, after: Behaviour, before: Behaviour, is_in: bool
    ) -> Scene:
        assert self.found is not None, "uses are found first"
        return scene_of(
            self.prepared.program,
            self.tree,
            self.prepared.facts,
            self.migration,
            self.found,
            shifts,
            after=Flow.of(after),
            before=Flow.of(before),
            is_in=is_in,
        )


def _roots_with(behaviour: Behaviour, shifts: tuple[Shift, ...]) -> tuple[FunctionId, ...]:
    """Return the roots from which pages that move were seen."""
    moved = {s.population for s in shifts}
    seen = {o.root for o in behaviour.observations if o.page.population in moved}
    return tuple(root for root in behaviour.roots if root in seen)


def scene_of(
    program: Program,
    tree: Tree,
    facts: Facts,
    migration: Described,
    found: Found,
    shifts: tuple[Shift, ...],
    *,
    after: Flow,
    before: Flow,
    is_in: bool,
) -> Scene:
    """Return what verdicts are drawn from, with the pages of all uses traced."""
    known = load_provenance()
    scene = Scene(
        program=program,
        read=tree.read,
        space=after.behaviour.space,
        facts=facts,
        known=known,
        migration=migration,
        names=found.names,
        shifts=shifts,
        after=after,
        before=before,
        is_in=is_in,
        tracer=Tracer(program, facts, known),
    )
    scene.sources.update(_sources(scene, found))
    return scene


def _sources(scene: Scene, found: Found) -> Mapping[Spot, frozenset[Source]]:
    """Trace the pages of the uses that nothing simpler decides."""
    wishes = [
        Wish((u.file, u.function), u.span.start, *scene.handed(u))
        for u in found.uses
        if _is_traced(u, scene)
    ]
    traced = trace_all(scene.tracer, wishes)
    return {(id[0], start): sources for (id, start), sources in traced.items()}


def _is_traced(use: Use, scene: Scene) -> bool:
    if not use.function or use.name.verb == "names" or use.function in scene.names:
        return False
    moved = {s.population for s in scene.relevant(use)}
    if not moved or any(o.page.population in moved for o in scene.after.at(use)):
        return False
    return not scene.excluded(use, scene.relevant(use))


def _starts(shifts: tuple[Shift, ...], space: Space, *, after: bool) -> dict[str, PageState]:
    return {
        s.population: _page(s.after if after else s.before, s, space)
        for s in shifts
        if s.part is None
    }


def _page(held: Held, shift: Shift, space: Space) -> PageState:
    types = space.mask_of(held.type) if held.type else UNTYPED
    flags = sorted(shift.before.flags | shift.after.flags)
    return PageState(types, tuple((f, SET if f in held.flags else CLEAR) for f in flags))


def moves_of(behaviour: Behaviour, migration: Described, facts: Facts) -> tuple[Move, ...]:
    """Return how the populations of a migration move, and how a tree starts them."""
    return tuple(
        Move(
            population=m.title or facts.title(m.name),
            before=m.before,
            after=m.after,
            starts=starting(behaviour, m.name, migration),
        )
        for m in migration.populations
    )


def starting(behaviour: Behaviour, population: str, migration: Described) -> str:
    """Return the state in which a tree starts a population, in words; "" where it makes none."""
    for o in behaviour.births(population):
        words = [t for t in migration.types if o.page.types == behaviour.space.mask_of(t)]
        words += [f for f in migration.flags if o.page.flag(f) == SET]
        return ", ".join(words) or "neither"
    return ""
