"""Find pages that a function makes and puts to use, of which it unmarks or uses a part only."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from analyzer.checks.absences import mark_of
from analyzer.checks.coverage import Coverage, Way, compared, way_of, way_to
from analyzer.checks.evidence import event_span, flag_name, subject
from analyzer.comparison.compare import Failure, Sides
from analyzer.flow.domain.observe import Behaviour, Kind, Observation, Outcome
from analyzer.pages.facts import Facts
from analyzer.pages.machine import TYPE, Event, Operation, Verb
from analyzer.program.defs import call_from
from analyzer.program.program import Program
from analyzer.program.reach import Reader, leads_past
from analyzer.program.sums import Extent


@dataclass(frozen=True, slots=True)
class _Use:
    """Pages that a function made and kept: how it made them, which of them it marked and cleared.

    made is what it passed on to what makes pages. Each is None where there is none, or where that
    cannot be told: so where several calls mark such pages, or clear them.
    """

    kept: Observation
    mark: Event | None
    clear: Observation | None
    made: object
    marked: Extent | None
    cleared: Extent | None


def find(sides: Sides) -> Iterator[Failure]:
    """Yield pages that are put to use and unmarked in part, or are newly left as they were born."""
    before = _uses(sides, sides.programs.before, sides.behaviours.before)
    after = _uses(sides, sides.programs.after, sides.behaviours.after)
    for key, use in after.items():
        old = before.get(key)
        yield from _in_part(use, old, sides)
        if old is not None:
            yield from _passed_by(use, old, sides)


def _in_part(use: _Use, old: _Use | None, sides: Sides) -> Iterator[Failure]:
    """Yield what is cleared of pages where that is not all.

    What is marked says which are all of them. So does what was marked before, where the pages are
    made in the same way.
    """
    clear = use.clear
    if clear is None or (old is not None and compared(old.cleared, old.marked)):
        return
    part, verb = compared(use.cleared, use.marked), "puts to use"
    certain = bool(part)
    if not part and old is not None and old.made == use.made is not None:
        part, verb = compared(use.cleared, old.marked), "has made"
    if part:
        who = "it" if clear.id == use.kept.id else f"{use.kept.function}()"
        flag = flag_name(TYPE, clear.operation, sides)
        says = f"{clear.function}() clears {flag} {part} that {who} {verb}"
        at = replace(
            use.kept, path=clear.path, function=clear.function, span=clear.span, text=clear.text
        )
        yield Failure("missing-clear", replace(at, dimension=TYPE), definite=certain, says=says)


def _passed_by(use: _Use, old: _Use, sides: Sides) -> Iterator[Failure]:
    """Yield pages that are left as they were born, and without an error, on a new way.

    It leads past all that is done with such pages elsewhere in the function.
    """
    mark = use.mark
    left, was = (
        next((o for o in _left(b, sides.facts) if _key(o) == _key(use.kept)), None)
        for b in (sides.behaviours.after, sides.behaviours.before)
    )
    if mark is None or old.mark is None or left is None or was is not None:
        return
    if _leads_past(use.kept, mark, sides.programs.after, sides.facts):
        pages, name = subject(left, sides), use.kept.function
        says = f"{name}() passes by where it puts {pages} to use: they stay as they were made"
        span = event_span(mark, sides)
        at = replace(left, path=mark.path, function=mark.function, span=span, text=mark.operation)
        yield Failure("missing-clear", replace(at, dimension=TYPE), definite=False, says=says)


def _uses(sides: Sides, program: Program, behaviour: Behaviour) -> dict[object, _Use]:
    """Return what functions do with the pages that they make in a tree, by function and population.

    Where they leave some marked and some not, that is what they do with those.
    """
    coverage = Coverage(program, sides.facts, behaviour)
    found: dict[object, _Use] = {}
    for o in sorted(_kept(behaviour), key=lambda o: mark_of(o, sides.facts) is None):
        if _key(o) in found:
            continue
        mark = mark_of(o, sides.facts)
        op = None if mark is None else behaviour.space.operations[mark.accessor]
        sets, clear = op and _only(op, o, behaviour), _only(None, o, behaviour)
        found[_key(o)] = _Use(
            o,
            mark,
            clear,
            _made(o, program, sides.facts),
            coverage.reached(way_of(sets)) if sets else None,
            coverage.reached(way_of(clear)) if clear else None,
        )
    return found


def _kept(behaviour: Behaviour) -> Iterator[Observation]:
    """Yield the pages that functions made and gave to nobody when they returned."""
    return (o for o in behaviour.observations if o.kind is Kind.EXIT and not o.given)


def _left(behaviour: Behaviour, facts: Facts) -> Iterator[Observation]:
    """Yield pages that are as they were made where a function returns without an error."""
    for o in _kept(behaviour):
        source = o.page.source(TYPE)
        born = source is not None and facts.is_initial(source, o.page)
        if o.outcome is Outcome.DONE and born and mark_of(o, facts) is None:
            yield o


def _key(o: Observation) -> object:
    return (o.id, o.page.population)


def _only(like: Operation | None, o: Observation, behaviour: Behaviour) -> Observation | None:
    """Return what alone of all that a function leads to does to pages what an operation does.

    Without one, what alone takes a type off. None where there is none, or several.
    """
    done = None if like is None else (like.dimension, like.verb, like.label)
    found: dict[Way, Observation] = {}
    for other, op in behaviour.operations():
        does = (op.dimension, op.verb, op.label)
        if other.root == o.root and (does == done if done else does[:2] == (TYPE, Verb.CLEAR)):
            found[way_of(other)] = other
    return next(iter(found.values())) if len(found) == 1 else None


def _making(o: Observation, facts: Facts) -> int:
    """Return where a function calls what makes the pages that it leaves; -1 if it is not known."""
    births = (e for e in o.page.history if facts.is_initial(e, o.page) and e.chain)
    return next((e.chain[0].span.start for e in births), -1)


def _made(o: Observation, program: Program, facts: Facts) -> object:
    """Return what a function passes to what makes pages, in terms of what it is passed."""
    at, found = _making(o, facts), set()
    for function, variant in program.bodies(o.id):
        if call := call_from(variant, at):
            reader = Reader(variant, facts, frozenset())
            passed = tuple(reader.number(at, n) for n in range(len(call[1].args)))
            found.add(None if None in passed else (function.params, passed))
    return found if found and None not in found else None


def _leads_past(o: Observation, mark: Event, program: Program, facts: Facts) -> bool:
    """Tell whether a way leads from where pages are made past where they are marked."""
    made, marked = _making(o, facts), way_to(mark)[0][1]
    return any(
        leads_past(variant, first[0].block, then[0].block)
        for _, variant in program.bodies(o.id)
        if (first := call_from(variant, made)) and (then := call_from(variant, marked))
    )
