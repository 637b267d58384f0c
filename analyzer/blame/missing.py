"""Find who wrote such pages before the patch and no longer does."""

from __future__ import annotations

from analyzer.base import FunctionId
from analyzer.blame.culprit import Culprit, culprit_at
from analyzer.comparison.compare import Failure, Sides
from analyzer.flow.domain.observe import Kind, Observation, Outcome


def missing_writer(
    failure: Failure, before: list[Observation], stopped: list[FunctionId], sides: Sides
) -> Culprit | None:
    """Convict who wrote such pages before they came here, and no longer does.

    before is how such pages came through, stopped who wrote the failing dimension then.
    """
    seen = failure.seen
    if seen.kind is Kind.SINK:
        changed = any(sides.is_changed(id, seen.dimension) for id in stopped)
        shared = _shared_writer(seen, sides, alone=not changed)
        if shared is not None:
            return _absent(shared, failure, sides)
    if seen.kind is Kind.CHECK:
        return None
    found = _last_common(stopped, before)
    if found is not None:
        return _absent(_nearest(found, seen, before, sides), failure, sides)
    if seen.kind is not Kind.SINK:
        return None
    other = [id for id in who_stopped(seen, before, sides, None) if id in seen.chain]
    found = _last_common(other, before)
    return None if found is None else _absent(found, failure, sides)


def _nearest(
    writer: FunctionId, seen: Observation, before: list[Observation], sides: Sides
) -> FunctionId:
    """Return the writer, or whoever no longer calls it: a helper that is as it was did nothing."""
    if writer in seen.chain:
        return writer
    above = [
        frame
        for o in before
        for e in o.page.history
        if e.kind == "write" and e.owner == writer
        for frame in e.chain
    ]
    for frame in reversed(above):
        if frame.id in seen.chain and sides.drops_call(frame.id, frame.text):
            return frame.id
    if sides.touches(writer):
        return writer
    for frame in reversed(above):
        if sides.drops_call(frame.id, frame.text):
            return frame.id
    for id in reversed(seen.chain):
        if any(frame.id == id for frame in above):
            return id
    return writer


def _shared_writer(seen: Observation, sides: Sides, *, alone: bool) -> FunctionId | None:
    """Return the innermost function on every failing way to a place that no longer writes.

    Where all ways to the buddy leak, it is not the drivers on them that have to follow. alone
    says that nobody else has stopped to write, so that one way is enough.
    """
    alike = (seen.kind, seen.outcome, seen.id, seen.operation, seen.dimension)
    failing = [
        o
        for o in sides.behaviours.after.observations
        if (o.kind, o.outcome, o.id, o.operation, o.dimension) == alike
    ]
    shared = set(seen.chain)
    stopped: set[FunctionId] = set()
    for o in failing:
        shared &= set(o.chain)
        stopped |= set(who_stopped(o, passed_before(o, sides), sides, None))
    for id in reversed(seen.chain):
        if id in shared and id in stopped:
            ways = {o.chain[: o.chain.index(id)] for o in failing}
            if len(ways) > 1 or sides.touches(id):
                return id
            # One way that leaks says nothing of a core function that others use as well.
            return (_outsider(seen, id, sides) or id) if alone else None
    return None


def _outsider(seen: Observation, id: FunctionId, sides: Sides) -> FunctionId | None:
    """Return the last function on the way that does not stand beside the origins, if any."""
    for other in reversed(seen.chain[: seen.chain.index(id)]):
        if not sides.is_core(other[0]):
            return other
    return None


def passed_before(seen: Observation, sides: Sides) -> list[Observation]:
    """Return how such pages came through at the same place in the tree before.

    Those that were marked by the same function, where some were: one list may hold several kinds.
    """
    fine = (Outcome.CLEAN, Outcome.EFFECTIVE)
    found = [
        o
        for o in sides.behaviours.before.observations
        if o.kind is seen.kind
        and o.id == seen.id
        and o.operation == seen.operation
        and o.dimension == seen.dimension
        and o.outcome in fine
        and o.page.population == seen.page.population
        and o.root == seen.root
    ]
    source = seen.source
    if source is None or source.kind != "write":
        return found
    written = (source.owner, source.dimension)
    alike = [o for o in found if written in {(e.owner, e.dimension) for e in o.page.history}]
    return alike or found


def who_stopped(
    seen: Observation, before: list[Observation], sides: Sides, dimensions: set[str] | None
) -> list[FunctionId]:
    """Return who wrote such pages before on the way to a place and does not now.

    Pages are not handed over marked because somebody does not mark them any more.
    """
    operations = sides.behaviours.before.space.operations
    now = {(e.owner, e.dimension) for e in seen.page.history if e.kind == "write"}
    return [
        e.owner
        for o in before
        for e in o.page.history
        if e.kind == "write"
        and (e.owner, e.dimension) not in now
        and not sides.facts.is_initial(e, o.page)
        and (dimensions is None or e.dimension in dimensions)
        and not (seen.kind is Kind.SINK and operations[e.accessor].is_set)
    ]


def _last_common(owners: list[FunctionId], before: list[Observation]) -> FunctionId | None:
    """Return the writer that wrote last on the way to the place."""
    best: tuple[int, int, FunctionId] | None = None
    for owner in dict.fromkeys(owners):
        times = sum(any(e.owner == owner for e in o.page.history) for o in before)
        last = (
            max(n for o in before for n, e in enumerate(o.page.history) if e.owner == owner)
            if times
            else 0
        )
        if best is None or (last, times) >= best[:2]:
            best = (last, times, owner)
    return best[2] if best else None


def _absent(id: FunctionId, failure: Failure, sides: Sides) -> Culprit:
    """Point at where the missing operation would stand: the call that goes on, or the function."""
    for frame in reversed(failure.seen.stack):
        if frame.id == id:
            return culprit_at(frame, "missing")
    if failure.seen.id == id:
        return culprit_at(failure.seen, "missing")
    for function in sides.programs.after.lowered(id):
        return Culprit(id, function.span, function.name, "missing")
    return culprit_at(failure.seen, "site")
