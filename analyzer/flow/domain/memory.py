"""Know of memory that was all zero what is zero in it still.

The store says so of the whole: `0:toy` or, for memory behind a pointer, `*key` holds zero. What was
stored since has places of its own below it: of a field, of an element by an index, or of what a
pointer has stepped to.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache

from analyzer.flow.domain.values import FROM, STEPPED, ZERO, Page, Unknown, Value, compound_key

#: The fields and elements by which a place is reached.
_PART = re.compile(r"\[[^\]]*\]|@[~\w+-]*|\.[^.\[@]*")
_BIT = ".&"
_OPEN = ("[", "@", ".")
#: An index that a loop has stepped up to some number at least.
_TURNED = re.compile(r"\d+:\w+:turn\d+\+(\d+)(/step)?\Z")
#: What stands before an index that the loop has left behind, and for one that may be any.
_LEFT, _ANY = "~", "[?]"


def is_zeroed(place: str, store: Mapping[str, Value]) -> bool:
    """Tell whether a place of which nothing is known lies in memory that was zero, and is zero."""
    whole = whole_of(place, store)
    if whole is None or store[whole] != ZERO:
        return False
    parts = _parts(place[len(whole) :])
    return not any(
        value != ZERO
        and other.startswith(whole)
        and other[len(whole)] in _OPEN
        and _overlap(parts, _parts(other[len(whole) :]))
        for other, value in store.items()
    )


def is_in_zeroed(place: str, store: Mapping[str, Value]) -> bool:
    """Tell whether a place is, or lies in, memory that was zero."""
    held = store.get(place)
    if held is None and (whole := whole_of(place, store)) is not None:
        held = store[whole]
    return held is not None and held == ZERO


def whole_of(place: str, store: Mapping[str, Value]) -> str | None:
    """Return the nearest place around another one of which something is known."""
    for whole in _around(place):
        if whole in store:
            return whole
    return None


@lru_cache(maxsize=65536)
def _around(place: str) -> tuple[str, ...]:
    """Return the places around another one, the nearest first."""
    return tuple(place[:end] for end in range(len(place) - 1, 0, -1) if place[end] in _OPEN)


def is_inside(place: str, whole: str) -> bool:
    """Tell whether a place is another one, or lies in it."""
    return place.startswith(whole) and place[len(whole) : len(whole) + 1] in ("", *_OPEN)


def forgotten(places: Collection[str], store: Mapping[str, Value]) -> Iterator[tuple[str, Unknown]]:
    """Yield what is to be known of places that were dropped: they may not be zero any more."""
    for place in places:
        if _BIT not in place and is_in_zeroed(place, store):
            yield place, Unknown(place)


def element_of(index: Value) -> str:
    """Name an element of an array by its index: the same value is the same element."""
    if isinstance(index, Unknown) and _TURNED.match(key := index.key.replace(FROM, "/")):
        return key
    return compound_key("i", index)


def other_elements(element: str, store: Mapping[str, Value]) -> Iterator[str]:
    """Yield what is known of elements of an array that may be the one that is stored into."""
    array, _, rest = element.rpartition("[")
    index, _, field = rest.partition("]")
    for place in store:
        if place != element and place.startswith(f"{array}["):
            other, _, name = place[len(array) + 1 :].partition("]")
            if name == field and _may_be(f"[{index}]", f"[{other}]"):
                yield place


def turned(name: str, store: Mapping[str, Value], *, first: bool) -> dict[str, Value]:
    """Return what is known once a loop steps an index on, by the name of the element.

    What it has stored so far by that index belongs to other elements. Before the loop's first turn
    that was another walk of it, which came by the same ones.
    """
    here, left = f"[{name}]", f"[{_LEFT}{name}]"
    return _moved(store, (here, left) if first else (here,), _ANY if first else left)


def stepped(base: str, store: Mapping[str, Value], *, first: bool) -> dict[str, Value]:
    """Return what is known once a loop steps a pointer on that began at a base; as turned()."""
    here, left = f"*{base}{STEPPED}", f"*{base}@{_LEFT}"
    return _moved(store, (here, left) if first else (here,), f"*{base}{_ANY}" if first else left)


def _moved(store: Mapping[str, Value], names: Collection[str], to: str) -> dict[str, Value]:
    """Return what is known where what names elements comes to name others.

    Of memory that was not zero nothing is to be told.
    """
    found = dict(store)
    for place, value in store.items():
        for name in names:
            if name in place and is_in_zeroed(place[: place.index(name)] or name, store):
                del found[place]
                if value != ZERO and not isinstance(value, Page):
                    found[place.replace(name, to)] = Unknown(place.replace(name, to))
                break
    return found


@lru_cache(maxsize=4096)
def _parts(rest: str) -> tuple[tuple[str, str], ...]:
    """Split what follows the name of memory into fields, each with the element before it.

    A pointer that was not stepped points at the first element.
    """
    found: list[tuple[str, str]] = []
    at = ""
    for part in _PART.findall(rest):
        if part[0] == ".":
            found.append((at, part))
            at = ""
        else:
            at += part
    return (*found, (at, "")) if at else tuple(found)


def _overlap(one: Sequence[tuple[str, str]], other: Sequence[tuple[str, str]]) -> bool:
    """Tell whether what two places are reached by may be the same, or a part of it."""
    return all(
        _may_be(a, b) and (x == y or not x or not y)
        for (a, x), (b, y) in zip(one, other, strict=False)
    )


def _may_be(one: str, other: str) -> bool:
    """Tell whether two names of elements may be of the same one."""
    if one == other:
        return True
    for a, b in ((one, other), (other, one)):
        if a.startswith(f"[{_LEFT}") and b == f"[{a[2:]}":
            return False
        from_here = a.removesuffix(STEPPED)
        if from_here != a and b in (from_here, f"{from_here}@{_LEFT}"):
            return False
        if b == f"{a[:-1]}/step]" or b == f"[{_LEFT}{a[1:-1]}/step]":
            return False
        number, turn = _number(b), _TURNED.match(a.strip(f"[]{_LEFT}"))
        if turn and number is not None and number < int(turn[1]):
            return False
    a_number, b_number = _number(one), _number(other)
    return a_number is None or b_number is None or a_number == b_number


def _number(part: str) -> int | None:
    digits = part.strip("[]").removeprefix("@") or "0"
    return int(digits) if digits.lstrip("+-").isdigit() else None
