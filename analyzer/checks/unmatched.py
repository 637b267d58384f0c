"""Admit marks that a patch brings to a file that frees pages, and that nothing there takes off.

Where pages go through an array of a structure, an xarray, a bitmap or a table of functions, who
frees them is not known to meet the marked ones.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from analyzer.base import FunctionId, Gap
from analyzer.comparison.compare import Sides
from analyzer.pages.machine import TYPE, Operation, Verb, called
from analyzer.program.program import Program

_Mark = tuple[Operation, FunctionId, int]
_OWN_HEADER = re.compile(rb'^[ \t]*#[ \t]*include[ \t]*"(?:[^"\n]*/)?([^"/\n]+)"', re.M)


def unmatched_marks(sides: Sides, changed: Sequence[str]) -> Iterator[tuple[Gap, str]]:
    """Yield the first mark of each type that a changed file did not put on pages before, its label.

    Not where the mark has come from another file that is changed; nor where what the file calls in
    its folder, or in a header, clears the type of some page, or another file of the same driver
    does; nor where freeing a page does.
    """
    after = sides.programs.after
    if sides.behaviours.after.types_forgotten:
        return
    old = {path: _labels(_marks(path, sides.programs.before, sides)) for path in changed}
    marks = {path: [*_marks(path, after, sides)] for path in changed}
    moved = {label for path in changed for label in old[path] - _labels(marks[path])}
    for path in changed:
        known = {*old[path], *moved}
        new = [mark for mark in marks[path] if mark[0].label not in known]
        own = [(path, name) for name in after.unit(path).definitions] if new else []
        if not any(_frees(id, after, sides) for id in own):
            continue
        reached = _reached(own, after).union(_beside(path, after))
        for op, id, at in new:
            if op.label not in known and not _is_cleared(op.label, reached, after, sides):
                says = (
                    f"{id[1]}() now sets {called(op.label)}, and nothing that is called here "
                    "clears it; whether the pages are freed with it is not known"
                )
                yield Gap("unmatched", path, after.unit(path).line_of(at), id[1], says), op.label
            known.add(op.label)


def clears_brought(sides: Sides, changed: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield what more functions of changed files take off now, with each file of the driver."""
    after = sides.programs.after
    for path in changed:
        more = _cleared(path, after, sides) - _cleared(path, sides.programs.before, sides)
        for other in (path, *_files_beside(path, after)) if more else ():
            yield from ((other, label) for label in more)


def _cleared(path: str, program: Program, sides: Sides) -> Counter[str]:
    """Count how many functions of a file take each type off pages."""
    ops = sides.behaviours.after.space.operations
    clears = {op.name for op in ops.values() if _clears(op)}
    names = program.unit(path).definitions if program.has(path) else ()
    found = (name for of in names for name in clears & program.called((path, of)))
    return Counter(ops[name].label for name in found)


def _clears(op: Operation) -> bool:
    return op.dimension == TYPE and op.verb is Verb.CLEAR


def _frees(id: FunctionId, program: Program, sides: Sides) -> bool:
    names = program.called(id)
    return not names.isdisjoint(sides.facts.sinks.keys() | sides.facts.puts.keys())


def _marks(path: str, program: Program, sides: Sides) -> Iterator[_Mark]:
    """Yield what gives pages of a file a type, where, and the offset of the call, in bytes."""
    for op, id, at in sides.done_in(path, program):
        if op.dimension == TYPE and op.is_set:
            yield op, id, min(at)


def _labels(marks: Iterable[_Mark]) -> Counter[str]:
    """Count how often pages get each type."""
    return Counter(op.label for op, _, _ in marks)


def _reached(own: Iterable[FunctionId], program: Program) -> set[FunctionId]:
    """Return functions, and those that they come to in their folder and in headers."""
    found, todo = set(own), list(own)
    while todo:
        id = todo.pop()
        for callee in program.callees(id) - found:
            if callee[0].endswith(".h") or posixpath.dirname(callee[0]) == posixpath.dirname(id[0]):
                found.add(callee)
                todo.append(callee)
    return found


def _beside(path: str, program: Program) -> Iterator[FunctionId]:
    """Yield the functions of the other files of a driver."""
    for other in _files_beside(path, program):
        yield from ((other, name) for name in program.unit(other).definitions)


def _files_beside(path: str, program: Program) -> Iterator[str]:
    """Yield the files of a folder that share a header of their own with one of them."""
    own = _own_headers(path, program)
    for other in program.inside(posixpath.dirname(path)) if own else ():
        if not own.isdisjoint(_own_headers(other, program)):
            yield other


def _own_headers(path: str, program: Program) -> frozenset[bytes]:
    return frozenset(_OWN_HEADER.findall(program.unit(path).text))


def _is_cleared(label: str, reached: Iterable[FunctionId], program: Program, sides: Sides) -> bool:
    ops = sides.behaviours.after.space.operations
    clears = {op.name for op in ops.values() if op.label == label and _clears(op)}
    return any(not clears.isdisjoint(program.called(id)) for id in reached)
