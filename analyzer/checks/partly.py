"""Find ranges of pages of which only a part is unmarked before all of it is handed over."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from analyzer.checks.coverage import (
    AGAIN,
    BEHIND_THE_FIRST,
    Coverage,
    is_clear,
    parting,
    way_of,
    way_to,
)
from analyzer.checks.marks import still_set
from analyzer.checks.moved import Former, clear_of
from analyzer.comparison.compare import Failure, Sides
from analyzer.flow.domain.observe import Behaviour, Observation, Outcome
from analyzer.pages.machine import TYPE, Event, Frame, called


def find(sides: Sides) -> Iterator[Failure]:
    """Yield ranges that are handed over whole and cleared in part, and were cleared whole before.

    Or that were marked whole on the way: by what made them, or in a loop. Freeing may reset the
    type of the page that it is passed: then that one need not be cleared.
    """
    before, after = (
        Coverage(p, sides.facts, b)
        for p, b in (
            (sides.programs.before, sides.behaviours.before),
            (sides.programs.after, sides.behaviours.after),
        )
    )
    handed = sides.behaviours.map(_handed)
    former = Former(handed, sides)
    for o in handed.after:
        clear, left = o.page.source(TYPE), after.left(o)
        if clear is None or not left or _is_forgotten(o, left, sides):
            continue
        was = former.at(o)
        known = {before.left(old) for old in was}
        clears = [clear, *(e for old in was if (e := clear_of(old)) is not None)]
        lost = known == {""} and any(still_set(e, sides) for e in clears)
        if lost or (not any(known) and after.is_marked_whole(o)):
            yield _failure(o, clear, left, sides)


def _is_forgotten(o: Observation, left: str, sides: Sides) -> bool:
    """Tell whether freeing resets the type of what was not cleared."""
    if not sides.behaviours.after.types_forgotten:
        return False
    sink = sides.facts.sinks.get(o.operation)
    return sink is None or sink.order is None or left == BEHIND_THE_FIRST


def _failure(o: Observation, clear: Event, left: str, sides: Sides) -> Failure:
    flag = called(sides.behaviours.after.space.operations[clear.accessor].label)
    call = _call_to(clear, o) if left == AGAIN else None
    unit = sides.programs.after.unit(clear.path)
    span, text = (call.span, call.text) if call else (clear.span_in(unit), clear.operation)
    path, name = call.id if call else clear.owner
    does = f"has {clear.function}() clear" if call else "clears"
    who = "it" if name == o.function else f"{o.function}()"
    says = f"{name}() {does} {flag} {left} that {who} hands to the buddy"
    at = replace(o, path=path, function=name, span=span, text=text)
    return Failure("leak-to-buddy", at, says=says)


def _call_to(clear: Event, o: Observation) -> Frame | None:
    """Return the call that leads to a clear from where the way to a hand-over goes elsewhere."""
    part = parting(way_of(o), way_to(clear))
    return clear.chain[part] if part is not None and part < len(clear.chain) else None


def _handed(behaviour: Behaviour) -> Sequence[Observation]:
    """Return where pages of which somebody has cleared the type are handed to the buddy."""
    return [
        o
        for o in behaviour.observations
        if o.is_typed_sink and o.outcome is Outcome.CLEAN
        if (source := o.page.source(TYPE)) is not None
        if is_clear(source.accessor, behaviour.space)
    ]
