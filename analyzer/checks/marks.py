"""Find marks that one function of a file puts on pages and another takes off, and one half is gone.

Of pages that are found again by number nothing is known by themselves. But where a file marked them
and took the mark off, and half of that is dropped, the other half no longer meets what it needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from analyzer.base import FunctionId, Gap, unspaced
from analyzer.checks.coverage import Coverage
from analyzer.checks.moved import given_up_uncleared, is_lost, leading_to, performed
from analyzer.comparison.compare import Failure, Sides
from analyzer.comparison.guards import Guards, guarded_calls, signature
from analyzer.findings import Step
from analyzer.flow.domain.observe import Behaviour, Kind, Observation, Outcome
from analyzer.pages.facts import ALLOCATED
from analyzer.pages.machine import TYPE, Event, Frame, Operation, Space, Verb
from analyzer.program.program import Program


def lost_clears(sides: Sides) -> Iterator[Failure]:
    """Yield unknown pages that are handed over without the clear that they had to go through.

    Somebody cleared a type or a flag of theirs before, so they had it. Where all that sets it in
    that file does so as before, they have it still.
    """
    for o, clears, is_short in _uncleared(sides):
        if _are_marked(clears, is_short, sides):
            space = sides.behaviours.before.space
            certain = all(_asserts(e, space) for e in clears)
            labels = {space.operations[e.accessor].label for e in clears}
            lost, says = labels.pop() if len(labels) == 1 else "", _hands_over(o, clears, sides)
            yield Failure("leak-to-buddy", o, definite=certain, says=says, lost=lost)


def uncertain_clears(sides: Sides) -> Iterator[Gap]:
    """Admit where such pages are handed over, and it is not told whether they are still marked.

    Where no file of the clears ever sets what they clear somebody else may have, or nobody: what
    puts marks on them is not followed. Where one sets it otherwise than before, that may have been
    for other pages. Not where others leak: they are told.
    """
    programs = sides.programs
    after = sides.behaviours.after.observations
    leaks = {(o.id, o.span, o.dimension) for o in after if o.outcome is Outcome.LEAK}
    for o, clears, is_short in _uncleared(sides):
        if (o.id, o.span, o.dimension) in leaks:
            continue
        marks = [programs.map(partial(_set_as, e, sides)) for e in clears]
        known = any(
            m.before and (not m.after or (m.before == m.after and not is_short)) for m in marks
        )
        if known or _are_marked(clears, is_short, sides):
            continue
        says = _hands_over(o, clears, sides)
        detail = f"{says}; whether they have it is not known"
        yield Gap("marks", o.path, o.span.line, o.function, detail)


def _are_marked(clears: Sequence[Event], is_short: bool, sides: Sides) -> bool:
    """Tell whether all that sets what was cleared does so as before, and nobody else clears it."""
    if is_short and any(_is_range_edited(e, sides) for e in clears):
        return False
    return all((is_short and _is_set(e, sides)) or still_set(e, sides) for e in clears)


def _is_range_edited(clear: Event, sides: Sides) -> bool:
    """Tell whether another function of a file that marks pages reads otherwise than before.

    It may leave out the same pages of a range.
    """
    op = sides.behaviours.after.space.operations.get(clear.accessor)
    return op is not None and any(
        o.id != clear.owner and sides.is_edited(o.id)
        for o, set_by in sides.behaviours.after.operations()
        if o.path == clear.path and set_by.verb is Verb.SET and set_by.label == op.label
    )


def _uncleared(sides: Sides) -> Iterator[tuple[Observation, Sequence[Event], bool]]:
    """Yield where unknown pages are handed over, and by what all of them were cleared before.

    And whether what is cleared of them now, on the way there, certainly is not all.

    Not where the clear is made as it was: then only their way from there is not known any more, as
    where they stand on a list meanwhile. What a function does that nobody defines is not known. Nor
    is it where others of the range are cleared now: that may be all of them.
    """
    made = performed(sides.behaviours.after)
    coverage = Coverage(sides.programs.after, sides.facts, sides.behaviours.after)
    for o, found, way in given_up_uncleared(sides, Kind.SINK):
        clears = [e for e in found if e is not None]
        unknown = o.outcome is Outcome.MAY_LEAK and not o.page.population and o.source is None
        if not unknown or len(clears) < len(found):
            continue
        typed = o.dimension == TYPE
        is_short = typed and coverage.misses(o, way.union(o.chain))
        if any((_still_made(e, made, sides) and not is_short) or is_lost(e, sides) for e in clears):
            continue
        if not typed or not coverage.is_elsewhere(o, way):
            yield o, clears, is_short


def _still_made(clear: Event, made: frozenset[object], sides: Sides) -> bool:
    """Tell whether pages come to a clear by the same calls as before, all on the same terms."""
    if (leading_to(clear), unspaced(clear.operation)) not in made:
        return False
    if sides.is_changed(clear.owner, clear.dimension):
        return False
    before, after = sides.programs.before, sides.programs.after
    return all(_terms(before, f) == _terms(after, f) for f in clear.chain)


def _terms(program: Program, frame: Frame) -> frozenset[Guards]:
    """Return the conditions under which a function calls what it calls at a frame."""
    calls = guarded_calls(program, frame.id)
    return frozenset(call.guards for call in calls if call.name == frame.callee)


def _hands_over(o: Observation, events: Sequence[Event], sides: Sides) -> str:
    """Say which function hands over what it has cleared before, or what another one has."""
    operations = sides.behaviours.after.space.operations
    labels = " or ".join(sorted({f"Page{operations[e.accessor].label}" for e in events}))
    cleared = {id for e in events for id in (e.owner, *(f.id for f in e.chain))}
    paths = {e.path for e in events}
    name = next((i[1] for i in reversed(o.chain) if i in cleared and i[0] in paths), "")
    if name:
        return f"{name}() no longer clears {labels} on pages that it hands to the buddy"
    others = " or ".join(sorted({f"{e.function}()" for e in events}))
    return f"{o.function}() hands pages to the buddy on which {others} no longer clears {labels}"


def _asserts(clear: Event, space: Space) -> bool:
    """Tell whether a clear traps on pages without a type: so they all had one."""
    op = space.operations.get(clear.accessor)
    return op is not None and _needs_type(op)


def _needs_type(op: Operation) -> bool:
    return op.dimension == TYPE and op.steps[0] is None


def still_set(clear: Event, sides: Sides) -> bool:
    """Tell whether a file sets what it cleared at an event, and as it did before."""
    if not _is_set(clear, sides):
        return False
    # Who newly calls what sets or clears it may have taken the work over.
    old, new = (_users(p, clear, sides) for p in (sides.programs.before, sides.programs.after))
    return new <= old


def _is_set(clear: Event, sides: Sides) -> bool:
    """Tell whether what sets in a file what it cleared at an event is the same as before.

    What a function of it did itself, another one may do for it now.
    """
    marks = sides.programs.map(partial(_set_as, clear, sides))
    if marks.before == marks.after:
        return bool(marks.after)
    who = sides.behaviours.map(lambda b: _marking(b, clear))
    return marks.after < marks.before and bool(who.after) and who.before == who.after


def _set_as(clear: Event, sides: Sides, program: Program) -> frozenset[tuple[str, object]]:
    return _setting(program, clear.path, clear.accessor, sides)


def _marking(behaviour: Behaviour, clear: Event) -> frozenset[str]:
    """Return which functions of a file put on pages what it cleared at an event, or have it put."""
    op = behaviour.space.operations.get(clear.accessor)
    return frozenset(
        next(name for path, name in reversed(o.chain) if path == clear.path)
        for o, set_by in behaviour.operations()
        if op is not None and set_by.verb is Verb.SET and set_by.label == op.label
        if o.outcome is not Outcome.NO_EFFECT and any(path == clear.path for path, _ in o.chain)
    )


def _users(program: Program, clear: Event, sides: Sides) -> frozenset[tuple[str, str]]:
    """Return who calls a function that writes what a clear writes, in its file.

    That function stands there as well, or in a header.
    """
    path = clear.path
    if not program.has(path):
        return frozenset()
    calls = {name: program.called((path, name)) for name in program.unit(path).definitions}
    operations = sides.behaviours.after.space.operations
    writing = {
        called
        for called in frozenset().union(*calls.values())
        for id in program.resolve(called, path)
        if id[0] == path or id[0].endswith(".h")
        for name in program.called(id)
        if (op := operations.get(name)) is not None and not op.is_test
        if op.dimension == clear.dimension
    }
    return frozenset((name, called) for name in calls for called in calls[name] & writing)


def _setting(
    program: Program, path: str, cleared_by: str, sides: Sides
) -> frozenset[tuple[str, object]]:
    """Return which functions of a file set what an accessor clears, each with how it does."""
    space = sides.behaviours.after.space
    op = space.operations.get(cleared_by)
    if op is None or not program.has(path):
        return frozenset()
    return frozenset(
        (name, done)
        for name in program.unit(path).definitions
        for done in signature(program, (path, name), space, op.dimension)
        if (set_by := space.operations.get(done[0])) is not None
        and set_by.verb is Verb.SET
        and set_by.label == op.label
    )


def lost_sets(sides: Sides) -> Iterator[Failure]:
    """Yield functions that no longer mark pages that they allocate, and another still unmarks.

    Only where nothing in the file sets the type on such pages any more, the clear asserts that it
    is there, and the function does everything else that it did. Where something in the file sets it
    on other pages, the clear may be for those; where something sets it newly, on whatever pages, it
    may have taken that over.
    """
    before, after = sides.behaviours.before, sides.behaviours.after
    still = {(path, o.label, o.seen.page.population) for o in _sets(after) for path, _ in o.places}
    other = {(path, label) for path, label, _ in still}
    cleared = _asserted_clears(before)
    needed = {key: o for key, o in _asserted_clears(after).items() if key in cleared}
    seen: set[object] = set()
    for mark in _sets(before):
        for id in mark.places:
            clear = needed.get((id[0], mark.label))
            if clear is None or clear.id == id or id in seen:
                continue
            pages, key = mark.seen.page.population, (id[0], mark.label)
            if pages != ALLOCATED or (*key, pages) in still or _is_newly_set(clear, sides):
                continue
            function = next(iter(sides.programs.after.lowered(id)), None)
            changed = id in after.reached and sides.is_changed(id, TYPE)
            if function is None or not changed or _does_otherwise(id, sides):
                continue
            seen.add(id)
            flag = f"Page{mark.label}"
            named = sides.facts.title(pages)
            says = f"{id[1]}() no longer sets {flag} on {named}, which {clear.function}() clears"
            steps = (
                Step(clear.span, clear.function, f"{clear.function}() clears {flag} untested"),
                Step(function.span, id[1], f"{id[1]}() sets it no longer"),
            )
            at = replace(
                mark.seen,
                path=id[0],
                function=id[1],
                span=function.span,
                text=function.name,
                stack=(),
                root=id,
            )
            certain = key not in other
            yield Failure("contract-mismatch", at, definite=certain, says=says, steps=steps)


def _is_newly_set(clear: Observation, sides: Sides) -> bool:
    """Tell whether a function sets what is cleared in its file that did not before."""
    found = sides.programs.map(lambda p: _setting(p, clear.path, clear.operation, sides))
    names = found.map(lambda marks: {name for name, _ in marks})
    return not names.after <= names.before


@dataclass(frozen=True, slots=True)
class _Set:
    """A type that is put on a page which has none; places are the functions on the way there."""

    label: str
    places: tuple[FunctionId, ...]
    seen: Observation


def _sets(behaviour: Behaviour) -> Iterator[_Set]:
    for o, op in behaviour.operations():
        if o.outcome is not Outcome.NO_EFFECT and op.dimension == TYPE and op.is_set:
            yield _Set(op.label, tuple(reversed(o.chain)), o)


def _asserted_clears(behaviour: Behaviour) -> dict[tuple[str, str], Observation]:
    """Return the clears of pages of which nothing is known that trap without the type, by file."""
    found: dict[tuple[str, str], Observation] = {}
    for o, op in behaviour.operations():
        unknown = not o.page.population and o.page.source(TYPE) is None
        asserts = o.outcome is Outcome.MAY_TRAP and op.verb is Verb.CLEAR and _needs_type(op)
        if asserts and unknown:
            found.setdefault((o.path, op.label), o)
    return found


def _does_otherwise(id: FunctionId, sides: Sides) -> bool:
    """Tell whether a function has stopped calling more than the set, or calls what nobody read."""
    space, program = sides.behaviours.after.space, sides.programs.after
    was, now = sides.programs.before.called(id), program.called(id)
    gone = {name for name in was - now if name not in space.operations}
    come = {name for name in now - was if name not in space.operations}
    return bool(gone) or any(not program.resolve(name, id[0]) for name in come)
