"""Find references that are dropped to pages from which nobody takes the type any more."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analyzer.base import unspaced
from analyzer.checks.marks import still_set
from analyzer.checks.moved import given_up_uncleared, is_lost, leading_to, performed
from analyzer.comparison.compare import Failure, Sides
from analyzer.flow.domain.observe import Kind, Observation, Outcome
from analyzer.pages.machine import Event, called


def find(sides: Sides) -> Iterator[Failure]:
    """Yield pages of which a reference is dropped without the clear that they went through before.

    Who takes the type off and then drops a reference has given the page up. Where all that sets it
    does so as before, whoever drops the last one now frees the page with its type. Not where the
    same functions still lead to the clear, or another one newly calls them: the page may come by
    there.
    """
    made = performed(sides.behaviours.after)
    for o, events, _ in given_up_uncleared(sides, Kind.DROP):
        known = o.outcome is Outcome.MAY_LEAK and o.source is not None
        if not known and all(e is not None and _is_gone(e, made, sides) for e in events):
            yield Failure("leak-to-buddy", o, definite=False, says=_says(o, events, sides))


def _is_gone(clear: Event, made: frozenset[object], sides: Sides) -> bool:
    """Tell whether a clear is not made any more, and the mark that it took off is."""
    still_made = (leading_to(clear), unspaced(clear.operation)) in made
    kept = still_made or is_lost(clear, sides) or _is_called(clear, sides)
    return not kept and still_set(clear, sides)


def _is_called(clear: Event, sides: Sides) -> bool:
    """Tell whether a function of a file on the way to a clear newly calls what leads there."""
    before, after, way = sides.programs.before, sides.programs.after, leading_to(clear)
    names = {clear.accessor, *(name for _, name in way)}
    return any(
        not (after.called((path, name)) - before.called((path, name))).isdisjoint(names)
        for path in sorted({path for path, _ in way})
        if after.has(path)
        for name in after.unit(path).definitions
    )


def _says(o: Observation, clears: Sequence[Event | None], sides: Sides) -> str:
    operations = sides.behaviours.after.space.operations
    events = [e for e in clears if e is not None]
    flags = " or ".join(sorted({called(operations[e.accessor].label) for e in events}))
    others = " or ".join(sorted({f"{e.function}()" for e in events if e.owner != o.id}))
    who = f"{others} no longer clears {flags}" if others else f"it no longer clears {flags}"
    return f"{o.function}() drops its reference to pages on which {who}"
