"""Leave out what was seen of pages on no path that exists."""

from __future__ import annotations

import re
from dataclasses import replace

from analyzer.base import Pair
from analyzer.c import ir
from analyzer.checks.calls import elsewhere, sizes_of
from analyzer.compare import Sides
from analyzer.flow.arguments import split_arguments
from analyzer.flow.observe import Behaviour, Kind, Observation, Outcome
from analyzer.flow.program import FunctionId, Program
from analyzer.flow.shape import names_in, shape_of
from analyzer.pages.machine import Frame


def without_unreal(sides: Sides) -> Sides:
    """Return both sides without what only a call that cannot compile, or another page, explains.

    What stands for an argument that is not passed is anything: no path that exists is like that.
    And a page after a loop that steps from page to page is none of those in the loop.
    """
    b, p = sides.behaviours, sides.programs
    calls = _miscalls(b.before, p.before) | _miscalls(b.after, p.after)
    return replace(
        sides,
        behaviours=Pair(_real(b.before, p.before, calls), _real(b.after, p.after, calls)),
    )


def _real(behaviour: Behaviour, program: Program, calls: set[tuple[str, str, str]]) -> Behaviour:
    kept = tuple(
        o
        for o in behaviour.observations
        if not (calls and any(_call(f) in calls for f in o.stack)) and not _is_next_page(o, program)
    )
    if len(kept) == len(behaviour.observations):
        return behaviour
    return replace(behaviour, observations=kept)


def _is_next_page(o: Observation, program: Program) -> bool:
    """Tell whether an operation traps for what a loop did to another page.

    The loop has stepped on to the page at hand: what it wrote last, it wrote to the one before.
    """
    if o.kind is not Kind.OPERATION or o.outcome not in (Outcome.TRAP, Outcome.MAY_TRAP):
        return False
    source = o.page.source(o.dimension)
    if source is None or source.kind != "write" or source.owner != o.id:
        return False
    return any(
        _steps_between(variant, source.at, o.span.start)
        for function in program.lowered(o.id)
        for variant in function.variants
    )


def _steps_between(variant: ir.Variant, write: int, at: int) -> bool:
    """Tell whether a loop around a write, and not around a place, steps the place's page."""
    places = {
        step.span.start: (b, step)
        for b, block in enumerate(variant.blocks)
        for step in block.instructions
        if isinstance(step, ir.Call) and step.span.start in (write, at)
    }
    if write not in places or at not in places:
        return False
    shape = shape_of(variant)
    (written, _), (used, call) = places[write], places[at]
    left = set(shape.inner[written]) - set(shape.inner[used])
    named = {n for a in call.args[:1] for n in names_in(a)}
    return any(named & shape.advanced[loop] for loop in left)


def _miscalls(behaviour: Behaviour, program: Program) -> set[tuple[str, str, str]]:
    """Return the calls that pages went through and that pass too many arguments or too few."""
    steps = {s for o in behaviour.observations for s in zip(o.stack, o.chain[1:], strict=True)}
    return {_call(frame) for frame, callee in steps if _is_miscall(frame, callee, program)}


def _call(frame: Frame) -> tuple[str, str, str]:
    return (frame.path, frame.function, "".join(frame.text.split()))


def _is_miscall(frame: Frame, callee: FunctionId, program: Program) -> bool:
    """Tell whether a call passes another number of arguments than any definition takes."""
    path, name = callee
    opening = re.match(rf"{re.escape(name)}\s*\(", frame.text)
    if opening is None or not program.has(path):
        return False  # through a pointer, or a macro
    arguments = split_arguments(frame.text.encode(), opening.end())
    definitions = program.unit(path).definitions.get(name, ())
    fits = sizes_of(program.unit(path), name) | (
        elsewhere(program, definitions[0]) if definitions else frozenset()
    )
    return bool(fits) and (0 if arguments == ("",) else len(arguments)) not in fits
