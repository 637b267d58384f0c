"""Tell a page that lies beside another from some page of the range that a loop steps through."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

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
from analyzer.flow.steps import (
    above_zero,
    begun,
    is_decrement,
    is_looped,
    is_own_step,
    meeting,
    retreating,
    searches,
    steps_ahead,
    variables_of_loops,
    way_back,
)
from analyzer.program.shape import names_in

_END = f"{FROM}end"
_REST = f"{FROM}rest"
#: The casts around what a loop steps by, also before it does anything, what it steps back from, and
#: a step outside of loops.
_STEP, _AHEAD, _BACK, _AWAY = "", "->>", "<-", "->"


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
    if isinstance(e.right, ir.Cast) and e.right.type == _AHEAD:
        return _ahead(value) if isinstance(value, Page) else _step(value, e.op)
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


def apart(value: Value, other: Value, key: str, run: Run) -> Unknown | None:
    """Return how far two pages of a range are apart, which goes by an expression's key.

    None for anything else. Added to the other page that is the page again.
    """
    if not isinstance(value, Page) or not isinstance(other, Page) or value.form != other.form:
        return None
    if _range_of(value.key) != _range_of(other.key):
        return None
    distance = compound_key(f"{key}-", value, other)
    run.apart[distance] = (value, other)
    return Unknown(distance)


def met_again(value: Value, e: ir.Binary, number: Value, run: Run) -> Page | None:
    """Return the page to which the distance of two leads from one of them, if e goes there."""
    if not run.apart or e.op not in "+-":
        return None
    if isinstance(e.right, ir.Cast) and e.right.type in (_STEP, _AHEAD, _BACK):
        return None
    for start, by in ((value, number), (number, value)):
        if isinstance(by, Unknown | NonZero) and (pages := run.apart.get(by.key)) is not None:
            to, of = pages if e.op == "+" else reversed(pages)
            if isinstance(start, Page) and start.key == of.key and _counts_alike(start, of):
                return Page(to.key, start.form) if e.op == "+" or start is value else None
    return None


def _counts_alike(one: Page, other: Page) -> bool:
    """Tell whether what is added to two pages counts the same: pages, or bytes."""
    return one.form == other.form or {one.form, other.form} == {"page", "pfn"}


def counts_back(value: Value, e: ir.Binary, number: Value, act: Activation, run: Run) -> bool:
    """Tell whether a loop counts back from the end of a range: it may come to the first page."""
    if not isinstance(value, Page | Unknown) or FROM not in value.key:
        return False
    if not isinstance(e.right, ir.Name) or not _is_position(e.right, act, run.block):
        return False
    is_negative = isinstance(number, Int) and number.value < 0
    return number != Int(0) and e.op == ("+" if is_negative else "-")


def _step(value: Page | Unknown | NonZero | Offset, op: str) -> Value:
    """Return what a loop has stepped to: back in the range, or somewhere further on."""
    end = _END if isinstance(value, Page) else STEPPED
    part = value.key.removesuffix(end)
    back = _range_of(part) if part == value.key else part
    if isinstance(value, Page):
        return Page(back, value.form) if op == "-" else value
    return Offset(back) if op == "-" else Unknown(part + STEPPED)


def _ahead(value: Page) -> Page:
    """Return what a loop has stepped to before it did anything: the range begins behind a page."""
    key = _moved(value.key, "+", Int(1))
    if FROM in key:
        key = value.key.removesuffix(_REST) + _REST
    return Page(key, value.form)


def _distance(
    value: Page | Unknown | NonZero, e: ir.Binary, number: Value, act: Activation, block: int
) -> Value | None:
    """Return how far another page lies from one; None where a loop steps there."""
    if isinstance(e.right, ir.Cast) and e.right.type == _AWAY:
        return number
    by = e.right.id if isinstance(e.right, ir.Name) else None
    if by in meeting(act.variant) or (
        by in above_zero(act.variant) and not isinstance(number, Int)
    ):
        return Int(1)  # the rest of the range, from its end on
    backwards = retreating(act.variant) & begun(act.variant, block)
    if _has(e.left, backwards) and FROM not in value.key:
        return None
    if not backwards.isdisjoint(_positions(e.right)):
        return number if number == Int(1) else None
    if by is not None and isinstance(number, Int | Unknown | NonZero):
        return number  # a loop's counter as well: that is where it begins
    return None if _is_position(e.right, act, block) else number


def _is_position(e: ir.Expr, act: Activation, block: int) -> bool:
    """Tell whether a distance says where a loop is that may have begun."""
    steps = variables_of_loops(act.variant) & begun(act.variant, block)
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


def element(page: Page, e: ir.Binary, number: Value, act: Activation, run: Run) -> Value:
    """Return `page[index]`: a page of the same range, where the index does not say another."""
    whole = ir.Binary(e.op, ir.Opaque("", frozenset()), e.right)
    return beside(page, whole, number, act, run) or page


def turned_about(e: ir.Binary) -> ir.Binary:
    """Return a sum or a difference without the sign before what is added: `a + -b` is `a - b`."""
    match e.op, e.right:
        case "+" | "-", ir.Unary("-", by):
            pass
        case "+" | "-", ir.Cast(how, ir.Unary("-", by)):
            by = ir.Cast(how, by)
        case _:
            return e
    return ir.Binary("-" if e.op == "+" else "+", e.left, by)


def stepped(step: ir.Assign, act: Activation) -> ir.Expr:
    """Return what a step assigns; where a loop steps a variable, that is some page of a range.

    What a loop steps down goes through the range that it ends at, wherever it begins.
    """
    target, value = step.target, step.value
    if isinstance(target, ir.Name) and target.id in meeting(act.variant):
        return target if is_decrement(step) else value
    bound = way_back(act.variant).get((step.span.start, target))
    if bound is not None:
        return ir.Binary("-", ir.Name(bound), ir.Cast(_BACK, value)) if bound else _some(value)
    if not is_own_step(step):
        return value
    if step.span.start in steps_ahead(act.variant):
        return _some(value, _AHEAD)
    return _some(value, _STEP if is_looped(step, act.variant) else _AWAY)


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
        elif isinstance(held, Page) and not held.key.endswith(_END):
            state = state.put(place, Page(held.key + _END, held.form))
    return state


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
