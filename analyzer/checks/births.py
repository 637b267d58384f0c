"""Compare how populations come into the world: the derived migration, and forgotten exceptions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from analyzer.base import FunctionId
from analyzer.blame.configured import Condition, spelled, telling
from analyzer.blame.culprit import Charge, Culprit
from analyzer.checks.contracts import changed_contracts
from analyzer.checks.evidence import event_span
from analyzer.comparison.compare import Failure, Sides
from analyzer.findings import Cause, Migration
from analyzer.flow.domain.observe import Behaviour, Observation
from analyzer.pages.facts import Facts
from analyzer.pages.laws import HEADER
from analyzer.pages.machine import EITHER, TYPE, Space, Verb, describe
from analyzer.spelling import names_in

#: Names of flags.
Flags = frozenset[str]
#: For each population the states in which its pages start, in words, each with a witness.
States = dict[str, dict[str, Observation]]


def initial_states(behaviour: Behaviour, but: Flags = frozenset()) -> States:
    """Return for each population the states it starts in, in words, each with a witness.

    Of some flags nothing is said.
    """
    states: States = {}
    for o in behaviour.births():
        words = _initial(o, behaviour.space, but)
        states.setdefault(o.page.population, {}).setdefault(words, o)
    return states


def unsure(behaviour: Behaviour) -> frozenset[str]:
    """Return the populations of some of whose pages it is not known how they start.

    So it is with pages from a list that nobody is seen to fill.
    """
    every = behaviour.space.every
    return frozenset(o.page.population for o in behaviour.births() if o.page.types == every)


def _initial(o: Observation, space: Space, but: Flags) -> str:
    """Say a page's state in words; of what is not known nothing is said."""
    known = tuple(f for f in ("Reserved",) if o.page.flag(f) != EITHER)
    told = replace(o.page, flags=tuple(f for f in o.page.flags if f[0] not in but))
    return describe(space, told, known)


def derive_migrations(sides: Sides) -> tuple[Migration, ...]:
    """Return how the initial states of populations differ between the trees."""
    one, other = sides.behaviours.before, sides.behaviours.after
    before, after = initial_states(one), initial_states(other)
    known = before.keys() & after.keys() - unsure(one) - unsure(other)
    changed = {p for p in known if before[p].keys() != after[p].keys()}
    kept = before.keys() & after.keys() - changed
    moved = []
    for population in sorted(changed):
        beside = _made_beside(population, kept, sides)
        for but in (_own_flags(population, sides), frozenset[str]()):
            was, now = (initial_states(b, but)[population] for b in (one, other))
            if was.keys() != now.keys():
                moved.append(_migration(population, was, now, beside, but, sides))
                break
    return (*moved, *_kinds(sides))


def _own_flags(population: str, sides: Sides) -> Flags:
    """Return the flags that pages of a population may have and that no migration is about."""
    pages = [
        o.page
        for b in (sides.behaviours.before, sides.behaviours.after)
        for o in b.births(population)
    ]
    return frozenset(name for page in pages for name, _ in page.flags) - {*sides.facts.flags}


def _made_beside(population: str, kept: Iterable[str], sides: Sides) -> tuple[str, ...]:
    """Return in words the populations that stay as they were and come from the same function."""
    makers: dict[str, set[FunctionId]] = {}
    for o in sides.behaviours.after.births():
        makers.setdefault(o.page.population, set()).add(o.id)
    mine = makers.get(population, set())
    return tuple(_titled(p, sides.facts) for p in sorted(kept) if makers.get(p, set()) & mine)


#: What a name in page-flags.h can be, in words.
FLAG, PAGE_TYPE = "a flag of its own", "a page type, which excludes all others"


def _kinds(sides: Sides) -> Iterator[Migration]:
    """Yield which names are a flag in one tree and a page type in the other."""
    before, after = _settable(sides.behaviours.before), _settable(sides.behaviours.after)
    titles = {label.lower(): label for label in sorted(before)}
    for label in sorted(after):  # HugeTLB may become what has the lower-case name alone, Hugetlb
        was = before.get(titles.get(label.lower(), ""), after[label])
        if was != after[label]:
            yield Migration(
                name="derived",
                population=f"Page{label}()",
                before=PAGE_TYPE if was else FLAG,
                after=PAGE_TYPE if after[label] else FLAG,
                cause=_defined(label, sides),
            )


def _settable(behaviour: Behaviour) -> dict[str, bool]:
    """Return each flag and type that something sets, by whatever name, and whether it is a type."""
    return {
        op.label: op.dimension == TYPE
        for op in behaviour.space.operations.values()
        if op.verb is Verb.SET
    }


def _defined(label: str, sides: Sides) -> Cause | None:
    """Return where the tree after makes the accessors of a flag or type."""
    if not sides.programs.after.has(HEADER):
        return None
    unit = sides.programs.after.unit(HEADER)
    for name in (label, *names_in(unit.code).get(label, ())):
        for m in re.finditer(rb"^\s*_*[A-Z_]+\((%s)\b" % name.encode(), unit.code, re.M):
            return Cause(unit.span(m.start(1), m.end(1)), "")
    return None


def _migration(
    population: str,
    before: dict[str, Observation],
    after: dict[str, Observation],
    kept: tuple[str, ...],
    but: Flags,
    sides: Sides,
) -> Migration:
    spared = _spared(population, before, after, but, sides)
    was, now = sorted(before.keys() - spared.keys()), sorted(after.keys() - spared.keys())
    return Migration(
        name="derived",
        population=sides.facts.title(population),
        before=" or ".join(was or sorted(before)),
        after=" or ".join(now or sorted(after)),
        cause=_cause(after, before, sides),
        exceptions=(*kept, *spared.values()),
        contracts=changed_contracts(sides, population),
    )


def _titled(population: str, facts: Facts) -> str:
    """Name a population with the condition that tells it: `boot memory (context == X)`."""
    for known in facts.populations:
        if known.name == population and known.when:
            told = " and ".join(f"{name} == {value}" for name, value in known.when)
            return f"{facts.title(population)} ({told})"
    return facts.title(population)


def _spared(
    population: str,
    before: dict[str, Observation],
    after: dict[str, Observation],
    but: Flags,
    sides: Sides,
) -> dict[str, str]:
    """Return the states that stay as they were under some configuration alone, and under which."""
    spared: dict[str, str] = {}
    for words in sorted(before.keys() & after.keys()):
        here, elsewhere = _configurations(population, words, but, sides)
        told = telling(here, elsewhere)
        if told and elsewhere:
            spared[words] = f"{words} where {spelled(told)}"
    return spared


def _configurations(
    population: str, words: str, but: Flags, sides: Sides
) -> tuple[list[frozenset[Condition]], list[frozenset[Condition]]]:
    """Return the configurations under which pages start in a state, and in any other."""
    here: list[frozenset[Condition]] = []
    elsewhere: list[frozenset[Condition]] = []
    behaviour = sides.behaviours.after
    for o in behaviour.births(population):
        same = _initial(o, behaviour.space, but) == words
        (here if same else elsewhere).append(frozenset(o.conditions))
    return here, elsewhere


def _cause(
    after: dict[str, Observation], before: dict[str, Observation], sides: Sides
) -> Cause | None:
    for words in sorted(after.keys() - before.keys()):
        page = after[words].page
        told = [page.source(d) for d in (TYPE, *sides.facts.flags)]
        written = [event for event in told if event is not None and event.dimension]
        for event in (*written, *reversed(page.history)):
            if sides.touches(event.owner):
                return Cause(event_span(event, sides), event.function)
    for words in sorted(before.keys() - after.keys()):
        for event in reversed(before[words].page.history):
            if event.kind == "write" and sides.touches(event.owner):
                for function in sides.programs.after.lowered(event.owner):
                    return Cause(function.span, event.function)
    for o in after.values():
        return Cause(o.span, o.function)
    return None


def find(sides: Sides) -> Iterator[Charge]:
    """Yield populations whose initial state changed although it is known that it must not.

    What a described migration says that they start in is as it must be. What flags they have that
    no migration is about is their maker's business.
    """
    one, other = sides.behaviours.before, sides.behaviours.after
    for population in sides.facts.populations:
        if not population.starts:
            continue
        but = _own_flags(population.name, sides)
        was, now = (initial_states(b, but).get(population.name, {}) for b in (one, other))
        moved = (d.moved(population.name) for d in sides.described)
        meant = {population.starts, *(m.after for m in moved if m is not None)}
        for words in sorted(now.keys() - was.keys() - meant) if was else ():
            o = now[words]
            yield Charge(
                "wrong-initial-state",
                Failure("wrong-initial-state", o),
                _initialiser(o, sides),
            )


def _initialiser(o: Observation, sides: Sides) -> Culprit:
    """Return who did the last thing to a page that starts in a wrong state."""
    if not o.page.history:
        return Culprit(o.id, o.span, o.text, "initialiser")
    last = o.page.history[-1]
    return Culprit(last.owner, event_span(last, sides), o.text, "initialiser")
