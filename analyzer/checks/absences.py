"""Find what is missing: pages put to use that still carry the state they were born with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from analyzer.checks.evidence import event_span
from analyzer.comparison.compare import Failure, Sides
from analyzer.flow.domain.observe import Behaviour, Kind, Observation, Outcome
from analyzer.pages.facts import Facts
from analyzer.pages.machine import SET, TYPE, UNTYPED, Event, Verb


def find(sides: Sides) -> Iterator[Failure]:
    """Yield pages that are marked for a use with the type of their initialisation still on.

    A function that makes pages, marks them with a flag of its own and keeps them has put them
    to use. Where the patch gave such pages a type, that type must be cleared first, or by a caller.
    Somebody else who is told of the pages, a notifier, only remembers something with a flag.
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
        if mark is not None and not _cleared_above(mark, behaviour, sides.facts):
            yield o, mark


def _cleared_above(mark: Event, behaviour: Behaviour, facts: Facts) -> bool:
    """Tell whether callers clear pages that were marked, where they have done their work."""
    roots = {
        o.root
        for o, op in behaviour.operations()
        if (op.dimension, op.verb) == (TYPE, Verb.CLEAR) and mark in o.page.history
    } - {mark.entry}
    return bool(roots) and not any(
        o.kind is Kind.EXIT and o.outcome is Outcome.DONE and o.root in roots
        for o in behaviour.observations
        if mark in o.page.history
        for source in (o.page.source(TYPE),)
        if source is not None and facts.is_initial(source, o.page)
    )


def mark_of(o: Observation, facts: Facts) -> Event | None:
    """Return what marks the pages that a function leaves for a use of its own, None where nothing.

    That is a flag, set in the function's file or by a function of a header.
    """
    for event in reversed(o.page.history):
        mark = event.kind == "write" and event.dimension not in ("", TYPE)
        mark = mark and (event.path == o.path or event.path.endswith(".h"))
        mark = mark and o.page.flag(event.dimension) == SET
        if mark and not facts.is_initial(event, o.page):
            return event
    return None
