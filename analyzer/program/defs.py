"""Find which assignments of a variable reach a place in a body."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from analyzer.c import ir


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a body: in front of the instruction at index in a block."""

    block: int
    index: int


@dataclass(frozen=True, slots=True)
class Reaching:
    """An assignment that reaches a place, and where it stands; step is None for the entry."""

    step: ir.Instruction | None
    place: Place


@lru_cache(maxsize=1024)
def predecessors(variant: ir.Variant) -> tuple[tuple[int, ...], ...]:
    """Return for each block the blocks that lead to it."""
    found: list[list[int]] = [[] for _ in variant.blocks]
    for b, block in enumerate(variant.blocks):
        for t in ir.successors(block.end):
            found[t].append(b)
    return tuple(map(tuple, found))


def reaching(variant: ir.Variant, name: str, at: Place) -> Iterator[Reaching]:
    """Yield the assignments of a variable that reach a place, the entry among them."""
    before = predecessors(variant)
    todo, seen = [at], {at}
    while todo:
        here = todo.pop()
        steps = variant.blocks[here.block].instructions
        for n in range(min(here.index, len(steps)) - 1, -1, -1):
            if writes(steps[n], name):
                yield Reaching(steps[n], Place(here.block, n))
                break
        else:
            if here.block == 0:
                yield Reaching(None, Place(0, 0))
            for b in before[here.block]:
                place = Place(b, len(variant.blocks[b].instructions))
                if place not in seen:
                    seen.add(place)
                    todo.append(place)


def writes(step: ir.Instruction, name: str) -> bool:
    """Tell whether an instruction gives a variable another value, as far as can be seen."""
    match step:
        case ir.Assign(ir.Name(id)):
            return id == name
        case ir.Call(result, _, _):
            return result.id == name
        case ir.Iterate(result, _, args):
            return result.id == name or any(variable(a) == name for a in args)
        case ir.Havoc(names):
            return name in names
    return False


def variable(e: ir.Expr) -> str:
    """Return the variable that an expression names or takes the address of, or nothing."""
    match e:
        case ir.Name(id):
            return id
        case ir.Unary("&", ir.Name(id)):
            return id
        case ir.Cast(operand=operand):
            return variable(operand)
    return ""


def calls_of(variant: ir.Variant) -> Iterator[tuple[Place, ir.Call]]:
    """Yield every call of a body with its place."""
    for b, block in enumerate(variant.blocks):
        for n, step in enumerate(block.instructions):
            if isinstance(step, ir.Call):
                yield Place(b, n), step


def callees_in(variants: Iterable[ir.Variant]) -> dict[str, set[int]]:
    """Return what bodies call by name, each with the offsets of its calls."""
    found: dict[str, set[int]] = {}
    for variant in variants:
        for _, call in calls_of(variant):
            if isinstance(call.callee, ir.Name):
                found.setdefault(call.callee.id, set()).add(call.span.start)
    return found


def call_from(variant: ir.Variant, start: int) -> tuple[Place, ir.Call] | None:
    """Return the call that begins at an offset."""
    return next(((p, c) for p, c in calls_of(variant) if c.span.start == start), None)


def call_at(variant: ir.Variant, start: int) -> tuple[Place, ir.Call] | None:
    """Return the call whose name stands at an offset, or the innermost call around it."""
    found = [(p, c) for p, c in calls_of(variant) if c.span.start <= start < c.span.end]
    exact = [(p, c) for p, c in found if c.span.start == start]
    if exact:
        return min(exact, key=lambda pair: pair[1].span.end)
    return min(found, key=lambda pair: pair[1].span.end - pair[1].span.start, default=None)


def target_of(e: ir.Expr) -> str:
    """Return the variable or field that an argument names, or takes the address of."""
    match e:
        case ir.Field(_, name, _):
            return name
        case ir.Unary("&" | "*", operand) | ir.Cast(_, operand) | ir.Index(operand, _):
            return target_of(operand)
        case ir.Binary("+", left, _):
            return target_of(left)
    return variable(e)


@lru_cache(maxsize=1024)
def passed_to(variant: ir.Variant) -> Mapping[str, tuple[str, ...]]:
    """Return for each variable or field the functions that are passed it, or its address."""
    found: dict[str, dict[str, None]] = {}
    for _, call in calls_of(variant):
        if isinstance(call.callee, ir.Name):
            for a in call.args:
                found.setdefault(target_of(a), {})[call.callee.id] = None
    return {name: tuple(callees) for name, callees in found.items() if name}


@lru_cache(maxsize=1024)
def writes_through(
    variant: ir.Variant,
) -> Mapping[str, tuple[tuple[Place, ir.Instruction, int], ...]]:
    """Return for each pointer or array what may write through it, with an argument's position."""
    found: dict[str, list[tuple[Place, ir.Instruction, int]]] = {}
    for b, block in enumerate(variant.blocks):
        for n, step in enumerate(block.instructions):
            match step:
                case ir.Assign(ir.Unary("*", ir.Name(id)) | ir.Index(ir.Name(id), _), _):
                    found.setdefault(id, []).append((Place(b, n), step, 0))
                case ir.Call(_, ir.Name(), args):
                    for i, arg in enumerate(args):
                        if name := variable(arg):
                            found.setdefault(name, []).append((Place(b, n), step, i))
    return {name: tuple(steps) for name, steps in found.items()}
