"""Tell what those who wrote a page's state have to do with a failure: who did it once too often."""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.base import FunctionId
from analyzer.blame.culprit import Culprit
from analyzer.comparison.compare import Sides
from analyzer.comparison.guards import guarded_calls
from analyzer.flow.domain.observe import Kind, Observation, Outcome
from analyzer.pages.machine import Event, Frame, PageState, Verb


def second_call(seen: Observation, source: Event, sides: Sides) -> Frame | None:
    """Return the call by which a function does to a page once more what it has done by another.

    The two calls stand in one function. Not where the patch changed what the callee does and not
    how it is called: then it is the callee that does too much.
    """
    same = (source.kind, source.owner, source.at) == ("write", seen.id, seen.span.start)
    if seen.kind is not Kind.OPERATION or not same:
        return None
    for frame, before in zip(seen.stack, source.chain, strict=False):
        if (frame.id, frame.span) != (before.id, before.span):
            if frame.id != before.id:
                return None
            return frame if _is_more(frame, sides) or not sides.touches(seen.id) else None
    return None


def _is_more(frame: Frame, sides: Sides) -> bool:
    """Tell whether a function makes a call more often than it did."""
    before, after = (
        sum(call.name == frame.callee for call in guarded_calls(program, frame.id))
        for program in (sides.programs.before, sides.programs.after)
    )
    return before < after


def has_had_it_done(seen: Observation, source: Event, sides: Sides) -> bool:
    """Tell whether the patch makes a function do what others did for it, and do as before."""
    called = seen.id in {frame.id for frame in source.chain} and source.owner != seen.id
    changed = sides.is_changed(seen.id, seen.dimension)
    unchanged = not sides.is_changed(source.owner, seen.dimension)
    return (
        seen.kind is Kind.OPERATION and source.kind == "write" and called and changed and unchanged
    )


def writes_on(owner: FunctionId, seen: Observation, sides: Sides) -> bool:
    """Tell whether a writer does as before, to such pages, where the patch changed a place itself.

    The page that fails there has come by a way of its own, and the place has let it come.
    """
    changed = sides.is_changed(seen.id, seen.dimension)
    if seen.kind is not Kind.OPERATION or not changed or sides.is_changed(owner, seen.dimension):
        return False
    return any(
        o.kind is Kind.OPERATION
        and o.outcome is Outcome.EFFECTIVE
        and (o.id, o.dimension, o.root) == (owner, seen.dimension, seen.root)
        and o.page.population == seen.page.population
        and not any(map(sides.call_inverted, o.stack))
        for o in sides.behaviours.after.observations
    )


def changed_terms(seen: Observation, sides: Sides) -> Frame | None:
    """Return the innermost call on the way to a place that the patch makes on other terms.

    It stood in the same function before, with the same arguments.
    """
    for frame in reversed(seen.stack):
        if sides.terms_changed(frame):
            return frame
    return None


def only_unmarked(seen: Observation, passing: Iterable[Observation]) -> bool:
    """Tell whether what comes through by the same calls was never marked: nobody unmarks there."""
    sources = [o.source for o in passing if o.stack == seen.stack]
    return bool(sources) and all(s is not None and s.kind == "birth" for s in sources)


def is_shared(seen: Observation, sides: Sides) -> bool:
    """Tell whether pages fail at a place to which several functions hand them."""
    failing = (
        o for o in sides.behaviours.after.observations if (o.id, o.span) == (seen.id, seen.span)
    )
    above = {o.chain[-2:-1] for o in failing if (o.kind, o.outcome) == (seen.kind, seen.outcome)}
    return len(above) > 1


def idle_helper(seen: Observation, sides: Sides) -> Culprit | None:
    """Return a new function that is to unmark what several new ones free, and never does.

    Pages come out of it as they went in, and all that it is called by leaks.
    """
    if not seen.is_typed_sink or not sides.is_new(seen.id):
        return None
    program, behaviour = sides.programs.after, sides.behaviours.after
    leaking = {o.id for o in behaviour.observations if _is_alike(o, seen)}
    for name in sorted(program.called(seen.id)):
        for id in program.resolve(name, seen.path) if program.is_function(name) else ():
            callers = frozenset(program.calling(program.called_as(id)))
            several = len(callers) > 1 and callers <= leaking
            if several and sides.is_new(id) and _leaves_marked(id, seen, sides):
                for function in program.lowered(id):
                    return Culprit(id, function.span, function.name, "missing")
    return None


def _is_alike(one: Observation, other: Observation) -> bool:
    """Tell whether two observations are of the same kind, and of pages of one population."""
    return (one.kind, one.outcome, one.dimension, one.page.population) == (
        other.kind,
        other.outcome,
        other.dimension,
        other.page.population,
    )


def _leaves_marked(id: FunctionId, seen: Observation, sides: Sides) -> bool:
    """Tell whether a function names a clear of what pages have, and all come out with that."""
    behaviour, program = sides.behaviours.after, sides.programs.after
    operations = behaviour.space.operations
    held = behaviour.space.common(seen.page.types)
    clears = (op for n in program.called(id) if (op := operations.get(n)) is not None)
    ways = [
        (p.entered.types, p.left.types)
        for p in behaviour.passages
        if p.function == id and p.population == seen.page.population and p.entered and p.left
    ]
    return (
        any(op.verb is Verb.CLEAR and (op.label,) == held for op in clears)
        and bool(ways)
        and all(way == (seen.page.types, seen.page.types) for way in ways)
    )


def is_born_in(page: PageState, id: FunctionId) -> bool:
    """Tell whether a function has made a page that it frees."""
    return bool(page.history) and (page.history[0].kind, page.history[0].owner) == ("birth", id)
