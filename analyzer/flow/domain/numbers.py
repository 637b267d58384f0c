"""Know between which bounds a number lies after it was compared with constants."""

from __future__ import annotations

from dataclasses import dataclass, replace

#: More numbers than this that another one is not are not told apart.
_MOST = 8


@dataclass(frozen=True, slots=True)
class Comparison:
    """Whether a number is this constant or, unless exactly, at most this constant.

    mask says which bits alone are compared; None is all of them.
    """

    number: int
    exactly: bool = True
    mask: int | None = None


@dataclass(frozen=True, slots=True)
class Numbers:
    """The whole numbers from low to high but for some, with some bits set and others clear.

    None is no bound. unlike holds masks, each with what the bits under it are not.
    """

    low: int | None = None
    high: int | None = None
    but: frozenset[int] = frozenset()
    ones: int = 0
    zeros: int = 0
    unlike: frozenset[tuple[int, int]] = frozenset()

    @property
    def may_count(self) -> bool:
        """Tell whether one of them counts something: is not negative."""
        return self.high is None or self.high >= 0

    def passing(self, test: Comparison, *, held: bool) -> Numbers | None:
        """Return those for which a test holds, or does not; None where there are none.

        Bits do not tell of bounds, nor bounds of bits.
        """
        if test.mask is not None:
            return self._masked(test.mask, test.number, held=held)
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
        but = frozenset(n for n in but if _is_between(low, n, high))
        return replace(self, low=low, high=high, but=but)

    def _masked(self, mask: int, number: int, *, held: bool) -> Numbers | None:
        """Return those of which the bits under a mask are those of a number, or are not."""
        ones, zeros, unlike = self.ones, self.zeros, self.unlike
        if held:
            ones, zeros = ones | number & mask, zeros | mask & ~number
        elif len(unlike) < _MOST:
            unlike |= {(mask, number)}
        if ones & zeros:
            return None
        for mask, number in unlike:
            differ = (ones & ~number | zeros & number) & mask
            left = mask & ~(ones | zeros)
            if differ or left & (left - 1):
                continue  # it is so, or one of several bits is another
            if not left:
                return None
            ones, zeros = ones | left & ~number, zeros | left & number
        return replace(self, ones=ones, zeros=zeros, unlike=unlike)


def _is_between(low: int | None, n: int, high: int | None) -> bool:
    return (low is None or low < n) and (high is None or n < high)


#: Any number.
ANY = Numbers()
#: What C takes for false.
IS_ZERO = Comparison(0)
