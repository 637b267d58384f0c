"""Find the conditions that the functions of a folder have in common which mark and unmark pages."""

from __future__ import annotations

from typing import NamedTuple

from analyzer.base import FunctionId
from analyzer.flow.asks.conditions import Shape
from analyzer.flow.asks.questions import questions_of
from analyzer.pages.machine import TYPE, Space
from analyzer.program.interest import Interest
from analyzer.program.memo import Memo
from analyzer.program.program import Program


class Common(NamedTuple):
    """The conditions that functions of a folder ask for which mark pages.

    shapes are those that two of them ask for, where one that marks and unmarks pages counts as
    two; read are the fields and variables that any is about.
    """

    shapes: frozenset[Shape]
    read: frozenset[str]


#: By folder, what matters, and how many files were read.
_COMMON = Memo[tuple[str, Interest, int], Common]()


def common_in(folder: str, program: Program, interest: Interest, space: Space) -> Common:
    """Return what the functions of a folder ask for that lead to an operation on a type."""
    known = program.memos.of(_COMMON)
    key = (folder, interest, len(program.paths))
    if key not in known:
        with program.noting(None):  # what is remembered is not asked again
            known[key] = _common_in(folder, program, interest, space)
    return known[key]


def _common_in(folder: str, program: Program, interest: Interest, space: Space) -> Common:
    times: dict[Shape, int] = {}
    for id in program.functions_in(folder):
        if interest.role(id).strong:
            weight = 2 if _marks_both_ways(id, program, space) else 1
            for shape in _shapes(id, program):
                times[shape] = times.get(shape, 0) + weight
    return Common(
        shapes=frozenset(shape for shape, n in times.items() if n > 1),
        read=frozenset(name for _, fields, others in times for name in fields | others),
    )


def _shapes(id: FunctionId, program: Program) -> frozenset[Shape]:
    found = set()
    for function in program.lowered(id):
        params = {p.name for p in function.params}
        for variant in function.variants:
            own = params | variant.locals.keys()
            for asked in questions_of(variant, id[0], program).asked.values():
                shape = asked.shape(own.__contains__)
                if asked.is_flag and shape is not None:
                    found.add(shape)
    return frozenset(found)


def _marks_both_ways(id: FunctionId, program: Program, space: Space) -> bool:
    called = program.called(id) & space.operations.keys()
    operations = [space.operations[name] for name in called]
    return len({op.is_set for op in operations if op.dimension == TYPE and not op.is_test}) == 2
