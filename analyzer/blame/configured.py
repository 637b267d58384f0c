"""Tell that a patch makes pages start in one state or another, as the configuration has it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from analyzer.comparison.compare import Sides
from analyzer.flow.domain.observe import Behaviour, Observation

#: A configuration symbol, and whether it is set.
Condition = tuple[str, bool]


def where_it_differs(seen: Observation, sides: Sides) -> tuple[Condition, ...]:
    """Return the configuration in which pages start as a failing one does, and in no other.

    Nothing where pages started differently in it before, or where they start so in all: then it is
    not the configuration that the patch has forgotten.
    """
    source = seen.source
    if source is None or not sides.facts.is_initial(source, seen.page):
        return ()
    told = _telling(seen, sides.behaviours.after)
    if not told:
        return ()
    births = [*sides.behaviours.before.births(seen.page.population)]
    here = {o.page.mask(seen.dimension) for o in births if not _denies(o, told)}
    elsewhere = {o.page.mask(seen.dimension) for o in births if not set(told) <= {*o.conditions}}
    return told if here and here == elsewhere else ()


def _telling(seen: Observation, behaviour: Behaviour) -> tuple[Condition, ...]:
    """Return what holds wherever pages start with what a failing one has, and nowhere else."""
    births = [*behaviour.births(seen.page.population)]
    mask = seen.page.mask(seen.dimension)
    here = [o for o in births if o.page.mask(seen.dimension) == mask]
    others = [o for o in births if not o.page.mask(seen.dimension) & mask]
    if not here or not others or len(here) + len(others) < len(births):
        return ()
    return telling([o.conditions for o in here], [o.conditions for o in others])


def telling(
    here: Sequence[Iterable[Condition]], elsewhere: Sequence[Collection[Condition]]
) -> tuple[Condition, ...]:
    """Return what all of some configurations have, and none of others can."""
    common = frozenset.intersection(*map(frozenset, here)) if here else frozenset()
    return tuple(sorted(c for c in common if all((c[0], not c[1]) in e for e in elsewhere)))


def spelled(conditions: Iterable[Condition]) -> str:
    """Say a configuration in words; nothing where that is none."""
    return " and ".join(f"{s} is {'' if held else 'not '}set" for s, held in conditions)


def _denies(o: Observation, told: Sequence[Condition]) -> bool:
    """Tell whether no pages are made where a configuration is as it is told."""
    return any((symbol, not held) in o.conditions for symbol, held in told)
