"""Find pages that are still operated on after they were handed to the buddy."""

from __future__ import annotations

import re
from collections.abc import Iterator

from analyzer.base import unspaced
from analyzer.c import ir
from analyzer.comparison.compare import Failure, Sides
from analyzer.flow.domain.observe import Observation, Outcome
from analyzer.pages.machine import Event
from analyzer.program.program import Program
from analyzer.program.shape import shape_of

_ARGUMENT = re.compile(r"\w+\(\s*(\w+)\s*\)")


def find(sides: Sides) -> Iterator[Failure]:
    """Yield operations on a variable whose page the function has given away a few lines before.

    Only where nothing lies between that could have changed the variable: the pages of a range
    are one abstract page, and the next one of them was not given away.
    """
    known = {_key(o) for o in _late(sides, sides.programs.before, before=True)}
    for o in _late(sides, sides.programs.after, before=False):
        if _key(o) not in known:
            op = sides.behaviours.after.space.operations[o.operation]
            says = (
                f"{o.function}() changes Page{op.label} on pages that it has handed to the buddy "
                "before"
            )
            yield Failure("contract-mismatch", o, definite=False, says=says)


def _key(o: Observation) -> object:
    return (o.path, o.function, unspaced(o.text))


def _late(sides: Sides, program: Program, *, before: bool) -> Iterator[Observation]:
    behaviour = sides.behaviours.before if before else sides.behaviours.after
    seen: set[object] = set()
    for o in behaviour.observations:
        if o.outcome is Outcome.LATE and _key(o) not in seen and _is_same_page(o, program):
            seen.add(_key(o))
            yield o


def _is_same_page(o: Observation, program: Program) -> bool:
    argument = _ARGUMENT.fullmatch(o.text)
    handed = next((e for e in reversed(o.page.history) if e.kind == "handed"), None)
    if argument is None or handed is None:
        return False
    call = _call_in(o, handed)
    if call is None:
        return False
    at, text = call
    passes = re.search(rf"[(,]\s*{argument[1]}\s*[,)]", text) is not None
    return passes and at < o.span.start and _is_kept(o, argument[1], at, program)


def _call_in(o: Observation, handed: Event) -> tuple[int, str] | None:
    """Return the call by which the function at hand gave the page away: its offset and text."""
    if handed.owner == o.id:
        return handed.at, handed.operation
    depth = len(o.stack)
    if len(handed.chain) > depth and handed.chain[depth].id == o.id:
        frame = handed.chain[depth]
        return frame.span.start, frame.text
    return None


def _is_kept(o: Observation, name: str, since: int, program: Program) -> bool:
    """Tell whether a variable is not assigned between an offset and an operation, nor stepped."""
    for _, variant in program.bodies(o.id):
        if any(name in advanced for advanced in shape_of(variant).advanced):
            return False
        for step in variant.steps:
            assigned = isinstance(step, ir.Assign) and step.target == ir.Name(name)
            if assigned and since < step.span.start < o.span.start:
                return False
    return True
