"""Audit a tree, or what a series does to it: the pipeline of `offlint audit`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from analyzer.audit.change import audit_change, moved_by, with_history
from analyzer.audit.run import Audited, audit_tree, search_ahead
from analyzer.base import Gap, Pair
from analyzer.budget import ENDS, UNBOUND, Budget, OutOfBudgetError, reason_of
from analyzer.clock import Clock, Progress
from analyzer.comparison.compare import Sides
from analyzer.flow.analyse import prepare
from analyzer.idle.nearby import idle_at_once, question_of, spelled_in
from analyzer.judge import Task, found_in, sides_of
from analyzer.migrations import Described, unmet_by
from analyzer.pages.extended import extended
from analyzer.pages.facts import load_facts
from analyzer.patch.model import Series
from analyzer.patch.steps import Step, apply_series, around
from analyzer.pipeline import demand_law
from analyzer.program.cache import Cache
from analyzer.rules import load_rules
from analyzer.sites import Audit, Site, count_late
from analyzer.spelling import unknown_in
from analyzer.tree import Tree

#: After so many patches of a series, at most, the verdicts are worked out.
_MOST = 8


def audit(
    tree: Tree,
    migration: Described,
    series: Series | None = None,
    *,
    config: Mapping[str, bool] | None = None,
    progress: Progress | None = None,
    jobs: int = 1,
    budget: Budget = UNBOUND,
) -> Audit:
    """Return a verdict on every use of a migration's flags in a tree.

    With a series, on those uses of the tree after it that the states it changes can reach, and with
    the patches after which a verdict is another. jobs bounds the processes that work at once; the
    result does not depend on it. What the budget does not allow is undecided, and a gap says what
    ended it. Raise AnalyzerError where the tree defines no page states.
    """
    clock, cache = Clock(progress), Cache()
    notes: list[str] = []
    spelled = spelled_in(Pair(tree, tree))
    facts = extended(load_facts(), [migration], spelled)
    demand_law(Pair(tree, tree), cache, facts)
    if series is None:
        notes += unknown_in((*migration.flags, *migration.types), spelled)
        clock.enter("search and read")
        ahead = search_ahead(tree, cache, facts, migration)
        notes += unmet_by([migration], tree.search)
        prepared = prepare(tree.read, tree.search, cache, facts, config or {}, budget)
        clock.enter("audit")
        audited = audit_tree(prepared, tree, migration, ahead, jobs=jobs)
    else:
        clock.enter("apply")
        steps = apply_series(series.patches, tree)
        notes = [*series.notes, *(n for s in steps for n in (*s.patch.notes, *s.notes))]
        asked = _Asked(tree, migration, config or {}, cache, budget)
        change = asked.change(steps, clock, jobs)
        notes += unknown_in((*migration.flags, *migration.types), spelled_in(change.trees))
        notes += unmet_by([migration], change.trees.after.search)
        sides = sides_of(change)
        if isinstance(sides, str):  # nothing moves: what the migration says of the tree is left
            notes.append(sides)
            whole = audit(change.trees.after, migration, config=config, jobs=jobs, budget=budget)
            return replace(whole, notes=tuple(notes))
        clock.enter("audit")
        audited = asked.audited(change, sides)
        try:
            audited, remarks = _told(audited, steps, asked, sides)
            notes += remarks
        except ENDS as end:
            notes.append(f"{reason_of(end)}: after which patch a verdict came about is not told")
    clock.enter("")
    others = Counter(m.kind for m in audited.found.mentions)
    return Audit(
        tree=tree.name,
        migration=migration.name,
        title=migration.title,
        moves=audited.moves,
        sites=audited.sites,
        words=audited.found.words,
        others=tuple(sorted(others.items())),
        patch="" if series is None else _title(series),
        gaps=tuple(sorted({*audited.behaviour.gaps, *audited.program.gaps, *_ended(audited)})),
        stopped=audited.stopped,
        files_read=len(audited.program.paths),
        seconds=tuple(clock.seconds.items()),
        notes=tuple(dict.fromkeys(notes)),
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked of each part of a series, and with what."""

    tree: Tree
    migration: Described
    config: Mapping[str, bool]
    cache: Cache
    budget: Budget

    def change(self, steps: Sequence[Step], clock: Clock, jobs: int = 1) -> Task:
        """Return the trees around some patches, to be judged."""
        trees, changed = around(steps) if steps else (Pair(self.tree, self.tree), ())
        return Task(
            trees=trees, changed=changed, question=question_of(trees, changed, [self.migration]),
            config=self.config, cache=self.cache, clock=clock, budget=self.budget, jobs=jobs,
        )  # fmt: skip

    def audited(self, change: Task, sides: Sides) -> Audited:
        """Return the verdicts on the uses that a change can reach."""
        found = found_in(sides, change.changed, load_rules())
        return audit_change(sides, change.trees, change.changed, found, self.migration)


def _ended(audited: Audited) -> tuple[Gap, ...]:
    """Return what is missing where time or memory ran out, or somebody wanted no more."""
    late = count_late(audited.sites, audited.stopped) if audited.stopped else 0
    if not late:
        return ()
    detail = f"{audited.stopped}: {late} of {len(audited.sites)} uses could not be judged"
    return (Gap("budget", "", 0, "", detail),)


def _title(series: Series) -> str:
    """Return the subject of a patch, or of the first of a series."""
    if not series.patches:
        return ""
    more = len(series.patches) - 1
    others = "" if not more else f" and {more} more patch{'' if more == 1 else 'es'}"
    return f"{series.patches[0].subject}{others}"


def _is_idle(step: Step, migration: Described) -> bool:
    return idle_at_once(step.trees, tuple(step.changed), [migration])


def _told(
    audited: Audited, steps: Sequence[Step], asked: _Asked, sides: Sides
) -> tuple[Audited, list[str]]:
    """Return an audit that tells after which patch each verdict came about, and remarks."""
    busy = [n for n, s in enumerate(steps, 1) if not _is_idle(s, asked.migration)]
    if len(steps) < 2 or not busy:
        return audited, []
    if audited.stopped:
        raise OutOfBudgetError(audited.stopped)
    remarks = []
    if len(busy) > _MOST:
        remarks.append(
            f"{len(busy)} patches: by which of them a verdict came about is told for the first "
            f"{_MOST - 1}; the rest count as the last of them"
        )
        busy = [*busy[: _MOST - 1], busy[-1]]
    stages = [(steps[n - 1].patch.index, _sites_after(steps[:n], asked, sides)) for n in busy[:-1]]
    last = steps[busy[-1] - 1].patch.index
    told = with_history(audited.sites, [*stages, (last, audited.sites)])
    return replace(audited, sites=told), remarks


def _sites_after(steps: Sequence[Step], asked: _Asked, whole: Sides) -> tuple[Site, ...]:
    """Return the verdicts after the first patches of a series; none where no page moves yet."""
    change = asked.change(steps, Clock(None))
    sides = sides_of(change)
    if isinstance(sides, str):
        return ()
    if moved_by(whole, asked.migration) and not moved_by(sides, asked.migration):
        return ()
    after = asked.audited(change, sides)
    if after.stopped:
        raise OutOfBudgetError(after.stopped)
    return after.sites
