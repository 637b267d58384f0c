"""Run a function for one page in two states, and compare where it ends up and what it does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analyzer.c import ir
from analyzer.flow.shape import names_in
from analyzer.ways.answers import Answers
from analyzer.ways.defs import Place, reaching
from analyzer.ways.page import body_of
from analyzer.ways.state import Held, Path, Way
from analyzer.ways.walk import Choices, Walk, World

#: More paths than this are not walked: the answer is then that it is not known.
_MOST = 600


@dataclass(frozen=True, slots=True)
class Ways:
    """Pairs of paths, before and after, on which everything else is decided the same way.

    complete tells whether these are all: of too many paths, those that were walked are kept.
    """

    pairs: tuple[tuple[Path, Path], ...]
    complete: bool = True

    @property
    def before(self) -> frozenset[Way]:
        """Return everything that may happen before."""
        return frozenset(w for p, _ in self.pairs for w in p.ways)

    @property
    def after(self) -> frozenset[Way]:
        """Return everything that may happen after."""
        return frozenset(w for _, p in self.pairs for w in p.ways)

    @property
    def told(self) -> frozenset[str]:
        """Return the tests that are true after and were not before."""
        return frozenset(n for b, a in self.pairs for n in a.told - b.told)

    @property
    def differing(self) -> tuple[tuple[Path, Path], ...]:
        """Return the pairs that are not the same."""
        return tuple((b, a) for b, a in self.pairs if b.ways != a.ways)

    def __add__(self, other: Ways) -> Ways:
        return Ways((*self.pairs, *other.pairs), self.complete and other.complete)


def ways_of(
    variant: ir.Variant,
    at: Place,
    page: ir.Expr,
    states: tuple[Held, Held],
    values: Mapping[str, int],
    world: World,
) -> Ways | None:
    """Return what happens from where the page comes into the function.

    None where there are too many paths, and none of those that were walked differ.

    Tests of the page are answered by its state and by the values that are known of its population.
    Every other condition is taken both ways, and the same way for either state: what differs then
    differs because of the page.
    """
    starts = starts_of(variant, at, page)
    body = body_of(variant, page, starts, world, Answers(world, values, states).of)
    pairs: dict[tuple[Path, Path], None] = {}
    for start in starts:
        first = [Walk(body, values, world, start, held) for held in states]
        todo: list[tuple[Choices, list[Walk]]] = [({}, first)]
        tried = 0
        while todo:
            tried += 1
            if tried > _MOST:
                some = Ways(tuple(pairs), complete=False)
                return some if some.differing else None
            choices, walks = todo.pop()
            open_ = next((c for w in walks if (c := w.go(choices)) is not None), None)
            if open_ is None:
                pairs.setdefault((walks[0].path, walks[1].path))
            else:
                todo.append(({**choices, open_: False}, [w.fork() for w in walks]))
                todo.append(({**choices, open_: True}, walks))
    return Ways(tuple(pairs))


def starts_of(variant: ir.Variant, at: Place, page: ir.Expr) -> tuple[Place, ...]:
    """Return the places where the page comes into the body on the way to a use."""
    found: dict[Place, None] = {}
    for name in names_in(page):
        for reached in reaching(variant, name, at):
            place = reached.place
            found.setdefault(place if reached.step is None else Place(place.block, place.index + 1))
    return tuple(found) or (Place(0, 0),)
