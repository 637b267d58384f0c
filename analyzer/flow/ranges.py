"""Tell a page that lies beside another from some page of the range that a loop steps through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from analyzer.c import ir
from analyzer.flow.computed import note_computed
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import (
    FROM,
    STEPPED,
    Int,
    NonZero,
    Offset,
    Page,
    Unknown,
    Value,
    compound_key,
)
from analyzer.flow.run import Run
from analyzer.flow.turns import jumped
from analyzer.pages.aside import is_harmless
from analyzer.program.shape import expressions_of, names_in

_END = f"{FROM}end"
#: The casts around what a loop steps by, what it steps back from, and a step outside of loops.
_STEP, _BACK, _AWAY = "", "<-", "->"


def beside(value: Value, e: ir.Binary, number: Value, act: Activation, run: Run) -> Value | None:
    """Return the page, or its number, that lies beside the one that e adds to or subtracts from.

    By itself that is another page. So is a part of a range, through which a loop begins to step
    behind the first page. None where it is some page of the same range: where a loop steps through
    it, or steps back from where another one has come to.
    """
    if e.op not in "+-" or not isinstance(value, Page | Unknown | NonZero | Offset):
        return None
    if isinstance(e.right, ir.Cast) and e.right.type == _STEP:
        return _step(value, e.op)
    if isinstance(e.right, ir.Cast) and e.right.type == _BACK:
        return value if isinstance(value, Page) else Offset(value.key)
    if isinstance(value, Offset):
        if isinstance(number, Page) or _is_position(e.right, act, run.block):
            return None
        return Offset(_moved(value.key, e.op, number))
    distance = None if isinstance(number, Page) else _distance(value, e, number, act, run.block)
    if distance is None or distance == Int(0):
        return None
    key = _moved(value.key, e.op, distance)
    return Page(key, value.form) if isinstance(value, Page) else Unknown(key)


def _step(value: Page | Unknown | NonZero | Offset, op: str) -> Value:
    """Return what a loop has stepped to: back in the range, or somewhere further on."""
    if isinstance(value, Page):
        return Page(_range_of(value.key), value.form) if op == "-" else value
    base = _range_of(value.key)
    return Offset(base) if op == "-" else Unknown(base + STEPPED)


def _distance(
    value: Page | Unknown | NonZero, e: ir.Binary, number: Value, act: Activation, block: int
) -> Value | None:
    """Return how far another page lies from one; None where a loop steps there."""
    if isinstance(e.right, ir.Cast) and e.right.type == _AWAY:
        return number
    by = e.right.id if isinstance(e.right, ir.Name) else None
    if by in _meeting(act.variant) or (
        by in _above_zero(act.variant) and not isinstance(number, Int)
    ):
        return Int(1)  # the rest of the range, from its end on
    retreating = _retreating(act.variant) & _begun(act.variant, block)
    if _has(e.left, retreating) and FROM not in value.key:
        return None
    if not retreating.isdisjoint(_positions(e.right)):
        return number if number == Int(1) else None
    if by is not None and isinstance(number, Int | Unknown | NonZero):
        return number  # a loop's counter as well: that is where it begins
    return None if _is_position(e.right, act, block) else number


def _is_position(e: ir.Expr, act: Activation, block: int) -> bool:
    """Tell whether a distance says where a loop is that may have begun."""
    steps = variables_of_loops(act.variant) & _begun(act.variant, block)
    return not steps.isdisjoint(_positions(e))


def _has(e: ir.Expr, names: frozenset[str]) -> bool:
    return not names.isdisjoint(names_in(e))


def _positions(e: ir.Expr) -> Iterator[str]:
    """Yield the names in a distance that may say where a loop is; an order says how far it is."""
    match e:
        case ir.Binary("<<", ir.Const()):
            return
        case ir.Binary(_, left, right):
            yield from _positions(left)
            yield from _positions(right)
        case ir.Cast(_, operand) | ir.Unary(_, operand):
            yield from _positions(operand)
        case _:
            yield from names_in(e)


def element(page: Page, index: ir.Expr, number: Value, act: Activation, run: Run) -> Value:
    """Return `page[index]`: a page of the same range, where the index does not say another."""
    whole = ir.Binary("+", ir.Opaque("", frozenset()), index)
    return beside(page, whole, number, act, run) or page


def stepped(step: ir.Assign, act: Activation) -> ir.Expr:
    """Return what a step assigns; where a loop steps a variable, that is some page of a range.

    What a loop steps down goes through the range that it ends at, wherever it begins.
    """
    target, value = step.target, step.value
    if isinstance(target, ir.Name) and target.id in _meeting(act.variant):
        return target if _is_decrement(step) else value
    bound = _way_back(act.variant).get((step.span.start, target))
    if bound is not None:
        return ir.Binary("-", ir.Name(bound), ir.Cast(_BACK, value)) if bound else _some(value)
    if not is_own_step(step):
        return value
    return _some(value, _STEP if is_looped(step, act.variant) else _AWAY)


def is_looped(step: ir.Assign, variant: ir.Variant) -> bool:
    """Tell whether a loop makes an assignment, or one goes back where a loop has stepped on."""
    if not isinstance(step.target, ir.Name):
        return True
    back = _is_decrement(step) and step.target.id in variables_of_loops(variant)
    return back or step.span.start in _in_loops(variant)


def _some(value: ir.Expr, how: str = _STEP) -> ir.Expr:
    if not isinstance(value, ir.Binary):
        return value
    return ir.Binary(value.op, value.left, ir.Cast(how, value.right))


def passed(n: int, names: Iterable[str], state: State, act: Activation, run: Run) -> State:
    """Return the state in which what has stepped through a range stands behind its end.

    What a loop has only looked for, as `while (pfn & 3) pfn--` does, may be where it began.
    """
    searching = searches(act.variant, n)
    for name in sorted(names):
        place = act.place(name)
        held = state.store.get(place)
        if searching and (isinstance(held, Page) or (held is not None and is_stepped(held))):
            key = f"{place}:{n}"
            note_computed(key, (held,), state, run)
            found = Page(key, held.form) if isinstance(held, Page) else Unknown(key)
            state = state.put(place, found)
        elif isinstance(held, Page) and FROM not in held.key:
            state = state.put(place, Page(held.key + _END, held.form))
    return state


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


def is_part(key: str, range_key: str) -> bool:
    """Tell whether a key names a part of a range, or a page in it, that is counted from it."""
    return key.startswith(range_key + FROM)


def _range_of(key: str) -> str:
    return key.partition(FROM)[0]


def is_stepped(value: Value) -> bool:
    """Tell whether a value is a number that has stepped through a range, however far."""
    return isinstance(value, Unknown) and value.key.endswith(STEPPED)


def is_counter(e: ir.Expr, act: Activation) -> bool:
    """Tell whether an operand is nothing but a loop's counter, such as `i` in `i + start`."""
    names = frozenset(names_in(e))
    return names <= variables_of_loops(act.variant) if names else isinstance(e, ir.Const)


def _moved(key: str, op: str, number: Value) -> str:
    """Return the key of what lies so far from a key; there and back again is the key itself."""
    base, *terms = key.split(FROM)
    if isinstance(number, Int):
        distance = number.value if op == "+" else -number.value
        if terms and terms[-1][1:].isdigit():
            distance += int(terms.pop())
        terms += [f"{distance:+d}"] if distance else []
    else:
        what = compound_key("", number)
        if terms and terms[-1] == ("-" if op == "+" else "+") + what:
            terms.pop()
        else:
            terms.append(op + what)
    return FROM.join((base, *terms))


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
def _begun(variant: ir.Variant, block: int) -> frozenset[str]:
    """Return the variables of the loops that may have begun where a block is."""
    found: set[str] = set()
    for loop in _all_loops(variant):
        seen, todo = set(loop.blocks), list(loop.blocks)
        while todo and block not in seen:
            new = set(ir.successors(variant.blocks[todo.pop()].end)) - seen
            seen |= new
            todo += new
        if block in seen:
            found |= loop.assigns
    return frozenset(found)


@lru_cache(maxsize=4096)
def _in_loops(variant: ir.Variant) -> frozenset[int]:
    """Return where the assignments stand that loops make."""
    blocks = {b for loop in _all_loops(variant) for b in loop.blocks}
    return frozenset(step.span.start for step in _assigns(variant, sorted(blocks)))


@lru_cache(maxsize=4096)
def _meeting(variant: ir.Variant) -> frozenset[str]:
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
def _retreating(variant: ir.Variant) -> frozenset[str]:
    """Return the variables that a loop steps down."""
    return _steps_down(variant, range(len(variant.blocks))) & variables_of_loops(variant)


def _steps_down(variant: ir.Variant, blocks: Iterable[int]) -> frozenset[str]:
    return frozenset(_name(step) for step in _assigns(variant, blocks) if _is_decrement(step))


def is_own_step(step: ir.Assign) -> bool:
    """Tell whether a place is assigned something computed from what it held."""
    return isinstance(step.value, ir.Binary) and step.value.left == step.target


def _is_decrement(step: ir.Assign) -> bool:
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
def _above_zero(variant: ir.Variant) -> frozenset[str]:
    """Return the variables that loops count down to one: `for (i = last; i > 0; i--)`."""
    found: set[str] = set()
    others: set[str] = set()
    for loop in variant.loops:
        end = variant.blocks[loop.header].end
        match end.cond if loop.kind == "for" and isinstance(end, ir.Branch) else None:
            case ir.Binary(">", ir.Name(id), ir.Const(0)):
                kept = {id}
            case _:
                kept = set()
        down = _steps_down(variant, loop.blocks)
        found |= down & kept
        others |= down - kept
    return frozenset(found - others)


@lru_cache(maxsize=4096)
def _way_back(variant: ir.Variant) -> Mapping[tuple[int, ir.Expr], str]:
    """Return where variables are stepped down in loops, and where they begin to be.

    By the assignment's offset and target; each with the variable that the loop holds it against,
    or nothing.
    """
    found: dict[tuple[int, ir.Expr], str] = {}
    steps = sorted(_assigns(variant, range(len(variant.blocks))), key=lambda s: s.span.start)
    for loop in variant.loops:
        inside = frozenset(step.span.start for step in _assigns(variant, loop.blocks))
        for name in sorted(_steps_down(variant, loop.blocks)):
            bound = _bound(variant, loop, name)
            own = [s for s in steps if s.span.start in inside and _name(s) == name]
            found.update(((s.span.start, s.target), bound) for s in own if _is_decrement(s))
            before = [s for s in steps if _name(s) == name and s.span.start < own[0].span.start]
            if before and not _is_decrement(before[-1]) and _is_met(variant, loop, name):
                found[before[-1].span.start, before[-1].target] = bound
    return found


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
