"""Run the whole tool: patch, trees, functions, behaviours, findings. Read this first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from analyzer.base import AnalyzerError, Gap, Pair
from analyzer.budget import ENDS, Budget, reason_of
from analyzer.charge import charged
from analyzer.clock import Clock, Progress
from analyzer.findings import Finding, LeftOut, Migration, PatchInfo, Result, order_of
from analyzer.idle.nearby import (
    NO_CODE,
    NO_PAGE,
    NO_STATEMENT,
    idle_by_text,
    idle_nearby,
    likely_words,
    question_of,
    spelled_in,
)
from analyzer.migrations import Described, load_migrations, unmet_by
from analyzer.pages.laws import HEADER
from analyzer.patch.model import Series
from analyzer.patch.moves import moved_on
from analyzer.patch.steps import apply_series
from analyzer.spelling import unknown_in
from analyzer.tree import Tree, searching, why_unread

if TYPE_CHECKING:
    from analyzer.judge import Judged
    from analyzer.pages.facts import Facts
    from analyzer.program.cache import Cache


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
    and the result says what was left out. Raise it as well where the tree defines no page states.
    """
    clock = Clock(progress, max(len(series.patches), 1))
    found: list[Finding] = []
    derived: dict[Migration, None] = {}
    gaps: dict[Gap, None] = {}
    notes = list(series.notes)
    idle: dict[int, str] = {}
    left_out: list[LeftOut] = []
    described = tuple((load_migrations() if migrations is None else migrations).values())
    files = functions = 0
    stopped, begun = "", 0
    moved: Mapping[str, str] = {}
    touched: set[str] = set()
    unjudged: list[int] = []
    unknown: dict[str, None] | None = None
    unmet: dict[str, None] | None = None
    clock.enter("place hunks")
    for step in apply_series(series.patches, tree, partial=partial):
        budget, begun = budgets(), step.patch.index
        clock.enter("apply")
        patch, trees, changed = step.patch, step.trees, tuple(step.changed)
        touched.update(changed)
        moved = moved_on(moved, step.moved)
        notes.extend((*patch.notes, *step.notes))
        left_out += [
            LeftOut(patch=patch.index, file=r.file, hunk=r.hunk, line=r.line, reason=r.reason)
            for r in step.rejected
        ]
        try:
            question = question_of(trees, changed, described)
            unknown = _unknown(described, trees, unknown)
            judged: Judged | str | None = idle_by_text(trees, changed)
            judged = judged or idle_nearby(trees, changed, question.facts)
            if judged is None:
                # Most patches never come to this; files are searched while it is loaded.
                with searching(trees.after, likely_words(question.facts)):
                    from analyzer.judge import Task, judge_trees, read_trees
                    from analyzer.program.cache import Cache

                    cache = cache or Cache()
                    demand_law(trees, cache, question.facts)
                    task = Task(
                        trees=trees, changed=changed, question=question, config=config or {},
                        cache=cache, clock=clock, budget=budget, jobs=jobs,
                    )  # fmt: skip
                    prepared = read_trees(task)
                judged = prepared if isinstance(prepared, str) else judge_trees(task, prepared)
                unmet = _unmet(question.described, trees.after, unmet)
        except ENDS as end:
            stopped, cache = reason_of(end), None
            unjudged.append(patch.index)
            if isinstance(end, KeyboardInterrupt):
                break
            continue
        if isinstance(judged, str):
            idle[patch.index] = judged
            continue
        found = charged(found, judged.findings, patch.index, moved)
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
    is_short = bool(left_out) or blind or any(g.kind == "budget" for g in gaps)
    clock.enter("")
    return Result(
        tree=tree.name,
        patches=tuple(
            PatchInfo(index=p.index, subject=p.subject, message_id=p.message_id)
            for p in series.patches
        ),
        migrations=tuple(derived),
        unmoved="" if is_short else _unmoved(idle, series),
        left_out=tuple(left_out),
        findings=tuple(sorted(_chosen(found, rules), key=order_of)),
        gaps=tuple(sorted(gaps)),
        files_read=files,
        functions=functions,
        seconds=tuple(clock.seconds.items()),
        notes=tuple(dict.fromkeys((*notes, *(unknown or ()), *(unmet or ())))),
        blind=blind,
        unjudged=tuple(unjudged),
        stopped=stopped,
    )


def _unknown(
    described: Iterable[Described], trees: Pair[Tree], held: dict[str, None] | None
) -> dict[str, None]:
    """Return what of the user's own migrations no patch of a series knows: held is so far."""
    if held is not None and not held:
        return held
    shipped = load_migrations()
    own = [m for m in described if m.name not in shipped]
    spelled = spelled_in(trees) if own else {}
    told = (f"{m.name}: {t}" for m in own for t in unknown_in((*m.flags, *m.types), spelled))
    return {text: None for text in told if held is None or text in held}


def _unmet(
    described: Iterable[Described], tree: Tree, held: dict[str, None] | None
) -> dict[str, None]:
    """Return which functions of the user's own migrations no patch of a series meets, likewise."""
    if held is not None and not held:
        return held
    shipped = load_migrations()
    told = unmet_by((m for m in described if m.name not in shipped), tree.search)
    return {text: None for text in told if held is None or text in held}


def demand_law(trees: Pair[Tree], cache: Cache, facts: Facts) -> None:
    """Raise AnalyzerError where neither tree says which states pages have."""
    from analyzer.flow.analyse import law_of

    if any(law_of(t.read, cache, facts).space.operations for t in (trees.after, trees.before)):
        return
    tree = trees.after
    found = why_unread(tree, HEADER) if tree.read(HEADER) is None else "it defines no page states"
    raise AnalyzerError(f"{tree.name}: {HEADER}: {found}; name the top of a kernel tree")


def _unjudged(index: int, reason: str) -> Gap:
    return Gap("budget", "", 0, "", f"{reason}: nothing of patch {index} was judged")


def _unmoved(idle: Mapping[int, str], series: Series) -> str:
    """Return why no patch of the series changes the state of any page; empty where one does."""
    if not series.patches:
        return "there is nothing but merges, which are left out"
    if len(idle) < len(series.patches):
        return ""
    reasons = set(idle.values())
    if followed := reasons - {NO_CODE, NO_STATEMENT, NO_PAGE}:
        return min(followed, key=lambda reason: (len(reason), reason))  # what holds of all patches
    return reasons.pop() if len(reasons) == 1 else "no page comes through what the patches change"


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
    from analyzer.judge import Task, judge_trees, read_trees
    from analyzer.program.cache import Cache

    clock = Clock(None)
    described = (load_migrations() if migrations is None else migrations).values()
    question = question_of(trees, changed, described)
    task = Task(
        trees=trees, changed=changed, question=question, config=config or {},
        cache=cache or Cache(), clock=clock,
    )  # fmt: skip
    prepared = idle_nearby(trees, changed, question.facts) or read_trees(task)
    if isinstance(prepared, str):
        clock.enter("")
        return Result(tree=trees.after.name, unmoved=prepared, seconds=tuple(clock.seconds.items()))
    judged = judge_trees(task, prepared)
    clock.enter("")
    return Result(
        tree=trees.after.name,
        migrations=judged.moved,
        findings=tuple(sorted(charged([], judged.findings, 1), key=order_of)),
        gaps=tuple(sorted(judged.gaps)),
        files_read=judged.files,
        functions=judged.functions,
        seconds=tuple(clock.seconds.items()),
    )


def _chosen(found: Iterable[Finding], rules: Sequence[str] | None) -> Iterable[Finding]:
    return (f for f in found if rules is None or f.rule in rules)
