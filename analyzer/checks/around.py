"""Find new ways around a clear, to where the pages that it is made for are handed over."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.base import unspaced
from analyzer.c import ir
from analyzer.checks.coverage import is_clear
from analyzer.checks.marks import still_set
from analyzer.checks.obligations import sink_key
from analyzer.comparison.compare import Failure, Sides
from analyzer.findings import Step
from analyzer.flow.domain.observe import Behaviour, Observation, Outcome
from analyzer.pages.machine import TYPE, Event, called
from analyzer.program.defs import calls_of
from analyzer.program.program import Program
from analyzer.program.reach import leads_around


def find(sides: Sides) -> Iterator[Failure]:
    """Yield unknown pages that a function frees, on a way that newly passes its own clear by.

    Before, no way led to the call that frees them but through the clear, so they had the type; and
    the file marks them as it did. They may have it: who goes that way may know that they do not.
    """
    before, after = _clears(sides.behaviours.before), _clears(sides.behaviours.after)
    for o in sides.behaviours.after.observations:
        may = o.is_typed_sink and o.outcome is Outcome.MAY_LEAK
        if not may or o.page.population or o.page.source(TYPE) is not None:
            continue
        was, still = before.get(sink_key(o), []), after.get(sink_key(o), [])
        clear = next((e for e in still if e is not None), None)
        if clear is None or not was or None in was or not still_set(clear, sides):
            continue
        texts = {unspaced(e.operation) for e in was if e is not None}
        ways = sides.programs.map(lambda p: _is_passed(p, clear, o))  # noqa: B023
        if texts == {unspaced(clear.operation)} and ways.before is False and ways.after:
            flag = called(sides.behaviours.after.space.operations[clear.accessor].label)
            says = f"{o.function}() passes by its clear of {flag} on a way to {o.operation}()"
            span = clear.span_in(sides.programs.after.unit(clear.path))
            steps = (
                Step(span, o.function, f"{o.function}() clears {flag} on another way"),
                Step(o.span, o.function, f"{o.function}() frees the pages on both"),
            )
            yield Failure("leak-to-buddy", o, definite=False, says=says, steps=steps)


def _clears(behaviour: Behaviour) -> dict[object, list[Event | None]]:
    """Return for each hand-over the clears in its function that lead there, None for others."""
    found: dict[object, list[Event | None]] = {}
    for o in behaviour.observations:
        if o.is_typed_sink and not o.page.population:
            source = o.page.source(TYPE) if o.outcome is Outcome.CLEAN else None
            own = (
                source is not None
                and is_clear(source.accessor, behaviour.space)
                and (*(f.id for f in source.chain), source.owner) == o.chain
            )
            found.setdefault(sink_key(o), []).append(source if own else None)
    return found


def _is_passed(program: Program, clear: Event, o: Observation) -> bool | None:
    """Tell whether a function can come to a call of a name without having come to a clear.

    A loop that clears is one clear. None where the function holds no such clear, or several calls.
    """
    found: set[bool | None] = set()
    clear_text = unspaced(clear.operation)
    for function, variant in program.bodies(o.id):
        unit = program.unit(function.path)
        clears, frees = [], []
        for at, call in calls_of(variant):
            if isinstance(call.callee, ir.Name):
                clears += [at.block] if unspaced(unit.said(call.span)) == clear_text else []
                frees += [at.block] if call.callee.id == o.operation else []
        one = len(clears) == 1 and len(frees) == 1
        found.add(leads_around(variant, clears[0], frees[0]) if one else None)
    return found.pop() if len(found) == 1 else None
