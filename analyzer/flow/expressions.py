"""Evaluate and assign side-effect-free expressions in a state."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from analyzer.c import ir
from analyzer.flow.cells import leave_in_cells, note_cell
from analyzer.flow.computed import is_computed_from, note_computed
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.memory import element_of, is_inside, is_zeroed, other_elements
from analyzer.flow.domain.numbers import Numbers
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import (
    ONE,
    ZERO,
    Element,
    Fn,
    Int,
    Link,
    NonZero,
    Offset,
    Page,
    Ref,
    Symbol,
    Unknown,
    Value,
    binary,
    bit_place,
    bits_of,
    compound_key,
    page_key,
    truth,
)
from analyzer.flow.ranges import (
    apart,
    beside,
    counts_back,
    element,
    is_counter,
    met_again,
    turned_about,
)
from analyzer.flow.run import Run
from analyzer.pages.machine import CLEAR, SET
from analyzer.program.storing import flag_of, words_in

#: The operations that make a number of a page's which may be that of another page.
_COMPUTING = frozenset(("&", "|", "^", "<<", ">>", "*", "/", "%"))
#: What the keys of unknown configuration symbols begin with.
CONFIG = "config:"


def evaluate(e: ir.Expr, state: State, act: Activation, run: Run) -> Value:
    """Return what is known of an expression's value. Does not change the state."""
    match e:
        case ir.Const(number):
            return Int(number)
        case ir.Text(text):
            return NonZero(compound_key("text", Symbol(text)))
        case ir.Name():
            return _name(e, state, act, run)
        case ir.Cast(operand=operand):
            return evaluate(operand, state, act, run)
        case ir.Unary("&", operand):
            return _address(operand, state, act, run)
        case ir.Unary("*", operand):
            return _load(place_of(e, state, act, run), evaluate(operand, state, act, run), state)
        case ir.Unary(op, operand):
            return _unary(op, evaluate(operand, state, act, run))
        case ir.Field(base, name, _):
            return _field(e, base, name, state, act, run)
        case ir.Index(base):
            held_base = evaluate(base, state, act, run)
            if isinstance(held_base, Page):
                return _element(e, held_base, state, act, run)
            place = place_of(e, state, act, run)
            note_cell(e, place, act, run)
            return _load(place, held_base, state)
        case ir.Binary():
            return _binary(e, state, act, run)
        case ir.Opaque(text, _):
            return Unknown(f"{act.depth}:{text}")
    return Unknown(f"{act.depth}:?")


def _binary(e: ir.Binary, state: State, act: Activation, run: Run) -> Value:
    e = turned_about(e)
    one, other = evaluate(e.left, state, act, run), evaluate(e.right, state, act, run)
    if (back := met_again(one, e, other, run)) is not None:
        return back
    near = e.op in "+-" and is_computed_from(other, one, run)
    near = near or counts_back(one, e, other, act, run)
    if not near and (other_page := beside(one, e, other, act, run)) is not None:
        return other_page
    counters = (False, False)
    if e.op in ("+", "-"):
        counters = (_only_counts(e.left, one, state, act), _only_counts(e.right, other, state, act))
    key = f"{act.depth}:{_expression_key(e)}"
    if e.op == "-" and (distance := apart(one, other, key, run)) is not None:
        return distance
    if near:
        note_computed(key, (one,), state, run)
        return Page(key, one.form) if isinstance(one, Page) else Unknown(key)
    value = binary(e.op, one, other, counters=counters, key=key)
    if e.op in _COMPUTING and isinstance(value, Unknown):
        note_computed(key, (one, other), state, run)
    if e.op == "&" and isinstance(value, Unknown) and isinstance(e.left, ir.Name | ir.Field):
        word = place_of(e.left, state, act, run)
        bit = bit_place(word, other)
        if bit is None and (number := shifted(e.right)) is not None:
            value = bit_of(word, evaluate(number, state, act, run), state) or value
        value = state.store.get(bit, value) if bit else value
        value = _flag_in(e, state, act, run) or value
    if isinstance(value, Int):
        tested = next((v.tested for v in (one, other) if isinstance(v, Int) and v.tested), None)
        return Int(value.value, tested)
    return value


def _element(e: ir.Index, page: Page, state: State, act: Activation, run: Run) -> Value:
    """Return what `page[index]` names, which may be the page itself where that gives the index."""
    whole = turned_about(ir.Binary("+", e.base, e.index))
    by = evaluate(whole.right, state, act, run)
    if (back := met_again(page, whole, by, run)) is not None:
        return back
    if not is_computed_from(by, page, run):
        return element(page, whole, by, act, run)
    key = f"{act.depth}:{_expression_key(e)}"
    note_computed(key, (page,), state, run)
    return Page(key, page.form)


def _only_counts(e: ir.Expr, value: Value, state: State, act: Activation) -> bool:
    """Tell whether an operand is a loop's counter, and no number of a page that is followed."""
    return is_counter(e, act) and page_key(value) not in state.pages


def shifted(e: ir.Expr) -> ir.Expr | None:
    """Return the number of the only bit that an expression has; None where it is no `1 << n`."""
    match e:
        case ir.Cast(_, operand):
            return shifted(operand)
        case ir.Binary("<<", ir.Const(1), number):
            return number
    return None


def bit_of(word: str, number: Value, state: State) -> Value | None:
    """Return what is known of a bit of a word by its number, which need not be."""
    bit = place_of_bit(word, number)
    held = state.store.get(bit)
    return ZERO if held is None and is_zeroed(bit, state.store) else held


def place_of_bit(word: str, number: Value) -> str:
    """Name a bit by its number: the same value is the same bit."""
    return f"{word}.&[{_which(number)}]"


def _flag_in(e: ir.Binary, state: State, act: Activation, run: Run) -> Value | None:
    """Return what is known of `page->flags & (1UL << PG_x)`; None for any other."""
    words = run.facts.words
    match e.right:
        case ir.Binary("<<", ir.Const(1), ir.Name(bit)) if bit.startswith(words.bits):
            word = word_of(e.left, state, act, run)
        case _:
            return None
    label = flag_of(bit, words, run.interest.flags)
    if word is None or word[1] not in words.flags or label is None:
        return None
    key, _ = word
    held = state.pages.get(key)
    known: dict[int, Value] = {SET: NonZero(f"{key}:{bit}"), CLEAR: ZERO}
    return None if held is None else known.get(held.flag(label))


def word_of(e: ir.Expr, state: State, act: Activation, run: Run) -> tuple[str, str] | None:
    """Return the page and the field of which an expression is (a part); None for any other."""
    for field in words_in(e, run.facts.words):
        held = evaluate(field.base, state, act, run)
        if isinstance(held, Page):
            return held.key, field.name
    return None


@lru_cache(maxsize=8192)
def _expression_key(e: ir.Expr) -> str:
    return compound_key("e", Symbol(repr(e)))


def _name(e: ir.Name, state: State, act: Activation, run: Run) -> Value:
    id = e.id
    if act.is_local(id):
        place = act.place(id)
        held = state.store.get(place)
        return held if held is not None else Unknown(place)
    if id.startswith("CONFIG_"):
        decided = state.config.get(id, run.program.config.get(id))
        return Unknown(CONFIG + id) if decided is None else Int(int(decided))
    if id in run.numbers:
        return Int(run.numbers[id])
    if id in ("true", "false", "NULL"):
        return ONE if id == "true" else ZERO
    place = run.global_place(id, act.function.path)
    held = state.store.get(place)
    if held is not None:
        return held
    if run.program.is_function(id):
        return Fn(id, act.function.path)
    if id.isupper() or (id[:1].isupper() and "_" in id):
        number = run.program.own_numbers(act.function.path).get(id)
        return Symbol(id) if number is None else Int(number)
    note_cell(e, place, act, run)
    return Unknown(place)


def _unary(op: str, value: Value) -> Value:
    if op == "!":
        held = truth(value)
        if held is None:
            return Unknown(compound_key("!", value))
        return Int(int(not held), value.tested if isinstance(value, Int) else None)
    if isinstance(value, Int):
        return Int(-value.value if op == "-" else ~value.value)
    if op == "-" and isinstance(value, Symbol) and value.name.startswith("E"):
        return NonZero(f"-{value.name}", Numbers(high=-1))
    return Unknown(compound_key(op, value))


def _load(place: str, through: Value, state: State) -> Value:
    held = state.store.get(place)
    if held is not None:
        return held
    if isinstance(through, Page):
        return through
    return ZERO if is_zeroed(place, state.store) else Unknown(place)


def _field(e: ir.Field, base: ir.Expr, name: str, state: State, act: Activation, run: Run) -> Value:
    held = evaluate(base, state, act, run)
    lists = run.facts.lists
    if isinstance(held, Page):
        if name in lists.members or name == "page":
            return held
        if name in ("next", "prev"):  # another page of the list that the page is on
            return Link(state.given.get(held.key, f"beside:{held.key}").removeprefix("list:"))
        return Unknown(f"*{held.key}.{name}")
    if isinstance(held, Link) and name in ("next", "prev"):
        return held
    if name in ("next", "prev"):
        place = place_of(base, state, act, run)
        if isinstance(held, Ref):
            place = held.place
        return state.store.get(f"{place}.{name}", Link(list_place(base, place, act, run)))
    place = place_of(e, state, act, run)
    found = state.store.get(place)
    if found is not None:
        return found
    note_cell(e, place, act, run)
    return ZERO if is_zeroed(place, state.store) else Unknown(place)


def _address(operand: ir.Expr, state: State, act: Activation, run: Run) -> Value:
    match operand:
        case ir.Name(id) if not act.is_local(id) and run.program.is_function(id):
            return Fn(id, act.function.path)
        case ir.Field(base, name, _):
            held = evaluate(base, state, act, run)
            if isinstance(held, Page) and (name in run.facts.lists.members or name == "page"):
                return held
        case ir.Index(base, index):
            held = evaluate(base, state, act, run)
            if isinstance(held, Page):
                return _element(operand, held, state, act, run)
            where = _array_of(base, held, state, act, run)
            return Element(where, evaluate(index, state, act, run))
        case ir.Unary("*", inner):
            return evaluate(inner, state, act, run)
    place = place_of(operand, state, act, run)
    named = list_place(operand, place, act, run)
    if named != place and any(held_behind(place, state)):
        return Ref(place)  # it is no list that holds pages by its variables
    return Ref(named)


def held_behind(memory: str, state: State) -> Iterator[tuple[str, Page]]:
    """Yield the places in memory that hold a page."""
    for place, held in state.store.items():
        if isinstance(held, Page) and is_inside(place, memory):
            yield place, held


def place_of(e: ir.Expr, state: State, act: Activation, run: Run) -> str:
    """Name the place that an lvalue denotes."""
    match e:
        case ir.Name(id):
            path = act.function.path
            return act.place(id) if act.is_local(id) else run.global_place(id, path)
        case ir.Field(base, name, arrow):
            if arrow:
                return f"{target_place(evaluate(base, state, act, run))}.{name}"
            return f"{place_of(base, state, act, run)}.{name}"
        case ir.Index(base, index):
            of = _array_of(base, evaluate(base, state, act, run), state, act, run)
            return f"{of}[{_which(evaluate(index, state, act, run))}]"
        case ir.Unary("*", operand):
            return target_place(evaluate(operand, state, act, run))
        case ir.Cast(operand=operand):
            return place_of(operand, state, act, run)
    return f"*{compound_key('at', evaluate(e, state, act, run))}"


def _array_of(base: ir.Expr, held: Value, state: State, act: Activation, run: Run) -> str:
    """Name the array that a pointer or a variable is; memory that was new goes by its address."""
    match held:
        case Ref(place) | Element(place):
            return place
        case Unknown(key) | NonZero(key) if f"*{key}" in state.store:
            return f"*{key}"
    return place_of(base, state, act, run)


def _which(index: Value) -> str:
    """Name an element of an array by its index: the same value is the same element."""
    match index:
        case Int(number):
            return str(number)
        case NonZero(key) | Unknown(key):
            return element_of(Unknown(key))
    return element_of(index)


def target_place(value: Value) -> str:
    """Name the place behind an address."""
    match value:
        case Ref(place):
            return place
        case Element(place, index):
            return f"{place}[{_which(index)}]"
        case Unknown(key) | NonZero(key) | Offset(key) | Page(key):
            return f"*{key}"
    return f"*{compound_key('at', value)}"


def list_place(e: ir.Expr, place: str, act: Activation, run: Run) -> str:
    """Name a list head so that all functions that share it agree.

    A file-scope variable is named by its file, a field by the type of the structure around it
    where it is not known which one that is; what is known is named by what it is a part of.
    """
    match e:
        case ir.Name():
            return place
        case ir.Field(ir.Name(id), name, _) if act.is_local(id):
            owner = act.type_of(id).replace("*", " ").split()
            if owner and place.startswith("*"):
                return f"{run.own_name(owner[-1], act.function.path)}.{name}"
    return place


def assign(target: ir.Expr, value: Value, state: State, act: Activation, run: Run) -> State:
    """Return the state after an assignment."""
    place = place_of(target, state, act, run)
    is_element = isinstance(target, ir.Index) and isinstance(target.base, ir.Name)
    if is_element or not place[0].isdigit():
        note_cell(target, place, act, run, stores=True)
    if "]" in place:
        leave_in_cells(state, act.root, run)
        state = state.without([*other_elements(place, state.store)])
    return state.without(bits_of(place, state.store)).put(place, value)
