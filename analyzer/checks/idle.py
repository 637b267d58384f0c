"""Find operations on flags that can no longer change anything."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from analyzer.blame.culprit import Charge, charge_site, culprit_at
from analyzer.checks.coverage import Coverage
from analyzer.comparison.compare import Failure, Sides
from analyzer.flow.domain.observe import Behaviour, Observation, Outcome, by_site
from analyzer.pages.machine import EITHER, TYPE
from analyzer.program.callers import callers_of


def find(sides: Sides) -> Iterator[Failure]:
    """Yield operations that had an effect before and have none on any page now.

    Only where every caller was followed: a function that others may call with other pages is
    none of ours to call dead. Nor where a part of the pages alone has lost the flag.
    """
    coverage = Coverage(sides.programs.after, sides.facts, sides.behaviours.after)
    sites = sides.behaviours.map(_on_flags)
    for key, seen in sorted(sites.after.items(), key=repr):
        if any(o.outcome is not Outcome.NO_EFFECT for o in seen):
            continue
        was = sites.before.get(key, [])
        worked = [o for o in was if o.outcome is Outcome.EFFECTIVE]
        if not worked or any(o.page.flag(o.dimension) == EITHER for o in worked):
            continue
        if _every_caller_followed(seen[0], sides) and not any(map(coverage.is_begun, seen)):
            yield Failure("dead-op", seen[0])


def charge(failure: Failure, sides: Sides) -> Charge:
    """Charge an idle operation, or the caller whose turned test sends it the wrong pages."""
    seen = failure.seen
    source = seen.source
    for frame in reversed(seen.stack):
        told = source is not None and source.kind == "test" and source.owner == frame.id
        if told and sides.call_inverted(frame):
            op = sides.behaviours.after.space.operations[seen.operation]
            says = (
                f"{frame.function}() calls {frame.text} the other way round: "
                f"{seen.function}() then {op.verb}s Page{op.label} where it is so already"
            )
            turned = replace(failure, rule="contract-mismatch", definite=False, says=says)
            return Charge(turned.rule, turned, culprit_at(frame, "caller"))
    return charge_site(failure)


def _on_flags(behaviour: Behaviour) -> dict[object, list[Observation]]:
    """Return what operations on flags were seen to do, by site."""
    return by_site(
        o
        for o, _ in behaviour.operations()
        if o.dimension != TYPE and o.outcome not in (Outcome.SEEN, Outcome.LATE)
    )


def _every_caller_followed(seen: Observation, sides: Sides) -> bool:
    program, reached = sides.programs.after, sides.behaviours.after.reached
    for function in program.lowered(seen.id):
        if not function.static:
            return False
    return all(c in reached for c in callers_of(program, seen.id))
