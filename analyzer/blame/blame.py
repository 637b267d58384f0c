"""Go from where it breaks to who should have followed.

An operation traps, or a page reaches the buddy in the wrong state, often far from the mistake.
What decides is who wrote the state last, what the patch changed, and who passes at the same place:

1. A call that the patch gave another argument, on a failing path and on no passing one, is it.
2. Where a page arrives in the wrong state because somebody no longer writes it, it is the last
   one who did before and does not now.
3. At a place that the patch did not change, it is the place.
4. At a place that the patch changed, it is the last writer that the patch did not change.
5. Where both changed, pages that pass at the same place acquit it and convict the writer.
6. Of a page that another entry point has put on a list, or into a structure, it is who takes it
   off and frees it, or hands it to a function that frees others as it should.
7. A function that the patch has added is it where it frees what it made, what it had others mark,
   or what any of several others hand it; and where several that are new call it to take the mark
   off, and it never does. Not where it only passes pages to an old one that writes them now.
8. What a function does once more, or has had others do already, it does itself (`writers.py`).
9. An initialiser is convicted only where no page of its population gets through any more, in no
   configuration or, where the patch has its pages start in different states, in one of them.
"""

from __future__ import annotations

from analyzer.base import FunctionId
from analyzer.blame.configured import where_it_differs
from analyzer.blame.culprit import Culprit, culprit_at
from analyzer.blame.missing import missing_writer, passed_before, who_stopped
from analyzer.blame.writers import (
    changed_terms,
    has_had_it_done,
    idle_helper,
    is_born_in,
    is_shared,
    only_unmarked,
    second_call,
    writes_on,
)
from analyzer.comparison.compare import Failure, Sides
from analyzer.comparison.mixed import is_kept
from analyzer.flow.domain.observe import Kind, Observation, Outcome
from analyzer.pages.machine import Event, Frame


def blame(failure: Failure, sides: Sides) -> Culprit:
    """Return the one place to mend for a failure."""
    seen = failure.seen
    passing = _passing(failure, sides)
    caller = _changed_call(failure, passing, sides) or _unchanged_assertion(seen, sides)
    if caller is not None:
        return caller
    source = seen.source
    again = None if source is None else second_call(seen, source, sides)
    if again is not None:
        return culprit_at(again, "caller")
    added = idle_helper(seen, sides) or _added(seen, passing, sides)
    if added is not None:
        return added
    if source is not None and failure.rule != "redundant-op" and where_it_differs(seen, sides):
        return _writer(source, seen, sides)
    site = culprit_at(seen, "site")
    before = passed_before(seen, sides)
    stopped = who_stopped(seen, before, sides, {seen.dimension})
    if any(writes_on(id, seen, sides) for id in stopped):
        return site
    missing = missing_writer(failure, before, stopped, sides)
    if missing is not None:
        return missing
    if source is None or source.owner == seen.id or has_had_it_done(seen, source, sides):
        return site
    if seen.kind is Kind.SINK and is_kept(seen):
        return _hander(seen, passing) or _taker(seen, sides) or site
    had_it_marked = source.kind == "write" and seen.id in {f.id for f in source.chain}
    if seen.kind is Kind.SINK and had_it_marked and sides.is_new(seen.id):
        return site
    if seen.kind is Kind.SINK or not sides.touches(seen.id):
        return _at_unchanged(seen, source, site, sides)
    return _at_changed(failure, source, passing, site, sides)


def _hander(seen: Observation, passing: tuple[Observation, ...]) -> Culprit | None:
    """Convict who passes a page to a function in which the pages of others come through."""
    fine = _calls_of(passing)
    for frame in reversed(seen.stack) if passing else ():
        if (frame.id, frame.text) not in fine:
            return culprit_at(frame, "caller")
    return None


def _taker(seen: Observation, sides: Sides) -> Culprit | None:
    """Convict who hands a page to a function of the core that frees: that serves all drivers."""
    for frame, callee in reversed([*zip(seen.stack, seen.chain[1:], strict=True)]):
        if sides.is_core(callee[0]) and not sides.is_core(frame.path):
            return culprit_at(frame, "caller")
    return None


def _calls_of(passing: tuple[Observation, ...]) -> set[tuple[FunctionId, str]]:
    """Return the calls that led pages to where they come through."""
    return {(f.id, f.text) for o in passing for f in o.stack}


def _at_unchanged(seen: Observation, source: Event, site: Culprit, sides: Sides) -> Culprit:
    """Judge a place that is as it was: it has to follow, unless what reaches it is new."""
    if sides.facts.is_initial(source, seen.page):
        unchanged = not sides.is_changed(source.owner, seen.dimension)
        if unchanged and not sides.touches(seen.id):
            return _detour(seen, sides) or site
        if seen.kind is Kind.SINK and unchanged and not _gets_through(seen, sides):
            return _writer(source, seen, sides)
        return site
    if sides.is_changed(source.owner, seen.dimension):
        return _writer(source, seen, sides)
    frame = None if sides.touches(seen.id) else changed_terms(seen, sides)
    return culprit_at(frame, "caller") if frame else site


def _at_changed(
    failure: Failure,
    source: Event,
    passing: tuple[Observation, ...],
    site: Culprit,
    sides: Sides,
) -> Culprit:
    """Judge a place that the patch changed: was it wrong to, or did somebody not follow."""
    seen = failure.seen
    allocated = source.kind == "birth" and not sides.facts.is_initial(source, seen.page)
    if seen.kind is Kind.CHECK and allocated and _wrote_before(seen, sides):
        return site
    if not sides.is_changed(source.owner, seen.dimension) or _is_as_before(seen, source, sides):
        if sides.facts.is_initial(source, seen.page) and _gets_through(seen, sides):
            return site
        return _writer(source, seen, sides)
    if passing:
        return site if sides.facts.is_initial(source, seen.page) else _writer(source, seen, sides)
    if sides.facts.is_initial(source, seen.page) and _all_fail(failure, source, sides):
        return _writer(source, seen, sides)
    return site


def _wrote_before(seen: Observation, sides: Sides) -> bool:
    """Tell whether a function that asserts a state used to write it to such pages."""
    return any(
        o.kind is Kind.OPERATION
        and o.outcome is Outcome.EFFECTIVE
        and o.id == seen.id
        and o.dimension == seen.dimension
        and o.page.population == seen.page.population
        and o.root == seen.root
        for o in sides.behaviours.before.observations
    )


def _is_as_before(seen: Observation, source: Event, sides: Sides) -> bool:
    """Tell whether an initialiser gives the failing dimension the value that it always gave."""
    if not sides.facts.is_initial(source, seen.page):
        return False
    values = [
        {o.page.mask(seen.dimension) for o in behaviour.births(seen.page.population)}
        for behaviour in (sides.behaviours.before, sides.behaviours.after)
    ]
    return bool(values[0]) and values[0] == values[1]


def _detour(seen: Observation, sides: Sides) -> Culprit | None:
    """Convict a changed helper of the functions on the way: it sent the page down this one."""
    program = sides.programs.after
    for id in reversed(seen.chain):
        for name in sorted(program.called(id)):
            for callee in program.resolve(name, id[0]) if program.is_function(name) else ():
                if callee not in seen.chain and sides.touches_flags(callee):
                    for function in program.lowered(callee):
                        return Culprit(callee, function.span, function.name, "missing")
    return None


def _writer(source: Event, seen: Observation, sides: Sides) -> Culprit:
    role = "initialiser" if sides.facts.is_initial(source, seen.page) else "writer"
    if source.kind == "birth" and role == "writer":
        for frame in seen.stack:  # who took the page from the allocator passes it on
            if frame.id == source.owner:
                return culprit_at(frame, "caller")
    span = source.span_in(sides.programs.after.unit(source.path))
    return Culprit(source.owner, span, source.operation, role)


def _passing(failure: Failure, sides: Sides) -> tuple[Observation, ...]:
    """Return the pages that come through at the same place of the same tree."""
    seen = failure.seen
    good = {
        Kind.OPERATION: (Outcome.EFFECTIVE,),
        Kind.SINK: (Outcome.CLEAN,),
        Kind.CHECK: (),
    }.get(seen.kind, ())
    return tuple(
        o
        for o in sides.behaviours.after.observations
        if o.kind is seen.kind
        and o.id == seen.id
        and o.span == seen.span
        and o.dimension == seen.dimension
        and o.outcome in good
    )


def _changed_call(
    failure: Failure, passing: tuple[Observation, ...], sides: Sides
) -> Culprit | None:
    """Convict a caller whose call the patch gave another argument."""
    fine = _calls_of(passing)
    source = failure.seen.source
    before = source.chain if source is not None else ()
    fine |= {(f.id, f.text) for o in passing for e in o.page.history for f in e.chain}
    for frame in (*reversed(failure.seen.stack), *reversed(before)):
        if (frame.id, frame.text) not in fine and sides.call_changed(frame):
            return culprit_at(frame, "caller")
    return None


def _unchanged_assertion(seen: Observation, sides: Sides) -> Culprit | None:
    """Convict the innermost changed caller of a function whose assertion is as it was."""
    if seen.kind is not Kind.CHECK or sides.touches(seen.id):
        return None
    for frame in reversed(seen.stack):
        if sides.touches(frame.id):
            return culprit_at(frame, "caller")
    return None


def _added(seen: Observation, passing: tuple[Observation, ...], sides: Sides) -> Culprit | None:
    """Convict a function that the patch has added, where no page comes through it unharmed."""
    fine = {id for o in passing for id in o.chain}
    if seen.kind is not Kind.SINK and seen.id not in fine and sides.is_new(seen.id):
        return culprit_at(seen, "site")
    alone = is_born_in(seen.page, seen.id) or only_unmarked(seen, passing)
    alone = alone or (not passing and is_shared(seen, sides))
    if seen.kind is Kind.SINK and alone and sides.is_new(seen.id):
        return culprit_at(seen, "site")
    source = seen.source
    for frame in reversed(seen.stack):
        if frame.id not in fine and sides.is_new(frame.id):
            if _passes_by(frame, seen, sides):
                continue
            wrote = source is not None and (source.kind, source.owner) == ("write", frame.id)
            if wrote and source and seen.kind is not Kind.SINK:
                return _writer(source, seen, sides)
            return culprit_at(frame, "site")
    return None


def _passes_by(frame: Frame, seen: Observation, sides: Sides) -> bool:
    """Tell whether a page was written and failed in one and the same call of a function.

    Who wrote it there does what it did not do before.
    """
    source = seen.source
    if source is None or source.kind != "write" or source.owner == frame.id:
        return False
    by_it = any((f.id, f.span) == (frame.id, frame.span) for f in source.chain)
    changed = sides.is_changed(source.owner, seen.dimension) and not sides.is_new(source.owner)
    return by_it and changed


def _gets_through(seen: Observation, sides: Sides) -> bool:
    """Tell whether pages of the same making still reach the buddy unharmed."""
    return any(
        o.is_typed_sink
        and o.outcome is Outcome.CLEAN
        and o.root == seen.root
        and o.page.population == seen.page.population
        and not _leaks_otherwise(o, sides)
        for o in sides.behaviours.after.observations
    )


def _leaks_otherwise(clean: Observation, sides: Sides) -> bool:
    """Tell whether the same hand-over leaks in another dimension."""
    return any(
        o.kind is Kind.SINK
        and o.outcome is Outcome.LEAK
        and o.page == clean.page
        and o.span == clean.span
        for o in sides.behaviours.after.observations
    )


def _all_fail(failure: Failure, source: Event, sides: Sides) -> bool:
    """Tell whether several consumers fail over what one initialiser wrote."""
    if _gets_through(failure.seen, sides):
        return False
    bad = (Outcome.TRAP, Outcome.LEAK, Outcome.FAILED)
    places = {
        o.id
        for o in sides.behaviours.after.observations
        if o.outcome in bad and (s := o.source) is not None and s.owner == source.owner
    }
    return len(places) > 1
