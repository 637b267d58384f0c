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
from analyzer.base import Pair, Severity
from analyzer.budget import ENDS, OutOfBudgetError, reason_of
from analyzer.compare import Sides
from analyzer.findings import Finding, Status
from analyzer.flow.observe import Behaviour
from analyzer.migrations import Described, Moved
from analyzer.pages.facts import Facts
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
    shifts = shifts_of(moved, migration, known, sides.facts)
    found = sides.programs.map(lambda p: _uses(p is sides.programs.after, sides, trees, migration))
    try:
        if cut := sides.programs.before.cut or sides.programs.after.cut:
            raise OutOfBudgetError(cut)
        judged, stopped = _judged(sides, trees, migration, found, shifts)
    except ENDS as end:
        stopped = reason_of(end)
        judged = unjudged(found.after.uses, stopped)
    wrong = _by_function(f for f in findings if _counts(f))
    sites = [
        _revised(use, site, wrong, sides, stopped)
        for use, site in zip(found.after.uses, judged, strict=True)
    ]
    sites = _with_delta(sites, found, changed)
    sites += _absent(wrong, sites)
    kept = tuple(s for s in sites if _is_reached(s, sides))
    return Audited(
        tuple(sorted(kept, key=lambda s: (s.file, s.line, s.operation))),
        found.after,
        _moves(moved, sides, migration),
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
) -> tuple[tuple[Site, ...], str]:
    """Return a site for each use of the tree after, and what ended that before all was judged."""
    scene = scene_of(
        sides.programs.after,
        trees.after,
        sides.facts,
        migration,
        found.after,
        shifts,
        after=Flow.of(sides.behaviours.after),
        before=Flow.of(sides.behaviours.before, exact=False),
        is_in=True,
    )
    budget = sides.programs.after.budget
    if any(b.ended for b in (sides.behaviours.before, sides.behaviours.after)):
        scene.cut = budget.spent or "out of time"
    return judge_all(found.after.uses, scene, budget=budget), scene.cut or budget.spent


def moved_by(sides: Sides, migration: Described) -> tuple[Moved, ...]:
    """Return the populations that start in another state after a patch."""
    derived = derived_moves(sides.behaviours, migration, sides.facts)
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


def derived_moves(
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


def _counts(finding: Finding) -> bool:
    return finding.status is Status.INTRODUCED and finding.severity is not Severity.NOTE


def _by_function(findings: Iterable[Finding]) -> Mapping[tuple[str, str], Sequence[Finding]]:
    found: dict[tuple[str, str], list[Finding]] = {}
    for f in findings:
        found.setdefault((f.file, f.function), []).append(f)
    return found


def _revised(
    use: Use,
    site: Site,
    wrong: Mapping[tuple[str, str], Sequence[Finding]],
    sides: Sides,
    stopped: str,
) -> Site:
    """Return a site with what the comparison of the two trees says of its function."""
    id = (site.file, site.function)
    if id in wrong:
        return replace(site, verdict=Verdict.AFFECTED, reason=wrong[id][0].message, ways=None)
    if stopped:
        return site
    followed = id in sides.behaviours.after.reached or id in sides.behaviours.before.reached
    if followed and site.verdict is not Verdict.MIGRATED and sides.touches(id):
        label = use.name.label
        return replace(
            site,
            verdict=Verdict.MIGRATED,
            reason=f"the patch changes what {site.function}() does to {label}, and nothing that "
            "comes here fails",
            ways=None,
        )
    return site


def _with_delta(sites: list[Site], found: Pair[Found], changed: Collection[str]) -> list[Site]:
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
            out.append(_removed(use, out))
    return out


def _removed(use: Use, sites: Iterable[Site]) -> Site:
    same = [s for s in sites if (s.file, s.function) == (use.file, use.function)]
    bad = next((s for s in same if s.verdict is Verdict.AFFECTED), None)
    return Site(
        file=use.file,
        function=use.function,
        operation=use.name.word,
        verb=use.name.verb,
        verdict=Verdict.AFFECTED if bad else Verdict.MIGRATED,
        reason=bad.reason if bad else "the patch takes it away, and nothing fails without it",
        populations=(),
        span=use.span,
        delta=Delta.REMOVED,
        absent=True,
        pasted=use.pasted,
    )


def _key(use: Use) -> _Key:
    return (use.file, use.function, use.name.word)


def _absent(
    wrong: Mapping[tuple[str, str], Sequence[Finding]], sites: Iterable[Site]
) -> Iterator[Site]:
    """Yield the places where an operation is missing: there is no use that could stand for it."""
    seen = {(s.file, s.function) for s in sites}
    for id, findings in sorted(wrong.items()):
        if id not in seen:
            first = findings[0]
            yield Site(
                file=first.file,
                function=first.function,
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


__all__ = ["Shift", "audit_change", "derived_moves", "moved_by", "with_history"]
