"""Build control-flow graphs: blocks are opened, placed in textual order, ended, then numbered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from analyzer.c.ir import (
    Assign,
    Block,
    Branch,
    Call,
    Cast,
    Expr,
    Field,
    Havoc,
    Index,
    Instruction,
    Iterate,
    Jump,
    Loop,
    Name,
    Return,
    Stop,
    Terminator,
    Unary,
)
from analyzer.c.jumps import loops_by_jumps

_NOWHERE = -1


@dataclass(slots=True)
class Graph:
    """Blocks in the making. What is emitted where no path leads is dropped."""

    _instructions: list[list[Instruction]] = field(default_factory=list)
    _ends: list[Terminator | None] = field(default_factory=list)
    _placed: list[int] = field(default_factory=list)
    _loops: list[tuple[int, Sequence[int], str, tuple[str, ...]]] = field(default_factory=list)
    _current: int = _NOWHERE

    def block(self) -> int:
        """Return a new block that stands nowhere yet."""
        self._instructions.append([])
        self._ends.append(None)
        return len(self._ends) - 1

    def place(self, block: int) -> None:
        """Go on writing in a block; an open block before it flows into it."""
        self.end(Jump(block))
        self._placed.append(block)
        self._current = block

    def emit(self, instruction: Instruction) -> None:
        """Append an instruction."""
        if self._current != _NOWHERE:
            self._instructions[self._current].append(instruction)

    def end(self, terminator: Terminator) -> None:
        """Close the current block; nothing follows until a block is placed."""
        if self._current != _NOWHERE:
            self._ends[self._current] = terminator
            self._current = _NOWHERE

    def is_placed(self, block: int) -> bool:
        """Tell whether a block has got its place."""
        return block in self._placed

    @property
    def mark(self) -> int:
        """Return how many blocks are placed: where a loop begins."""
        return len(self._placed)

    def loop(self, header: int, mark: int, kind: str, cursors: Sequence[str] = ()) -> None:
        """Record the loop of the blocks placed since a mark; cursors are names it assigns."""
        self._loops.append((header, tuple(self._placed[mark:]), kind, tuple(cursors)))

    def finish(self, variables: frozenset[str]) -> tuple[tuple[Block, ...], tuple[Loop, ...]]:
        """Drop what cannot be reached, number blocks in textual order, entry first."""
        reached = self.reachable()
        order = [b for b in self._placed if b in reached]
        number = {b: n for n, b in enumerate(order)}
        blocks = []
        for b in order:
            end = self._ends[b]
            assert end is not None, "every placed block is ended before its successor is placed"
            blocks.append(Block(tuple(self._instructions[b]), _renumbered(end, number)))
        loops = []
        for header, members, kind, cursors in self._loops:
            if header in reached:
                inside = frozenset(number[b] for b in members if b in reached)
                assigned = _assigned(blocks, inside) | frozenset(cursors)
                loops.append(Loop(number[header], inside, assigned & variables, kind))
        for at, inside in loops_by_jumps(blocks, {loop.header for loop in loops}):
            loops.append(Loop(at, inside, _assigned(blocks, inside) & variables, "goto"))
        return tuple(blocks), tuple(sorted(loops, key=lambda x: (x.header, -len(x.blocks))))

    def missing(self) -> tuple[int, ...]:
        """Return the blocks to which a path leads and that stand nowhere."""
        return tuple(sorted(self.reachable() - set(self._placed)))

    def reachable(self) -> frozenset[int]:
        """Return the blocks to which a path leads from the first one."""
        seen: set[int] = set()
        todo = self._placed[:1]
        while todo:
            b = todo.pop()
            if b not in seen:
                seen.add(b)
                match self._ends[b]:
                    case Jump(target):
                        todo.append(target)
                    case Branch(_, then, orelse):
                        todo += (then, orelse)
                    case _:
                        pass
        return frozenset(seen)


def _renumbered(end: Terminator, number: Mapping[int, int]) -> Terminator:
    match end:
        case Jump(target):
            return Jump(number[target])
        case Branch(_, then, orelse):
            return replace(end, then=number[then], orelse=number[orelse])
        case Return() | Stop():
            return end


def _assigned(blocks: Sequence[Block], members: frozenset[int]) -> frozenset[str]:
    """Return the variables that blocks assign, in whole or in part, or whose address they use."""
    found: set[str] = set()
    for n in members:
        for step in blocks[n].instructions:
            match step:
                case Assign(target, value):
                    found |= {root(target), *_addressed(value)}
                case Call(_, callee, args):
                    found |= _addressed(callee).union(*map(_addressed, args))
                case Iterate(_, _, args):
                    found |= frozenset().union(*map(_addressed, args))
                case Havoc(names):
                    found |= names
                case _:
                    pass
    return frozenset(found)


def root(target: Expr) -> str:
    """Return the variable of which an assigned expression is (a part); "" for memory."""
    match target:
        case Name(id):
            return id
        case Field(base, _, False) | Index(base, _) | Cast(_, base):
            return root(base)
    return ""


def _addressed(e: Expr) -> frozenset[str]:
    match e:
        case Unary("&", operand):
            return frozenset((root(operand),))
        case Cast(_, operand) | Unary(_, operand):
            return _addressed(operand)
    return frozenset()
