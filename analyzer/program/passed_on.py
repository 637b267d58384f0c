"""Find who has a function called by passing it to others."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.base import FunctionId
from analyzer.program.program import Program

#: Through so many functions one is passed on before somebody calls it.
_DEPTH = 3


def passing_on(program: Program, id: FunctionId) -> Iterator[FunctionId]:
    """Yield the functions of its file that pass a function to others, and who calls it then.

    Of a callee that was not read nobody knows; one that was read and calls nothing that it is
    passed only keeps it.
    """
    for caller, callee in program.passing(id[1], id[0]):
        if not program.is_function(callee):
            yield caller
            continue
        called = {c for f in program.resolve(callee, caller[0]) for c in _called_by(program, f)}
        if called:
            yield caller
            yield from called


def _called_by(program: Program, id: FunctionId, depth: int = _DEPTH) -> set[FunctionId]:
    """Return a function that calls one that it is passed, and those that it passes it on to."""
    params = {p.name for s in program.signatures(id) for p in s.params}
    if params & (program.called(id) | program.pointers(id)):
        return {id}
    if depth == 0:
        return set()
    found = {
        called
        for param in sorted(params)
        for caller, callee in program.passing(param, id[0])
        if caller == id
        for other in program.resolve(callee, id[0])
        if other != id
        for called in _called_by(program, other, depth - 1)
    }
    return {id, *found} if found else set()
