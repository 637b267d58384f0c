"""Find what is written to fields, arrays and through pointers, by the functions of one file."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from analyzer.c import ir
from analyzer.program.defs import Place, target_of
from analyzer.program.program import Program


class Store(NamedTuple):
    """A place in a function's variant, and the value stored there; None where a call fills it in.

    is_element tells whether it goes into an element of an array that the field holds.
    """

    function: ir.Function
    variant: ir.Variant
    place: Place
    value: ir.Expr | None
    is_element: bool = False


def stores_of(program: Program, path: str, name: str) -> Iterator[Store]:
    """Yield every value that the functions of a file store in a field of a name."""
    unit = program.unit(path)
    needle = name.encode()
    written = re.compile(rb"(?:\.|->)" + needle + rb"\b(?:\[\w*\])?\s*(?:=[^=]|[,)])")
    for found in unit.definitions.values():
        for d in found:
            at = unit.flat.find(needle, d.body, d.span.end)  # a plain search is much the faster
            if at >= 0 and written.search(unit.flat, max(at - 2, d.body), d.span.end):
                for function in program.lowered((path, d.name)):
                    yield from _stored(function, name)


def _stored(function: ir.Function, name: str) -> Iterator[Store]:
    for variant in function.variants:
        for b, block in enumerate(variant.blocks):
            for n, step in enumerate(block.instructions):
                match step:
                    case ir.Assign(ir.Field(_, f, _) | ir.Index(ir.Field(_, f, _), _) as to, value):
                        if f == name:
                            stored, is_element = _first(block, n, value), isinstance(to, ir.Index)
                            yield Store(function, variant, Place(b, n), stored, is_element)
                    case ir.Call(_, _, args):
                        if any(target_of(a) == name and not isinstance(a, ir.Name) for a in args):
                            yield Store(function, variant, Place(b, n), None)


def _first(block: ir.Block, at: int, value: ir.Expr) -> ir.Expr:
    """Return what a chain of assignments stores, `a->x = a->y = value`, in all of them."""
    while at > 0:
        at -= 1
        match block.instructions[at]:
            case ir.Assign(target, stored) if target == value and isinstance(value, ir.Field):
                value = stored
            case _:
                break
    return value


def returns_of(function: ir.Function) -> Iterator[tuple[ir.Variant, Place, ir.Expr]]:
    """Yield every value that a function returns, with the place."""
    for variant in function.variants:
        for b, block in enumerate(variant.blocks):
            if isinstance(block.end, ir.Return) and block.end.value is not None:
                yield variant, Place(b, len(block.instructions)), block.end.value
