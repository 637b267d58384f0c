"""Say what functions do to a population's pages in one tree and not in the other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from analyzer.base import FunctionId, Span
from analyzer.checks.evidence import state_text
from analyzer.comparison.compare import Sides
from analyzer.findings import ContractChange, Treatment
from analyzer.flow.domain.observe import Behaviour, Observation, Outcome
from analyzer.pages.machine import TYPE, PageState, Space, called

#: What an operation that was tried does: it may fail on some pages and be right on others.
_DONE = (Outcome.EFFECTIVE, Outcome.MAY_TRAP)
#: function -> phrases, each with whether the function does it itself
Phrases = dict[FunctionId, dict[str, bool]]


def is_same(sides: Sides) -> bool:
    """Tell whether functions do the same with the pages of every population in both trees."""
    before, after = sides.behaviours.before, sides.behaviours.after
    return _all_phrases(before, sides.facts.flags) == _all_phrases(after, sides.facts.flags)


def _all_phrases(behaviour: Behaviour, flags: tuple[str, ...]) -> dict[str, Phrases]:
    found = {p: _phrases(behaviour, p, flags) for p in sorted(_populations(behaviour))}
    return {population: phrases for population, phrases in found.items() if phrases}


def _populations(behaviour: Behaviour) -> set[str]:
    """Return the populations whose pages were seen, with that of unknown ones."""
    seen = {o.page.population for o in behaviour.observations}
    return seen | {p.population for p in behaviour.passages}


def changed_contracts(sides: Sides, population: str) -> tuple[ContractChange, ...]:
    """Return how functions treat a population differently: the ones that do so themselves first."""
    before = _phrases(sides.behaviours.before, population, sides.facts.flags)
    after = _phrases(sides.behaviours.after, population, sides.facts.flags)
    # What fails is done no less than before: a finding tells of it.
    failing = _phrases(sides.behaviours.after, population, sides.facts.flags, (Outcome.TRAP,))
    met = {id for o in _of(sides.behaviours.after, population) for id in o.chain}
    changes = []
    for id in sorted(before.keys() | after.keys()):
        did, does = before.get(id, {}), after.get(id, {})
        if failing and not does and id not in met and not sides.touches(id):
            continue  # no page gets as far as that, because one fails before
        gained, lost = _without(does, did), _without(did, {**does, **failing.get(id, {})})
        span = _span(id, sides) if gained or lost else None
        if span is None or id not in sides.behaviours.after.reached:
            continue
        own = any(does[p] for p in gained) or any(did[p] for p in lost)
        changes.append(ContractChange(function=id[1], span=span, gained=gained, lost=lost, own=own))
    return tuple(sorted(changes, key=lambda c: (not c.own, not sides.is_core(c.span.file))))


def treatments(sides: Sides) -> tuple[Treatment, ...]:
    """Return what functions do otherwise themselves, of those that both trees have.

    What is done to pages of a known population is not told of unknown ones again.
    """
    populations = _populations(sides.behaviours.before) | _populations(sides.behaviours.after)
    told: set[tuple[FunctionId, tuple[str, ...], tuple[str, ...]]] = set()
    found = []
    for population in sorted(populations, key=lambda p: (not p, p)):
        changes = []
        for change in changed_contracts(sides, population):
            id = (change.span.file, change.function)
            said = (id, change.gained, change.lost)
            if change.own and said not in told and not sides.is_new(id):
                told.add(said)
                changes.append(change)
        if changes:
            title = sides.facts.title(population) if population else "pages"
            found.append(Treatment(population=title, contracts=tuple(changes)))
    return tuple(found)


def _of(behaviour: Behaviour, population: str) -> Iterator[Observation]:
    return (o for o in behaviour.observations if o.page.population == population)


def _without(phrases: dict[str, bool], other: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(phrases.keys() - set(other)))


def _phrases(
    behaviour: Behaviour,
    population: str,
    flags: tuple[str, ...],
    outcomes: tuple[Outcome, ...] = _DONE,
) -> Phrases:
    """Return what functions do to pages of a population, in words."""
    found: Phrases = {}
    for o, op in behaviour.operations():
        tracked = o.dimension == TYPE or o.dimension in flags
        if o.outcome not in outcomes or not tracked or o.page.population != population:
            continue
        if not op.is_test:
            for id in o.chain:
                _add(found, id, f"{op.verb.says} {called(op.label)}", own=id == o.id)
    for p in behaviour.passages:
        if p.population == population and p.entered is None and p.left is not None:
            words = _words(behaviour.space, p.left, flags)
            _add(found, p.function, f"hands on pages {words}", own=True)
    for ids in behaviour.callbacks.values():
        for p in behaviour.passages:
            if p.function in ids and p.population == population and p.entered is not None:
                words = _words(behaviour.space, p.entered, flags)
                _add(found, p.function, f"is handed pages {words}", own=True)
    return found


def _add(found: Phrases, id: FunctionId, phrase: str, *, own: bool) -> None:
    held = found.setdefault(id, {})
    held[phrase] = held.get(phrase, False) or own


def _words(space: Space, page: PageState, flags: tuple[str, ...]) -> str:
    """Say a state by the tracked flags alone: companion flags are a driver's own business."""
    kept = tuple((n, m) for n, m in page.flags if n in flags)
    return state_text(PageState(page.types, kept, page.rest), space, flags)


def _span(id: FunctionId, sides: Sides) -> Span | None:
    """Return where a function stands in the tree after; None where it is gone."""
    program = sides.programs.after
    for function in program.lowered(id) if program.has(id[0]) else ():
        return function.span
    return None
