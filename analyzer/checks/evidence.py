"""Gather a finding's evidence: the cause, and the trace from it to the site."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile

from analyzer.base import Span, unspaced
from analyzer.c import ir
from analyzer.comparison.compare import Sides
from analyzer.findings import Cause, Step
from analyzer.flow.domain.observe import Behaviour, Kind, Observation, Outcome
from analyzer.pages.machine import (
    OTHER,
    TYPE,
    UNTYPED,
    Event,
    Frame,
    PageState,
    Space,
    called,
    describe,
)
from analyzer.spelling import in_words

_MOST_STEPS = 7
_MOST_EVENTS = 3
_MOST_STATES = 3


def event_span(event: Event, sides: Sides) -> Span:
    """Return the span of an event's operation in the tree after."""
    return event.span_in(sides.programs.after.unit(event.path))


def find_cause(seen: Observation, sides: Sides) -> Cause | None:
    """Return the newest change on the way to a site: a write or a place that the patch touched.

    Where freeing a page took its type off, and does not now, that is what a leak comes from.
    """
    released = _release(sides) if seen.is_typed_sink else None
    if released is not None:
        return released
    for event in reversed(seen.page.history):
        if event.kind != "test" and sides.touches(event.owner):
            return Cause(event_span(event, sides), event.function)
    if sides.touches(seen.id):
        return Cause(seen.span, seen.function)
    for frame in reversed(seen.stack):
        if sides.touches(frame.id):
            return Cause(frame.span, frame.function)
    return None


def _release(sides: Sides) -> Cause | None:
    """Return what frees pages, where it takes their type off in the tree before and not after."""
    behaviours, (path, name, _) = sides.behaviours, sides.facts.release
    if behaviours.after.types_forgotten or not behaviours.before.types_forgotten:
        return None
    found = next(iter(sides.programs.after.lowered((path, name))), None)
    return Cause(found.span, name) if found else None


def trace_of(seen: Observation, sides: Sides) -> tuple[Step, ...]:
    """Return what happens to the page from its birth to the site, in at most seven steps."""
    space = sides.behaviours.after.space
    events = seen.page.history[-_MOST_EVENTS:]
    calls = seen.stack[-(_MOST_STEPS - 1 - len(events)) :]
    left = len(seen.stack) - len(calls)  # out of the outermost calls
    steps: list[Step] = []
    made = 0
    for event in events:
        # What a function does that is still at work comes after the calls that lead to it.
        shared = max(_shared(event.chain, seen.stack) - left, made)
        steps += map(_call_step, calls[made:shared])
        steps.append(_event_step(event, space, sides, seen.page.population))
        made = shared
    steps += map(_call_step, calls[made:])
    before, after = (
        _states(b, _place(seen)) for b in (sides.behaviours.before, sides.behaviours.after)
    )
    end = Step(
        seen.span,
        seen.function,
        _ending(seen, space),
        before=before,
        after=after or state_text(seen.page, space),
    )
    return (*steps, end)


def _shared(one: Sequence[Frame], other: Sequence[Frame]) -> int:
    """Count the calls from the root on that two ways have in common."""
    same = (a == b for a, b in zip(one, other, strict=False))
    return sum(1 for _ in takewhile(bool, same))


def _call_step(frame: Frame) -> Step:
    what = f"{frame.function}() calls {_callee(frame.text)}"
    return Step(frame.span, frame.function, what, is_call=True)


def _states(behaviour: Behaviour, place: tuple[object, ...]) -> str:
    """Say in which states pages come to a place in one tree; empty if none do, or in too many."""
    states = sorted(
        {state_text(o.page, behaviour.space) for o in behaviour.observations if _place(o) == place}
    )
    return " or ".join(states) if len(states) <= _MOST_STATES else ""


def _place(seen: Observation) -> tuple[object, ...]:
    """Return what makes two observations those of one place, whatever its line."""
    text = unspaced(seen.text)
    return (seen.kind, seen.id, seen.operation, text, seen.page.population)


def _callee(text: str) -> str:
    head = text.split("(")[0] if not text.startswith("(") else text[: text.index(")") + 1]
    return f"{head}()"


def _event_step(event: Event, space: Space, sides: Sides, population: str) -> Step:
    name = event.accessor
    if event.kind == "birth":
        what = f"{event.function}() makes the page by {event.operation}"
    elif event.kind == "test":
        what = f"{event.function}() has tested {event.operation}"
    else:
        op = space.operations.get(name)
        verb = "changes" if op is None else op.verb.says
        label = event.dimension if op is None else called(op.label)
        what = f"{event.function}() {verb} {label}"
    text = unspaced(event.operation)
    place = (Kind.OPERATION, event.owner, name, text, population)
    before, after = (_states(b, place) for b in (sides.behaviours.before, sides.behaviours.after))
    return Step(event_span(event, sides), event.function, what, before=before, after=after)


def verb_of(operation: str, sides: Sides) -> str:
    """Say what an accessor does: `sets`, `clears` or `tests`."""
    return sides.behaviours.after.space.operations[operation].verb.says


def state_text(page: PageState, space: Space, flags: tuple[str, ...] = ("Reserved",)) -> str:
    """Say in words that go into a sentence what a page is when it arrives."""
    return in_words(describe(space, page, flags))


def _ending(seen: Observation, space: Space) -> str:
    state = state_text(seen.page, space)
    match seen.kind, seen.outcome:
        case Kind.OPERATION, Outcome.TRAP:
            return f"{seen.operation}() traps: the page is {state}"
        case Kind.OPERATION, _:
            return f"{seen.operation}() changes nothing: the page is {state}"
        case Kind.SINK, _:
            return f"{seen.operation}() is handed a page that is {state}"
        case Kind.CHECK, _:
            return f"{seen.operation}() fails: the page is {state}"
    return f"{seen.function}() leaves the page {state}"


def is_asserted(seen: Observation, sides: Sides) -> bool:
    """Tell whether a test is part of an assertion: other rules judge those."""
    return any(
        isinstance(step, ir.Check) and step.span.start <= seen.span.start < step.span.end
        for _, variant in sides.programs.after.bodies(seen.id)
        for step in variant.steps
    )


def subject(seen: Observation, sides: Sides) -> str:
    """Return how the pages of an observation are called: `hotplugged pages`."""
    return sides.facts.title(seen.page.population)


def flag_name(dimension: str, operation: str, sides: Sides) -> str:
    """Return how a dimension is called in a message: `PageOffline`, `PageReserved`."""
    op = sides.behaviours.after.space.operations.get(operation)
    if op is not None:
        return called(op.label)
    return "a page type" if dimension == TYPE else f"Page{dimension}"


def held_name(seen: Observation, sides: Sides) -> str:
    """Name what a page still carries in the dimension that is at fault."""
    if seen.dimension != TYPE:
        return f"Page{seen.dimension}"
    space, types = sides.behaviours.after.space, seen.page.types
    if types == space.every:
        return "a type"
    carried = types & ~UNTYPED or types  # of a page that may have no type, the one that it may have
    source = seen.page.source(TYPE)
    op = None if source is None else space.operations.get(source.accessor)
    if carried == space.mask_of(OTHER) and op is not None and op.is_set:
        return f"Page{op.label}"
    if certain := space.common(carried):
        return " and ".join(map(called, certain))
    return " or ".join(called(n) for i, n in enumerate(space.names) if carried >> i & 1)
