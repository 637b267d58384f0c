"""Say which populations a migration moves, from which state to which."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from analyzer.migrations import Described, Moved
from analyzer.pages.facts import Facts
from analyzer.pages.provenance import Part, Provenance
from analyzer.program.program import Program
from analyzer.spelling import NEITHER
from analyzer.ways.state import Held, spell


@dataclass(frozen=True, slots=True)
class Shift:
    """A population with the state that it had and the one that it has now.

    A population is followed from where it is made; a part of one is not: what it is now is a fact
    of `queries/kernel/provenance.toml`, and assumed of the tree at hand.
    """

    population: str
    title: str
    before: Held
    after: Held
    part: Part | None = None

    @property
    def told(self) -> str:
        """Return the title, and where the state now is assumed, which."""
        return self.title if self.part is None else f"{self.title} (assumed: {spell(self.after)})"

    def changes(self, label: str) -> bool:
        """Tell whether a flag or type of its pages is another now."""
        return _has(self.before, label) != _has(self.after, label)

    def gains(self, label: str) -> bool:
        """Tell whether its pages have a flag or type now that they had not."""
        return self.changes(label) and _has(self.after, label)


def _has(held: Held, label: str) -> bool:
    return label in held.flags or held.type == label


def held_of(words: str, migration: Described) -> Held:
    """Return a state that is written in words: `Reserved`, `Offline`, `neither`."""
    named = [w for w in words.split(", ") if w != NEITHER]
    types = [w for w in named if w in migration.types]
    return Held(frozenset(w for w in named if w not in types), types[0] if types else "")


def shifts_of(
    moves: Iterable[Moved],
    migration: Described,
    known: Provenance,
    facts: Facts,
    program: Program,
) -> tuple[Shift, ...]:
    """Return the populations that move, and those of their parts that the tree makes."""
    parts = [p for p in known.parts if not p.needs or program.says(p.header, p.needs)]
    return tuple(s for m in moves for s in _shifts(m, migration, parts, facts))


def _shifts(
    move: Moved, migration: Described, parts: Iterable[Part], facts: Facts
) -> Iterator[Shift]:
    before, after = held_of(move.before, migration), held_of(move.after, migration)
    if before == after:
        return
    yield Shift(move.name, move.title or facts.title(move.name), before, after)
    described = migration.moved(move.name)
    for part in parts:
        if part.of == move.name and described is not None and move.after == described.after:
            was = held_of(part.before, migration) if part.before else before
            yield Shift(part.name, part.title, was, held_of(part.after, migration), part)
