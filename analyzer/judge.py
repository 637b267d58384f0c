"""Judge two trees: read and analyse both, say what is new, what is gone, what was there before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from analyzer.base import Gap, Pair
from analyzer.budget import UNBOUND, Budget, OutOfBudgetError
from analyzer.charge import charged
from analyzer.checks.births import derive_migrations
from analyzer.checks.bits import find_bits
from analyzer.checks.breaks import done_more, mended
from analyzer.checks.calls import find_calls
from analyzer.checks.carried import carried_over
from analyzer.checks.comments import find_comments
from analyzer.checks.contracts import treatments
from analyzer.checks.marks import uncertain_clears
from analyzer.checks.naming import named
from analyzer.checks.readers import find_dropped, turned_round
from analyzer.checks.same import brought_by, edited, unfollowed, unlisted, unreached, why_same
from analyzer.checks.states import find_states, standing
from analyzer.checks.tests import find_tests
from analyzer.checks.unmatched import clears_brought, unmatched_marks
from analyzer.checks.unreal import without_unreal
from analyzer.checks.vanished import find_vanished
from analyzer.clock import Clock
from analyzer.comparison.compare import Sides
from analyzer.findings import Break, Finding, Migration, Status, Treatment, order_of
from analyzer.flow.analyse import Prepared, interest_of, prepare
from analyzer.flow.domain.observe import Behaviour
from analyzer.idle.nearby import Question, idle_nearby
from analyzer.idle.relevance import idle_by_interest, idle_by_names
from analyzer.idle.spared import sparing
from analyzer.idle.touched import with_touched
from analyzer.migrations import Described
from analyzer.pages.facts import Facts
from analyzer.parallel import later
from analyzer.patch.model import Patch
from analyzer.program.cache import Cache
from analyzer.program.inline import likely_words
from analyzer.program.interest import Interest
from analyzer.program.program import Program
from analyzer.rules import Rule, load_rules
from analyzer.settle import analyse_both, is_worth, read_on, settle
from analyzer.tree import Tree, only_c, searching
from analyzer.undefined import read_replacing


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the comparison of two trees shows, and how much was read for it.

    unmoved says in words that nothing that pages go through behaves differently, or nothing: then
    something does, or it is not known; where nothing is found, treated says what. brought are the
    types and flags that only the tree after has, and that are followed. mended is where pages
    failed before and do not after. awaited are gaps that a later patch may close by a clear of a
    type, each with its label; cleared are the files for which this patch does, and the label.
    """

    findings: tuple[Finding, ...]
    mended: frozenset[Break]
    moved: tuple[Migration, ...]
    unmoved: str
    treated: tuple[Treatment, ...]
    brought: tuple[str, ...]
    facts: Facts
    gaps: tuple[Gap, ...]
    awaited: tuple[tuple[Gap, str], ...]
    cleared: frozenset[tuple[str, str]]
    files: int
    functions: int

    def named(self, described: Iterable[Described], patch: Patch) -> tuple[Migration, ...]:
        """Return what has moved by the names of the described migrations, where one fits."""
        return named(self.moved, described, patch, self.facts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Two trees to judge, the files in which they differ, what is to be asked, and with what."""

    trees: Pair[Tree]
    changed: Sequence[str]
    question: Question
    config: Mapping[str, bool]
    cache: Cache
    clock: Clock
    budget: Budget = UNBOUND
    jobs: int = 1

    def sides(self, prepared: Pair[Prepared], found: tuple[Interest, Pair[Behaviour]]) -> Sides:
        """Return both trees as they were read, with what matters and how they behave."""
        return Sides.of(prepared, found, self.question.facts, self.question.described)


def read_trees(task: Task) -> Pair[Prepared] | str:
    """Search and read both trees; in words why the patch moves no page where that is clear already.

    Raise OutOfBudgetError where not all could be read.
    """
    clock, facts, paths = task.clock, task.question.facts, only_c(task.changed)
    clock.enter("search and read")
    # Most often a search is under way by now, and what is changed is known without it.
    for tree in (task.trees.before, task.trees.after):
        for path in paths:
            if cut := task.budget.spent:
                raise OutOfBudgetError(cut)
            if (text := tree.read(path)) is not None:
                task.cache.scan(path, text)
    prepared = _prepared(task, facts)
    idle = idle_by_names(prepared, task.changed)
    clock.enter("analyse")
    idle = idle or idle_by_interest(prepared, prepared.map(interest_of), task.changed)
    return idle or prepared


def _prepared(task: Task, facts: Facts) -> Pair[Prepared]:
    clock, paths = task.clock, only_c(task.changed)
    budget = replace(task.budget, begun=clock.step)
    prepared = task.trees.map(
        lambda t: prepare(*clock.counted(t), task.cache, facts, task.config, budget, paths)
    )
    if cut := prepared.before.program.cut or prepared.after.program.cut:
        raise OutOfBudgetError(cut)  # half a tree cannot be compared with another
    return prepared


def judge_trees(task: Task, prepared: Pair[Prepared]) -> Judged:
    """Analyse and compare both trees; read on as long as pages go where nothing was read."""
    question, prepared = with_touched(task.question, prepared, partial(_prepared, task))
    task = replace(task, question=question)
    read_replacing(prepared)
    spare = sparing(prepared, task.changed, task.question.described)
    while True:
        interest, behaviours = analyse_both(prepared, task.clock, jobs=task.jobs, spare=spare)
        sides = task.sides(prepared, (interest, behaviours))
        # Most often nothing is left to read: the comparison need not wait for the search.
        aside = is_worth(prepared, task.jobs)
        with later(partial(judge, sides, task.changed), aside=aside) as judged:
            if not read_on(prepared, behaviours, task.clock):
                task.clock.enter("compare")
                return judged.value()


def sides_of(task: Task) -> Sides | str:
    """Read and analyse both trees; in words why nothing moves where that is clear without."""
    if idle := idle_nearby(task.trees, task.changed, task.question.facts):
        return idle
    with searching(task.trees.after, likely_words(task.question.facts, task.trees.after)):
        prepared = read_trees(task)
    if isinstance(prepared, str):
        return prepared
    return task.sides(prepared, settle(prepared, task.clock, jobs=task.jobs))


def judge(sides: Sides, changed: Iterable[str]) -> Judged:
    """Return what is new, what is gone and what was there, and how populations start now."""
    rules = load_rules()
    files, functions = len(sides.programs.after.paths), sides.programs.after.count
    new, gone, carried = carried_over(
        found_in(sides, changed, rules), found_in(sides.swapped, changed, rules), sides
    )
    told = {f.file for f in new}  # what breaks says more than what may be meant
    awaited = tuple(unmatched_marks(sides, tuple(changed)))
    doubtful = (*turned_round(sides, changed), *(gap for gap, _ in awaited))
    doubtful = tuple(g for g in doubtful if g.file not in told)
    gone = tuple(map(_mended, gone))
    moved = derive_migrations(sides)
    edits = edited(sides, changed)
    unmoved = "" if moved or new or gone or doubtful else why_same(sides, edits)
    return Judged(
        findings=(*new, *gone, *carried, *standing(sides, rules)),
        mended=mended(sides.behaviours) | done_more(sides, tuple(changed)),
        moved=moved,
        unmoved=unmoved,
        treated=() if moved or new or unmoved else treatments(sides),
        brought=brought_by(sides),
        facts=sides.facts,
        gaps=(
            *sides.behaviours.after.gaps,
            *sides.doubts,
            *unfollowed(sides, edits),
            *unreached(sides, edits),
            *unlisted(sides),
            *uncertain_clears(sides),
            *doubtful,
            *(g for g in sides.behaviours.before.gaps if g.kind == "budget"),
            *_unsearched(sides.programs),
        ),
        awaited=awaited,
        cleared=frozenset(clears_brought(sides, changed)),
        files=files,
        functions=functions,
    )


def _mended(finding: Finding) -> Finding:
    """Return as fixed what is found with the trees the other way round."""
    trace = tuple(replace(s, before=s.after, after=s.before) for s in finding.trace)
    return replace(finding, status=Status.FIXED, trace=trace)


def _unsearched(programs: Pair[Program]) -> Iterator[Gap]:
    """Yield what ran out before every call was looked at of what the patch changes."""
    if cut := programs.after.cut or programs.before.cut:
        yield Gap("budget", "", 0, "", f"{cut}: calls of what the patch changes were not looked at")


def findings_of(sides: Sides, changed: Iterable[str]) -> tuple[Finding, ...]:
    """Return everything that is to be said of two trees that were analysed, in order."""
    return tuple(sorted(charged([], judge(sides, changed).findings, 1), key=order_of))


def found_in(
    sides: Sides, changed: Iterable[str], rules: Mapping[str, Rule]
) -> tuple[Finding, ...]:
    """Return what is wrong after and was not before."""
    real = without_unreal(sides)
    found = (
        *find_states(real, rules),
        *find_bits(sides, rules),
        *find_calls(sides.programs, changed, rules),
        *find_vanished(sides, frozenset(changed), rules),
        *find_comments(sides, derive_migrations(sides), rules),
        *find_dropped(sides, changed, rules),
    )
    told = {(f.file, f.function) for f in found}  # what breaks says more than a test that turned
    return (*found, *(f for f in find_tests(real, rules) if (f.file, f.function) not in told))
