"""Ask of a body how its loops step its variables: which, where, which way, and how far."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from analyzer.c import ir
from analyzer.flow.asks.tested import AT_ZERO, plain
from analyzer.flow.domain.values import MIRRORED
from analyzer.flow.loops import asking, decided_by
from analyzer.pages.aside import is_harmless
from analyzer.program.shape import addressed_in, expressions_of, names_in, root_name, written


@lru_cache(maxsize=4096)
def _all_loops(variant: ir.Variant) -> tuple[ir.Loop, ...]:
    """Return the loops of a variant, and what each jump back closes: that assigns more."""
    back = [
        jumped(variant, target, n)
        for n, block in enumerate(variant.blocks)
        for target in ir.successors(block.end)
        if target <= n
    ]
    return (*variant.loops, *back)


@lru_cache(maxsize=4096)
def jumped(variant: ir.Variant, target: int, block: int) -> ir.Loop:
    """Return the loop that a jump back closes: all blocks between, and what they assign."""
    blocks = frozenset(range(target, block + 1))
    assigned: set[str] = set()
    for b in blocks:
        for step in variant.blocks[b].instructions:
            assigned.update(written(step))
    return ir.Loop(target, blocks, frozenset(assigned), "goto")


@lru_cache(maxsize=4096)
def loops_around(variant: ir.Variant, block: int) -> tuple[ir.Loop, ...]:
    """Return the loops that a block is in, also those that only a jump back makes."""
    headers = {loop.header for loop in variant.loops}
    return tuple(
        loop
        for loop in _all_loops(variant)
        if block in loop.blocks and (loop in variant.loops or loop.header not in headers)
    )


@lru_cache(maxsize=4096)
def variables_of_loops(variant: ir.Variant) -> frozenset[str]:
    """Return the variables that loops assign."""
    return frozenset(name for loop in _all_loops(variant) for name in loop.assigns)


@lru_cache(maxsize=4096)
def begun(variant: ir.Variant, block: int) -> frozenset[str]:
    """Return the variables of the loops that may have begun where a block is."""
    found: set[str] = set()
    for loop in _all_loops(variant):
        if block in ir.reached(variant.blocks, loop.blocks):
            found |= loop.assigns
    return frozenset(found)


@lru_cache(maxsize=4096)
def _in_loops(variant: ir.Variant) -> frozenset[int]:
    """Return where the assignments stand that loops make."""
    blocks = {b for loop in _all_loops(variant) for b in loop.blocks}
    return frozenset(step.span.start for step in _assigns(variant, sorted(blocks)))


def is_looped(step: ir.Assign, variant: ir.Variant) -> bool:
    """Tell whether a loop makes an assignment, or one goes back where a loop has stepped on."""
    if not isinstance(step.target, ir.Name):
        return True
    back = is_decrement(step) and step.target.id in variables_of_loops(variant)
    return back or step.span.start in _in_loops(variant)


@lru_cache(maxsize=4096)
def searches(variant: ir.Variant, n: int) -> bool:
    """Tell whether a loop does nothing but compute."""
    return all(
        _only_computes(step)
        for b in variant.loops[n].blocks
        for step in variant.blocks[b].instructions
    )


def _only_computes(step: ir.Instruction) -> bool:
    match step:
        case ir.Assign(ir.Name()):
            return True
        case ir.Call(_, ir.Name(name)):
            return is_harmless(name)
    return False


@lru_cache(maxsize=4096)
def steps_ahead(variant: ir.Variant) -> frozenset[int]:
    """Return where loops step a variable by one before they use it: `while (++page < end)`."""
    found: set[int] = set()
    inner = sorted(variant.loops, key=lambda loop: len(loop.blocks), reverse=True)
    for loop in inner:
        for b in loop.blocks:
            for n, step in enumerate(variant.blocks[b].instructions):
                if isinstance(step, ir.Assign) and _is_by_one(step):
                    found -= {step.span.start}
                    if not _is_used_before(variant, loop, step, (b, n)):
                        found.add(step.span.start)
    return frozenset(found)


def _is_by_one(step: ir.Assign) -> bool:
    match step:
        case ir.Assign(ir.Name() as target, ir.Binary("+", left, ir.Const(1))):
            return left == target
    return False


def _is_used_before(
    variant: ir.Variant, loop: ir.Loop, step: ir.Assign, at: tuple[int, int]
) -> bool:
    """Tell whether a loop does more with a variable before it steps it than to compare it."""
    seen, todo = {loop.header}, [loop.header]
    while todo:
        b = todo.pop()
        block = variant.blocks[b]
        for n, other in enumerate(block.instructions):
            if (b, n) == at:
                break
            if any(_name(step) in names_in(e) for e in expressions_of(other)):
                return True
        else:
            match block.end:
                case ir.Branch(ir.Binary(op)) if op in MIRRORED:
                    pass
                case ir.Branch(cond) if _name(step) in names_in(cond):
                    return True
            new = {to for to in ir.successors(block.end) if to in loop.blocks} - seen
            seen |= new
            todo += new
    return False


@lru_cache(maxsize=4096)
def meeting(variant: ir.Variant) -> frozenset[str]:
    """Return what a loop steps down to meet what it steps up: that is in the rest of the range."""
    found: set[str] = set()
    others: set[str] = set()
    for loop in variant.loops:
        down = _steps_down(variant, loop.blocks)
        met = {
            name
            for name in down
            if any(b in loop.assigns - down for b in _held_against(variant, loop, name))
        }
        found |= met
        others |= down - met
    return frozenset(found - others)


@lru_cache(maxsize=4096)
def retreating(variant: ir.Variant) -> frozenset[str]:
    """Return the variables that a loop steps down."""
    return _steps_down(variant, range(len(variant.blocks))) & variables_of_loops(variant)


def _steps_down(variant: ir.Variant, blocks: Iterable[int]) -> frozenset[str]:
    return frozenset(_name(step) for step in _assigns(variant, blocks) if is_decrement(step))


def is_own_step(step: ir.Assign) -> bool:
    """Tell whether a place is assigned something computed from what it held."""
    return isinstance(step.value, ir.Binary) and step.value.left == step.target


def is_decrement(step: ir.Assign) -> bool:
    """Tell whether a place is assigned less than it held."""
    match step.value:
        case ir.Binary("-", left):
            return left == step.target
    return False


def _assigns(variant: ir.Variant, blocks: Iterable[int]) -> Iterator[ir.Assign]:
    """Yield the assignments to variables."""
    for n in blocks:
        for step in variant.blocks[n].instructions:
            if isinstance(step, ir.Assign) and isinstance(step.target, ir.Name):
                yield step


def _name(step: ir.Assign) -> str:
    assert isinstance(step.target, ir.Name), "an assignment to a variable"
    return step.target.id


@lru_cache(maxsize=4096)
def above_zero(variant: ir.Variant) -> frozenset[str]:
    """Return the variables that loops count down to one: `for (i = last; i > 0; i--)`."""
    found: set[str] = set()
    others: set[str] = set()
    for loop in variant.loops:
        down = _steps_down(variant, loop.blocks)
        kept = {name for name in down if _is_above_zero(variant, loop, name)}
        found |= kept
        others |= down - kept
    return frozenset(found - others)


def _is_above_zero(variant: ir.Variant, loop: ir.Loop, name: str) -> bool:
    """Tell whether a loop goes on while a variable is not zero, and uses it before it steps it."""
    blocks = [variant.blocks[b] for b in sorted(loop.blocks)]
    asked = [plain(b.end.cond) for b in blocks if isinstance(b.end, ir.Branch)]
    if not any(e == ir.Name(name) and test in AT_ZERO for e, test, _ in asked):
        return False
    turn = [step for block in blocks for step in block.instructions]
    at = [n for n, step in enumerate(turn) if name in written(step)]
    used = [n for n, s in enumerate(turn) if any(name in names_in(e) for e in expressions_of(s))]
    return len(at) == 1 and any(n < at[0] for n in used) and max(used) <= at[0]


@lru_cache(maxsize=4096)
def way_back(variant: ir.Variant) -> Mapping[tuple[int, ir.Expr], str]:
    """Return where variables are stepped down in loops, and where they begin to be.

    By the assignment's offset and target; each with the variable that the loop holds it against
    or counts back to, or nothing.
    """
    found: dict[tuple[int, ir.Expr], str] = {}
    steps = sorted(_assigns(variant, range(len(variant.blocks))), key=lambda s: s.span.start)
    for loop in variant.loops:
        inside = frozenset(step.span.start for step in _assigns(variant, loop.blocks))
        for name in sorted(_steps_down(variant, loop.blocks)):
            bound = _bound(variant, loop, name)
            base = "" if bound else _counted_back(variant, loop, name)
            own = [s for s in steps if s.span.start in inside and _name(s) == name]
            back = name if base else bound
            found.update(((s.span.start, s.target), back) for s in own if is_decrement(s))
            before = [s for s in steps if _name(s) == name and s.span.start < own[0].span.start]
            if before and not is_decrement(before[-1]) and (base or _is_met(variant, loop, name)):
                found[before[-1].span.start, before[-1].target] = base or bound
    return found


def _counted_back(variant: ir.Variant, loop: ir.Loop, name: str) -> str:
    """Return the variable to which a loop counts back as many as were added to it, if it does.

    `for (pfn += nr; nr; nr--) use(--pfn)`, `p = page + nr; while (nr--) use(--p)`.
    """
    ways = [n for n, b in enumerate(variant.blocks) if loop.header in ir.successors(b.end)]
    ways = [n for n in ways if n not in loop.blocks]
    if len(ways) != 1 or _is_met(variant, loop, name):
        return ""
    block = variant.blocks[ways[0]]
    steps = block.instructions
    last = max((n for n, s in enumerate(steps) if name in written(s)), default=None)
    match steps[last] if isinstance(block.end, ir.Jump) and last is not None else None:
        case ir.Assign(_, ir.Binary("+", ir.Name(base), ir.Name(many))):
            pass
        case _:
            return ""
    rest = steps[last:][1:]
    used = any(name in names_in(e) for s in rest for e in expressions_of(s))
    moved = any(base in written(s) for s in rest) or any(many in written(s) for s in steps)
    held = {_name(s): s.value for s in _assigns(variant, ways)}
    counters = {many, *(n for n, value in held.items() if value == ir.Name(many))}
    counts = any(counters & decided_by(variant.blocks[b]) for b in asking(variant, loop))
    return base if counts and not used and not moved else ""


def _is_met(variant: ir.Variant, loop: ir.Loop, name: str) -> bool:
    """Tell whether a loop uses a variable in a turn, but to hold it against another, unstepped."""
    todo = [(loop.header, frozenset({name}))]
    seen = set(todo)
    while todo:
        n, held = todo.pop()
        for step in variant.blocks[n].instructions:
            match step:
                case ir.Assign(ir.Name(to), ir.Name(of)):
                    held = held | {to} if of in held else held - {to}
                case ir.Assign(ir.Name(to)) if to == name and is_own_step(step):
                    held -= {to}
                case _ if any(not held.isdisjoint(names_in(e)) for e in expressions_of(step)):
                    return True
        ways = [(to, held) for to in ir.successors(variant.blocks[n].end) if held]
        todo += [way for way in ways if way[0] in loop.blocks and way not in seen]
        seen.update(ways)
    return False


def _bound(variant: ir.Variant, loop: ir.Loop, name: str) -> str:
    """Return the variable that a loop which steps another one down holds it against, if any."""
    found = _held_against(variant, loop, name) - loop.assigns
    return found.pop() if len(found) == 1 else ""


def _held_against(variant: ir.Variant, loop: ir.Loop, name: str) -> set[str]:
    """Return the variables above which a loop keeps one that it steps down."""
    copies = {
        s.target: s.value
        for s in _assigns(variant, loop.blocks)
        if isinstance(s.value, ir.Name) and _name(s) != name
    }
    found = set()
    for n in loop.blocks:
        end = variant.blocks[n].end
        match end.cond if isinstance(end, ir.Branch) else None:
            case ir.Binary(">" | ">=" | "!=", stepped, ir.Name(bound)):
                pass
            case ir.Binary("<" | "<=", ir.Name(bound), stepped):
                pass
            case _:
                continue
        if copies.get(stepped, stepped) == ir.Name(name):
            found.add(bound)
    return found


@lru_cache(maxsize=4096)
def switches(variant: ir.Variant) -> frozenset[str]:
    """Return the variables that are only ever constants or turned over: there is an end to them."""
    found: set[str] = set()
    others: set[str] = set()
    for step in variant.steps:
        match step:
            case ir.Assign(ir.Name(id), value) if _is_switch(value, id):
                found.add(id)
            case _:
                others.update(written(step))
    return frozenset(found - others)


@lru_cache(maxsize=4096)
def stored_into(variant: ir.Variant, n: int) -> frozenset[str]:
    """Return the variables by which a loop stores into something, and which it does not assign."""
    loop = variant.loops[n]
    parts: set[str] = set()
    whole: set[str] = set()
    for b in loop.blocks:
        for step in variant.blocks[b].instructions:
            match step:
                case ir.Assign(ir.Name(id), value):
                    whole |= {id, *addressed_in(value)}
                case ir.Assign(target, value):
                    parts.add(root_name(target))
                    whole |= {*addressed_in(target), *addressed_in(value)}
                case _:
                    whole.update(written(step))
    return frozenset(parts - whole)


def _is_switch(value: ir.Expr, name: str) -> bool:
    return isinstance(value, ir.Const) or value == ir.Unary("!", ir.Name(name))
