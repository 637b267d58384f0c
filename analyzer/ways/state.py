"""Define the state that a page is in, and what happens to it on a path."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Held:
    """The state that a page is in: the flags it has, and its type (empty for none)."""

    flags: frozenset[str]
    type: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """One thing that happens: "returns", "calls", "prints", "writes", "stores", "fails", ..."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind} {self.what}".strip()


#: The kind of what happens for a reader only.
PRINTS = "prints"


@dataclass(frozen=True, slots=True)
class Path:
    """What happens to a page on one path; told holds the tests that were true of it."""

    ways: frozenset[Way]
    told: frozenset[str]


def spell(held: Held) -> str:
    """Say a state in words."""
    words = [*([held.type] if held.type else []), *sorted(held.flags)]
    return ", ".join(words) or "neither"
