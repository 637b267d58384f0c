"""Find the arrays of pages that a function keeps to itself: nobody else can store into them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from functools import lru_cache

from analyzer.c import ir
from analyzer.pages.aside import is_harmless
from analyzer.program.shape import names_in

_ARRAY = re.compile(r"struct\s+(?:page|folio)\s*\*\s*\[|struct\s+(?:page|folio)\s*\*\s*\*\s*\Z")
#: Calls that are harmless and still store into memory, or make it.
_COPIES, _ALLOCATES = re.compile(r"mem[a-z]"), re.compile(r"k?v?[mzc]alloc")


@lru_cache(maxsize=4096)
def own_arrays(variant: ir.Variant) -> frozenset[str]:
    """Return the arrays of pages of which a function uses nothing but elements, allocated or local.

    Neither the array nor the address of an element goes anywhere.
    """
    found = {name for name, spelled in variant.locals.items() if _ARRAY.search(spelled)}
    if found:
        pointers = {name for name in found if "[" not in variant.locals[name]}
        made = _made(variant)
        found -= {n for b in variant.blocks for n in _spoilt(b, pointers, made)}
    return frozenset(found)


def _made(variant: ir.Variant) -> frozenset[str]:
    """Return the temporaries that hold memory which is new, and nothing else."""
    return frozenset(
        step.result.id
        for step in variant.steps
        if isinstance(step, ir.Call)
        and isinstance(step.callee, ir.Name)
        and _ALLOCATES.match(step.callee.id)
    )


def _spoilt(block: ir.Block, pointers: Collection[str], made: Collection[str]) -> Iterator[str]:
    """Yield the variables that a block uses otherwise than by an element or to free them."""
    for step in block.instructions:
        match step:
            case ir.Assign(ir.Name(id), value):
                new = isinstance(value, ir.Name) and value.id in made
                if id in pointers and not new and value != ir.Const(0):
                    yield id
                yield from _bare(value)
            case ir.Assign(target, value):
                yield from _bare(target)
                yield from _bare(value)
            case ir.Call(_, ir.Name(name), args) if is_harmless(name) and not _COPIES.match(name):
                yield from (n for a in args if not isinstance(a, ir.Name) for n in _bare(a))
            case ir.Call(_, callee, args):
                yield from (n for e in (callee, *args) for n in _bare(e))
            case ir.Havoc(names):
                yield from names
            case ir.Iterate(args=args):
                yield from (n for a in args for n in _bare(a))
    if isinstance(block.end, ir.Return) and block.end.value is not None:
        yield from _bare(block.end.value)


def _bare(e: ir.Expr) -> Iterator[str]:
    """Yield the names in an expression but for those of which it reads an element."""
    match e:
        case ir.Index(ir.Name(), index):
            yield from _bare(index)
        case ir.Unary("&", inner):
            yield from names_in(inner)
        case ir.Unary(_, inner) | ir.Cast(_, inner) | ir.Field(inner, _, _):
            yield from _bare(inner)
        case ir.Binary(_, left, right) | ir.Index(left, right):
            yield from _bare(left)
            yield from _bare(right)
        case _:
            yield from names_in(e)
