"""Part the roots of a tree: those of one part may take from lists what others of it put there."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from analyzer.base import FunctionId
from analyzer.pages.facts import Facts
from analyzer.program.callers import called_through
from analyzer.program.interest import Interest
from analyzer.program.program import Program

Part = tuple[FunctionId, ...]

#: The last name in the place of a list.
_LAST = re.compile(r"(\w+)(?:\[[^\]]*\])*\Z")


class Reach(NamedTuple):
    """What walks from roots may meet: the functions that matter, and fields and variables of files.

    unread are the functions that pages may go to and of which no definition was read.
    """

    functions: frozenset[FunctionId]
    names: Callable[[str], bool]
    unread: frozenset[str]

    def knows(self, place: str) -> bool:
        """Tell whether a list, or a cell, that others use may be met."""
        path, own, _ = place.removeprefix("g:").partition("#")
        if own and all(path != of for of, _ in self.functions):
            return False
        last = _LAST.search(place)
        return last is None or self.names(last[1])


def parts_of(
    roots: Sequence[FunctionId], programs: Iterable[Program], facts: Facts, interest: Interest
) -> tuple[Part, ...]:
    """Part roots so that no list leads from one part to another, in any of the programs.

    It is a guess by files: where something is taken from a list stands who puts it there as well.
    A part has its roots in their order; those come first that lead to most functions.
    """
    parts = {root: [root] for root in roots}
    weights: dict[FunctionId, int] = dict.fromkeys(roots, 0)
    for program in programs:
        below = _Below(program, facts, interest)
        drawing: dict[str, list[FunctionId]] = {}
        putting: dict[str, list[FunctionId]] = {}
        for root in roots:
            reached = below.reached(root)
            weights[root] += len(reached)
            for path in {path for path, _ in reached & below.drawing}:
                drawing.setdefault(path, []).append(root)
            for path in {path for path, _ in reached & below.putting}:
                putting.setdefault(path, []).append(root)
        for path, drawn in drawing.items():
            for root in (*drawn, *putting.get(path, ())):
                _join(parts, drawn[0], root)
    order = {root: n for n, root in enumerate(roots)}
    found = {id(part): tuple(sorted(part, key=order.__getitem__)) for part in parts.values()}
    return tuple(sorted(found.values(), key=lambda part: -sum(weights[root] for root in part)))


def _join(parts: dict[FunctionId, list[FunctionId]], one: FunctionId, other: FunctionId) -> None:
    if parts[one] is not parts[other]:
        parts[one].extend(parts[other])
        for root in parts[other]:
            parts[root] = parts[one]


class _Below:
    """Find what a root leads to, and who there takes from lists or puts on them."""

    def __init__(self, program: Program, facts: Facts, interest: Interest) -> None:
        lists = facts.lists
        draws = {*lists.first, *lists.step, *lists.entry, *lists.take, *lists.iterators}
        self.drawing = {id for name in draws for id in program.calling(name)}
        self.putting = {id for n in (*lists.put, *lists.passing) for id in program.calling(n)}
        self._program, self._interest = program, interest
        self._stored = called_through(program)
        self._next: dict[FunctionId, frozenset[FunctionId]] = {}

    def reached(self, root: FunctionId) -> set[FunctionId]:
        """Return the functions that matter below a root, and the root."""
        found, todo = {root}, [root]
        while todo:
            id = todo.pop()
            if id not in self._next:
                self._next[id] = frozenset(self._called(id))
            new = self._next[id] - found
            found |= new
            todo.extend(new)
        return found

    def _called(self, id: FunctionId) -> Iterator[FunctionId]:
        program, interest = self._program, self._interest
        for name in program.called(id):
            yield from (of for of in program.resolve(name, id[0]) if any(interest.role(of)))
        for slot in program.pointers(id) | program.called(id):
            yield from self._stored.get(slot, ())
