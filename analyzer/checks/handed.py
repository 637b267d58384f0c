"""Find pages that are still operated on after they were handed to the buddy."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

from analyzer.base import FunctionId, unspaced
from analyzer.c import ir
from analyzer.checks.coverage import Coverage, parting, way_of, way_to
from analyzer.comparison.compare import Failure, Sides
from analyzer.flow.domain.activation import types_of
from analyzer.flow.domain.observe import Behaviour, Observation, Outcome
from analyzer.pages.facts import Facts
from analyzer.pages.machine import Event
from analyzer.program.params import is_page_pointer
from analyzer.program.program import Program
from analyzer.program.shape import shape_of

_WORD = re.compile(r"[A-Za-z_]\w*")
_ARGUMENT = re.compile(r"\w+\(\s*(\w+)\s*\)")


def find(sides: Sides) -> Iterator[Failure]:
    """Yield operations on a variable whose page the function has given away a few lines before.

    What it calls may do either. Only where nothing lies between that could have changed the
    variable: the pages of a range are one abstract page, and the next one was not given away.
    Or where it is told in which of the pages of a range both are done.
    """
    known = {_key(o) for _, o in _late(sides.behaviours.before, sides.programs.before, sides.facts)}
    for o, at in _late(sides.behaviours.after, sides.programs.after, sides.facts):
        if _key(at) not in known:
            op = sides.behaviours.after.space.operations[o.operation]
            does = "changes" if at.id == o.id else f"has {o.function}() change"
            says = (
                f"{at.function}() {does} Page{op.label} on pages that it has handed to the buddy "
                "before"
            )
            yield Failure("contract-mismatch", at, definite=False, says=says)


def _key(o: Observation) -> object:
    return (o.path, o.function, unspaced(o.text))


def _late(
    behaviour: Behaviour, program: Program, facts: Facts
) -> Iterator[tuple[Observation, Observation]]:
    """Yield such operations, each as it is and as its function sees it that gave the page away."""
    seen: set[object] = set()
    late = [o for o in behaviour.observations if o.outcome is Outcome.LATE]
    coverage = Coverage(program, facts, behaviour) if late else None
    for o in late:
        at = _in_giver(o)
        if at is None or coverage is None or _key(at) in seen:
            continue
        if _is_same_page(o, at, program) or _is_same_range(o, at, behaviour, coverage, program):
            seen.add(_key(at))
            yield o, at


def _in_giver(o: Observation) -> Observation | None:
    """Return an operation as the function sees it in which the way to it parts from the page's."""
    handed = _handed(o)
    part = None if handed is None else parting(way_of(o), way_to(handed))
    if part is None or part == len(o.stack):
        return None if part is None else o
    call = o.stack[part]
    return replace(
        o,
        path=call.path,
        function=call.function,
        span=call.span,
        text=call.text,
        stack=o.stack[:part],
    )


def _handed(o: Observation) -> Event | None:
    """Return what gave the page of an operation away."""
    return next((e for e in reversed(o.page.history) if e.kind == "handed"), None)


def _is_same_page(o: Observation, at: Observation, program: Program) -> bool:
    """Tell whether one variable names the page where it is given away and where it is written."""
    handed, part = _handed(o), len(at.stack)
    assert handed is not None, "asked where the way parts from that of the page"
    if part < len(handed.chain):
        given = (handed.chain[part].span.start, handed.chain[part].text)
    else:
        given = (handed.at, handed.operation)
    if at is o:
        argument = _ARGUMENT.fullmatch(o.text)
        names = {argument[1]} if argument else set()
    else:
        names = _pages_in(at.id, program)
    return given[0] < at.span.start and any(
        _passes(name, at.text) and _passes(name, given[1]) and _is_kept(at, name, given[0], program)
        for name in sorted(names)
    )


def _is_same_range(
    o: Observation, at: Observation, behaviour: Behaviour, coverage: Coverage, program: Program
) -> bool:
    """Tell whether an operation reaches pages of the range that its function gave away before.

    Both are told in terms of the function's variables, none of which is assigned between.
    """
    handed = _handed(o)
    assert handed is not None, "asked where the way parts from that of the page"
    way, part = way_to(handed), len(at.stack)
    given = next((s for s in behaviour.observations if s.is_typed_sink and way_of(s) == way), None)
    if given is None or way[part][1] >= at.span.start:
        return False
    text = handed.chain[part].text if part < len(handed.chain) else handed.operation
    names = set(_WORD.findall(text)) & set(_WORD.findall(at.text))
    is_kept = all(_is_unassigned(at, name, way[part][1], program) for name in sorted(names))
    return is_kept and coverage.meets(o, given)


def _pages_in(id: FunctionId, program: Program) -> set[str]:
    """Return the variables of a function that point to pages."""
    return {
        name
        for function, variant in program.bodies(id)
        for name, spelled in types_of(function, variant).items()
        if is_page_pointer(spelled)
    }


def _passes(name: str, text: str) -> bool:
    return re.search(rf"[(,]\s*{name}\s*[,)]", text) is not None


def _is_kept(o: Observation, name: str, since: int, program: Program) -> bool:
    """Tell whether a variable is not assigned between an offset and an operation, nor stepped."""
    bodies = program.bodies(o.id)
    stepped = any(name in far for _, variant in bodies for far in shape_of(variant).advanced)
    return not stepped and _is_unassigned(o, name, since, program)


def _is_unassigned(o: Observation, name: str, since: int, program: Program) -> bool:
    """Tell whether a variable is not assigned between an offset and an operation."""
    return not any(
        isinstance(step, ir.Assign) and step.target == ir.Name(name)
        for _, variant in program.bodies(o.id)
        for step in variant.steps
        if since < step.span.start < o.span.start
    )
