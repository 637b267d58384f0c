"""Find flags that code remembers something by, of which one half is gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from analyzer.base import FunctionId
from analyzer.c.facts import macros
from analyzer.comparison.compare import Failure, Sides
from analyzer.findings import Step
from analyzer.flow.domain.observe import Kind, Observation, Outcome
from analyzer.pages.machine import TYPE, Operation, PageState, Space, Verb
from analyzer.program.program import Program

_CLEARS = (Verb.CLEAR, Verb.TEST_CLEAR)


@dataclass(frozen=True)
class _Users:
    """The functions of one file that set, clear and test a flag."""

    sets: set[FunctionId] = field(default_factory=set)
    clears: set[FunctionId] = field(default_factory=set)
    tests: set[FunctionId] = field(default_factory=set)

    @property
    def whole(self) -> bool:
        """Tell whether the file remembers something by the flag: it does all three."""
        return bool(self.sets and self.clears and self.tests)


def find(sides: Sides) -> Iterator[Failure]:
    """Yield files that still test a flag which nobody in them sets, or sets but never clears.

    Only flags that a file set, cleared and tested all by itself, and only where no other call
    has come in for the operation that is gone: it may do the same.
    """
    reached = sides.behaviours.before.reached | sides.behaviours.after.reached
    files = {id[0] for id in reached if not sides.is_core(id[0])}
    for path in sorted(files):
        before = _users(sides.programs.before, path, sides)
        after = _users(sides.programs.after, path, sides)
        for flag, was in sorted(before.items()):
            now = after.get(flag, _Users())
            if was.whole and now.tests and not now.sets:
                yield from _lost(was.sets, "sets", flag, now.tests, sides)
            elif was.whole and now.tests and now.sets and not now.clears:
                yield from _lost(was.clears, "clears", flag, now.tests, sides)


def _users(program: Program, path: str, sides: Sides) -> Mapping[str, _Users]:
    found: dict[str, _Users] = {}
    space = sides.behaviours.after.space
    if not program.has(path):
        return found
    for name in program.unit(path).definitions:
        for op in _operations(program, (path, name), space):
            if op.dimension == TYPE or op.dimension in sides.facts.flags:
                continue
            users = found.setdefault(op.dimension, _Users())
            if op.is_set:
                users.sets.add((path, name))
            if op.verb in _CLEARS:
                users.clears.add((path, name))
            if op.verb not in (Verb.SET, Verb.CLEAR):
                users.tests.add((path, name))
    return found


def _operations(program: Program, id: FunctionId, space: Space) -> Iterator[Operation]:
    for name in sorted(program.called(id)):
        op = space.operations.get(name)
        if op is not None:
            yield op


def _lost(
    owners: set[FunctionId], verb: str, flag: str, tests: set[FunctionId], sides: Sides
) -> Iterator[Failure]:
    space, after = sides.behaviours.after.space, sides.programs.after
    for id in sorted(owners):
        functions = after.lowered(id)
        if not functions or _new_calls(id, sides):
            continue
        tester = min(tests)
        says = f"{id[1]}() no longer {verb} Page{flag}, which {tester[1]}() still tests"
        steps = [
            Step(f.span, tester[1], f"{tester[1]}() tests Page{flag}")
            for f in after.lowered(tester)[:1]
        ]
        steps.append(Step(functions[0].span, id[1], f"{id[1]}() {verb} it no longer"))
        seen = Observation(
            Kind.OPERATION,
            Outcome.SEEN,
            id[0],
            id[1],
            functions[0].span,
            functions[0].name,
            "",
            flag,
            PageState(space.every),
            (),
            id,
        )
        yield Failure("contract-mismatch", seen, definite=False, says=says, steps=tuple(steps))


def _new_calls(id: FunctionId, sides: Sides) -> bool:
    """Tell whether a function calls something new that may write the flag in its own way."""
    new = sides.programs.after.called(id) - sides.programs.before.called(id)
    known = sides.behaviours.after.space.operations.keys() | macros().assertions.keys()
    return bool(new - known)
