"""Find types that are taken off a page just before freeing would do so."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace

from analyzer.base import FunctionId
from analyzer.comparison.compare import Failure
from analyzer.flow.domain.observe import Behaviour, Kind, Observation
from analyzer.migrations import Described, Forbidden, Obligation
from analyzer.pages.facts import Facts
from analyzer.pages.machine import TYPE, Event, Operation, Verb
from analyzer.program.following import next_calls
from analyzer.program.program import Program


def find_early(
    migration: Described, behaviour: Behaviour, program: Program, facts: Facts
) -> Iterator[Failure]:
    """Yield the clears that freeing makes needless, where a migration forbids them."""
    for obligation in migration.obligations:
        if obligation.must_not is Forbidden.CLEAR_BEFORE_FREEING:
            frees = frozenset(obligation.frees) or frozenset(facts.frees)
            given = frees - facts.puts.keys()  # after a put others may go on with the page
            yield from _handed_over(obligation, given, behaviour, program, facts)
            yield from _put(obligation, frees, behaviour, program, facts)


def _handed_over(
    obligation: Obligation,
    frees: Collection[str],
    behaviour: Behaviour,
    program: Program,
    facts: Facts,
) -> Iterator[Failure]:
    """Yield clears whose page is seen to go to the buddy, with nothing done to its type between."""
    told = _told_by(obligation, behaviour)
    freed = _freed_after(frees, behaviour)
    for o in behaviour.observations:
        source = o.page.source(TYPE)
        if not o.is_typed_sink or o.operation not in frees:
            continue
        if source is None or source.kind != "write" or source in told:
            continue
        op = behaviour.space.operations.get(source.accessor)
        if op is None or not _clears(op, obligation):
            continue
        if not _each_is_freed(o, source, program, facts):
            continue
        if not _ways_to(source, obligation, behaviour) <= freed[source]:
            continue  # who else calls this puts the page to use
        at = replace(
            o,
            path=source.path,
            function=source.function,
            span=source.span_in(program.unit(source.path)),
            text=source.operation,
            operation=op.name,
        )
        yield Failure("early-clear", at, because=obligation.text)


def _clears(op: Operation, obligation: Obligation) -> bool:
    return (op.verb, op.label) == (Verb.CLEAR, obligation.what)


#: Through which functions a call is reached, outermost first.
Way = tuple[FunctionId, ...]


def _freed_after(frees: Collection[str], behaviour: Behaviour) -> Mapping[Event, frozenset[Way]]:
    """Return for each write of a type by which ways it was followed by a call that frees."""
    found: dict[Event, set[Way]] = {}
    for o in behaviour.observations:
        source = o.page.source(TYPE)
        if o.kind is Kind.SINK and o.operation in frees and source is not None:
            found.setdefault(source, set()).add(tuple(f.id for f in source.chain))
    return {event: frozenset(ways) for event, ways in found.items()}


def _ways_to(clear: Event, obligation: Obligation, behaviour: Behaviour) -> frozenset[Way]:
    """Return by which ways a clear that changes something is reached."""
    held = behaviour.space.holding(obligation.what)
    return frozenset(
        tuple(f.id for f in o.stack)
        for o, _ in behaviour.operations()
        if (o.id, o.span.start) == (clear.owner, clear.at) and o.page.types & held
    )


def _told_by(obligation: Obligation, behaviour: Behaviour) -> frozenset[Event]:
    """Return the clears that somebody's test finds: there the type means something to the end."""
    return frozenset(
        source
        for o, op in behaviour.operations()
        if (op.verb, op.label) == (Verb.TEST, obligation.what)
        and (source := o.page.source(TYPE)) is not None
    )


def _each_is_freed(freed: Observation, clear: Event, program: Program, facts: Facts) -> bool:
    """Tell whether the page that was cleared is one of those whose types freeing forgets.

    Of several pages only the first is; a loop that does not free as well clears the others, too.
    """
    fact = facts.frees.get(freed.operation)
    if fact is not None and fact.each:
        return True
    beside = freed.span.start if clear.owner == freed.id else -1
    for _, variant in program.bodies(clear.owner):
        for loop in variant.loops:
            spans = [step.span for b in loop.blocks for step in variant.blocks[b].instructions]
            clears = any(s.start <= clear.at < s.end for s in spans)
            if clears and not any(s.start <= beside < s.end for s in spans):
                return False
    return True


def _put(
    obligation: Obligation,
    frees: Collection[str],
    behaviour: Behaviour,
    program: Program,
    facts: Facts,
) -> Iterator[Failure]:
    """Yield clears right before a reference to the page is dropped, which need not free it.

    No page is seen to go to the buddy there, so the two have to stand in one straight line.
    """
    known: dict[object, None] = {}
    for o, op in behaviour.operations():
        if not o.page.types & behaviour.space.holding(obligation.what):
            continue
        place = (o.path, o.function, o.span.start)
        if _clears(op, obligation) and place not in known:
            known[place] = None
            puts = next_calls(o.id, o.span.start, program, facts)
            if puts and all(name in frees and name not in facts.sinks for name in puts):
                yield Failure("early-clear", o, because=obligation.text)
