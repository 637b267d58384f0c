"""Find the functions that only answer: what they return follows from what they are passed."""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.pages.aside import is_harmless
from analyzer.program.program import Program


def answering(
    name: str, path: str, program: Program, known: Collection[str] = ()
) -> tuple[FunctionId, ...]:
    """Return the functions that a name can mean in a file, where all of them only answer.

    They may ask what is harmless, and functions of which it is known what they answer.
    """
    found = program.resolve(name, path)
    lowered = [function for id in found for function in program.lowered(id)]
    asked = [_asked_by(function) for function in lowered]
    only = all(names is not None and names.issubset(known) for names in asked)
    return found if lowered and only else ()


@lru_cache(maxsize=4096)
def _asked_by(function: ir.Function) -> frozenset[str] | None:
    """Return what a function calls that is not harmless; None where it stores or reads memory."""
    own = {p.name for p in function.params}
    steps = [
        (step, own | variant.locals.keys())
        for variant in function.variants
        for block in variant.blocks
        for step in (*block.instructions, block.end)
    ]
    if function.gaps or not all(_is_aside(step, names) for step, names in steps):
        return None
    called = (s.callee for s, _ in steps if isinstance(s, ir.Call))
    names = (callee.id for callee in called if isinstance(callee, ir.Name))
    return frozenset(name for name in names if not is_harmless(name))


def _is_aside(step: ir.Instruction | ir.Terminator, own: set[str]) -> bool:
    match step:
        case ir.Call(_, ir.Name(callee), args):
            return callee not in own and not any(map(_reads, args))
        case ir.Assign(ir.Name(target), value):
            return (target in own or target.startswith("%")) and not _reads(value)
        case ir.Branch(e) | ir.Return(e):
            return e is None or not _reads(e)
    return isinstance(step, ir.Check | ir.Jump | ir.Stop)


def _reads(e: ir.Expr) -> bool:
    """Tell whether an expression reads memory."""
    match e:
        case ir.Field() | ir.Index() | ir.Opaque() | ir.Unary("*" | "&"):
            return True
        case ir.Binary(_, left, right):
            return _reads(left) or _reads(right)
        case ir.Unary(_, operand) | ir.Cast(_, operand):
            return _reads(operand)
    return False
