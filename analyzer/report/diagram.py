"""Lay out a migration as a small state diagram; the template draws it."""

from __future__ import annotations

from dataclasses import dataclass

_LETTER = 8.2  # width of a letter of a state's name
_SMALL = 7.0
_HEIGHT = 44
_PAD = 22


@dataclass(frozen=True, slots=True)
class Box:
    """One state: where its box stands and what is in it."""

    x: float
    width: float
    text: str

    @property
    def middle(self) -> float:
        """Return the middle of the box, from the left."""
        return self.x + self.width / 2

    @property
    def right(self) -> float:
        """Return the right edge."""
        return self.x + self.width


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagram:
    """Two states and the way between them; a loop on the first says that some pages stay."""

    width: float
    height: float
    top: float
    before: Box
    after: Box
    by: str
    at: str
    stay: str
    label: str

    @property
    def level(self) -> float:
        """Return the height at which the arrow runs."""
        return self.top + _HEIGHT / 2

    @property
    def box_height(self) -> float:
        """Return the height of the boxes."""
        return _HEIGHT


def draw(before: str, after: str, *, by: str, at: str, exceptions: int, label: str) -> Diagram:
    """Return the picture of a migration from one state to another; label says it in words."""
    left = Box(1, _box_width(before), before)
    gap = max(len(by) * _LETTER, len(at) * _SMALL, 120) + 2 * _PAD
    right = Box(left.right + gap, _box_width(after), after)
    top = 54 if exceptions else 26
    stay = ""
    if exceptions:
        stay = f"{exceptions} {'exception stays' if exceptions == 1 else 'exceptions stay'}"
    return Diagram(
        width=round(right.right + 1, 1),
        height=top + _HEIGHT + 26,
        top=top,
        before=left,
        after=right,
        by=by,
        at=at,
        stay=stay,
        label=label,
    )


def _box_width(text: str) -> float:
    return round(max(len(text) * _LETTER + 2 * _PAD, 110), 1)
