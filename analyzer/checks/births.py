"""Compare how populations come into the world: the derived migration, and forgotten exceptions."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.base import Span
from analyzer.blame import Charge, Culprit
from analyzer.checks.evidence import event_span
from analyzer.compare import Failure, Sides
from analyzer.findings import Cause, Migration
from analyzer.flow.observe import Behaviour, Kind, Observation
from analyzer.pages.machine import Space, describe


def initial_states(behaviour: Behaviour) -> dict[str, dict[str, Observation]]:
    """Return for each population the states it starts in, in words, each with a witness."""
    states: dict[str, dict[str, Observation]] = {}
    for o in behaviour.observations:
        if o.kind is Kind.BIRTH:
            words = _initial(o, behaviour.space)
            states.setdefault(o.page.population, {}).setdefault(words, o)
    return states


def _initial(o: Observation, space: Space) -> str:
    return describe(space, o.page)


def derive_migrations(sides: Sides) -> tuple[Migration, ...]:
    """Return how the initial states of populations differ between the trees."""
    before, after = initial_states(sides.behaviours.before), initial_states(sides.behaviours.after)
    changed = {p for p in before.keys() & after.keys() if before[p].keys() != after[p].keys()}
    kept = tuple(sides.facts.title(p) for p in sorted(before.keys() & after.keys() - changed))
    return tuple(
        Migration(
            name="derived",
            population=sides.facts.title(p),
            before=" or ".join(sorted(before[p])),
            after=" or ".join(sorted(after[p])),
            cause=_cause(after[p], before[p], sides),
            exceptions=kept,
        )
        for p in sorted(changed)
    )


def _cause(
    after: dict[str, Observation], before: dict[str, Observation], sides: Sides
) -> Cause | None:
    for words in sorted(after.keys() - before.keys()):
        for event in reversed(after[words].page.history):
            if sides.touches(event.owner):
                return Cause(event_span(event, sides), event.function)
    for o in after.values():
        return Cause(o.span, o.function)
    return None


def find(sides: Sides) -> Iterator[Charge]:
    """Yield populations whose initial state changed although it is known that it must not."""
    before, after = initial_states(sides.behaviours.before), initial_states(sides.behaviours.after)
    for population in sides.facts.populations:
        if not population.starts:
            continue
        was, now = before.get(population.name, {}), after.get(population.name, {})
        for words in sorted(now.keys() - was.keys() - {population.starts}) if was else ():
            o = now[words]
            yield Charge(
                "wrong-initial-state",
                Failure("wrong-initial-state", o),
                Culprit(o.id, _last_span(o, sides), o.text, "initialiser"),
            )


def _last_span(o: Observation, sides: Sides) -> Span:
    return event_span(o.page.history[-1], sides) if o.page.history else o.span
