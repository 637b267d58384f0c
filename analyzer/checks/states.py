"""Turn failures into findings: one finding for one mistake, at the place to mend."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from analyzer.base import Confidence, Severity
from analyzer.blame.blame import blame
from analyzer.blame.configured import spelled, where_it_differs
from analyzer.blame.culprit import Charge, Culprit, charge_site
from analyzer.checks import (
    absences,
    again,
    around,
    births,
    companions,
    dropped,
    habits,
    handed,
    idle,
    marks,
    obligations,
    partly,
    short,
    used,
)
from analyzer.checks.breaks import breaks_of
from analyzer.checks.evidence import (
    find_cause,
    flag_name,
    held_name,
    state_text,
    subject,
    trace_of,
    verb_of,
)
from analyzer.checks.never import never_cleared
from analyzer.comparison.compare import (
    Failure,
    Sides,
    asserted,
    certain,
    introduced,
    leaked,
    redundant,
    spoiled,
    trapped,
)
from analyzer.findings import Cause, Finding, Status, Step
from analyzer.flow.domain.observe import Kind
from analyzer.pages.machine import TYPE, UNTYPED, Event, Verb, called
from analyzer.rules import Rule

#: Which rule names a place where several are broken, most telling first.
_ORDER = (
    "wrong-initial-state",
    "double-set",
    "double-clear",
    "leak-to-buddy",
    "missing-clear",
    "contract-mismatch",
    "stale-test",
    "dead-op",
    "early-clear",
    "redundant-op",
)

#: What changes nothing stands beside other mistakes of its kind, and behind any graver one.
_IDLE = ("stale-test", "dead-op", "early-clear", "redundant-op")

#: What follows from that an operation is done to one page again and again.
_DONE_TWICE = ("double-set", "double-clear", "redundant-op")


def find_states(sides: Sides, rules: Mapping[str, Rule]) -> tuple[Finding, ...]:
    """Return what goes wrong with pages after the patch and did not before."""
    charges = [*births.find(sides)]
    repeated = [charge_site(f) for f in again.find(sides)]
    places = {c.culprit.place for c in repeated}
    for failure in _failures(sides):
        culprit = blame(failure, sides)
        if culprit.place not in places or failure.rule not in _DONE_TWICE:
            charges.append(Charge(_rule(failure, culprit), failure, culprit))
    charges += repeated
    sites = (
        absences.find,
        used.find,
        around.find,
        habits.find,
        handed.find,
        companions.find,
        marks.lost_sets,
    )
    for find in sites:
        charges += map(charge_site, find(sides))
    charges += [idle.charge(f, sides) for f in idle.find(sides)]
    told = {c.culprit.id for c in charges if c.rule not in _IDLE}
    charges += map(charge_site, short.find(sides, told))
    return tuple(_findings(_gathered(charges, sides), sides, rules))


def _gathered(charges: list[Charge], sides: Sides) -> list[Charge]:
    """Charge a convicted initialiser with all that fails over what it wrote on such pages.

    And on others that start now in one state, now in another: it does not tell which they are.
    """
    unsettled = _unsettled(sides)
    guilty = {
        (c.culprit.id, population): c.culprit
        for c in charges
        if c.rule == "wrong-initial-state"
        for population in (c.failure.seen.page.population, *unsettled)
    }
    certain = {c.culprit.id for c in charges if c.failure.definite and c.rule == "leak-to-buddy"}
    leaked = {(c.culprit.id, _source(c)) for c in charges if c.rule == "leak-to-buddy"}
    gathered = []
    for charge in charges:
        if not charge.failure.definite and certain & set(charge.failure.seen.chain):
            continue  # the same way leaks for certain, and somebody on it is charged
        source = _source(charge)
        below = {(id, source) for id in charge.failure.seen.chain if id != charge.culprit.id}
        if source is not None and charge.culprit.role == "site" and below & leaked:
            continue  # what its caller forgets to take off is in its way
        follows = charge.culprit.role in ("site", "missing")
        population = charge.failure.seen.page.population
        culprit = None if source is None else guilty.get((source.owner, population))
        if follows and culprit is not None:
            gathered.append(Charge("wrong-initial-state", charge.failure, culprit))
        else:
            gathered.append(charge)
    return gathered


def _unsettled(sides: Sides) -> frozenset[str]:
    """Return the populations that start in several states under one configuration."""
    started: dict[tuple[str, object], set[object]] = {}
    for o in sides.behaviours.after.observations:
        if o.kind is Kind.BIRTH:
            state = (o.page.types, *(o.page.flag(flag) for flag in sides.facts.flags))
            started.setdefault((o.page.population, o.conditions), set()).add(state)
    return frozenset(population for (population, _), states in started.items() if len(states) > 1)


def _source(charge: Charge) -> Event | None:
    """Return what made the page be what it should not be."""
    return charge.failure.seen.source


def _failures(sides: Sides) -> Iterable[Failure]:
    for detect in (trapped, leaked, asserted):
        yield from introduced(sides, detect)
    yield from spoiled(sides)
    yield from obligations.find(sides)
    yield from marks.lost_clears(sides)
    yield from dropped.find(sides)
    yield from never_cleared(sides)
    yield from partly.find(sides)
    yield from introduced(sides, redundant)


def _rule(failure: Failure, culprit: Culprit) -> str:
    """Name the mistake by what the culprit does, not by where it shows."""
    if failure.rule == "redundant-op":
        return failure.rule
    if culprit.role == "initialiser":
        return "wrong-initial-state"
    if culprit.role == "caller" or (
        culprit.role == "missing" and failure.rule in ("double-set", "double-clear")
    ):
        return "contract-mismatch"
    return failure.rule


def _findings(charges: list[Charge], sides: Sides, rules: Mapping[str, Rule]) -> Iterable[Finding]:
    """Gather the charges against each function; the gravest rule names them."""
    against: dict[object, list[Charge]] = {}
    for charge in charges:
        against.setdefault(charge.culprit.id, []).append(charge)
    for _, held in sorted(against.items(), key=lambda item: repr(item[0])):
        held.sort(key=_gravity)
        grave = [c for c in held if c.rule not in _IDLE]
        if grave:
            yield replace(_finding(grave[0], sides, rules), breaks=breaks_of(grave))
            continue
        seen: set[str] = set()
        for charge in held:
            if charge.rule not in seen:
                seen.add(charge.rule)
                yield _finding(charge, sides, rules)


def _gravity(charge: Charge) -> tuple[object, ...]:
    """Order charges: the gravest rule, the certain before the possible, known pages first."""
    page = charge.failure.seen.page
    source = charge.failure.seen.source
    return (
        _ORDER.index(charge.rule),
        not charge.failure.definite,
        source is not None and source.kind == "test",
        page.population == "",
    )


def _finding(charge: Charge, sides: Sides, rules: Mapping[str, Rule]) -> Finding:
    rule, o, culprit = rules[charge.rule], charge.failure.seen, charge.culprit
    cause = find_cause(o, sides)
    severity = rule.severity if charge.failure.definite else Severity.WARNING
    trace = charge.failure.steps or trace_of(o, sides)
    if cause is None:
        cause = Cause(culprit.span, culprit.id[1])
    if culprit.role == "missing":
        trace = (*trace[-6:], _missing_step(charge, sides))[-7:]
    return Finding(
        rule=rule.id,
        function=culprit.id[1],
        file=culprit.id[0],
        operation=culprit.text,
        span=culprit.span,
        severity=severity,
        confidence=rule.confidence if charge.failure.definite else Confidence.MEDIUM,
        message=_message(charge, sides),
        cause=cause,
        trace=trace,
        missing=_missing_clear(charge, sides),
        by_hand=charge.failure.by_hand,
    )


def _missing_clear(charge: Charge, sides: Sides) -> str:
    """Return the accessor that would take away what a page still carries; empty if unknown."""
    if charge.rule not in ("leak-to-buddy", "missing-clear"):
        return ""
    seen, space = charge.failure.seen, sides.behaviours.after.space
    held = space.common(seen.page.types) if seen.dimension == TYPE else (seen.dimension,)
    if charge.failure.lost:
        held = (charge.failure.lost,)
    clears = [
        op.name
        for op in space.operations.values()
        if op.verb is Verb.CLEAR and op.dimension == seen.dimension and (op.label,) == held
    ]
    return min(clears, key=lambda name: (not name.startswith("__ClearPage"), name), default="")


def _missing_step(charge: Charge, sides: Sides) -> Step:
    name = charge.culprit.id[1]
    says = f"{name}() used to write this state on the way, and does not now"
    if sides.is_new(charge.culprit.id):
        says = f"{name}() is there to write another state on the way, and never does"
    return Step(charge.culprit.span, name, says)


def _message(charge: Charge, sides: Sides) -> str:
    """Name the function, the pages and the state, or say what the migration says of it."""
    if charge.failure.because:
        flag = flag_name(charge.failure.seen.dimension, charge.failure.seen.operation, sides)
        verb = verb_of(charge.failure.seen.operation, sides)
        return f"{charge.culprit.id[1]}() {verb} {flag}: {charge.failure.because}"
    return charge.failure.says or _claim(charge, sides)


def _claim(charge: Charge, sides: Sides) -> str:
    o, name = charge.failure.seen, charge.culprit.id[1]
    pages, flag = subject(o, sides), flag_name(o.dimension, o.operation, sides)
    held = held_name(o, sides)
    match charge.rule:
        case "wrong-initial-state":
            return (
                f"{name}() makes {pages} {_state(charge, sides)}, "
                f"which {o.function}() does not expect"
                if o.function != name and o.kind is not Kind.BIRTH
                else f"{name}() makes {pages} {_state(charge, sides)}, which changes what must stay"
            )
        case "double-set":
            return f"{name}() {_set_twice(charge, pages, flag, sides)}"
        case "double-clear":
            return f"{name}() {_cleared_twice(charge, pages, flag, sides)}"
        case "leak-to-buddy":
            certain = "hands" if charge.failure.definite else "may hand"
            lets = "lets" if charge.culprit.role == "missing" and o.function != name else certain
            if lets == "lets":
                takes = "does not take" if sides.is_new(charge.culprit.id) else "no longer takes"
                return f"{name}() {takes} {held} off {pages} that {o.function}() frees"
            return f"{name}() {certain} {pages}, still {held}, to the buddy"
        case "missing-clear":
            return f"{name}() puts {pages} to use, still {held} from their initialisation"
        case "stale-test":
            return f"{name}() tests {flag} on {pages}, and all of them answer alike"
        case "early-clear":
            return f"{name}() clears {flag} on {pages}, which freeing does by itself"
        case "dead-op":
            return f"{name}() changes {flag} on pages that never have it here any more"
        case "redundant-op":
            op = sides.behaviours.after.space.operations.get(o.operation)
            if charge.culprit.role == "missing" and op is not None:
                gone, still = ("clears", "sets") if op.is_set else ("sets", "clears")
                return f"{name}() no longer {gone} {flag} on {pages}, which {o.function}() {still}"
            if charge.culprit.id != o.id:
                return f"{name}() changes {flag} on {pages}, which {o.function}() does again"
            return f"{name}() changes {flag} on {pages} that are already that way"
    return _mismatch(charge, sides)


def _set_twice(charge: Charge, pages: str, flag: str, sides: Sides) -> str:
    o, culprit, source = charge.failure.seen, charge.culprit, _source(charge)
    held = held_name(o, sides)
    if culprit.id == o.id:
        return f"sets {flag} on {pages} that already have {held}"
    if source is not None and source.kind == "write" and source.owner == culprit.id:
        again = "again" if flag == held else flag
        return f"sets {held} on {pages}, on which {o.function}() then sets {again}"
    return f"leaves {held} on {pages}, on which {o.function}() then sets {flag}"


def _cleared_twice(charge: Charge, pages: str, flag: str, sides: Sides) -> str:
    o, culprit, source = charge.failure.seen, charge.culprit, _source(charge)
    if culprit.id == o.id:
        return f"clears {flag} on {pages} that do not have it"
    if source is not None and source.kind == "write" and source.owner == culprit.id:
        op = sides.behaviours.after.space.operations.get(source.accessor)
        if op is not None and op.is_set:
            return f"sets {called(op.label)} on {pages}, of which {o.function}() then clears {flag}"
        return f"clears {flag} on {pages}, which {o.function}() then clears again"
    return f"leaves {pages} without {flag}, which {o.function}() then clears"


def _mismatch(charge: Charge, sides: Sides) -> str:
    o, name = charge.failure.seen, charge.culprit.id[1]
    pages = subject(o, sides)
    if charge.culprit.role == "caller":
        return f"{name}() calls {charge.culprit.text}, and {o.function}() then fails on {pages}"
    if charge.culprit.role == "missing":
        return f"{name}() no longer writes the state of {pages} in which {o.function}() needs them"
    if o.operation:
        state = _state(charge, sides)
        if o.dimension == TYPE and o.page.types == UNTYPED and state != "unmarked":
            state = f"of no type, {state}"
        return f"{name}() asserts what is not so for {pages}: they are {state}"
    return f"{name}() keeps {pages} back without marking them: they are {_state(charge, sides)}"


def _state(charge: Charge, sides: Sides) -> str:
    """Say what an initialiser makes of pages, and in which configuration where others differ."""
    seen = charge.failure.seen
    text = state_text(seen.page, sides.behaviours.after.space)
    where = spelled(where_it_differs(seen, sides))
    return f"{text} where {where}" if where else text


def standing(sides: Sides, rules: Mapping[str, Rule]) -> tuple[Finding, ...]:
    """Return what fails in both trees: the patch has nothing to do with it."""
    charges = []
    for detect in (trapped, leaked, asserted):
        known = {f.key for f in detect(sides.behaviours.before)}
        charges += [charge_site(f) for f in certain(sides, detect) if f.key in known]
    return tuple(replace(f, status=Status.PRE_EXISTING) for f in _findings(charges, sides, rules))
