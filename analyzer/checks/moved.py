"""Find where pages were given up before, wherever that is done now, and what of it is not told."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import pairwise

from analyzer.base import FunctionId, Gap, Pair, unspaced
from analyzer.checks.obligations import sink_key
from analyzer.comparison.compare import Sides
from analyzer.flow.domain.observe import Behaviour, Kind, Observation, Outcome
from analyzer.pages.machine import Event
from analyzer.program.program import Program


class Former:
    """Tell what was seen before where pages are given up now."""

    def __init__(self, given: Pair[Sequence[Observation]], sides: Sides) -> None:
        """Take where pages of a kind are given up, in both trees."""
        self._programs = sides.programs
        self._same = _grouped((sink_key(o), o) for o in given.before)
        still = {sink_key(o) for o in given.after}
        back = sides.programs.swapped
        self._gone = _grouped(
            (_outside(o, back), o) for o in given.before if sink_key(o) not in still
        )
        come = (o for o in given.after if sink_key(o) not in self._same)
        # Where other pages come cleared to what is called instead, those are what has moved.
        self._cleared = _grouped((_outside(o, sides.programs), o) for o in come if clear_of(o))

    def at(self, o: Observation) -> Sequence[Observation]:
        """Return what was seen before at a place of the tree after.

        A place to which only a call leads that the patch has brought stands for one that is no
        longer there, in the function that makes the call.
        """
        same = self._same.get(sink_key(o))
        if same is not None:
            return same
        key = _outside(o, self._programs)
        others = any(other.place != o.place for other in self._cleared.get(key, ()))
        return () if others else self._gone.get(key, ())


def given_up_uncleared(
    sides: Sides, kind: Kind
) -> Iterator[tuple[Observation, Sequence[Event | None], frozenset[FunctionId]]]:
    """Yield where pages may be given up with what they must not have, and were given up before.

    With it: by what each of those was cleared, None for one that was not, and the functions that
    led to the clears. Not where one of them, or what leads to the place, newly calls what cannot be
    followed.
    """
    hidden, former = _untold(sides), Former(sides.behaviours.map(_given_up), sides)
    for o in sides.behaviours.after.observations:
        if o.kind is kind and o.outcome in (Outcome.MAY_LEAK, Outcome.LEAK):
            clears = [clear_of(old) for old in former.at(o)]
            way = frozenset(id for e in clears if e is not None for id in leading_to(e))
            if clears and hidden.isdisjoint(way.union(o.chain)):
                yield o, clears, way


def _given_up(behaviour: Behaviour) -> Sequence[Observation]:
    """Return where pages of unknown origin are handed to the buddy, or a reference is dropped."""
    return [
        o
        for o in behaviour.observations
        if o.kind is Kind.DROP or (o.kind is Kind.SINK and not o.page.population)
    ]


def clear_of(o: Observation) -> Event | None:
    """Return what has taken off a page what it must not have, None where nothing has."""
    source = o.source if o.outcome is Outcome.CLEAN else None
    return source if source is not None and source.kind == "write" else None


def _grouped(
    seen: Iterable[tuple[object, Observation]],
) -> Mapping[object, Sequence[Observation]]:
    found: dict[object, list[Observation]] = {}
    for key, o in seen:
        found.setdefault(key, []).append(o)
    return found


def _outside(o: Observation, programs: Pair[Program]) -> object:
    """Return the way to a place of the second tree as far as the first has its calls."""
    return (_shared(o.chain, programs), o.dimension, o.root)


def _shared(chain: Sequence[FunctionId], programs: Pair[Program]) -> tuple[FunctionId, ...]:
    for n, (caller, (_, name)) in enumerate(pairwise(chain), 1):
        if name in programs.after.called(caller) - programs.before.called(caller):
            return tuple(chain[:n])
    return tuple(chain)


def _untold(sides: Sides) -> frozenset[FunctionId]:
    """Return the functions in which a call newly cannot be followed.

    Where one of them leads to a place, or to the clears that pages came through before, that call
    may be what they come through now.
    """
    known = {_where(gap) for gap in sides.behaviours.before.gaps}
    return frozenset(
        (gap.file, gap.function)
        for gap in sides.behaviours.after.gaps
        if gap.kind in ("callback", "undefined") and _where(gap) not in known
    )


def _where(gap: Gap) -> object:
    return (gap.kind, gap.file, gap.function, unspaced(gap.detail))


def is_lost(clear: Event, sides: Sides) -> bool:
    """Tell whether a function on the way to a clear is still called, and nobody defines it."""
    program, way = sides.programs.after, leading_to(clear)
    return any(
        name in program.called(caller) and not program.resolve(name, caller[0])
        for caller, (_, name) in pairwise(way)
    )


def leading_to(event: Event) -> tuple[FunctionId, ...]:
    """Return the functions that lead to an event, the one that makes it last."""
    return (*(frame.id for frame in event.chain), event.owner)


def performed(behaviour: Behaviour) -> frozenset[object]:
    """Return what was observed in a tree, each by the functions that lead there and its text."""
    return frozenset((o.chain, unspaced(o.text)) for o in behaviour.observations)
