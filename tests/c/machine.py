"""Run lowered functions on numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from analyzer.c import ir


class TrapError(Exception):
    """A path came to a Stop."""


@dataclass
class Machine:
    """Variables, the calls so far, and what calls will return, one after the other, then 0."""

    env: dict[str, int]
    answers: dict[str, list[int]]
    calls: list[str] = field(default_factory=list)

    def run(self, variant: ir.Variant) -> int | None:
        """Execute from the entry to a return; its value."""
        at = 0
        for _ in range(20_000):
            block = variant.blocks[at]
            for step in block.instructions:
                self.step(step)
            match block.end:
                case ir.Jump(target):
                    at = target
                case ir.Branch(cond, then, orelse):
                    at = then if self.value(cond) else orelse
                case ir.Return(value):
                    return None if value is None else self.value(value)
                case ir.Stop():
                    raise TrapError(self.calls)
        raise AssertionError("runs for ever")

    def step(self, step: ir.Instruction) -> None:
        match step:
            case ir.Assign(target, value):
                self.env[self.place(target)] = self.value(value)
            case ir.Call(result, callee, args):
                self.env[result.id] = self.answer(self.place(callee), args)
            case ir.Iterate(result, macro, args):
                self.env[result.id] = self.answer(macro, args)
            case ir.Check(macro):
                self.calls.append(f"!{macro}")
            case ir.Havoc():
                pass

    def answer(self, name: str, args: Sequence[ir.Expr]) -> int:
        self.calls.append(f"{name}({', '.join(str(self.value(a)) for a in args)})")
        left = self.answers.get(name)
        return left.pop(0) if left else 0

    def value(self, e: ir.Expr) -> int:
        match e:
            case ir.Const(value):
                return value
            case ir.Cast(_, operand):
                return self.value(operand)
            case ir.Unary(op, operand) if op in _UNARY:
                return _UNARY[op](self.value(operand))
            case ir.Binary(op, left, right):
                return int(_BINARY[op](self.value(left), self.value(right)))
            case ir.Name() | ir.Field() | ir.Index() | ir.Unary("*"):
                return self.env.get(self.place(e), 0)
        return 0

    def place(self, e: ir.Expr) -> str:
        match e:
            case ir.Name(id):
                return id
            case ir.Field(base, name, _):
                return f"{self.place(base)}.{name}"
            case ir.Index(base, index):
                return f"{self.place(base)}[{self.value(index)}]"
            case ir.Unary(_, operand):
                return f"*{self.place(operand)}"
        return "?"


def run(
    variant: ir.Variant,
    values: Mapping[str, int],
    answers: Mapping[str, Sequence[int]] | None = None,
) -> tuple[int | None, list[str]]:
    """Execute a variant; return its value and the calls in order, each as `name(args)`."""
    machine = Machine(dict(values), {name: list(a) for name, a in (answers or {}).items()})
    return machine.run(variant), machine.calls


_UNARY: Mapping[str, Callable[[int], int]] = {
    "!": lambda x: int(not x),
    "-": operator.neg,
    "~": operator.invert,
}
_BINARY: Mapping[str, Callable[[int, int], int]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": operator.lshift,
    ">>": operator.rshift,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
