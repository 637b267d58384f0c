"""Audit what a patch does to the uses: those that the states it changes can reach."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from analyzer.audit.moved import Shift, shifts_of
from analyzer.audit.names import names_of
from analyzer.audit.run import Audited, scene_of, starting
from analyzer.audit.scene import Flow
from analyzer.audit.uses import Found, Use, find_uses
from analyzer.audit.verdicts import judge_all, unjudged
from analyzer.base import Pair, Severity, Span
from analyzer.budget import ENDS, OutOfBudgetError, reason_of
from analyzer.comparison.compare import Sides
from analyzer.findings import Finding, Status
from analyzer.flow.domain.observe import Behaviour, Kind, Outcome
from analyzer.migrations import Described, Moved
from analyzer.pages.facts import Facts
from analyzer.pages.machine import TYPE
from analyzer.pages.provenance import load_provenance
from analyzer.sites import Delta, Move, Site, Verdict
from analyzer.tree import Tree

_Key = tuple[str, str, str]


def audit_change(
    sides: Sides,
    trees: Pair[Tree],
    changed: Collection[str],
    findings: Iterable[Finding],
    migration: Described,
) -> Audited:
    """Return a verdict on the uses that a patch's changed states can reach, with the delta.

    findings are what the patch breaks. Where it starts no population in another state, the
    described migration says what moves. Uses that are not reached in time are undecided.
    """
    known = load_provenance()
    moved = moved_by(sides, migration) or migration.populations
    moves = _moves(moved, sides, migration)
    shifts = shifts_of(moved, migration, known, sides.facts, sides.programs.after)
    found = sides.programs.map(lambda p: _uses(p is sides.programs.after, sides, trees, migration))
    try:
        if cut := sides.programs.before.cut or sides.programs.after.cut:
            raise OutOfBudgetError(cut)
        judged, stopped = _judged(sides, trees, migration, found, shifts, moves)
    except ENDS as end:
        stopped = reason_of(end)
        judged = unjudged(found.after.uses, stopped)
    new = tuple(f for f in findings if f.status is Status.INTRODUCED)
    wrong = tuple(f for f in new if f.severity is not Severity.NOTE)
    sites = [
        _revised(use, site, new, sides, stopped)
        for use, site in zip(found.after.uses, judged, strict=True)
    ]
    sites = _with_delta(sites, found, changed, wrong, sides)
    said = {(s.file, s.function, s.reason) for s in sites}
    sites += _absent(f for f in wrong if (f.file, f.function, f.message) not in said)
    kept = tuple(s for s in sites if _is_reached(s, sides))
    return Audited(
        tuple(sorted(kept, key=lambda s: (s.file, s.line, s.operation))),
        found.after,
        moves,
        sides.behaviours.after,
        sides.programs.after,
        stopped,
    )


def _judged(
    sides: Sides,
    trees: Pair[Tree],
    migration: Described,
    found: Pair[Found],
    shifts: tuple[Shift, ...],
    moves: tuple[Move, ...],
) -> tuple[tuple[Site, ...], str]:
    """Return a site for each use of the tree after, and what ended that before all was judged."""
    is_in = all(m.starts == m.after for m in moves)
    scene = scene_of(
        sides.programs.after,
        trees.after,
        sides.facts,
        migration,
        found.after,
        shifts,
        after=Flow.of(sides.behaviours.after),
        before=Flow.of(sides.behaviours.before, exact=False),
        is_in=is_in,
    )
    scene.is_ahead = not is_in
    budget = sides.programs.after.budget
    scene.cut = sides.behaviours.after.stopped or sides.behaviours.before.stopped
    return judge_all(found.after.uses, scene, budget=budget), scene.cut or budget.spent


def moved_by(sides: Sides, migration: Described) -> tuple[Moved, ...]:
    """Return the populations that start in another state after a patch."""
    derived = _derived_moves(sides.behaviours, migration, sides.facts)
    return tuple(m for m in derived if m.before != m.after)


def with_history(
    sites: Iterable[Site], stages: Sequence[tuple[int, Iterable[Site]]]
) -> tuple[Site, ...]:
    """Return sites with the patches after which their verdict is another.

    stages are the sites after each patch of a series, by its number.
    """
    verdicts = [(n, {key: s.verdict for key, s in _numbered(after)}) for n, after in stages]
    return tuple(
        replace(site, history=tuple(_history(key, verdicts))) for key, site in _numbered(sites)
    )


def _history(
    key: tuple[_Key, int], stages: Iterable[tuple[int, Mapping[tuple[_Key, int], Verdict]]]
) -> Iterator[tuple[int, Verdict]]:
    last: Verdict | None = None
    for patch, verdicts in stages:
        now = verdicts.get(key)
        if now is not None and now is not last:
            yield patch, now
            last = now


def _numbered(sites: Iterable[Site]) -> Iterator[tuple[tuple[_Key, int], Site]]:
    """Yield each site with what it is known by in another tree: lines move, and order stays."""
    count: Counter[_Key] = Counter()
    for site in sites:
        key = (site.file, site.function, site.operation)
        yield (key, count[key]), site
        count[key] += 1


def _derived_moves(
    behaviours: Pair[Behaviour], migration: Described, facts: Facts
) -> tuple[Moved, ...]:
    """Return how populations start before a patch and after it."""
    born = sorted(
        {o.page.population for b in (behaviours.before, behaviours.after) for o in b.births()}
    )
    return tuple(
        Moved(
            p,
            starting(behaviours.before, p, migration),
            starting(behaviours.after, p, migration),
            facts.title(p),
            (),
        )
        for p in born
        if starting(behaviours.before, p, migration) and starting(behaviours.after, p, migration)
    )


def _uses(is_after: bool, sides: Sides, trees: Pair[Tree], migration: Described) -> Found:
    program = sides.programs.after if is_after else sides.programs.before
    tree = trees.after if is_after else trees.before
    space = (sides.behaviours.after if is_after else sides.behaviours.before).space
    return find_uses(names_of(space, migration), program, tree)


def _finding_at(span: Span, findings: Iterable[Finding], sides: Sides) -> Finding | None:
    """Return the finding that is about the use at a span: its place, or where it breaks there."""
    for f in findings:
        breaks = [s.span for s in f.trace[-1:] if s.function == f.function]
        if any(_covers(at, span, sides) for at in (f.span, *breaks)):
            return f
    return None


def _covers(place: Span, span: Span, sides: Sides) -> bool:
    """Tell whether a use stands in a place that is less than a whole function."""
    if place.file != span.file or not place.start <= span.start < place.end:
        return False
    found = sides.programs.after.unit(place.file).definitions.values()
    return not any(place.start < d.body < place.end for ds in found for d in ds)


def _revised(use: Use, site: Site, new: Sequence[Finding], sides: Sides, stopped: str) -> Site:
    """Return a site with what the comparison of the two trees says of it and its function.

    What is only noted is harmless in this tree.
    """
    wrong = [f for f in new if f.severity is not Severity.NOTE]
    if finding := _finding_at(use.span, wrong, sides):
        return replace(site, verdict=Verdict.AFFECTED, reason=finding.message, ways=None)
    if finding := _finding_at(use.span, new, sides):
        return replace(site, verdict=Verdict.UNAFFECTED, reason=finding.message, ways=None)
    if stopped:
        return site
    id = (site.file, site.function)
    followed = id in sides.behaviours.after.reached or id in sides.behaviours.before.reached
    if not followed or site.verdict is Verdict.MIGRATED or not _is_changed(use, sides):
        return site
    if site.verdict is Verdict.AFFECTED and id in {(f.file, f.function) for f in wrong}:
        return site
    rest = (
        "what fails here is to be mended elsewhere" if _fails(use, sides) else "nothing fails here"
    )
    reason = f"the patch changes what {site.function}() does to {use.name.label}, and {rest}"
    return replace(site, verdict=Verdict.MIGRATED, reason=reason, ways=None)


def _fails(use: Use, sides: Sides) -> bool:
    """Tell whether pages of a population fail at a use after the patch."""
    return any(
        o.path == use.file
        and o.span.start <= use.span.start < o.span.end
        and o.page.population != ""
        and (o.kind is Kind.CHECK or o.outcome is Outcome.TRAP)
        for o in sides.behaviours.after.observations
    )


def _is_changed(use: Use, sides: Sides) -> bool:
    """Tell whether the patch changed what a function does to the flag, or to the type, of a use."""
    label = use.name.label
    dimension = TYPE if label in sides.behaviours.after.space.names else label
    return sides.is_changed((use.file, use.function), dimension)


def _with_delta(
    sites: list[Site],
    found: Pair[Found],
    changed: Collection[str],
    wrong: Sequence[Finding],
    sides: Sides,
) -> list[Site]:
    """Return the sites with what the patch did to them, and those that it took away."""
    before = Counter(_key(u) for u in found.before.uses if u.file in changed)
    out = []
    for site in sites:
        key = (site.file, site.function, site.operation)
        delta = Delta.KEPT
        if site.file in changed:
            delta = Delta.KEPT if before[key] > 0 else Delta.ADDED
            before[key] -= 1
        out.append(replace(site, delta=delta))
    for use in found.before.uses:
        if use.file in changed and before[_key(use)] > 0:
            before[_key(use)] -= 1
            out.append(_removed(use, wrong, sides))
    return out


def _removed(use: Use, wrong: Iterable[Finding], sides: Sides) -> Site:
    """Return the site of a use that the patch takes away: affected where it is what is missing."""
    id = (use.file, use.function)
    here = [f for f in wrong if (f.file, f.function) == id]
    missing = [f for f in here if _is_missing(use, f, sides)]
    later = [f for f in wrong if id in _passed(f) or _is_behind(use, f, sides)]
    verdict, reason = Verdict.MIGRATED, "the patch takes it away, and nothing fails for want of it"
    if missing:
        verdict, reason = Verdict.AFFECTED, missing[0].message
    elif here:
        verdict = Verdict.UNDECIDED
        reason = "the patch takes it away; whether what fails here wants it is not known"
    elif later:
        place = later[0].function
        reason = f"the patch takes it away, and what then fails is to be mended in {place}()"
    return Site(
        file=use.file,
        function=use.function,
        operation=use.name.word,
        verb=use.name.verb,
        verdict=verdict,
        reason=reason,
        populations=(),
        span=use.span,
        delta=Delta.REMOVED,
        absent=True,
        pasted=use.pasted,
    )


def _passed(finding: Finding) -> frozenset[tuple[str, str]]:
    """Return the functions on the way to where a finding breaks."""
    return frozenset((step.span.file, step.function) for step in finding.trace)


def _is_behind(use: Use, finding: Finding, sides: Sides) -> bool:
    """Tell whether a finding misses what a use did, of pages that go there from its function."""
    id, place = (use.file, use.function), (finding.file, finding.function)
    return _is_missing(use, finding, sides) and any(
        id in o.chain and place in (*o.chain, o.id) for o in sides.behaviours.after.observations
    )


def _is_missing(use: Use, finding: Finding, sides: Sides) -> bool:
    """Tell whether a finding misses what a use did."""
    op = sides.behaviours.after.space.operations.get(finding.missing)
    return op is not None and (op.label, "clears") == (use.name.label, use.name.verb)


def _key(use: Use) -> _Key:
    return (use.file, use.function, use.name.word)


def _absent(findings: Iterable[Finding]) -> Iterator[Site]:
    """Yield the places where something is wrong and no use stands that could be said to be."""
    for (file, function), first in sorted({(f.file, f.function): f for f in findings}.items()):
        yield Site(
            file=file,
            function=function,
            operation=first.operation,
            verb="names",
            verdict=Verdict.AFFECTED,
            reason=first.message,
            populations=(),
            span=first.span,
            delta=Delta.KEPT,
            absent=True,
        )


def _is_reached(site: Site, sides: Sides) -> bool:
    """Tell whether a changed state can come to a site, or the patch itself does."""
    return (
        site.verdict is not Verdict.UNAFFECTED
        or bool(site.populations)
        or site.delta is not Delta.KEPT
        or sides.touches((site.file, site.function))
    )


def _moves(moves: Iterable[Moved], sides: Sides, migration: Described) -> tuple[Move, ...]:
    return tuple(
        Move(
            population=m.title or sides.facts.title(m.name),
            before=m.before,
            after=m.after,
            starts=starting(sides.behaviours.after, m.name, migration),
        )
        for m in moves
    )
