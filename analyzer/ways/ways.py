"""Run a function for one page in two states, and compare where it ends up and what it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from analyzer.c import ir
from analyzer.program.defs import Place, reaching
from analyzer.program.shape import names_in
from analyzer.ways.answers import Answers
from analyzer.ways.page import body_of
from analyzer.ways.state import PRINTS, Held, Path, Way
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
    def is_printed(self) -> bool:
        """Tell whether nothing differs but what is printed, and that does."""
        apart = [w for b, a in self.differing for w in b.ways ^ a.ways]
        return bool(apart) and all(w.kind == PRINTS for w in apart)

    @property
    def differing(self) -> tuple[tuple[Path, Path], ...]:
        """Return the pairs that are not the same."""
        return tuple((b, a) for b, a in self.pairs if b.ways != a.ways)

    def __add__(self, other: Ways) -> Ways:
        return Ways((*self.pairs, *other.pairs), self.complete and other.complete)


@dataclass(frozen=True, slots=True)
class Share:
    """What of the difference between two paths one test makes: what it ends and what it brings."""

    before: Path
    after: Path
    lost: frozenset[Way]
    gained: frozenset[Way]

    @property
    def is_all(self) -> bool:
        """Tell whether the paths differ by nothing else."""
        ways, other = self.before.ways, self.after.ways
        return (self.lost, self.gained) == (ways - other, other - ways)


def ways_of(
    function: ir.Function,
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
    body = body_of(function, variant, page, starts, world, Answers(world, values, states).of)
    found, complete = _walked(
        [[Walk(body, values, world, start, held) for held in states] for start in starts]
    )
    ways = Ways(tuple((b, a) for b, a in found), complete)
    return ways if complete or ways.differing else None


def shares_of(
    function: ir.Function,
    variant: ir.Variant,
    at: Place,
    call: ir.Call,
    states: tuple[Held, Held],
    values: Mapping[str, int],
    world: World,
) -> tuple[Share, ...]:
    """Return what the answer of one test of a page makes of the differences that ways_of() tells.

    The function is run twice more: with the state after, and this answer alone as it was before;
    and the other way round. What then comes back, or comes about, is the test's. Nothing where no
    single answer makes the difference.
    """
    page = call.args[0]
    starts = starts_of(variant, at, page)
    answer = Answers(world, values, states).of
    before, after = states

    def run(held: Held, instead: Held | None = None) -> Callable[[Place], Walk]:
        body = body_of(
            function, variant, page, starts, world, answer
        )  # what a run has found out is its own
        told = None if instead is None else (call.span.start, instead)
        return lambda start: Walk(body, values, world, start, held, told)

    runs = (run(before), run(after), run(after, before), run(before, after))
    found, _ = _walked([[walk(start) for walk in runs] for start in starts])
    shares: dict[Share, None] = {}
    for paths in found:
        was, now, kept, turned = (p.ways for p in paths)
        lost = (was - now) & ((kept - now) | (was - turned))
        gained = (now - was) & ((now - kept) | (turned - was))
        if lost or gained:
            shares[Share(paths[0], paths[1], lost, gained)] = None
    return tuple(shares)


def _walked(first: Iterable[list[Walk]]) -> tuple[tuple[tuple[Path, ...], ...], bool]:
    """Return the paths of walks that decide alike, and whether these are all of them."""
    found: dict[tuple[Path, ...], None] = {}
    for start in first:
        todo: list[tuple[Choices, list[Walk]]] = [({}, start)]
        tried = 0
        while todo:
            tried += 1
            if tried > _MOST:
                return tuple(found), False
            choices, walks = todo.pop()
            open_ = next((c for w in walks if (c := w.go(choices)) is not None), None)
            if open_ is None:
                found.setdefault(tuple(w.path for w in walks))
            else:
                todo.append(({**choices, open_: False}, [w.fork() for w in walks]))
                todo.append(({**choices, open_: True}, walks))
    return tuple(found), True


def starts_of(variant: ir.Variant, at: Place, page: ir.Expr) -> tuple[Place, ...]:
    """Return the places where the page comes into the body on the way to a use."""
    found: dict[Place, None] = {}
    for name in names_in(page):
        for reached in reaching(variant, name, at):
            place = reached.place
            found.setdefault(place if reached.step is None else Place(place.block, place.index + 1))
    return tuple(found) or (Place(0, 0),)
