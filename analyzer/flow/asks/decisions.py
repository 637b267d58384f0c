"""Find the branches that decide whether a call is reached, and what their conditions come from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from analyzer.base import FunctionId, Span
from analyzer.c import ir
from analyzer.flow.asks.conditions import Asked
from analyzer.flow.asks.questions import questions_of, told_by
from analyzer.flow.domain.activation import types_of
from analyzer.flow.domain.values import MIRRORED, ZERO, Int, compare
from analyzer.pages.aside import is_harmless
from analyzer.program.answers import answering
from analyzer.program.defs import predecessors
from analyzer.program.params import is_page_pointer
from analyzer.program.program import Program
from analyzer.program.shape import written
from analyzer.program.slices import regions_of

#: What a value goes back to: a field, a variable of a file, a parameter, or where a local was set.
Source = tuple[object, ...]
_NOTHING: frozenset[Source] = frozenset()
#: A number and whether it is exactly that, or at most: is it zero, and is it below or above.
_BY_SIGN = ({(0, True), (-1, False)}, {(0, True), (0, False)})


#: How far behind its bound a variable is where a loop ends that goes on as long as it is so.
_BEYOND = {"<": 0, ">": 0, "!=": 0, "<=": 1, ">=": -1}


@dataclass(frozen=True, slots=True, eq=False)
class Decision:
    """A branch that decides whether a call is reached, with what its condition comes from.

    skips are the blocks it can go to from which the call is not reached. Of one that ends a loop,
    inside are the loop's blocks, and counters where these set what it asks for.
    """

    id: FunctionId
    variant: ir.Variant
    block: int
    asked: Asked
    sources: frozenset[Source]
    skips: tuple[int, ...]
    counters: frozenset[Source] = _NOTHING
    inside: frozenset[int] = frozenset()

    @property
    def span(self) -> Span:
        """Return where the condition stands; of a case of a switch where its value does."""
        return self._branch.span

    @property
    def is_case(self) -> bool:
        """Tell whether two things are compared, as a switch does without saying so."""
        return isinstance(self._branch.cond, ir.Binary) and self._branch.cond.op == "=="

    @property
    def _branch(self) -> ir.Branch:
        end = self.variant.blocks[self.block].end
        assert isinstance(end, ir.Branch), "only branches decide"
        return end

    def is_about(self, other: Decision) -> bool:
        """Tell whether two conditions go back to the same, and nobody knows how they go together.

        What is the same is known again, in functions of one folder as well; the same question about
        something else is another one.
        """
        one, two = self.asked, other.asked
        if self.counters or other.counters:
            return self._counts_for(other) or other._counts_for(self)
        if self.sources.isdisjoint(other.sources):
            return False
        if self.id == other.id and one.text == two.text:
            return _is_by_sign(self, other)
        if one.calls and one.calls == two.calls:
            return False
        if (one.form, self.sources) != (two.form, other.sources):
            return True
        return self._folder != other._folder

    def _counts_for(self, other: Decision) -> bool:
        """Tell whether another condition asks how far the loop came that this one ends."""
        behind = self.variant is other.variant and other.block not in self.inside
        return behind and not other.counters and not self.counters.isdisjoint(other.sources)

    def is_past(self, loop: Decision) -> bool:
        """Tell whether the call may be reached where a loop has come to its end.

        True as well where the two do not hold the same variable against the same.
        """
        end, here = _against(loop._branch.cond), _against(self._branch.cond)
        if end is None or here is None or end[1:] != here[1:] or end[0] not in _BEYOND:
            return True
        held = compare(here[0], Int(_BEYOND[end[0]]), ZERO)
        return held is (self._branch.then not in self.skips)

    def is_told_by(self, other: Decision) -> bool:
        """Tell whether a condition asks for what is stored where another one lets a call be made.

        So a flag is kept beside what it stands for.
        """
        stored = _stored(other.variant, other.block, other.skips)
        return not stored.isdisjoint(self.sources)

    @property
    def _folder(self) -> str:
        return self.id[0].rpartition("/")[0]


def _against(cond: ir.Expr) -> tuple[str, str, ir.Expr] | None:
    """Return how a condition holds a variable against something: itself is held against zero."""
    match cond:
        case ir.Unary("!", ir.Name(name)):
            return "==", name, ir.Const(0)
        case ir.Name(name):
            return "!=", name, ir.Const(0)
        case ir.Binary(op, ir.Name(name), bound) if op in MIRRORED:
            return op, name, bound
    return None


def _is_by_sign(one: Decision, other: Decision) -> bool:
    """Tell whether one asks whether a number is zero and the other on which side of zero it is.

    Of an answer or a difference: most functions answer with zero or an error and nothing above, and
    most ranges end behind their beginning.
    """
    tests = {(d.asked.test.number, d.asked.test.exactly) for d in (one, other)}
    return (
        isinstance(one.asked.tested, ir.Name | ir.Binary)
        and one.sources == other.sources
        and tests in _BY_SIGN
    )


def decisions_about(way: Sequence[tuple[FunctionId, int]], program: Program) -> list[Decision]:
    """Return the branches that decide whether the last of some nested calls is reached.

    Each is a function and the offset of a call in it. Those are among them by which a loop around
    the call ends.
    """
    found: list[Decision] = []
    given: Mapping[str, frozenset[Source]] = {}
    for n, (id, at) in enumerate(way):
        passed: dict[str, frozenset[Source]] = {}
        for function, variant, block, step in _calls(id, at, program):
            body = _Body(id, variant, types_of(function, variant), given, program)
            asked = questions_of(variant, id[0], program).asked
            for branch, region in _regions(variant).items():
                if block in region and branch in asked:
                    found.append(_decision(body, branch, block, asked[branch]))
            found += _ends(body, block)
            if n + 1 < len(way):
                for name, sources in _passed(body, block, step, way[n + 1][0], program):
                    passed[name] = passed.get(name, _NOTHING) | sources
        given = passed
    return found


def _ends(body: _Body, block: int) -> Iterator[Decision]:
    """Yield the conditions at the heads of the loops around a block, by which they end."""
    for loop in body.variant.loops:
        end = body.variant.blocks[loop.header].end
        if block not in loop.blocks or not isinstance(end, ir.Branch):
            continue
        out = tuple(to for to in ir.successors(end) if to not in loop.blocks)
        last = len(body.variant.blocks[loop.header].instructions)
        sources = body.sources(end.cond, loop.header, last)
        counters = frozenset(s for s in sources if s[0] == "set" and s[2] in loop.blocks)
        if out and counters:
            asked = told_by(end.cond)
            yield Decision(
                body.id, body.variant, loop.header, asked, sources, out, counters, loop.blocks
            )


def _decision(body: _Body, branch: int, block: int, asked: Asked) -> Decision:
    end = body.variant.blocks[branch].end
    assert isinstance(end, ir.Branch), "regions begin at branches"
    last = len(body.variant.blocks[branch].instructions)
    blocks = body.variant.blocks
    skips = tuple(
        to for to in ir.successors(end) if block not in ir.reached(blocks, (to,), (branch,))
    )
    sources = body.sources(end.cond, branch, last)
    return Decision(body.id, body.variant, branch, asked, sources, skips)


def _calls(
    id: FunctionId, at: int, program: Program
) -> Iterator[tuple[ir.Function, ir.Variant, int, ir.Instruction]]:
    for function, variant in program.bodies(id):
        for n, block in enumerate(variant.blocks):
            for step in block.instructions:
                if step.span.start == at and isinstance(step, ir.Call | ir.Check):
                    yield function, variant, n, step


def _passed(
    body: _Body, block: int, step: ir.Instruction, callee: FunctionId, program: Program
) -> Iterator[tuple[str, frozenset[Source]]]:
    """Yield what the parameters of a callee come from."""
    if not isinstance(step, ir.Call):
        return
    at = body.variant.blocks[block].instructions.index(step)
    for function in program.lowered(callee):
        for param, arg in zip(function.params, step.args, strict=False):
            yield param.name, body.sources(arg, block, at)


@lru_cache(maxsize=256)
def _regions(variant: ir.Variant) -> Mapping[int, tuple[int, ...]]:
    return regions_of(variant.blocks)


@lru_cache(maxsize=1024)
def _stored(variant: ir.Variant, branch: int, skips: tuple[int, ...]) -> frozenset[Source]:
    """Return the fields and variables that are stored only where a branch does not skip."""
    ways = ir.successors(variant.blocks[branch].end)
    taken = ir.reached(variant.blocks, (to for to in ways if to not in skips), (branch,))
    away = ir.reached(variant.blocks, skips, (branch,))
    found: set[Source] = set()
    for n in taken - away:
        for step in variant.blocks[n].instructions:
            match step:
                case ir.Assign(ir.Field(_, name, _)):
                    found.add(("field", name))
                case ir.Assign(ir.Name(name)) if not name.startswith("%"):
                    found.add(("variable", name))
    return frozenset(found)


class _Body:
    """One variant of a function, with what its parameters come from."""

    def __init__(
        self,
        id: FunctionId,
        variant: ir.Variant,
        types: Mapping[str, str],
        given: Mapping[str, frozenset[Source]],
        program: Program,
    ) -> None:
        self.id, self.variant, self._program = id, variant, program
        self._types, self._given = types, given
        self._before = predecessors(variant)
        self._seen: set[tuple[str, int, int]] = set()

    def sources(self, e: ir.Expr, block: int, at: int) -> frozenset[Source]:
        """Return what an expression comes from that stands before an instruction of a block."""
        self._seen.clear()
        return frozenset(self._of(e, block, at))

    def _of(self, e: ir.Expr, block: int, at: int) -> Iterator[Source]:
        match e:
            case ir.Name(id):
                yield from self._name(id, block, at)
            case ir.Field(_, name):
                yield ("field", name)
            case ir.Index(one, other) | ir.Binary(_, one, other):
                yield from self._of(one, block, at)
                yield from self._of(other, block, at)
            case ir.Unary(_, operand) | ir.Cast(_, operand):
                yield from self._of(operand, block, at)

    def _name(self, name: str, block: int, at: int) -> Iterator[Source]:
        if (name, block, at) in self._seen or is_page_pointer(self._types.get(name, "")):
            return  # which page it is, and whether there is one, is followed
        self._seen.add((name, block, at))
        if not self._is_local(name):
            if not name.isupper() and name not in ("true", "false"):
                yield ("variable", name)
            return
        for where in self._set(name, block, at):
            if where is None:
                yield from self._given.get(name, {("parameter", self.id, name)})
                continue
            n, i = where
            step = self.variant.blocks[n].instructions[i]
            yield ("set", self.id, n, i)
            match step:
                case ir.Assign(ir.Name(), value):
                    yield from self._of(value, n, i)
                case ir.Call(_, ir.Name(callee), args) if _only_answers(
                    callee, self.id[0], self._program
                ):
                    for arg in args:
                        if not self._is_pointer(arg):
                            yield from self._of(arg, n, i)

    def _is_local(self, name: str) -> bool:
        return name.startswith("%") or name in self._types

    def _is_pointer(self, e: ir.Expr) -> bool:
        """Tell whether an argument is an object: what is asked of that may be anything."""
        return isinstance(e, ir.Name) and "*" in self._types.get(e.id, "")

    def _set(self, name: str, block: int, at: int) -> Iterator[tuple[int, int] | None]:
        """Yield where a variable was set last, by block and instruction; None is on entry."""
        seen: set[int] = set()
        todo = [(block, at)]
        while todo:
            n, end = todo.pop()
            steps = self.variant.blocks[n].instructions
            set_here = [i for i in range(end) if name in set(written(steps[i]))]
            if set_here:
                yield n, set_here[-1]
                continue
            if n == 0:
                yield None
            for before in self._before[n]:
                if before not in seen:
                    seen.add(before)
                    todo.append((before, len(self.variant.blocks[before].instructions)))


def _only_answers(name: str, path: str, program: Program) -> bool:
    """Tell whether what a call answers follows from what it is passed: it does nothing else."""
    if program.resolve(name, path):
        return bool(answering(name, path, program))
    return name.isupper() or is_harmless(name)
