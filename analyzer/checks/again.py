"""Find loops over pages that do to one page again and again what they did to each of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cached_property

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.checks.coverage import Coverage, Way, way_of
from analyzer.comparison.compare import Failure, Sides
from analyzer.comparison.guards import Guards, decisions_of, guards_of
from analyzer.flow.domain.activation import types_of
from analyzer.flow.domain.observe import Kind, Observation
from analyzer.pages.machine import TYPE, Operation, called
from analyzer.program.defs import Place, call_from, calls_of
from analyzer.program.program import Program
from analyzer.program.reach import Reader
from analyzer.program.steady import Steady, loop_around


def find(sides: Sides) -> Iterator[Failure]:
    """Yield calls in a loop that are passed one page in each turn, and were each of the pages.

    They mark pages, take the mark off, free pages, or come to what does. The loop goes on as it
    did, and what else decides about such a call did so before, or does not change with the turns.
    """
    again, told = _Again(sides), set[object]()
    for o in sides.behaviours.after.observations:
        if _acts(o, sides):
            way = way_of(o)
            asks = sides.behaviours.after.space.operations.get(o.operation)
            is_test = asks is not None and asks.is_test
            # To ask again and again does no harm.
            for n, (id, at) in enumerate(way[:-1] if is_test else way):
                key = (id, at, o.operation)
                if key not in told and again.differs(id, at):
                    told.add(key)
                    if again.is_passed_again(id, at, again.pages_at(o, way, n)):
                        yield _failure(o, n, sides)


def _acts(o: Observation, sides: Sides) -> bool:
    """Tell whether a page is marked, unmarked or freed."""
    if o.dimension != TYPE or o.kind not in (Kind.OPERATION, Kind.SINK):
        return False
    op = sides.behaviours.after.space.operations.get(o.operation)
    return op is None or not op.is_test or _marks_others(o, op, sides)


def _marks_others(o: Observation, op: Operation, sides: Sides) -> bool:
    """Tell whether a function asks a page that it is passed for a type that it gives to others."""
    space = sides.behaviours.after.space
    ops = (space.operations.get(name) for name in sides.programs.after.called(o.id))
    return any(other is not None and other.is_set and other.label == op.label for other in ops)


def _failure(o: Observation, n: int, sides: Sides) -> Failure:
    """Say what a function does itself, or where it goes on the way there, by its number."""
    op, each = sides.behaviours.after.space.operations.get(o.operation), "each of those of its loop"
    if n < len(o.stack):
        frame, callee = o.stack[n], (*o.chain,)[n + 1][1]
        says = f"{frame.function}() passes one page to {callee}() again and again, not {each}"
        o = replace(
            o,
            path=frame.path,
            function=frame.function,
            span=frame.span,
            text=frame.text,
            stack=o.stack[:n],
        )
    elif op is None:
        says = f"{o.function}() hands one page to the buddy again and again, not {each}"
    else:
        does = f"{op.verb.says} {called(op.label)}"
        says = f"{o.function}() {does} on one page again and again, not on {each}"
    return Failure("contract-mismatch", o, says=says, by_hand=True)


class _Again:
    """Hold the calls in loops of the tree after against those of the tree before."""

    def __init__(self, sides: Sides) -> None:
        """Take both trees."""
        self._before, self._after = sides.programs.before, sides.programs.after
        self._sides, self._operations = sides, sides.behaviours.after.space.operations
        self._identities = sides.facts.identities

    @cached_property
    def _coverage(self) -> Coverage:
        return Coverage(self._after, self._sides.facts, self._sides.behaviours.after)

    def differs(self, id: FunctionId, at: int) -> bool:
        """Tell whether a call stands in a loop of a function that reads otherwise than before."""
        if not self._sides.is_edited(id):
            return False
        calls = ((v, call_from(v, at)) for _, v in self._after.bodies(id))
        return any(call and loop_around(v, call[0].block) for v, call in calls)

    def pages_at(self, o: Observation, way: Way, n: int) -> tuple[int, ...]:
        """Return which arguments say which page it is at a call of a way; none if not known."""
        if n + 1 == len(way):
            return (self._coverage.handing(o)[0],)
        pages = self._coverage.reached(way[n + 1 :], o)
        names = {name for name, _ in pages.first.terms} if pages is not None else set()
        callee = self._after.lowered(way[n + 1][0])[:1]
        params = [p.name for function in callee for p in function.params]
        found = tuple(i for i, name in enumerate(params) if name in names)
        return found if names <= set(params) else ()

    def is_passed_again(self, id: FunctionId, at: int, args: tuple[int, ...]) -> bool:
        """Tell whether a call's arguments are the same in each turn, and were others before."""
        found = [
            bool(args) and self._repeats(id, function, variant, call, args)
            for function, variant in self._after.bodies(id)
            if (call := call_from(variant, at))
        ]
        return bool(found) and all(found)

    def _repeats(
        self,
        id: FunctionId,
        function: ir.Function,
        variant: ir.Variant,
        found: tuple[Place, ir.Call],
        args: tuple[int, ...],
    ) -> bool:
        place, call = found
        steady = self._steady(function, variant, place)
        if steady is None or not all(steady.is_same(call.args[n], place) for n in args):
            return False
        each = self._ranges(self._after, id, call, args, exact=True)
        if self._may_step(id, variant, place) or each:
            return False
        before = self._ranges(self._before, id, call, args, exact=False)
        return any(_decided_alike(variant, place, steady, guards) for guards in before)

    def _steady(self, function: ir.Function, variant: ir.Variant, place: Place) -> Steady | None:
        """Return what is the same in the turns of the innermost loop around a place."""
        loop = loop_around(variant, place.block)
        own = types_of(function, variant).keys()
        return None if loop is None else Steady(variant, loop, own, self._identities)

    def _ranges(
        self, program: Program, id: FunctionId, like: ir.Call, args: tuple[int, ...], *, exact: bool
    ) -> list[Guards]:
        """Return under what a function makes such a call for each page of a loop around it."""
        found = []
        for function, variant in program.bodies(id):
            reader = Reader(variant, self._sides.facts, frozenset())
            for place, call in calls_of(variant):
                if not self._is_like(call, like, exact=exact) or len(call.args) <= max(args):
                    continue
                steady = self._steady(function, variant, place)
                if steady is None or all(steady.is_same(call.args[n], place) for n in args):
                    continue
                pages = [reader.argument(call.span.start, n) for n in args]
                ranges = any(p is not None and p.is_range for p in pages)
                if ranges or any(steady.is_stepped(call.args[n], place) for n in args):
                    found.append(guards_of(variant)[place.block])
        return found

    def _is_like(self, call: ir.Call, other: ir.Call, *, exact: bool) -> bool:
        """Tell whether two calls are of one function, or set, or clear, whatever it is of pages.

        Where that is to be exact, the same of them.
        """
        match call.callee, other.callee:
            case ir.Name(name), ir.Name(like):
                op, same = self._operations.get(name), self._operations.get(like)
                alike = op is not None and same is not None and op.verb is same.verb
                if alike and exact and op is not None and same is not None:
                    alike = (op.dimension, op.label) == (same.dimension, same.label)
                return name == like or alike
        return False

    def _may_step(self, id: FunctionId, variant: ir.Variant, place: Place) -> bool:
        """Tell whether what is passed may be stepped by a macro that the patch has brought."""
        loop = loop_around(variant, place.block)
        new = self._after.called(id) - self._before.called(id) - self._operations.keys()
        return loop is not None and any(
            isinstance(step, ir.Call)
            and isinstance(step.callee, ir.Name)
            and step.callee.id in new
            and not self._after.resolve(step.callee.id, id[0])
            and any(isinstance(a, ir.Name) for a in step.args)
            for b in loop.blocks
            for step in variant.blocks[b].instructions
        )


def _decided_alike(variant: ir.Variant, place: Place, steady: Steady, before: Guards) -> bool:
    """Tell whether a loop goes on as before, and each turn of it decides as the others do."""
    loop = loop_around(variant, place.block)
    assert loop is not None, "what is the same in its turns was asked"
    goes_on = False
    for decision in decisions_of(variant):
        b, end = decision.branch, variant.blocks[decision.branch].end
        if place.block not in decision.blocks or b not in loop.blocks:
            continue
        assert isinstance(end, ir.Branch), "an outcome of a branch"
        if not {end.then, end.orelse} <= loop.blocks:
            if decision.guard not in before:
                return False
            goes_on = True
        elif decision.guard not in before and not steady.is_same(
            end.cond, Place(b, len(variant.blocks[b].instructions))
        ):
            return False
    return goes_on
