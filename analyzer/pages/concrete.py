"""Evaluate lowered functions, and conditions, on one value of the word that holds a page's type."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from analyzer.c import ir

#: The word of a page without a type, and the mask of its bits.
WORD = 0xFFFFFFFF
_NOTHING: Mapping[str, int | None] = MappingProxyType({})


class UndecidedError(Exception):
    """The body does something that a concrete evaluation of the type word cannot follow."""


class TrapError(Exception):
    """A fatal assertion failed."""


@dataclass(frozen=True, slots=True)
class Machine:
    """Evaluate lowered accessors on a concrete type word; known holds the constants they use."""

    functions: Mapping[str, ir.Function]
    known: Mapping[str, int]

    def run(
        self, name: str, word: int, args: Sequence[int | None] = (), depth: int = 0
    ) -> tuple[int | None, int]:
        """Return (returned value, word afterwards); raise TrapError or UndecidedError."""
        function = self.functions.get(name)
        if function is None or not function.variants or depth > 8:
            raise UndecidedError(name)
        variant = function.variants[0]
        values = dict(zip((p.name for p in function.params), args, strict=False))
        at = 0
        for _ in range(256):
            block = variant.blocks[at]
            for step in block.instructions:
                word = self._step(step, values, word, depth)
            match block.end:
                case ir.Jump(target):
                    at = target
                case ir.Branch(cond, then, orelse):
                    held = self.value(cond, word, values)
                    if held is None:
                        raise UndecidedError(name)
                    at = then if held else orelse
                case ir.Return(value):
                    return (None if value is None else self.value(value, word, values)), word
                case ir.Stop():
                    raise TrapError
        raise UndecidedError(name)

    def _step(
        self, step: ir.Instruction, values: dict[str, int | None], word: int, depth: int
    ) -> int:
        match step:
            case ir.Assign(ir.Name(id), value):
                values[id] = self.value(value, word, values)
            case ir.Assign(ir.Field(name="page_type"), value):
                changed = self.value(value, word, values)
                if changed is None:
                    raise UndecidedError("page_type")
                return changed
            case ir.Call(result, ir.Name(callee), args) if callee in self.functions:
                passed = [self.value(a, word, values) for a in args]
                values[result.id], word = self.run(callee, word, passed, depth + 1)
            case ir.Call(result):
                values[result.id] = None
            case ir.Havoc(names):
                values.update(dict.fromkeys(names))
            case _:
                pass
        return word

    def value(
        self, e: ir.Expr, word: int, values: Mapping[str, int | None] = _NOTHING
    ) -> int | None:
        """Return an expression's value where the word has a value; None where it is not known."""
        match e:
            case ir.Const(value):
                return value & WORD
            case ir.Name(id):
                held = values[id] if id in values else self.known.get(id)
                return None if held is None else held & WORD
            case ir.Field(name="page_type"):
                return word
            case ir.Cast(operand=operand):
                return self.value(operand, word, values)
            case ir.Unary(op, operand):
                held = self.value(operand, word, values)
                return None if held is None else _unary(op, held)
            case ir.Binary(op, left, right):
                one, other = self.value(left, word, values), self.value(right, word, values)
                return None if one is None or other is None else _binary(op, one, other)
        return None


def _unary(op: str, held: int) -> int | None:
    match op:
        case "!":
            return int(not held)
        case "~":
            return ~held & WORD
        case "-":
            return -held & WORD
    return None


def _binary(op: str, one: int, other: int) -> int | None:
    """Compute on 32-bit unsigned words, which is what `page_type` is."""
    match op:
        case "==" | "!=" | "<" | "<=" | ">" | ">=":
            truth = {
                "==": one == other,
                "!=": one != other,
                "<": one < other,
                "<=": one <= other,
                ">": one > other,
                ">=": one >= other,
            }
            return int(truth[op])
        case "&":
            return one & other
        case "|":
            return one | other
        case "^":
            return one ^ other
        case "+":
            return one + other & WORD
        case "-":
            return one - other & WORD
        case "<<":
            return one << (other & 31) & WORD
        case ">>":
            return one >> (other & 31)
    return None
