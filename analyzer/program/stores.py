"""Know which fields behind an address a function may write, where it is not entered."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.program.params import is_number
from analyzer.program.program import Program
from analyzer.program.shape import expressions_of, root_name

#: Which fields may be written behind the argument with a number; None is any.
Writes = Callable[[int], frozenset[str] | None]


def fields_written(
    program: Program,
    ids: Iterable[FunctionId],
    index: int,
    reads: Callable[[str, str], bool] = lambda *_: False,
) -> frozenset[str] | None:
    """Return the fields that functions may write behind an argument; None where it may be any.

    Fields count by their names, whatever they belong to; a pointer that goes anywhere else than
    to a field of its own, or on to a function that was read, may be written through there. reads
    tells of a function called in a file whether it is taken to write nothing.
    """
    return _written_by(program, ids, index, reads, set())


def _written_by(
    program: Program,
    ids: Iterable[FunctionId],
    index: int,
    reads: Callable[[str, str], bool],
    seen: set[tuple[FunctionId, int]],
) -> frozenset[str] | None:
    found: frozenset[str] = frozenset()
    for id in ids:
        if (id, index) in seen:
            continue
        seen.add((id, index))
        for function in program.lowered(id):
            if index >= len(function.params) or function.gaps:
                return None
            if is_number(function.params[index].type):
                continue
            param = function.params[index].name
            steps = [s for s in _steps(function) if not _is_reading(s, id[0], reads)]
            if any(_escapes(e, param) for e in (*_returned(function), *_used(steps, param))):
                return None
            for step in steps:
                if isinstance(step, ir.Assign):
                    found |= frozenset(fields_of(step.target))
            for name, n in _passed_on(steps, param):
                callees = program.resolve(name, id[0])
                more = _written_by(program, callees, n, reads, seen) if callees else None
                if more is None:
                    return None
                found |= more
    return found


def _steps(function: ir.Function) -> Iterator[ir.Instruction]:
    for variant in function.variants:
        for block in variant.blocks:
            yield from block.instructions


def _returned(function: ir.Function) -> Iterator[ir.Expr]:
    for variant in function.variants:
        for block in variant.blocks:
            if isinstance(block.end, ir.Return) and block.end.value is not None:
                yield block.end.value


def _is_reading(step: ir.Instruction, path: str, reads: Callable[[str, str], bool]) -> bool:
    return (
        isinstance(step, ir.Call)
        and isinstance(step.callee, ir.Name)
        and reads(step.callee.id, path)
    )


def _used(steps: Iterable[ir.Instruction], param: str) -> Iterator[ir.Expr]:
    """Yield the expressions of steps, but for a parameter that a call passes on."""
    for step in steps:
        yield from _target(step)
        if isinstance(step, ir.Call) and isinstance(step.callee, ir.Name):
            yield from (a for a in step.args if a != ir.Name(param))
        else:
            yield from expressions_of(step)


def _passed_on(steps: Iterable[ir.Instruction], param: str) -> Iterator[tuple[str, int]]:
    """Yield the functions that a parameter is passed on to, and as which argument."""
    for step in steps:
        if isinstance(step, ir.Call) and isinstance(step.callee, ir.Name):
            for n, arg in enumerate(step.args):
                if arg == ir.Name(param):
                    yield step.callee.id, n


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
            return root_name(operand) == param
        case ir.Field(base, _, _) | ir.Unary(_, base) | ir.Cast(_, base):
            return _escapes(base, param)
        case ir.Binary(_, left, right) | ir.Index(left, right):
            return _escapes(left, param) or _escapes(right, param)
    return False


def fields_of(e: ir.Expr) -> Iterator[str]:
    """Yield the fields by which an expression reaches what it names."""
    match e:
        case ir.Field(base, name, _):
            yield name
            yield from fields_of(base)
        case ir.Index(base, _) | ir.Unary(_, base) | ir.Cast(_, base):
            yield from fields_of(base)
