"""Run the whole tool: patch, trees, functions, behaviours, findings. Read this first."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from analyzer.base import AnalyzerError, Gap, Pair
from analyzer.budget import ENDS, Budget, reason_of
from analyzer.charge import charged
from analyzer.clock import Clock, Progress
from analyzer.findings import (
    Finding,
    LeftOut,
    Migration,
    PatchInfo,
    Result,
    Status,
    Treatment,
    order_of,
)
from analyzer.idle.nearby import (
    NO_CODE,
    NO_PAGE,
    NO_STATEMENT,
    idle_by_text,
    idle_nearby,
    question_of,
    spelled_in,
)
from analyzer.migrations import Described, load_migrations, unmet_by
from analyzer.pages.laws import HEADER
from analyzer.patch.model import Patch, Series
from analyzer.patch.moves import moved_on
from analyzer.patch.steps import Step, apply_series
from analyzer.program.inline import likely_words
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
    described = tuple((load_migrations() if migrations is None else migrations).values())
    told = _Told(series, described)
    clock.enter("place hunks")
    steps = apply_series(series.patches, tree, partial=partial)
    writing = frozenset[str]()
    for step in steps:
        budget, trees, changed = budgets(), step.trees, tuple(step.changed)
        clock.enter("apply")
        told.meet(step)
        try:
            question = question_of(trees, changed, described, first=steps[0].trees.before)
            writing |= question.writing  # what one patch sets or clears is followed from there on
            question = replace(question, writing=writing)
            told.ask(trees)
            judged: Judged | str | None = idle_by_text(trees, changed)
            judged = judged or idle_nearby(trees, changed, question.facts)
            if judged is None:
                # Most patches never come to this; files are searched while it is loaded.
                with searching(trees.after, likely_words(question.facts, trees.after)):
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
                told.look_for(question.described, trees.after)
        except ENDS as end:
            cache = None
            told.miss(step.patch, end)
            if isinstance(end, KeyboardInterrupt):
                told.stop(step.patch)
                break
        else:
            told.take(step.patch, judged)
            told.tell_comments(step)
            if not isinstance(judged, str) and budget.interrupted():
                told.stop(step.patch)
                break
    clock.enter("")
    return told.result(tree, rules, clock)


@dataclass
class _Told:
    """What a series has shown as far as its patches are judged; none of them makes that untrue."""

    series: Series
    described: Sequence[Described]
    found: list[Finding] = field(default_factory=list)
    derived: dict[Migration, None] = field(default_factory=dict)
    gaps: dict[Gap, None] = field(default_factory=dict)
    awaited: dict[Gap, str] = field(default_factory=dict)  # a later patch may close these
    brought: dict[str, None] = field(default_factory=dict)
    treated: dict[Treatment, None] = field(default_factory=dict)
    idle: dict[int, str] = field(default_factory=dict)  # patch -> why it moves no page
    left_out: list[LeftOut] = field(default_factory=list)
    unjudged: list[int] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    touched: set[str] = field(default_factory=set)
    moved: Mapping[str, str] = field(default_factory=dict)
    unknown: dict[str, None] | None = None
    unmet: dict[str, None] | None = None
    files: int = 0
    functions: int = 0
    stopped: str = ""

    def meet(self, step: Step) -> None:
        """Take note of a patch that was applied, and of what of it was not."""
        self.touched.update(step.changed)
        self.moved = moved_on(self.moved, step.moved)
        self.notes.extend((*step.patch.notes, *step.notes))
        self.left_out += [
            LeftOut(patch=step.patch.index, file=r.file, hunk=r.hunk, line=r.line, reason=r.reason)
            for r in step.rejected
        ]

    def ask(self, trees: Pair[Tree]) -> None:
        """Take note of what of the user's own migrations these trees do not know either."""
        self.unknown = _unknown(self.described, trees, self.unknown)

    def look_for(self, described: Iterable[Described], tree: Tree) -> None:
        """Take note of which functions of the user's own migrations this tree lacks, too."""
        self.unmet = _unmet(described, tree, self.unmet)

    def take(self, patch: Patch, judged: Judged | str) -> None:
        """Know what a patch has shown, or in words why it moves no page."""
        if isinstance(judged, str):
            self.idle[patch.index] = judged
            return
        new, gone = judged.findings, judged.mended
        self.found = charged(self.found, new, patch.index, self.moved, gone)
        self.derived.update(dict.fromkeys(judged.named(self.described, patch)))
        self.brought.update(dict.fromkeys(judged.brought))
        self.treated.update(dict.fromkeys(judged.treated))
        if judged.unmoved:
            self.idle[patch.index] = judged.unmoved
        for gap, label in self.awaited.items():
            if (gap.file, label) in judged.cleared:
                self.gaps.pop(gap, None)
        self.gaps.update(dict.fromkeys(judged.gaps))
        self.awaited.update(judged.awaited)
        self.files, self.functions = judged.files, judged.functions

    def tell_comments(self, step: Step) -> None:
        """Forget comments that told of a state that is gone, where a later patch mends them."""
        if self.derived and any(f.introduced_by != step.patch.index for f in self.found):
            from analyzer.checks.comments import told_still

            changed = {name: name for name in step.changed}
            changed |= {old: new for old, new in self.moved.items() if new in step.changed}
            self.found = told_still(self.found, step.trees.after, changed, self.derived)

    def miss(self, patch: Patch, end: BaseException) -> None:
        """Admit that nothing of a patch was judged, and why."""
        self.unjudged.append(patch.index)
        self.stopped = reason_of(end)

    def stop(self, patch: Patch) -> None:
        """Admit that nothing of the patches behind one was judged: somebody has interrupted."""
        self.stopped = "interrupted"
        self.unjudged += [p.index for p in self.series.patches[patch.index :]]

    def result(self, tree: Tree, rules: Sequence[str] | None, clock: Clock) -> Result:
        """Return all that there is to tell, of the rules that were asked for."""
        gaps = {**self.gaps, **{_unjudged(index, self.stopped): None for index in self.unjudged}}
        blind = any(g.file in self.touched for g in gaps)
        is_short = bool(self.left_out) or blind or any(g.kind == "budget" for g in gaps)
        is_stale = any(f.status is Status.INTRODUCED for f in self.found)
        notes = (*self.series.notes, *self.notes, *(self.unknown or ()), *(self.unmet or ()))
        return Result(
            tree=tree.name,
            patches=tuple(
                PatchInfo(index=p.index, subject=p.subject, message_id=p.message_id)
                for p in self.series.patches
            ),
            migrations=tuple(self.derived),
            unmoved="" if is_short else _unmoved(self.idle, self.series),
            brought=tuple(self.brought),
            treated=() if self.derived or is_stale else tuple(self.treated),
            left_out=tuple(self.left_out),
            findings=tuple(sorted(_chosen(self.found, rules), key=order_of)),
            gaps=tuple(sorted(gaps)),
            files_read=self.files,
            functions=self.functions,
            seconds=tuple(clock.seconds.items()),
            notes=tuple(dict.fromkeys(notes)),
            blind=blind,
            unjudged=tuple(self.unjudged),
            stopped=self.stopped,
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
        treated=judged.treated,
        findings=tuple(sorted(charged([], judged.findings, 1), key=order_of)),
        gaps=tuple(sorted(judged.gaps)),
        files_read=judged.files,
        functions=judged.functions,
        seconds=tuple(clock.seconds.items()),
    )


def _chosen(found: Iterable[Finding], rules: Sequence[str] | None) -> Iterable[Finding]:
    return (f for f in found if rules is None or f.rule in rules)
