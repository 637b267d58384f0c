"""Define what the abstract interpreter knows of a C value.

Values are compared all the time, so most of them are tuples. kind tells those apart that have the
same parts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from analyzer.flow.domain.numbers import ANY, IS_ZERO, Comparison, Numbers
from analyzer.pages.machine import PageState


@dataclass(frozen=True, slots=True)
class Int:
    """A known integer.

    tested says which page and dimension a test's outcome came from, and whether it was certain.
    """

    value: int
    tested: tuple[str, str, bool] | None = field(default=None, compare=False)


class Symbol(NamedTuple):
    """A macro or enumerator whose number is not known: equal to itself, else undecided."""

    name: str
    kind: str = "symbol"


class Unknown(NamedTuple):
    """A value of which only the identity is known: two uses of one key are the same value.

    among are the numbers that it is one of, where a test has told.
    """

    key: str
    among: Numbers | None = None
    kind: str = "unknown"


class Offset(NamedTuple):
    """An unknown base with something added: the same range of pages, another number."""

    key: str
    kind: str = "offset"


class NonZero(NamedTuple):
    """An unknown value that is not zero; among are the numbers that it is one of, where known."""

    key: str
    among: Numbers | None = None
    kind: str = "not zero"


class Page(NamedTuple):
    """A page, or a range treated alike, as a pointer ("page"), number ("pfn") or address."""

    key: str
    form: str
    kind: str = "page"


class Ref(NamedTuple):
    """The address of a variable or field."""

    place: str
    kind: str = "address"


class Link(NamedTuple):
    """The next or previous pointer of a list head: an element of the list at place."""

    place: str
    kind: str = "link"


@dataclass(frozen=True, slots=True)
class Element:
    """The address of an array's element; index says which."""

    place: str
    index: Value


class Fn(NamedTuple):
    """A function's address; path is empty where the name is not static."""

    name: str
    path: str
    kind: str = "function"


@dataclass(frozen=True, slots=True)
class Listed:
    """What a walk has left on a list.

    While it goes on, walk is the key of the page that it meets in a turn, and pages are what the
    last turn has left, if it is ended.
    """

    pages: tuple[PageState, ...]
    walk: str = ""
    ended: bool = True


Value = (
    Int | Symbol | Unknown | Offset | NonZero | Page | Ref | Link | Element | Fn | Numbers | Listed
)

ZERO, ONE = Int(0), Int(1)


def page_key(value: Value) -> str | None:
    """Return the key of the page that a value names or, as a bare number, may name."""
    match value:
        case Page(key) | Unknown(key) | Offset(key) | NonZero(key):
            return key
    return None


def numbers_of(value: Value) -> Numbers:
    """Return the numbers that a value is one of; an address is above zero, and no error."""
    match value:
        case Int(number):
            return Numbers(number, number)
        case NonZero(_, among):
            return (among or ANY).passing(IS_ZERO, held=False) or ANY
        case Unknown(_, among) if among is not None:
            return among
        case Page(_, "page" | "virt") | Ref() | Fn() | Element():
            return Numbers(low=1)
        case Page():
            return Numbers(low=0)
    return ANY


#: What stands in a key between what is counted from and how far.
FROM = "@"
#: The end of the key of what a loop has stepped to, however far.
STEPPED = f"{FROM}step"


def counted(key: str) -> tuple[str, int]:
    """Return the key that another one is counted from, and how far; it may be the same."""
    base, _, by = key.rpartition(FROM)
    return (base, int(by)) if base and by[1:].isdigit() else (key, 0)


def truth(value: Value) -> bool | None:
    """Tell whether a value is not zero; None where that is not known."""
    match value:
        case Int(number):
            return number != 0
        case NonZero() | Ref() | Fn() | Element():
            return True
        case Page(_, "page" | "virt"):
            return True
    return None


def compound_key(op: str, *parts: Value) -> str:
    """Return a short key for a value computed from others."""
    text = f"{op}({', '.join(map(repr, parts))})"
    return f"{op}:{hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}"


def bit_place(place: str, mask: Value) -> str | None:
    """Return the place at which it is known whether a word has a bit, if that can be told."""
    match mask:
        case Int(value):
            return f"{place}.&{value}"
        case Symbol(name):
            return f"{place}.&{name}"
    return None


def bits_of(place: str, store: Iterable[str]) -> list[str]:
    """Return the places at which something is known of the bits of a word."""
    bits = f"{place}.&"
    return [p for p in store if p.startswith(bits)]


_COMPARE = {"==", "!=", "<", "<=", ">", ">="}


def binary(op: str, left: Value, right: Value, *, counters: tuple[bool, bool], key: str) -> Value:
    """Compute an operation; counters says which operands are mere loop counters.

    key names the result where it is unknown. It belongs to the expression and not to its operands:
    a loop that counts would otherwise make a new value on every turn and never settle.
    """
    if op in _COMPARE:
        held = compare(op, left, right)
        return Unknown(key) if held is None else Int(int(held))
    if isinstance(left, Int) and isinstance(right, Int):
        number = arithmetic(op, left.value, right.value)
        if number is not None:
            return Int(number)
    if (told := _by_bits(op, left, right, key)) is not None:
        return told
    if op in "+-":
        for value, other in ((left, right), (right, left)):
            if isinstance(value, Page) and not isinstance(other, Page):
                return value
        if isinstance(left, Page) and isinstance(right, Page):
            return Unknown(key)
        for value, is_counter in ((left, counters[0]), (right, counters[1])):
            if isinstance(value, Offset) and not is_counter:
                return value
        for value, is_counter in ((left, counters[0]), (right, counters[1])):
            if isinstance(value, Unknown | NonZero) and not is_counter:
                return Offset(value.key)
    return Unknown(key)


def _by_bits(op: str, left: Value, right: Value, key: str) -> Value | None:
    """Return what the bits of one operand tell of the whole."""
    if op == "&" and (Int(0) in (left, right) or _in_low_bits(left, right)):
        return ZERO
    if op == "|" and any(isinstance(v, Int) and v.value for v in (left, right)):
        return NonZero(key)
    return None


#: The lowest bits of a pointer, which are clear: a structure begins where a word may.
_LOW = range(4)


def _in_low_bits(left: Value, right: Value) -> bool:
    """Tell whether only bits of a page's pointer are looked at that code may keep marks in."""
    match left, right:
        case (Page(_, "page"), Int(mask)) | (Int(mask), Page(_, "page")):
            return mask in _LOW
    return False


def compare(op: str, left: Value, right: Value) -> bool | None:
    """Decide a comparison where that can be done."""
    if isinstance(left, Int) and isinstance(right, Int):
        a, b = left.value, right.value
        return {
            "==": a == b, "!=": a != b, "<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b,
        }[op]  # fmt: skip
    if op in ("==", "!="):
        equal: bool | None = None
        if left == right and isinstance(left, Symbol | Ref | Fn | Unknown | NonZero | Int):
            equal = True
        elif Int(0) in (left, right):
            held = truth(right if left == Int(0) else left)
            equal = None if held is None else not held
        elif isinstance(left, Fn) and isinstance(right, Fn):
            equal = False
        elif {type(left), type(right)} == {Page, Symbol}:
            equal = False  # a constant stands for no page, or none yet
        if equal is not None:
            return equal if op == "==" else not equal
    if isinstance(left, Int):
        return compare(MIRRORED[op], right, left) if not isinstance(right, Int) else None
    if isinstance(right, Int):
        known = numbers_of(left)
        if known is ANY:
            return None
        test, held = test_of(op, right.value)
        if known.passing(test, held=held) is None:
            return False
        if known.passing(test, held=not held) is None:
            return True
    return None


#: The same comparison with its sides exchanged.
MIRRORED = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def test_of(op: str, number: int) -> tuple[Comparison, bool]:
    """Return the test that a comparison with a number is, and whether it has to hold."""
    match op:
        case "==" | "!=":
            return Comparison(number), op == "=="
        case "<" | ">=":
            return Comparison(number - 1, exactly=False), op == "<"
    return Comparison(number, exactly=False), op == "<="


def arithmetic(op: str, a: int, b: int) -> int | None:
    """Compute with two numbers; None for what C leaves open, or no arithmetic."""
    match op:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "&":
            return a & b
        case "|":
            return a | b
        case "^":
            return a ^ b
        case "<<":
            return a << b if 0 <= b < 64 else None
        case ">>":
            return a >> b if 0 <= b < 64 else None
        case "/":
            return a // b if b > 0 <= a else None
        case "%":
            return a % b if b > 0 <= a else None
    return None
