"""Know which fields behind an address a function may write, where it is not entered."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from analyzer.c import ir
from analyzer.flow.program import FunctionId, Program
from analyzer.flow.shape import expressions_of


def fields_written(
    program: Program, ids: Iterable[FunctionId], index: int
) -> frozenset[str] | None:
    """Return the fields that functions may write behind an argument; None where it may be any.

    Fields count by their names, whatever they belong to; a pointer that goes anywhere else than
    to a field of its own may be written through there.
    """
    found: frozenset[str] = frozenset()
    for id in ids:
        for function in program.lowered(id):
            if index >= len(function.params) or function.gaps:
                return None
            written = _written(function, function.params[index].name)
            if written is None:
                return None
            found |= written
    return found


def _written(function: ir.Function, param: str) -> frozenset[str] | None:
    found: set[str] = set()
    for variant in function.variants:
        for block in variant.blocks:
            end = block.end
            if isinstance(end, ir.Return) and end.value and _escapes(end.value, param):
                return None
            for step in block.instructions:
                if any(_escapes(e, param) for e in (*expressions_of(step), *_target(step))):
                    return None
                if isinstance(step, ir.Assign):
                    found.update(fields_of(step.target))
    return frozenset(found)


def _target(step: ir.Instruction) -> tuple[ir.Expr, ...]:
    return (step.target,) if isinstance(step, ir.Assign) else ()


def _escapes(e: ir.Expr, param: str) -> bool:
    """Tell whether a pointer is used for anything but to reach one of its fields by name."""
    match e:
        case ir.Name(id):
            return id == param
        case ir.Opaque(names=names):
            return param in names
        case ir.Field(ir.Name(), _, True):
            return False
        case ir.Unary("&", operand):
            return _root(operand) == param
        case ir.Field(base, _, _) | ir.Unary(_, base) | ir.Cast(_, base):
            return _escapes(base, param)
        case ir.Binary(_, left, right) | ir.Index(left, right):
            return _escapes(left, param) or _escapes(right, param)
    return False


def _root(e: ir.Expr) -> str:
    """Return the name that a chain of fields and elements begins with."""
    match e:
        case ir.Name(id):
            return id
        case ir.Field(base, _, _) | ir.Index(base, _) | ir.Unary(_, base) | ir.Cast(_, base):
            return _root(base)
    return ""


def fields_of(e: ir.Expr) -> Iterator[str]:
    """Yield the fields by which an expression reaches what it names."""
    match e:
        case ir.Field(base, name, _):
            yield name
            yield from fields_of(base)
        case ir.Index(base, _) | ir.Unary(_, base) | ir.Cast(_, base):
            yield from fields_of(base)
