"""Know between which bounds a number lies after it was compared with constants."""

from __future__ import annotations

from dataclasses import dataclass

#: More numbers than this that another one is not are not told apart.
_MOST = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether a number is this constant or, unless exactly, at most this constant."""

    number: int
    exactly: bool = True


@dataclass(frozen=True, slots=True)
class Numbers:
    """The whole numbers from low to high but for some; None is no bound."""

    low: int | None = None
    high: int | None = None
    but: frozenset[int] = frozenset()

    @property
    def may_count(self) -> bool:
        """Tell whether one of them counts something: is not negative."""
        return self.high is None or self.high >= 0

    def passing(self, test: Comparison, *, held: bool) -> Numbers | None:
        """Return those for which a test holds, or does not; None where there are none."""
        low, high, but, n = self.low, self.high, self.but, test.number
        if test.exactly and not held:
            but = but | {n} if len(but) < _MOST else but
        if held:
            high = n if high is None else min(high, n)
        if (test.exactly and held) or not (test.exactly or held):
            least = n if held else n + 1
            low = least if low is None else max(low, least)
        while low is not None and low in but:
            low += 1
        while high is not None and high in but:
            high -= 1
        if low is not None and high is not None and low > high:
            return None
        return Numbers(low, high, frozenset(n for n in but if _is_between(low, n, high)))


def _is_between(low: int | None, n: int, high: int | None) -> bool:
    return (low is None or low < n) and (high is None or n < high)


#: Any number.
ANY = Numbers()
#: What C takes for false.
IS_ZERO = Comparison(0)
