"""Make a variable of what a loop steps behind an address that a function is passed.

`while (nr--) mark((*page)++)` goes through pages as it would with a variable of its own: that is
read where the function begins, and written back where it returns.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from analyzer.base import Span
from analyzer.c.ir import (
    Assign,
    Binary,
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
    Name,
    Opaque,
    Return,
    Terminator,
    Unary,
    Variant,
    successors,
)

#: What the variable is called, for the parameter.
_OWN = "{}__own"


def with_own(variant: Variant, params: Mapping[str, str], start: Span) -> Variant:
    """Return a variant in which such variables stand for what is behind parameters.

    Only for those with which a function does nothing else. params are their types; start is where
    the body begins.
    """
    stepped = dict.fromkeys(p for p in _stepped(variant) if p in params)
    if not stepped or any(0 in successors(block.end) for block in variant.blocks):
        return variant
    own = {p: _OWN.format(p) for p in stepped}
    blocks = [_replaced(block, own) for block in variant.blocks]
    used = {name for block in blocks for name in _names(block)}
    own = {p: name for p, name in own.items() if p not in used}
    if not own:
        return variant
    blocks = [_returned(_replaced(block, own), own) for block in variant.blocks]
    taken = tuple(Assign(Name(name), Unary("*", Name(p)), start) for p, name in own.items())
    blocks[0] = replace(blocks[0], instructions=(*taken, *blocks[0].instructions))
    loops = tuple(
        replace(loop, assigns=loop.assigns | _assigned(loop.blocks, blocks, own))
        for loop in variant.loops
    )
    types = {name: params[p].removesuffix("*").rstrip() for p, name in own.items()}
    return replace(variant, blocks=tuple(blocks), loops=loops, locals={**variant.locals, **types})


def _stepped(variant: Variant) -> Iterator[str]:
    """Yield the names behind which a loop steps something."""
    for b in sorted({b for loop in variant.loops for b in loop.blocks}):
        for step in variant.blocks[b].instructions:
            match step:
                case Assign(Unary("*", Name(id)) as target, Binary("+" | "-", left)):
                    if left == target:
                        yield id


def _assigned(inside: frozenset[int], blocks: list[Block], own: Mapping[str, str]) -> set[str]:
    """Return the variables that a loop assigns."""
    steps = (step for b in inside for step in blocks[b].instructions)
    targets = {step.target for step in steps if isinstance(step, Assign)}
    return {name for name in own.values() if Name(name) in targets}


def _replaced(block: Block, own: Mapping[str, str]) -> Block:
    """Return a block with the variables in the place of what they stand for."""
    steps = tuple(_step(step, own) for step in block.instructions)
    end: Terminator = block.end
    match end:
        case Branch(cond):
            end = replace(end, cond=_expr(cond, own))
        case Return(value) if value is not None:
            end = replace(end, value=_expr(value, own))
    return Block(steps, end)


def _returned(block: Block, own: Mapping[str, str]) -> Block:
    """Return a block that writes the variables back where it returns."""
    if not isinstance(block.end, Return):
        return block
    span = block.end.span
    back = (Assign(Unary("*", Name(p)), Name(name), span) for p, name in own.items())
    return replace(block, instructions=(*block.instructions, *back))


def _step(step: Instruction, own: Mapping[str, str]) -> Instruction:
    match step:
        case Assign(target, value):
            return replace(step, target=_expr(target, own), value=_expr(value, own))
        case Call(_, callee, args):
            args = tuple(_expr(a, own) for a in args)
            return replace(step, callee=_expr(callee, own), args=args)
        case Iterate(_, _, args):
            return replace(step, args=tuple(_expr(a, own) for a in args))
    return step


def _expr(e: Expr, own: Mapping[str, str]) -> Expr:
    match e:
        case Unary("*", Name(id)) if id in own:
            return Name(own[id])
        case Field(base):
            return replace(e, base=_expr(base, own))
        case Index(base, index):
            return Index(_expr(base, own), _expr(index, own))
        case Unary(op, operand):
            return Unary(op, _expr(operand, own))
        case Binary(op, left, right):
            return Binary(op, _expr(left, own), _expr(right, own))
        case Cast(type, operand):
            return Cast(type, _expr(operand, own))
    return e


def _names(block: Block) -> Iterator[str]:
    """Yield the names that stand in a block."""
    for step in block.instructions:
        match step:
            case Assign(target, value):
                yield from (*_named(target), *_named(value))
            case Call(_, callee, args):
                yield from (name for e in (callee, *args) for name in _named(e))
            case Iterate(_, _, args):
                yield from (name for e in args for name in _named(e))
            case Havoc(names):
                yield from names
    match block.end:
        case Branch(e) | Return(e) if e is not None:
            yield from _named(e)


def _named(e: Expr) -> Iterator[str]:
    match e:
        case Name(id):
            yield id
        case Field(base):
            yield from _named(base)
        case Index(left, right) | Binary(_, left, right):
            yield from (*_named(left), *_named(right))
        case Unary(_, operand) | Cast(_, operand):
            yield from _named(operand)
        case Opaque(_, names):
            yield from names
