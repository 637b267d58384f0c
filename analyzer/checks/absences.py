"""Find what is missing: pages put to use that still carry the state they were born with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from analyzer.checks.evidence import event_span
from analyzer.comparison.compare import Failure, Sides
from analyzer.flow.domain.observe import Behaviour, Kind, Observation
from analyzer.pages.facts import Facts
from analyzer.pages.machine import SET, TYPE, UNTYPED, Event


def find(sides: Sides) -> Iterator[Failure]:
    """Yield pages that are marked for a use with the type of their initialisation still on.

    A function that makes pages, marks them with a flag of its own and keeps them has put them
    to use. Where the patch gave such pages a type, that type must be cleared first. Somebody
    else who is told of the pages, a notifier, only remembers something with a flag.
    """
    before = {_key(o) for o, _ in _in_use(sides.behaviours.before, sides)}
    for o, mark in _in_use(sides.behaviours.after, sides):
        if _key(o) not in before:
            at = replace(
                o,
                path=mark.path,
                function=mark.function,
                span=event_span(mark, sides),
                text=mark.operation,
                dimension=TYPE,
            )
            yield Failure("missing-clear", at)


def _key(o: Observation) -> object:
    return (o.id, o.page.population)


def _in_use(behaviour: Behaviour, sides: Sides) -> Iterator[tuple[Observation, Event]]:
    for o in behaviour.observations:
        if o.kind is not Kind.EXIT or o.given or o.page.types & UNTYPED:
            continue
        source = o.page.source(TYPE)
        if source is None or not sides.facts.is_initial(source, o.page):
            continue
        mark = mark_of(o, sides.facts)
        if mark is not None:
            yield o, mark


def mark_of(o: Observation, facts: Facts) -> Event | None:
    """Return what marks the pages that a function leaves for a use of its own, None where nothing.

    That is a flag, set in the function's file.
    """
    for event in reversed(o.page.history):
        mark = event.kind == "write" and event.dimension not in ("", TYPE)
        mark = mark and event.path == o.path and o.page.flag(event.dimension) == SET
        if mark and not facts.is_initial(event, o.page):
            return event
    return None
