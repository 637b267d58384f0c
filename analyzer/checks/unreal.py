"""Leave out what was seen of pages on no path that exists."""

from __future__ import annotations

import re
from dataclasses import replace

from analyzer.base import FunctionId, unspaced
from analyzer.checks.calls import elsewhere
from analyzer.comparison.compare import Sides
from analyzer.flow.domain.observe import Behaviour
from analyzer.pages.machine import Frame
from analyzer.program.arguments import sizes_of, split_arguments
from analyzer.program.program import Program


def without_unreal(sides: Sides) -> Sides:
    """Return both sides without what only a call that cannot compile explains.

    What stands for an argument that is not passed is anything: no path that exists is like that.
    """
    b, p = sides.behaviours, sides.programs
    calls = _miscalls(b.before, p.before) | _miscalls(b.after, p.after)
    return replace(sides, behaviours=b.map(lambda one: _real(one, calls))) if calls else sides


def _real(behaviour: Behaviour, calls: set[tuple[str, str, str]]) -> Behaviour:
    kept = (o for o in behaviour.observations if not any(_call(f) in calls for f in o.stack))
    return replace(behaviour, observations=tuple(kept))


def _miscalls(behaviour: Behaviour, program: Program) -> set[tuple[str, str, str]]:
    """Return the calls that pages went through and that pass too many arguments or too few."""
    steps = {s for o in behaviour.observations for s in zip(o.stack, o.chain[1:], strict=True)}
    return {_call(frame) for frame, callee in steps if _is_miscall(frame, callee, program)}


def _call(frame: Frame) -> tuple[str, str, str]:
    return (frame.path, frame.function, unspaced(frame.text))


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
