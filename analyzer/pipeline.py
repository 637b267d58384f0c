"""Run the whole tool: patch, trees, functions, behaviours, findings. Read this first."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analyzer.base import Gap, Pair
from analyzer.budget import ENDS, Budget, OutOfBudgetError, reason_of
from analyzer.charge import charged
from analyzer.compare import Sides
from analyzer.findings import Finding, LeftOut, Migration, PatchInfo, Result, order_of
from analyzer.flow.analyse import UNBOUND, Prepared, interest_of, prepare
from analyzer.flow.cache import Cache
from analyzer.flow.observe import Behaviour
from analyzer.flow.roots import likely_words
from analyzer.migrations import Described, load_migrations
from analyzer.nearby import idle_nearby
from analyzer.pages.facts import Facts, extended, in_question, load_facts
from analyzer.parallel import later
from analyzer.patch.model import Series
from analyzer.patch.steps import apply_series
from analyzer.relevance import changed_code, idle_by_interest, idle_by_names, idle_by_text
from analyzer.settle import Clock, Progress, analyse_both, is_worth, read_on, settle
from analyzer.tree import Tree, searching

if TYPE_CHECKING:
    from analyzer.judge import Judged


def check(
    series: Series,
    tree: Tree,
    *,
    config: Mapping[str, bool] | None = None,
    rules: Sequence[str] | None = None,
    migrations: Mapping[str, Described] | None = None,
    partial: bool = False,
    progress: Progress | None = None,
    jobs: int = 1,
    budgets: Callable[[], Budget] = Budget,
    cache: Cache | None = None,
) -> Result:
    """Return what a series makes stale in a tree, and what of it a later patch mends.

    A series is a fold: what one patch leaves is what the next one finds. A patch that the tree
    already has is analysed as if it had just been applied. rules limits the result to rule ids;
    migrations are the described ones (None: those that are shipped). jobs bounds the processes
    that work at once; the result does not depend on it. budgets gives each patch what it may
    cost; what that cuts is a gap, and where nothing of a patch could be judged stopped says why.
    A cache that is handed in is shared between checks of trees that are much alike.
    Raise AnalyzerError where a patch does not apply, unless partial: then what applies is analysed,
    and the result says what was left out.
    """
    clock, cache = Clock(progress, max(len(series.patches), 1)), cache or Cache()
    found: list[Finding] = []
    derived: dict[Migration, None] = {}
    gaps: dict[Gap, None] = {}
    notes = list(series.notes)
    idle: dict[int, str] = {}
    left_out: list[LeftOut] = []
    described = tuple((load_migrations() if migrations is None else migrations).values())
    files = functions = 0
    stopped, begun = "", 0
    touched: set[str] = set()
    unjudged: list[int] = []
    clock.enter("place hunks")
    for step in apply_series(series.patches, tree, partial=partial):
        budget, begun = budgets(), step.patch.index
        clock.enter("apply")
        patch, trees, changed = step.patch, step.trees, tuple(step.changed)
        touched.update(changed)
        notes.extend((*patch.notes, *step.notes))
        left_out += [
            LeftOut(patch=patch.index, file=r.file, hunk=r.hunk, line=r.line, reason=r.reason)
            for r in step.rejected
        ]
        try:
            judged = idle_by_text(trees, changed) or _judged(
                trees, changed, cache, config or {}, clock, described, jobs, budget
            )
        except ENDS as end:
            stopped, cache = reason_of(end), Cache()
            unjudged.append(patch.index)
            if isinstance(end, KeyboardInterrupt):
                break
            continue
        if isinstance(judged, str):
            idle[patch.index] = judged
            continue
        found = charged(found, judged.findings, patch.index)
        derived.update(dict.fromkeys(judged.named(described, patch)))
        if judged.unmoved:
            idle[patch.index] = judged.unmoved
        gaps.update(dict.fromkeys(judged.gaps))
        files, functions = judged.files, judged.functions
        if budget.interrupted():
            stopped = "interrupted"
            break
    if stopped == "interrupted":
        unjudged += [p.index for p in series.patches[begun:]]
    gaps.update((_unjudged(index, stopped), None) for index in unjudged)
    blind = any(g.file in touched for g in gaps)
    clock.enter("")
    return Result(
        tree=tree.name,
        patches=tuple(
            PatchInfo(index=p.index, subject=p.subject, message_id=p.message_id)
            for p in series.patches
        ),
        migrations=tuple(derived),
        unmoved="" if blind or any(g.kind == "budget" for g in gaps) else _unmoved(idle, series),
        left_out=tuple(left_out),
        findings=tuple(sorted(_chosen(found, rules), key=order_of)),
        gaps=tuple(sorted(gaps)),
        files_read=files,
        functions=functions,
        seconds=tuple(clock.seconds.items()),
        notes=tuple(dict.fromkeys(notes)),
        blind=blind,
        unjudged=tuple(unjudged),
        stopped=stopped,
    )


def _unjudged(index: int, reason: str) -> Gap:
    return Gap("budget", "", 0, "", f"{reason}: nothing of patch {index} was judged")


def _unmoved(idle: Mapping[int, str], series: Series) -> str:
    """Return why no patch of the series changes the state of any page; empty where one does."""
    if not series.patches or len(idle) < len(series.patches):
        return ""
    reasons = sorted(set(idle.values()))
    return reasons[0] if len(reasons) == 1 else "no page comes through what the patches change"


def compare_trees(
    trees: Pair[Tree],
    changed: Sequence[str],
    *,
    config: Mapping[str, bool] | None = None,
    cache: Cache | None = None,
    migrations: Mapping[str, Described] | None = None,
) -> Result:
    """Return what a patch that turns one tree into the other, in the files named, makes stale.

    A cache that is handed in is shared between comparisons of trees that are much alike.
    """
    clock = Clock(None)
    shared = Cache() if cache is None else cache
    described = (load_migrations() if migrations is None else migrations).values()
    judged = _judged(trees, changed, shared, config or {}, clock, described, 1)
    clock.enter("")
    if isinstance(judged, str):
        return Result(tree=trees.after.name, unmoved=judged, seconds=tuple(clock.seconds.items()))
    return Result(
        tree=trees.after.name,
        migrations=judged.moved,
        findings=tuple(sorted(charged([], judged.findings, 1), key=order_of)),
        gaps=tuple(sorted(judged.gaps)),
        files_read=judged.files,
        functions=judged.functions,
        seconds=tuple(clock.seconds.items()),
    )


def _judged(
    trees: Pair[Tree],
    changed: Sequence[str],
    cache: Cache,
    config: Mapping[str, bool],
    clock: Clock,
    described: Iterable[Described],
    jobs: int,
    budget: Budget = UNBOUND,
) -> Judged | str:
    """Read, analyse and compare both trees; read on as long as pages go where nothing was read.

    Return in words why the patch changes no page's state where that is clear without analysis.
    """
    read = _read(trees, changed, cache, config, clock, described, budget)
    if isinstance(read, str):
        return read
    from analyzer.judge import judge  # what most patches never come to

    while True:
        _, behaviours = analyse_both(read.prepared, clock, jobs=jobs)
        sides = read.sides(behaviours)
        # Most often nothing is left to read: the comparison need not wait for the search.
        aside = is_worth(read.prepared, jobs)
        with later(functools.partial(judge, sides, changed), aside=aside) as judged:
            if not read_on(read.prepared, behaviours, clock):
                clock.enter("compare")
                return judged.value()


def sides_of(
    trees: Pair[Tree],
    changed: Sequence[str],
    cache: Cache,
    config: Mapping[str, bool],
    clock: Clock,
    described: Iterable[Described],
    jobs: int,
    budget: Budget = UNBOUND,
) -> Sides | str:
    """Read and analyse both trees; in words why nothing moves where that is clear without."""
    read = _read(trees, changed, cache, config, clock, described, budget)
    return read if isinstance(read, str) else read.sides(settle(read.prepared, clock, jobs=jobs)[1])


@dataclass(frozen=True, slots=True)
class _Read:
    """Both trees as far as words show what to read, and the migrations in question."""

    prepared: Pair[Prepared]
    facts: Facts
    described: tuple[Described, ...]

    def sides(self, behaviours: Pair[Behaviour]) -> Sides:
        """Return both trees with how they behave."""
        return Sides(self.prepared.map(lambda p: p.program), behaviours, self.facts, self.described)


def _read(
    trees: Pair[Tree],
    changed: Sequence[str],
    cache: Cache,
    config: Mapping[str, bool],
    clock: Clock,
    described: Iterable[Described],
    budget: Budget = UNBOUND,
) -> _Read | str:
    """Search and read both trees; in words why nothing moves where that is clear already."""
    described, facts = _asked(trees, changed, described)
    if idle := idle_nearby(trees, changed, facts):
        return idle
    clock.enter("search and read")
    with searching(trees.after, likely_words(facts)):
        for tree in (trees.before, trees.after):
            for path in _sources(changed):
                if (text := tree.read(path)) is not None:
                    cache.scan(path, text)
        told = replace(budget, begun=clock.step)
        prepared = trees.map(lambda t: prepare(*clock.counted(t), cache, facts, config, told))
    prepared.map(lambda p: p.program.add(_sources(changed)))
    if cut := prepared.before.program.cut or prepared.after.program.cut:
        raise OutOfBudgetError(cut)  # half a tree cannot be compared with another
    idle = idle_by_names(prepared, changed)
    clock.enter("analyse")
    idle = idle or idle_by_interest(prepared, prepared.map(interest_of), changed)
    return idle or _Read(prepared, facts, described)


def _asked(
    trees: Pair[Tree], changed: Sequence[str], described: Iterable[Described]
) -> tuple[tuple[Described, ...], Facts]:
    """Return the migrations that a patch has to do with, and the facts with what they add."""
    asked = in_question(load_facts(), described, changed_code(trees, changed))
    return asked, extended(load_facts(), asked)


def idle_at_once(
    trees: Pair[Tree], changed: Sequence[str], migrations: Mapping[str, Described]
) -> bool:
    """Tell whether a patch changes no page's state by its own files: no tree need be known."""
    _, facts = _asked(trees, changed, migrations.values())
    return bool(idle_by_text(trees, changed) or idle_nearby(trees, changed, facts))


def _sources(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple(p for p in paths if p.endswith((".c", ".h")))


def _chosen(found: Iterable[Finding], rules: Sequence[str] | None) -> Iterable[Finding]:
    return (f for f in found if rules is None or f.rule in rules)
