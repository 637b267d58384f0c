"""Tell whether an expression names the same in each turn of a loop."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from analyzer.c import ir
from analyzer.pages.facts import Identity
from analyzer.program.defs import Place, reaching
from analyzer.program.shape import addressed_in, expressions_of, written


def loop_around(variant: ir.Variant, block: int) -> ir.Loop | None:
    """Return the innermost loop around a block."""
    around = [loop for loop in variant.loops if block in loop.blocks]
    return min(around, key=lambda loop: len(loop.blocks), default=None)


class Steady:
    """Read expressions of a variant inside of one of its loops.

    Only what is computed from a function's own variables, of which nobody has the address, is ever
    the same: memory, and what is global, may change with any call.
    """

    def __init__(
        self,
        variant: ir.Variant,
        loop: ir.Loop,
        own: Collection[str],
        identities: Mapping[str, Identity],
    ) -> None:
        """Take a loop, the names of the function's variables and what names a page anew."""
        self._variant, self._loop, self._identities = variant, loop, identities
        steps = [step for b in loop.blocks for step in variant.blocks[b].instructions]
        self._stored = frozenset(name for step in steps for name in written(step))
        shared = {n for s in variant.steps for e in expressions_of(s) for n in addressed_in(e)}
        self._own = frozenset(own) - shared

    def is_same(self, e: ir.Expr, at: Place) -> bool:
        """Tell whether an expression at a place of the loop is the same in each turn."""
        match e:
            case ir.Const():
                return True
            case ir.Name(name):
                return self._is_kept(name, at)
            case ir.Unary("&", ir.Field(base, _, True)):
                return self.is_same(base, at)
            case ir.Unary("-" | "~" | "!", operand) | ir.Cast(_, operand):
                return self.is_same(operand, at)
            case ir.Binary(_, left, right):
                return self.is_same(left, at) and self.is_same(right, at)
        return False

    def is_stepped(self, e: ir.Expr, at: Place) -> bool:
        """Tell whether an expression is another page, or number, in the next turn for certain.

        The loop adds to a variable that it goes by, whoever else may move that on.
        """
        match e:
            case ir.Name(name):
                found = list(reaching(self._variant, name, at))
                if self._is_counted(name):
                    return True
                if len(found) != 1 or found[0].place.block not in self._loop.blocks:
                    return False
                return any(
                    self.is_stepped(a, found[0].place) for a in self._named_by(found[0].step)
                )
            case ir.Binary("+", left, right):
                return self.is_stepped(left, at) and self.is_same(right, at)
            case ir.Cast(_, operand):
                return self.is_stepped(operand, at)
        return False

    def _is_counted(self, name: str) -> bool:
        """Tell whether all that a loop stores in a variable itself is that variable and more."""
        if name.startswith("%"):
            return False
        steps = (s for b in self._loop.blocks for s in self._variant.blocks[b].instructions)
        stores = [s for s in steps if isinstance(s, ir.Assign) and s.target == ir.Name(name)]
        return bool(stores) and all(
            isinstance(s.value, ir.Binary)
            and s.value.op == "+"
            and s.value.left == ir.Name(name)
            and isinstance(s.value.right, ir.Const)
            and s.value.right.value > 0
            for s in stores
        )

    def _named_by(self, step: ir.Instruction | None) -> tuple[ir.Expr, ...]:
        """Return what a step names anew."""
        match step:
            case ir.Assign(target, value) if value != target:
                return (value,)
            case ir.Call(_, ir.Name(callee), args) if callee in self._identities:
                return args
        return ()

    def _is_kept(self, name: str, at: Place) -> bool:
        if name not in self._own and not name.startswith("%"):
            return name.isupper()  # an enumerator, or a macro's number
        if name not in self._stored:
            return True
        found = list(reaching(self._variant, name, at))
        if len(found) != 1 or found[0].place.block not in self._loop.blocks:
            return False
        match found[0].step:
            case ir.Assign(_, value):
                return self.is_same(value, found[0].place)
            case ir.Call(_, ir.Name(callee), args) if callee in self._identities:
                return all(self.is_same(a, found[0].place) for a in args)
        return False
