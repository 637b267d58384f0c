"""Admit marks that a patch brings to a file that frees pages, and that nothing there takes off.

Where pages go through an array of a structure, an xarray, a bitmap or a table of functions, who
frees them is not known to meet the marked ones.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator

from analyzer.base import FunctionId, Gap
from analyzer.comparison.compare import Sides
from analyzer.pages.machine import TYPE, Operation, Verb, called
from analyzer.program.program import Program


def unmatched_marks(sides: Sides, changed: Iterable[str]) -> Iterator[Gap]:
    """Yield the first mark of each type that a changed file did not put on pages before.

    Not where what the file calls in its folder, or in a header, clears the type of some page, nor
    where freeing a page does.
    """
    before, after = sides.programs.before, sides.programs.after
    if sides.behaviours.after.types_forgotten:
        return
    for path in changed:
        own = _functions(path, after)
        if not any(_frees(id, after, sides) for id in own):
            continue
        known = {op.label for id in _functions(path, before) for op, _ in _marks(id, before, sides)}
        reached = _reached(own, after)
        told = set(known)
        for id in own:
            for op, at in _marks(id, after, sides):
                if op.label not in told and not _is_cleared(op.label, reached, after, sides):
                    says = (
                        f"{id[1]}() now sets {called(op.label)}, and nothing that is called here "
                        "clears it; whether the pages are freed with it is not known"
                    )
                    line = after.unit(path).line_of(at)
                    yield Gap("unmatched", path, line, id[1], says)
                told.add(op.label)


def _functions(path: str, program: Program) -> list[FunctionId]:
    return [(path, name) for name in program.unit(path).definitions] if program.has(path) else []


def _frees(id: FunctionId, program: Program, sides: Sides) -> bool:
    names = program.called(id)
    return not names.isdisjoint(sides.facts.sinks.keys() | sides.facts.puts.keys())


def _marks(id: FunctionId, program: Program, sides: Sides) -> Iterator[tuple[Operation, int]]:
    """Yield what a function does to give a page a type, with the offset of the call, in bytes."""
    ops = sides.behaviours.after.space.operations
    if ops.keys().isdisjoint(program.called(id)):
        return
    for name, at in program.calls(id).items():
        op = ops.get(name)
        if op is not None and op.dimension == TYPE and op.is_set:
            yield op, min(at)


def _reached(own: Iterable[FunctionId], program: Program) -> set[FunctionId]:
    """Return functions, and those that they come to in their folder and in headers."""
    found, left = set(own), list(own)
    while left:
        id = left.pop()
        for name in program.called(id):
            for callee in program.resolve(name, id[0]):
                near = posixpath.dirname(callee[0]) == posixpath.dirname(id[0])
                if callee not in found and (near or callee[0].endswith(".h")):
                    found.add(callee)
                    left.append(callee)
    return found


def _is_cleared(label: str, reached: Iterable[FunctionId], program: Program, sides: Sides) -> bool:
    ops = sides.behaviours.after.space.operations
    clears = {op.name for op in ops.values() if op.label == label and op.verb is Verb.CLEAR}
    return any(not clears.isdisjoint(program.called(id)) for id in reached)
