"""Tell pages of one list or structure that fail from others of it that come through.

Who keeps pages of several kinds in one place may know them apart by what the analysis does not
understand: a bit of its own, another array, the answer of some function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from analyzer.base import Pair, unspaced
from analyzer.flow.domain.observe import Behaviour, Kind, Observation, Outcome
from analyzer.pages.machine import UNTYPED


def is_kept(o: Observation) -> bool:
    """Tell whether a page was marked, or unmarked, by another entry point, and kept since."""
    source = o.source
    return source is not None and source.kind == "write" and source.entry != o.root


def doubtful(behaviours: Pair[Behaviour]) -> Callable[[Observation], bool]:
    """Return what tells whether a failure in the tree after is one of several kinds of pages.

    An operation that failed for none of them before is not in doubt: the patch has mixed them.
    """
    sure = {as_text(o) for o in _passing(behaviours.before) if o.kind is Kind.OPERATION}
    after = {o.place for o in _passing(behaviours.after)}
    return lambda o: (
        o.source is not None and _is_as_it_stood(o) and o.place in after and as_text(o) not in sure
    )


def _passing(behaviour: Behaviour) -> Iterator[Observation]:
    """Yield where pages come through that are as they stood with others."""
    for o in behaviour.observations:
        comes = o.kind in (Kind.OPERATION, Kind.SINK)
        fails = o.outcome in (Outcome.TRAP, Outcome.LEAK)
        if comes and not fails and not _is_forgotten(o) and _is_as_it_stood(o):
            yield o


def _is_forgotten(o: Observation) -> bool:
    """Tell whether a page comes through whatever type it has: freeing takes that off."""
    freed = o.is_typed_sink and o.outcome is Outcome.CLEAN
    return freed and o.page.types != UNTYPED


def _is_as_it_stood(o: Observation) -> bool:
    """Tell whether the entry point at hand did nothing to a page that it was not handed new."""
    source = o.source
    return source is None or source.entry != o.root


def as_text(o: Observation) -> object:
    """Return what an observation has in common with its like in another tree."""
    return (o.root, o.id, unspaced(o.text), o.dimension)
