"""Tell under which conditions a function makes its calls and operates on pages."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.pages.machine import Space
from analyzer.program.program import Program

_WORD = re.compile(r"\w+")

#: Conditions, each with the outcome that leads there.
Guards = frozenset[tuple[str, bool]]
#: What a function does to one dimension: each operation with its arguments and its guards.
Signature = frozenset[tuple[str, str, Guards]]


class GuardedCall(NamedTuple):
    """One direct call: its arguments in words, what must hold for it, and its offset."""

    name: str
    args: tuple[str, ...]
    guards: Guards
    at: int

    @property
    def same(self) -> tuple[str, tuple[str, ...]]:
        """Return what is called with what, whatever must hold for it."""
        return (self.name, self.args)


class Decision(NamedTuple):
    """An outcome of a branch: where it stands, what it is, and the blocks that need it."""

    branch: int
    guard: tuple[str, bool]
    blocks: frozenset[int]


def guarded_calls(program: Program, id: FunctionId) -> list[GuardedCall]:
    """Return a function's direct calls, those of each variant."""
    if not program.has(id[0]):
        return []
    return [
        GuardedCall(step.callee.id, tuple(map(repr, step.args)), guards, step.span.start)
        for _, variant in program.bodies(id)
        for guards, step in guarded_steps(variant)
        if isinstance(step, ir.Call) and isinstance(step.callee, ir.Name)
    ]


def signature(program: Program, id: FunctionId, space: Space, dimension: str) -> Signature:
    """Return the operations on a dimension in a function, with arguments and guards."""
    found = set()
    for _, variant in program.bodies(id):
        for guards, step in guarded_steps(variant):
            if isinstance(step, ir.Check):
                asked = _asked_in(step, id[0], program)
                if any(op.dimension == dimension for op in map(space.operations.get, asked) if op):
                    found.add((step.macro, step.condition, guards))
            if not isinstance(step, ir.Call) or not isinstance(step.callee, ir.Name):
                continue
            op = space.operations.get(step.callee.id)
            if op is not None and op.dimension == dimension:
                held = guards | frozenset((f"#{s}", h) for s, h in variant.conditions)
                found.add((op.name, repr(step.args), held))
    return frozenset(found)


def _asked_in(step: ir.Check, path: str, program: Program) -> Iterator[str]:
    """Yield what an assertion names, and what is called by the helpers that it asks."""
    for name in _WORD.findall(step.condition):
        yield name
        for id in program.resolve(name, path) if program.is_function(name) else ():
            yield from program.called(id)


def guarded_steps(variant: ir.Variant) -> Iterator[tuple[Guards, ir.Instruction]]:
    """Yield the instructions of a body, each with what must hold for it."""
    for guards, block in zip(guards_of(variant), variant.blocks, strict=True):
        for step in block.instructions:
            yield guards, step


def guards_of(variant: ir.Variant) -> tuple[Guards, ...]:
    """Return for each block the branch outcomes without which it is not reached."""
    guards: list[set[tuple[str, bool]]] = [set() for _ in variant.blocks]
    for decision in decisions_of(variant):
        for n in decision.blocks:
            guards[n].add(decision.guard)
    return tuple(frozenset(g) for g in guards)


def decisions_of(variant: ir.Variant) -> Iterator[Decision]:
    """Yield both outcomes of each branch, each with the blocks that are not reached without it."""
    blocks = variant.blocks
    meaning: dict[str, str] = {}
    for step in variant.steps:
        if isinstance(step, ir.Call):
            meaning[step.result.id] = f"{step.callee}{step.args}"
        elif isinstance(step, ir.Assign) and isinstance(step.target, ir.Name):
            meaning.setdefault(step.target.id, repr(step.value))
    reached = _reachable(blocks)
    for b, block in enumerate(blocks):
        end = block.end
        if not isinstance(end, ir.Branch) or end.then == end.orelse:
            continue
        text = _meant(end.cond, meaning)
        for held, other in ((True, end.orelse), (False, end.then)):
            yield Decision(b, (text, held), frozenset(reached - _reachable(blocks, (b, other))))


def turned_in(before: ir.Variant, after: ir.Variant, names: Collection[str]) -> ir.Branch | None:
    """Return the branch that alone makes the difference between two bodies, turned round.

    What it decides calls one of some names, or is done where one of them was asked; None where
    there is no such branch.
    """
    was, now = _done(before), _done(after)
    if was == now or {k for k, _ in was} != {k for k, _ in now}:
        return None
    apart = was ^ now
    for decision in decisions_of(after):
        text, _ = _upright(decision.guard)
        turned = {(k, frozenset((t, h is not (t == text)) for t, h in g)) for k, g in was}
        if turned == now and any(_names(k, g, names) for k, g in apart):
            end = after.blocks[decision.branch].end
            assert isinstance(end, ir.Branch), "an outcome of a branch"
            return end
    return None


def _done(variant: ir.Variant) -> set[tuple[str, Guards]]:
    """Return what a body does, each with what must hold for it."""
    found = set()
    for guards, block in zip(guards_of(variant), variant.blocks, strict=True):
        held = frozenset(_upright(g) for g in guards)
        for step in block.instructions:
            match step:
                case ir.Call(_, callee, args):
                    found.add((f"{callee}{args}", held))
                case ir.Assign(target, value):
                    found.add((f"{target} = {value}", held))
                case _:
                    found.add((type(step).__name__, held))
        if isinstance(block.end, ir.Return):
            found.add((f"return {block.end.value}", held))
    return found


def _upright(guard: tuple[str, bool]) -> tuple[str, bool]:
    """Return an outcome of a condition without what turns it round."""
    text, held = guard
    while text.startswith("!"):
        text, held = text[1:], not held
    return text, held


def _names(step: str, guards: Guards, names: Collection[str]) -> bool:
    texts = (step, *(text for text, _ in guards))
    return any(word in names for text in texts for word in _WORD.findall(text))


def _meant(cond: ir.Expr, meaning: Mapping[str, str]) -> str:
    """Write a condition with temporaries spelled out."""
    if isinstance(cond, ir.Name) and cond.id.startswith("%"):
        return meaning.get(cond.id, cond.id)
    if isinstance(cond, ir.Unary):
        return f"{cond.op}{_meant(cond.operand, meaning)}"
    return repr(cond)


def _reachable(blocks: tuple[ir.Block, ...], only: tuple[int, int] | None = None) -> set[int]:
    """Return the blocks reached from the entry; only is a block and the one way on from it."""
    seen, todo = {0}, [0]
    while todo:
        b = todo.pop()
        targets = (only[1],) if only is not None and b == only[0] else ir.successors(blocks[b].end)
        for t in targets:
            if t not in seen:
                seen.add(t)
                todo.append(t)
    return seen
