"""Know a single bit of a word in memory after somebody has set or cleared it."""

from __future__ import annotations

from analyzer.c import ir
from analyzer.flow.callsite import CallSite
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.memory import other_elements
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import ONE, ZERO, Int, Symbol, Unknown, Value, bit_place, bits_of
from analyzer.flow.expressions import (
    bit_of,
    evaluate,
    place_of,
    place_of_bit,
    shifted,
    target_place,
)
from analyzer.flow.operations import Results
from analyzer.flow.run import Run


def written(step: ir.Assign, before: State, after: State, act: Activation, run: Run) -> State:
    """Return the state after a store with what it tells of single bits: `w |= m`, `w &= ~m`."""
    match step.value:
        case ir.Binary("|", word, mask) if word == step.target:
            held = ONE
        case ir.Binary("&", word, ir.Unary("~", mask)) if word == step.target:
            held = ZERO
        case _:
            return after
    place = place_of(step.target, before, act, run)
    if isinstance(after.store.get(place), Int):
        return after  # all of it is known
    if (number := shifted(mask)) is not None:
        value = evaluate(number, before, act, run)
        if not isinstance(value, Int | Symbol):
            return _with_some(place, value, held, before, after)
    return _with_bit(place, evaluate(mask, before, act, run), held, before, after)


def by_call(site: CallSite, state: State) -> Results | None:
    """Return what a call does that sets, clears or tests one bit; None for any other."""
    name, here, act, run = site.name, site.here, site.act, site.run
    words = run.facts.words
    if name not in words.set_by | words.cleared_by | words.tested_by:
        return None
    match site.step.args:
        case (number, ir.Unary("&", word)):
            place = place_of(word, state, act, run)
            bit = evaluate(number, state, act, run)
            mask = _mask_of(bit)
            if not isinstance(bit, Int | Symbol):
                return _some_bit(name, place, bit, here, state, run)
        case (number, word):
            bit = evaluate(number, state, act, run)
            return _some_bit(name, _map_of(word, state, act, run), bit, here, state, run)
        case _:
            return None
    where = bit_place(place, mask)
    answer: Value = Unknown(here)
    whole = state.store.get(place)
    if isinstance(whole, Int) and isinstance(mask, Int):  # all of it is known
        if name in words.tested_by:
            answer = Int(int(bool(whole.value & mask.value)))
        if name in words.set_by:
            state = state.put(place, Int(whole.value | mask.value))
        elif name in words.cleared_by:
            state = state.put(place, Int(whole.value & ~mask.value))
        return [(state, answer)]
    if where is not None and name in words.tested_by:
        answer = state.store.get(where, answer)
    if name not in words.set_by | words.cleared_by:
        return [(state, answer)] if where else None
    held = ONE if name in words.set_by else ZERO
    after = state.without(bits_of(place, state.store)).put(place, Unknown(f"{here}:1"))
    return [(_with_bit(place, mask, held, state, after), answer)]


def _map_of(e: ir.Expr, state: State, act: Activation, run: Run) -> str:
    """Name the bitmap that an expression is, or points at; an array in what is zero is not NULL."""
    value = evaluate(e, state, act, run)
    return place_of(e, state, act, run) if value == ZERO else target_place(value)


def _some_bit(name: str, place: str, bit: Value, here: str, state: State, run: Run) -> Results:
    """Return what a call does to a bit of a bitmap, or to one of a word whose number is unknown."""
    words = run.facts.words
    answer: Value = Unknown(here)
    if name in words.tested_by:
        answer = bit_of(place, bit, state) or answer
    if name not in words.set_by | words.cleared_by:
        return [(state, answer)]
    after = state.without(bits_of(place, state.store))
    if place in state.store and state.store[place] != ZERO:
        after = after.put(place, Unknown(f"{here}:1"))
    held = ONE if name in words.set_by else ZERO
    return [(_with_some(place, bit, held, state, after), answer)]


def _with_some(place: str, number: Value, held: Int, before: State, after: State) -> State:
    """Return the state with one bit known by its number, and those that are not made another."""
    whole, bit = f"{place}.&", place_of_bit(place, number)
    if before.store.get(place) == ZERO and after.store.get(place) != ZERO:
        after = after.put(whole, ZERO)
    others = {p: v for p, v in before.store.items() if p == whole or p.startswith(f"{whole}[")}
    differing = set(other_elements(bit, others))
    for other, value in others.items():
        same = other not in differing or value == held
        after = after.put(other, value if same else Unknown(other))
    return after.put(bit, held)


def _mask_of(number: Value) -> Value:
    match number:
        case Int(n):
            return Int(1 << n) if 0 <= n < 64 else Unknown(f"bit {n}")
        case Symbol(name):
            return Symbol(f"BIT({name})")
    return number


def _with_bit(place: str, mask: Value, held: Int, before: State, after: State) -> State:
    """Return the state with one bit known, and what was known before of bits beside it."""
    where = bit_place(place, mask)
    if where is None:
        return after
    for other in bits_of(place, before.store):
        if other != where and _is_beside(other, mask):
            after = after.put(other, before.store[other])
    return after.put(where, held)


def _is_beside(place: str, mask: Value) -> bool:
    """Tell whether what is known at a place is about other bits: two names are two bits."""
    other = place.rpartition("&")[2]
    if isinstance(mask, Int):
        return other.isdigit() and not int(other) & mask.value
    return other.isidentifier()
