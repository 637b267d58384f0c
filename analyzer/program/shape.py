"""Find what the interpreter needs to know of a body's shape: live names, loops over ranges."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial

from analyzer.c import ir


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """Facts about one variant's graph.

    live[b] holds the names whose value may be read at or after the start of block b. inner[b]
    holds the indices of the loops around block b. advanced[n] holds the names that loop n steps
    (`p++`, `i += 2`, `addr = next`).
    """

    live: tuple[frozenset[str], ...]
    inner: tuple[tuple[int, ...], ...]
    advanced: tuple[frozenset[str], ...]
    leaves_at_header: tuple[bool, ...]


@lru_cache(maxsize=4096)
def shape_of(variant: ir.Variant) -> Shape:
    """Return the shape of a variant; remembered, as bodies are entered many times."""
    blocks = variant.blocks
    inner: list[list[int]] = [[] for _ in blocks]
    for n, loop in enumerate(variant.loops):
        for b in loop.blocks:
            inner[b].append(n)
    advanced = tuple(_advanced(variant, loop) for loop in variant.loops)
    return Shape(
        _live(blocks),
        tuple(map(tuple, inner)),
        advanced,
        tuple(map(partial(_leaves_at_header, variant), variant.loops, advanced)),
    )


def _leaves_at_header(variant: ir.Variant, loop: ir.Loop, advanced: frozenset[str]) -> bool:
    header = variant.blocks[loop.header]
    end = header.end
    if not isinstance(end, ir.Branch) or {end.then, end.orelse} <= loop.blocks:
        return False
    called = [s for s in header.instructions if isinstance(s, ir.Call)]
    if loop.kind != "goto" or not called:
        return True
    # Of a jump back the turn may have begun before it asks, or it asks for something else.
    used = {name for s in called for e in expressions_of(s) for name in names_in(e)}
    return not advanced & used and bool(advanced & set(names_in(end.cond)))


@lru_cache(maxsize=4096)
def returned_by(variant: ir.Variant) -> frozenset[ir.Expr]:
    """Return the variables whose values a function returns."""
    ends = (block.end for block in variant.blocks)
    values = (end.value for end in ends if isinstance(end, ir.Return))
    return frozenset(value for value in values if isinstance(value, ir.Name))


def names_in(e: ir.Expr) -> Iterator[str]:
    """Yield the names that stand in an expression."""
    match e:
        case ir.Name(id):
            yield id
        case ir.Field(base, _, _):
            yield from names_in(base)
        case ir.Index(base, index):
            yield from names_in(base)
            yield from names_in(index)
        case ir.Unary(_, operand) | ir.Cast(_, operand):
            yield from names_in(operand)
        case ir.Binary(_, left, right):
            yield from names_in(left)
            yield from names_in(right)
        case ir.Opaque(_, names):
            yield from names


def is_part_of(part: ir.Expr, e: ir.Expr) -> bool:
    """Tell whether an expression is another one, or stands in it."""
    if part == e:
        return True
    match e:
        case ir.Field(below, _, _) | ir.Unary(_, below) | ir.Cast(_, below):
            return is_part_of(part, below)
        case ir.Index(left, right) | ir.Binary(_, left, right):
            return is_part_of(part, left) or is_part_of(part, right)
    return False


def addressed_in(e: ir.Expr) -> Iterator[str]:
    """Yield the names whose address an expression takes."""
    match e:
        case ir.Unary("&", operand):
            yield from names_in(operand)
        case ir.Field(base, _, _):
            yield from addressed_in(base)
        case ir.Index(base, index):
            yield from addressed_in(base)
            yield from addressed_in(index)
        case ir.Unary(_, operand) | ir.Cast(_, operand):
            yield from addressed_in(operand)
        case ir.Binary(_, left, right):
            yield from addressed_in(left)
            yield from addressed_in(right)


def root_name(target: ir.Expr) -> str:
    """Return the variable that an lvalue starts from, or nothing."""
    match target:
        case ir.Name(id):
            return id
        case ir.Field(base, _, _) | ir.Index(base, _):
            return root_name(base)
        case ir.Unary(_, operand) | ir.Cast(_, operand):
            return root_name(operand)
    return ""


def expressions_of(step: ir.Instruction) -> tuple[ir.Expr, ...]:
    """Return the expressions that an instruction reads (an assigned name is not read)."""
    match step:
        case ir.Assign(target, value):
            return (value,) if isinstance(target, ir.Name) else (value, target)
        case ir.Call(_, callee, args):
            return (callee, *args)
        case ir.Iterate(_, _, args):
            return args
        case ir.Havoc(names):
            return tuple(ir.Name(n) for n in sorted(names))
    return ()


def written(step: ir.Instruction) -> Iterator[str]:
    """Yield the variables that a step writes, or gives others the address of."""
    for e in expressions_of(step):
        yield from addressed_in(e)
    match step:
        case ir.Assign(target):
            yield root_name(target)
        case ir.Call(result) | ir.Iterate(result):
            yield result.id
        case ir.Havoc(names):
            yield from names


def _end_expressions(end: ir.Terminator) -> tuple[ir.Expr, ...]:
    match end:
        case ir.Branch(cond):
            return (cond,)
        case ir.Return(value) if value is not None:
            return (value,)
    return ()


def _live(blocks: tuple[ir.Block, ...]) -> tuple[frozenset[str], ...]:
    reads: list[set[str]] = []
    writes: list[set[str]] = []
    always: set[str] = set()
    for block in blocks:
        read: set[str] = set()
        written: set[str] = set()
        for step in block.instructions:
            for e in expressions_of(step):
                read.update(n for n in names_in(e) if n not in written)
                always.update(addressed_in(e))
            match step:
                case ir.Assign(ir.Name(id)):
                    written.add(id)
                case ir.Call(result) | ir.Iterate(result):
                    written.add(result.id)
        for e in _end_expressions(block.end):
            read.update(n for n in names_in(e) if n not in written)
            always.update(addressed_in(e))
        reads.append(read)
        writes.append(written)
    live = [frozenset(r) for r in reads]
    changed = True
    while changed:
        changed = False
        for b in range(len(blocks) - 1, -1, -1):
            out: set[str] = set()
            for s in ir.successors(blocks[b].end):
                out |= live[s]
            held = frozenset(reads[b] | (out - writes[b]))
            if held != live[b]:
                live[b] = held
                changed = True
    return tuple(held | always for held in live)


def _variable(e: ir.Expr) -> str:
    """Return the name of a variable, or of a field of one, as places have it; else nothing."""
    match e:
        case ir.Name(id):
            return id
        case ir.Field(ir.Name(id), name, False):
            return f"{id}.{name}"
    return ""


def _variables_in(e: ir.Expr) -> Iterator[str]:
    """Yield the variables in an expression, and the fields of some."""
    match e:
        case ir.Field() if name := _variable(e):
            yield name
        case ir.Binary(_, left, right):
            yield from _variables_in(left)
            yield from _variables_in(right)
        case ir.Unary(_, operand) | ir.Cast(_, operand):
            yield from _variables_in(operand)
        case _:
            yield from names_in(e)


def _advanced(variant: ir.Variant, loop: ir.Loop) -> frozenset[str]:
    """Return the names that the loop moves on: each is computed from itself."""
    feeds: dict[str, set[str]] = {}
    arithmetic: set[str] = set()
    for b in loop.blocks:
        for step in variant.blocks[b].instructions:
            if isinstance(step, ir.Assign) and (name := _variable(step.target)):
                feeds.setdefault(name, set()).update(_variables_in(step.value))
                if isinstance(step.value, ir.Binary):
                    arithmetic.add(name)
            elif isinstance(step, ir.Call):
                # &pfn passed out: the callee moves it on.
                for a in step.args:
                    if isinstance(a, ir.Unary) and a.op == "&" and isinstance(a.operand, ir.Name):
                        feeds.setdefault(a.operand.id, set()).add(a.operand.id)
    moved = set()
    for name in feeds:
        seen, todo = set(), list(feeds[name])
        steps = name in arithmetic
        while todo:
            other = todo.pop()
            if other in seen:
                continue
            seen.add(other)
            steps = steps or other in arithmetic
            todo.extend(feeds.get(other, ()))
        if name in seen and steps and not name.startswith("%"):
            moved.add(name)
    return frozenset(moved)
