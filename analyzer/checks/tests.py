"""Find tests whose outcome has turned for pages that come to them, where that matters."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping

from analyzer.base import FunctionId, unspaced
from analyzer.c import ir
from analyzer.checks.evidence import find_cause, flag_name, is_asserted, subject, trace_of
from analyzer.comparison.compare import Sides
from analyzer.findings import Finding
from analyzer.flow.domain.observe import Behaviour, Observation, Outcome
from analyzer.pages.machine import CLEAR, SET, TYPE, UNTYPED, PageState, Space
from analyzer.pages.provenance import load_provenance
from analyzer.program.defs import call_at, calls_of
from analyzer.program.program import Program
from analyzer.rules import Rule
from analyzer.ways.state import Held, Way
from analyzer.ways.walk import World
from analyzer.ways.ways import shares_of

_RULE = "stale-test"
#: A state may be written on one way only and be the same at the end; that an assertion holds now or
#: fails is said by another rule.
_IDLE = ("writes", "computes", "fails")


def find_tests(sides: Sides, rules: Mapping[str, Rule]) -> Iterator[Finding]:
    """Yield a finding for each function that goes another way now because a test has turned.

    Not where the patch itself changed what the function does to the flag: it has seen to it.
    """
    tracked = (TYPE, *sides.facts.flags)  # what populations are born with
    before = _outcomes(sides.behaviours.before, tracked, sides.programs.before)
    now = _outcomes(sides.behaviours.after, tracked, sides.programs.after)
    told: set[tuple[str, str]] = set()
    for key, seen in sorted(now.items(), key=repr):
        first = next(iter(seen.values()))
        was = before.get(key, {})
        # The flag that pages have lost is the old way to tell them. One that they have now is
        # tested by who has followed as well as by who has not.
        if (tuple(was), tuple(seen)) != ((True,), (False,)) or first.id in told:
            continue
        if sides.is_changed(first.id, first.dimension) or is_asserted(first, sides):
            continue
        ways = _differ(next(iter(was.values())), first, sides)
        if ways is not None:
            told.add(first.id)
            yield _finding(first, ways, sides, rules[_RULE])


def _outcomes(
    behaviour: Behaviour, tracked: Collection[str], program: Program
) -> dict[object, dict[bool | None, Observation]]:
    """Return for each test, and each population that comes to it, its outcomes with a witness.

    A test is told by its place among those of its function that are written alike.
    """
    found: dict[object, dict[bool | None, Observation]] = {}
    places: dict[tuple[FunctionId, str], tuple[int, ...]] = {}
    for o, op in behaviour.operations():
        if o.outcome is not Outcome.SEEN or not op.is_test:
            continue
        if not o.page.population or o.dimension not in tracked:
            continue
        if (o.id, o.operation) not in places:
            places[o.id, o.operation] = _places(program, o)
        nth = bisect_left(places[o.id, o.operation], o.span.start)
        key = (o.id, nth, unspaced(o.text), o.page.population)
        found.setdefault(key, {}).setdefault(_outcome(o, behaviour.space), o)
    return found


def _places(program: Program, o: Observation) -> tuple[int, ...]:
    """Return where a function calls what an observation is about, in order."""
    calls = (c for _, v in program.bodies(o.id) for _, c in calls_of(v))
    return tuple(sorted({c.span.start for c in calls if c.callee == ir.Name(o.operation)}))


def _outcome(o: Observation, space: Space) -> bool | None:
    """Return how a test of a page goes; None where it can go either way."""
    if o.dimension != TYPE:
        return {SET: True, CLEAR: False}.get(o.page.flag(o.dimension))
    truth = space.operations[o.operation].truth
    outcomes = {truth[i] for i in range(len(space.values)) if o.page.types >> i & 1}
    return outcomes.pop() if len(outcomes) == 1 else None


def _differ(was: Observation, now: Observation, sides: Sides) -> tuple[str, str] | None:
    """Return what happens only before and only after because of a test; None where nothing is."""
    space, known = sides.behaviours.after.space, load_provenance()
    states = (_held(was.page, space), _held(now.page, space))
    world = World(space, sides.facts, frozenset(), known.pure, known.typed)
    values = known.fresh.get(now.page.population, {})
    for function, variant in sides.programs.after.bodies(now.id):
        at = call_at(variant, now.span.start)
        if at is None or not at[1].args:
            continue
        for share in shares_of(function, variant, *at, states, values, world):
            lost, gained = doing(share.lost), doing(share.gained)
            if lost or gained:
                return spelled(lost), spelled(gained)
    return None


def doing(ways: frozenset[Way]) -> frozenset[Way]:
    """Return what matters of what happens."""
    return frozenset(w for w in ways if w.kind not in _IDLE)


def spelled(ways: frozenset[Way]) -> str:
    """Say what happens in words."""
    return " and ".join(map(str, sorted(ways)[:3])) or "does nothing more"


def _held(page: PageState, space: Space) -> Held:
    names = [n for n, mask in page.flags if mask == SET]
    label = "" if page.types == UNTYPED else space.describe(page.types)
    return Held(frozenset(names), label)


def _finding(o: Observation, ways: tuple[str, str], sides: Sides, rule: Rule) -> Finding:
    flag, pages = flag_name(o.dimension, o.operation, sides), subject(o, sides)
    return Finding(
        rule=rule.id,
        function=o.function,
        file=o.path,
        operation=o.text,
        span=o.span,
        severity=rule.severity,
        confidence=rule.confidence,
        message=(
            f"{o.function}() tests {flag} on {pages}, which goes the other way now: it {ways[1]}, "
            f"and before it {ways[0]}"
        ),
        cause=find_cause(o, sides),
        trace=trace_of(o, sides),
    )
