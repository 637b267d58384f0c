"""Analyse one tree: read what matters, start from the roots, let lists settle."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, partial

from analyzer.base import FunctionId, Gap
from analyzer.budget import UNBOUND, Budget
from analyzer.c import ir
from analyzer.c.unit import LARGEST
from analyzer.flow.cells import observed
from analyzer.flow.domain.contents import Lists
from analyzer.flow.domain.observe import Behaviour, Observation, unmarks_unknown
from analyzer.flow.domain.seen import Seen
from analyzer.flow.interpret import run_root
from analyzer.flow.rounds import Ran, Rounds
from analyzer.flow.run import TOO_LONG, Edge, Run, Sliced, Watched
from analyzer.pages.facts import Facts, as_named_by
from analyzer.pages.laws import HEADER, Law
from analyzer.pages.machine import PageState
from analyzer.program.cache import Cache
from analyzer.program.following import is_freed_next
from analyzer.program.held import held_in
from analyzer.program.inline import marking_in
from analyzer.program.interest import Interest
from analyzer.program.mattering import accessors, find_interest, search_words, writers
from analyzer.program.names import Sources
from analyzer.program.program import Program
from analyzer.program.roots import find_holders, find_roots
from analyzer.tree.api import Read, Search

#: A root may take this part of the time that is left, so that one which is too much leaves some.
_SHARE = 0.5
UNWATCHED = Watched()


@dataclass(frozen=True)
class Prepared:
    """One tree, read as far as the analysis needs it."""

    program: Program
    law: Law
    facts: Facts
    numbers: Mapping[str, int]
    _interests: dict[object, Interest] = field(default_factory=dict, compare=False, repr=False)

    def interest(self, flags: frozenset[str] = frozenset()) -> Interest:
        """Return what of the tree matters by itself, as far as it is read.

        So does what writes one of some further flags.
        """
        key = (len(self.program.paths), flags)
        if key not in self._interests:
            space = self.law.space
            self._interests[key] = find_interest(self.program, space, self.facts, flags)
        return self._interests[key]

    @cached_property
    def types_forgotten(self) -> bool:
        """Tell whether freeing a page resets its type: the release function assigns the type word.

        Freeing does so since v6.17; the bodies are read, not the version: of the function, and of
        those of its file that it passes the work on to. Of a tree that frees by another function
        nobody knows, and nothing is said of types that pages are freed with.
        """
        program, (file, name, field) = self.program, self.facts.release
        found = [id for id in program.named(name) if id[0] == file]
        if not found and program.has(file):
            detail = f"{name}() is not defined here; whether it resets a page's type is not known"
            program.admit(Gap("law", file, 0, name, detail))
            return True
        for id in found:
            helpers = (h for called in program.called(id) for h in program.resolve(called, file))
            if any(_stores(field, of, program) for of in (id, *helpers) if of[0] == file):
                return True
        return False


def prepare(
    read: Read,
    search: Search,
    cache: Cache,
    facts: Facts,
    config: Mapping[str, bool],
    budget: Budget = UNBOUND,
    paths: Iterable[str] = (),
) -> Prepared:
    """Derive the tree's law and read every file in which a word of interest stands, and paths.

    Where the budget runs out before, the program says so in cut.
    """
    law = law_of(read, cache, facts)
    files = {**facts.sources, **dict.fromkeys(law.space.operations, (HEADER,))}
    moving = frozenset((*law.space.operations, *filter(facts.moves, files)))
    sources = Sources(files, moving, moving & facts.identities.keys())
    config = {**facts.config, **config}
    program = Program(read, search, cache, config, budget, sources, facts.shared)
    program.look_up(search_words(law.space, facts))
    units = (program.unit(path) for path in program.paths)
    if marking := marking_in(units, writers(law.space, facts)):
        program.look_up(marking)
    program.add((facts.release.file,))
    program.add(paths)
    program.share_macros(accessors(law.space, facts))
    numbers = program.numbers(facts.headers)
    return Prepared(program, law, as_named_by(numbers, facts), numbers)


def law_of(read: Read, cache: Cache, facts: Facts) -> Law:
    """Return the law that a tree's header lays down."""
    header = read(HEADER) or b""
    return cache.law(header if len(header) <= LARGEST else b"", (*facts.types, *facts.beside))


def interest_of(tree: Prepared) -> Interest:
    """Return what of one tree matters by itself."""
    return tree.interest()


def roots_of(tree: Prepared, interest: Interest) -> tuple[FunctionId, ...]:
    """Return where to start in one tree."""
    return find_roots(tree.program, tree.law.space, tree.facts, interest)


def holders_of(tree: Prepared, interest: Interest) -> tuple[FunctionId, ...]:
    """Return what in one tree stores pages into a driver's structures and frees them from there."""
    return find_holders(tree.program, tree.law.space, tree.facts, interest)


def behave(
    tree: Prepared,
    interest: Interest,
    roots: tuple[FunctionId, ...],
    watched: Watched = UNWATCHED,
    starts: Mapping[str, PageState] | None = None,
    *,
    part: float = 1.0,
) -> Behaviour:
    """Interpret a tree from the given roots and return everything observed.

    starts names populations that are to start in another state than the tree gives them. part
    says how much of the time that is left this may take; what that cuts is admitted.
    """
    return gathered(tree, explore(tree, interest, roots, watched, starts, part=part), roots)


def explore(
    tree: Prepared,
    interest: Interest,
    roots: Sequence[FunctionId],
    watched: Watched = UNWATCHED,
    starts: Mapping[str, PageState] | None = None,
    *,
    part: float = 1.0,
) -> Ran:
    """Interpret a tree from the given roots, as behave() does, and return what each has shown."""
    budget = tree.program.budget.share(part)
    slices: dict[ir.Variant, Sliced] = {}

    def begin(lists: Lists, *, early: bool) -> Run:
        run = new_run(tree, interest, lists, slices, watched, budget)
        return replace(run, starts=starts or {}, early=early)

    return Rounds(roots, begin, tree.law.space.every).settle()


def gathered(
    tree: Prepared, ran: Ran, roots: tuple[FunctionId, ...], holders: tuple[FunctionId, ...] = ()
) -> Behaviour:
    """Return everything observed from roots, in their order.

    Of what holders do, which are no roots, only what they free from structures is observed.
    """
    program = tree.program
    held = partial(held_in, program=program, facts=tree.facts)
    runs = {root: ran.runs[root] for root in (*roots, *holders)}
    gaps: dict[Gap, None] = dict.fromkeys((*tree.law.gaps, *program.gaps))
    callbacks: dict[str, tuple[FunctionId, ...]] = {}
    reached: set[FunctionId] = set()
    met: set[tuple[str, str]] = set()
    for run in runs.values():
        gaps.update(run.gaps)
    seen = tuple(observed(runs, frozenset(holders), held))
    for root in roots:
        run = runs[root]
        callbacks.update(run.callbacks)
        reached |= run.reached
        met.update(run.met)
    return Behaviour(
        space=tree.law.space,
        observations=seen,
        freed_next=_freed_next(tree, seen),
        roots=roots,
        reached=frozenset(reached),
        callbacks=callbacks,
        types_forgotten=tree.types_forgotten,
        passages=tuple(dict.fromkeys(p for root in roots for p in runs[root].passages)),
        unresolved=frozenset(name for name, path in met if not program.resolve(name, path)),
        gaps=tuple(sorted(gaps)),
        cuts={root: _cuts(run) for root, run in runs.items()},
        ended=frozenset(root for root, run in runs.items() if run.cut),
        stopped=min((run.cut for run in runs.values() if run.cut), default="", key=_weight),
        drawing=frozenset(root for root, run in runs.items() if run.drawn),
        lists=ran.contents(tuple(runs)),
        altered=_altered(runs.values()),
        sights=tuple(dict.fromkeys(s for root in roots for s in runs[root].sights)),
        entrances=tuple({k: e for root in roots for k, e in runs[root].entrances.items()}.values()),
    )


def _altered(runs: Collection[Seen]) -> dict[str, FunctionId]:
    """Return the lists that are drawn from and on which pages change, and who puts those there."""
    drawn = {place for run in runs for place in run.drawn}
    left = {stand for run in runs for stand in run.changed - run.taken}
    return {place: id for place, (id, _) in sorted(left, reverse=True) if place in drawn}


def behave_aside(
    tree: Prepared,
    interest: Interest,
    roots: tuple[FunctionId, ...],
    watched: Watched = UNWATCHED,
    starts: Mapping[str, PageState] | None = None,
    *,
    part: float = 1.0,
) -> tuple[Behaviour, list[tuple[str, ...]]]:
    """Return what behave() does, and what was searched for on the way.

    For a program that others do not share, in another process or a copy: they look it up as well.
    """
    known = len(tree.program.looked_up)
    behaviour = behave(tree, interest, roots, watched, starts, part=part)
    return behaviour, tree.program.looked_up[known:]


def seen_without(
    tree: Prepared,
    interest: Interest,
    lists: Lists,
    root: FunctionId,
    closed: frozenset[Edge],
) -> tuple[Observation, ...]:
    """Return what is observed from a root if some edges are never taken; nothing where that is cut.

    lists say what stands on each list.
    """
    run = replace(new_run(tree, interest, lists), closed=closed)
    if not run.cut:
        with tree.program.noting(None):
            run_root(root, run)
    return () if run.cut else tuple(run.observations)


def new_run(
    tree: Prepared,
    interest: Interest,
    lists: Lists,
    slices: dict[ir.Variant, Sliced] | None = None,
    watched: Watched = UNWATCHED,
    budget: Budget = UNBOUND,
) -> Run:
    """Return a run in which nothing was seen yet; lists say what stands on each list."""
    return Run(
        program=tree.program,
        space=tree.law.space,
        facts=tree.facts,
        numbers=tree.numbers,
        interest=interest,
        types_forgotten=tree.types_forgotten,
        lists=lists,
        slices={} if slices is None else slices,
        watched=watched,
        budget=budget.share(_SHARE),
        cut=budget.spent,
    )


def _stores(field: str, id: FunctionId, program: Program) -> bool:
    return any(
        isinstance(step, ir.Assign)
        and isinstance(step.target, ir.Field)
        and step.target.name == field
        for function in program.lowered(id)
        for variant in function.variants
        for block in variant.blocks
        for step in block.instructions
    )


def _freed_next(tree: Prepared, seen: Iterable[Observation]) -> frozenset[tuple[str, str, int]]:
    """Return where pages of which nothing is known lose their type right before they are freed."""
    clears = {(o.id, o.span.start) for o in seen if unmarks_unknown(o, tree.law.space)}
    return frozenset(
        (*id, at) for id, at in clears if is_freed_next(id, at, tree.program, tree.facts)
    )


def _weight(reason: str) -> tuple[bool, str]:
    """Return an order of what ends runs: that one of them took too many steps says least."""
    return (reason == TOO_LONG, reason)


def _cuts(run: Seen) -> frozenset[str]:
    """Return what a run has left out, so that another tree's run can be held against it."""
    return frozenset(f"{g.function}: {g.detail}" for g in run.gaps if g.kind == "budget")
