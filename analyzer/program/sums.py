"""Define sums of what is known by name only, and the pages from one sum to another."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

#: Of the widest number.
BITS = 64
_WORD = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum of things of which only the names are known, and a number; equal if nothing differs."""

    terms: tuple[tuple[str, int], ...] = ()
    number: int = 0

    def plus(self, other: Sum, times: int = 1) -> Sum:
        """Return the sum with so many times another one added."""
        terms = dict(self.terms)
        for name, n in other.terms:
            terms[name] = terms.get(name, 0) + n * times
        kept = tuple(sorted((name, n) for name, n in terms.items() if n))
        return Sum(kept, self.number + other.number * times)

    def put(self, values: Mapping[str, Sum | None]) -> Sum | None:
        """Return the sum with sums in the place of names; None where that cannot be told.

        What a function computes means something else each time that it is called.
        """
        found = Sum((), self.number)
        for name, n in self.terms:
            value = values.get(name) if name in values else _inside(name, values)
            if value is None:
                return None
            found = found.plus(value, n)
        return found


@dataclass(frozen=True, slots=True)
class Extent:
    """The pages from first on, before end; end is None where that is not known.

    is_range says that a loop steps through them.
    """

    first: Sum
    end: Sum | None
    is_range: bool

    def put(self, values: Mapping[str, Sum | None]) -> Extent | None:
        """Return the same in terms of what names stand for; None where the first is not known."""
        first = self.first.put(values)
        end = None if self.end is None else self.end.put(values)
        return None if first is None else Extent(first, end, self.is_range)


def computed(op: str, left: Sum, right: Sum) -> Sum:
    """Return what an operation makes of two sums, as something of which only the name is known."""
    if op == "<<" and right.terms and right.number:
        doubled = computed(op, left, Sum(right.terms))
        if right.number < 0:
            return computed(">>", doubled, Sum((), -right.number))
        return Sum().plus(doubled, 1 << min(right.number, BITS))
    return Sum(((f"({left} {op} {right})", 1),))


#: The name of two to the power of something.
_POWER = computed("<<", Sum((), 1), Sum((("%s", 1),))).terms[0][0]


def is_fraction(part: Sum, whole: Sum) -> bool:
    """Tell whether a sum is another one divided by a number, so that it is less."""
    return any(
        part == computed(op, whole, Sum((), n))
        for op, least in (("/", 2), (">>", 1))
        for n in range(least, BITS + 1)
    )


def _inside(name: str, values: Mapping[str, Sum | None]) -> Sum | None:
    """Return what a name that no sum is put for is then; None where it is another number."""
    for power, value in values.items():
        if value is not None and not value.terms and name == _POWER % power:
            return Sum((), 1 << max(0, min(value.number, BITS)))
    is_other = not name.isidentifier() and _means_other(name, values)
    return None if is_other else Sum(((name, 1),))


def _means_other(computed: str, values: Mapping[str, Sum | None]) -> bool:
    names = set(_WORD.findall(computed))
    return " of " in computed or any(
        name in names and value != Sum(((name, 1),)) for name, value in values.items()
    )


def one(first: Sum) -> Extent:
    """Return what reaches a single page."""
    return Extent(first, first.plus(Sum((), 1)), is_range=False)
