"""Find callbacks that no longer meet their obligation, and guarantees that have become weaker."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from analyzer.base import FunctionId
from analyzer.checks.births import unsure
from analyzer.checks.evidence import state_text, subject
from analyzer.comparison.compare import Failure, Sides
from analyzer.comparison.guards import Guards, guarded_calls
from analyzer.flow.domain.observe import Behaviour, Kind, Observation, Outcome
from analyzer.pages.machine import TYPE, Space, Verb
from analyzer.program.program import Program

_BAD = (Outcome.TRAP, Outcome.LEAK, Outcome.FAILED)


def find(sides: Sides) -> Iterator[Failure]:
    """Yield pages that a callback keeps without marking them, and hand-overs that became unsure."""
    yield from _kept_unmarked(sides)
    yield from _hands_none(sides)
    yield from _asks_in_vain(sides)
    yield from _weakened(sides)


def _kept_unmarked(sides: Sides) -> Iterator[Failure]:
    """Yield pages that a callback neither hands on nor marks with the type of a kept page."""
    before = {_returned_key(o) for o in _unmarked(sides.behaviours.before, sides)}
    marked = {
        _returned_key(o)
        for o in sides.behaviours.before.observations
        if o.kind is Kind.RETURNED
        and o.page.types & _kept_types(sides.behaviours.before, sides)
        and (source := o.page.source(TYPE)) is not None
        and source.kind == "write"
        and not sides.facts.is_initial(source, o.page)
    }
    for o in _unmarked(sides.behaviours.after, sides):
        if _returned_key(o) in marked - before:
            yield Failure("contract-mismatch", _at_changed_function(o, sides))


def _hands_none(sides: Sides) -> Iterator[Failure]:
    """Yield callbacks that handed pages on before and now keep every page of a population.

    What could not be read after the patch may be where they are handed on. So may be a page that
    goes to the buddy below the callback, wherever it was found, and a list that a page is put on;
    or another function of the file does it now.
    """
    if _unread(sides.behaviours.after) - _unread(sides.behaviours.before):
        return
    gave: set[object] = set()
    for o in sides.behaviours.before.observations:
        if o.kind is Kind.RETURNED and o.given == "buddy":
            gave.add(o.id)
    after = sides.behaviours.after.observations
    still = {id for o in after if o.kind is Kind.SINK for id in o.chain}
    still |= {o.id for o in after if o.kind is Kind.RETURNED and o.given}
    failing = {id for o in after if o.outcome in _BAD for id in o.chain}
    for o in after:
        source = o.page.source(TYPE)
        untouched = source is not None and sides.facts.is_initial(source, o.page)
        suspect = o.kind is Kind.RETURNED and o.id in gave - still - failing and untouched
        if suspect and not _hands_elsewhere(o.id, sides):
            seen = _at_changed_function(replace(o, dimension=TYPE), sides)
            pages, state = subject(o, sides), state_text(o.page, sides.behaviours.after.space)
            says = f"{seen.function}() no longer hands on {pages}: all of them stay {state}"
            yield Failure("contract-mismatch", seen, says=says)


def _asks_in_vain(sides: Sides) -> Iterator[Failure]:
    """Yield functions that ask for the type of pages, and hand on none of them any more.

    The call that did stands there as before. Their callback hands on others, all of them by ways
    that it had.
    """
    before, after = sides.behaviours.before, sides.behaviours.after
    if _unread(after) - _unread(before):
        return
    was, now = _ways_on(before), _ways_on(after)
    failing = {id for o in after.observations if o.outcome in _BAD for id in o.chain}
    asked = {
        (o.root, o.page.population, o.id): o
        for o in after.observations
        if o.kind is Kind.OPERATION and o.outcome is Outcome.SEEN and o.dimension == TYPE
    }
    told: set[FunctionId] = set()
    for (root, population, callback), ways in was.items():
        left = now.get((root, population, callback), {})
        if not left or not left.keys() <= ways.keys():
            continue
        for id, callee in ways.keys() - left.keys():
            o = asked.get((root, population, id))
            if o is None or id in told or id in failing or sides.drops_call(id, ways[id, callee]):
                continue
            terms = sides.programs.map(lambda p: _terms(p, id, callee))  # noqa: B023
            if terms.before == terms.after:
                continue
            told.add(id)
            pages, state = subject(o, sides), state_text(o.page, after.space)
            says = f"{o.function}() no longer hands on {pages}: those that come here stay {state}"
            yield Failure("contract-mismatch", o, definite=False, says=says)


def _terms(program: Program, id: FunctionId, callee: str) -> frozenset[Guards]:
    """Return the conditions under which a function calls a name."""
    return frozenset(call.guards for call in guarded_calls(program, id) if call.name == callee)


def _ways_on(
    behaviour: Behaviour,
) -> dict[tuple[FunctionId, str, FunctionId], dict[tuple[FunctionId, str], str]]:
    """Return by which calls the pages that a callback is passed are handed on, and their text."""
    callbacks = {o.id for o in behaviour.observations if o.kind is Kind.RETURNED}
    found: dict[tuple[FunctionId, str, FunctionId], dict[tuple[FunctionId, str], str]] = {}
    for o in behaviour.observations:
        if o.kind is not Kind.SINK or not o.page.population:
            continue
        for callback in callbacks.intersection(o.chain):
            ways = found.setdefault((o.root, o.page.population, callback), {})
            for frame in o.stack[o.chain.index(callback) :]:
                ways[frame.id, frame.callee] = frame.text
    return found


def _hands_elsewhere(callback: FunctionId, sides: Sides) -> bool:
    """Tell whether a call on the way from a callback to the buddy is made by others now."""
    for o in sides.behaviours.before.observations:
        if o.kind is not Kind.SINK or callback not in o.chain:
            continue
        for n, frame in enumerate(o.stack):
            if n < o.chain.index(callback) or not sides.drops_call(frame.id, frame.text):
                continue
            below = {name for _, name in o.chain[n + 1 :]}
            if not below.isdisjoint(sides.new_calls(frame.id[0])):
                return True
    return False


def _unread(behaviour: Behaviour) -> frozenset[tuple[str, str]]:
    """Return the functions on the way of which a part could not be read."""
    gaps = (g for g in behaviour.gaps if g.kind == "syntax")
    return frozenset((g.file, g.function) for g in gaps)


def _returned_key(o: Observation) -> object:
    return (o.id, o.page.population)


def _kept_types(behaviour: Behaviour, sides: Sides) -> int:
    """Return the mask of the types that say that a page is kept back."""
    kept = 0
    for label in sides.facts.types:
        kept |= behaviour.space.mask_of(label)
    return kept


def _unmarked(behaviour: Behaviour, sides: Sides) -> Iterator[Observation]:
    kept = _kept_types(behaviour, sides)
    for o in behaviour.observations:
        returned = o.kind is Kind.RETURNED and not o.given and o.page.population
        taken = any(
            e.kind == "write" and sides.is_core(e.path) and not sides.facts.is_initial(e, o.page)
            for e in o.page.history
        )
        if returned and not taken and not o.page.types & kept:
            yield replace(o, dimension=TYPE)


def _at_changed_function(o: Observation, sides: Sides) -> Observation:
    """Name the driver's function under the callback that the patch changed, if there is one."""
    below: dict[FunctionId, Observation] = {}
    for before in sides.behaviours.before.observations:
        if o.id in before.chain and before.page.population == o.page.population:
            for id in before.chain[before.chain.index(o.id) :]:
                below.setdefault(id, before)
    for id in reversed(below):
        if (
            sides.is_core(id[0])
            or id not in sides.behaviours.after.reached
            or not sides.touches(id)
        ):
            continue
        for function in sides.programs.after.lowered(id):
            return replace(o, path=id[0], function=id[1], span=function.span, text=function.name)
    return o


def _weakened(sides: Sides) -> Iterator[Failure]:
    """Yield hand-overs whose page was certainly clean before, and may not be now.

    Only for pages of which it is known where they come from, and in which state they were once, or
    who cleared them: of others nothing is said.
    """
    was: dict[object, list[Observation]] = {}
    for o in sides.behaviours.before.observations:
        if o.kind is Kind.SINK:
            was.setdefault(sink_key(o), []).append(o)
    unknown, space = {"", *unsure(sides.behaviours.after)}, sides.behaviours.after.space
    for o in sides.behaviours.after.observations:
        may = o.kind is Kind.SINK and o.outcome is Outcome.MAY_LEAK
        before = was.get(sink_key(o), []) if may and o.page.population not in unknown else []
        if not before or any(old.outcome is not Outcome.CLEAN for old in before):
            continue
        if o.source is None:
            known = all(_is_cleared(old, space) for old in before)
        else:  # what a clear has left of a state was not known before either
            known = not _is_cleared(o, space)
        if known:
            yield Failure("leak-to-buddy", o, definite=False)


def _is_cleared(o: Observation, space: Space) -> bool:
    """Tell whether a page is what it is because somebody has cleared it."""
    op = space.operations.get(o.source.accessor) if o.source is not None else None
    return op is not None and op.verb is Verb.CLEAR


def sink_key(o: Observation) -> object:
    """Return what makes two hand-overs the same in both trees."""
    return (o.chain, o.operation, o.dimension, o.root)
