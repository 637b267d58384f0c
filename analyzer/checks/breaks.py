"""Tell where pages fail, so that who mends it is known whoever is to blame by then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator

from analyzer.base import Pair
from analyzer.blame.culprit import Charge
from analyzer.comparison.compare import Failure, Sides, asserted, leaked, trapped
from analyzer.findings import Break
from analyzer.flow.domain.observe import Behaviour, Outcome
from analyzer.program.program import Program

#: How operations, hand-overs and assertions fail.
_FAILS = (Outcome.TRAP, Outcome.LEAK, Outcome.MAY_LEAK, Outcome.FAILED)


def breaks_of(charges: Collection[Charge]) -> tuple[Break, ...]:
    """Return where pages fail over what one function is charged with."""
    fails = [c for c in charges if c.failure.seen.outcome in _FAILS]
    found = {b for c in fails for b in _breaks(c.failure) if b.through == _through(c)}
    return tuple(sorted({*found, *(less(c.failure.less) for c in charges if c.failure.less)}))


def less(what: str) -> Break:
    """Return what stands for a finding that something is done to fewer pages than before."""
    return Break("", what, "", "")


def done_more(sides: Sides, changed: Collection[str]) -> frozenset[Break]:
    """Return what stands for findings that what is done now in more places was done too little."""
    counts = sides.programs.map(lambda p: _counted(p, changed, sides))
    return frozenset(map(less, counts.after - counts.before))


def _counted(program: Program, changed: Collection[str], sides: Sides) -> Counter[str]:
    """Count where changed files mark pages, unmark them and ask them for it."""
    found = Counter[str]()
    for path in changed:
        for op, _, at in sides.done_in(path, program):
            found[f"{op.verb} {op.label}"] += len(at)
    return found


def mended(behaviours: Pair[Behaviour]) -> frozenset[Break]:
    """Return where pages fail before and not after."""
    failing = behaviours.map(_failing)
    return failing.before - failing.after


def _failing(behaviour: Behaviour) -> frozenset[Break]:
    return frozenset(
        b
        for detect in (trapped, leaked, asserted)
        for failure in detect(behaviour)
        for b in _breaks(failure)
    )


def _breaks(failure: Failure) -> Iterator[Break]:
    """Yield where a page fails, once for each function that leads there."""
    o = failure.seen
    for _, name in o.chain:
        yield Break(o.path, o.function, failure.rule, name)


def _through(charge: Charge) -> str:
    """Return who is to blame, or leads to that as well as to where a page fails."""
    o, culprit = charge.failure.seen, charge.culprit.id
    if culprit in o.chain:
        return culprit[1]
    source = o.source
    is_writer = source is not None and source.owner == culprit
    shared = {f.id for f in source.chain} if source is not None and is_writer else set()
    return next((id[1] for id in reversed(o.chain) if id in shared), o.function)
