"""Find what is missing: pages put to use that still carry the state they were born with."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from analyzer.base import FunctionId
from analyzer.checks.evidence import event_span, flag_name, subject
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
    yield from _made_later(sides)


def _made_later(sides: Sides) -> Iterator[Failure]:
    """Yield what marks pages for a use before they are made, and marked those that were before.

    Making them starts all over: they are left with the type of their initialisation.
    """
    before, after = sides.behaviours.before, sides.behaviours.after
    used = {
        (o.root, mark.accessor): _key(o)
        for o in before.observations
        if o.kind is Kind.EXIT and o.page.types & UNTYPED
        if (mark := mark_of(o, sides.facts)) is not None
    }
    left = {_key(o): o for o in after.observations if _is_unused(o, sides)}
    early = {(o.root, o.operation) for o, _ in before.operations() if not o.page.population}
    made: dict[FunctionId, int] = {}
    for o in after.observations:
        if o.kind is Kind.BIRTH:
            made[o.root] = min(made.get(o.root, _begin(o)), _begin(o))
    for o, _ in after.operations():
        at = (o.root, o.operation)
        unused = left.get(used.get(at))
        is_first = not o.page.population and _begin(o) < made.get(o.root, 0)
        if unused is not None and is_first and at not in early:
            pages, flag = subject(unused, sides), flag_name(o.dimension, o.operation, sides)
            says = f"{o.function}() sets {flag} on {pages} before they are made"
            yield Failure("missing-clear", replace(o, dimension=TYPE), says=says)


def _begin(o: Observation) -> int:
    """Return where the entry point does something, or calls what leads there."""
    return o.stack[0].span.start if o.stack else o.span.start


def _is_unused(o: Observation, sides: Sides) -> bool:
    """Tell whether pages are left as they were made, and nothing marks them for a use."""
    source = o.page.source(TYPE)
    is_left = o.kind is Kind.EXIT and not o.given and not o.page.types & UNTYPED
    initial = source is not None and sides.facts.is_initial(source, o.page)
    return is_left and initial and mark_of(o, sides.facts) is None


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
