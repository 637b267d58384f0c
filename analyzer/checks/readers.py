"""Find functions that only read pages and no longer tell those of a type from others."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from analyzer.base import FunctionId, Gap, Span
from analyzer.c import ir
from analyzer.checks.breaks import less
from analyzer.checks.tests import doing, spelled
from analyzer.comparison.compare import Sides
from analyzer.comparison.guards import decisions_of, turned_in
from analyzer.findings import Cause, Finding, Step
from analyzer.pages.machine import TYPE, Operation, Space, Verb, called
from analyzer.pages.provenance import load_provenance
from analyzer.program.defs import Place, calls_of, reaching
from analyzer.program.program import Program
from analyzer.rules import Rule
from analyzer.tree import is_source
from analyzer.ways.state import Held, Path, Way
from analyzer.ways.walk import World
from analyzer.ways.ways import ways_of

_RULE = "stale-test"
#: The number of a temporary is another one where a call is gone.
_TEMPORARY = re.compile(r"%\d+")
#: Pages that have a type are on no list and have no mapping either, like those that a driver keeps.
_KEPT = "kept-back"
#: So many characters make a condition the other way round, at most.
_TURNING = 3

#: What happens to a page without the type and to one with it, where that is not the same.
_Apart = frozenset[tuple[frozenset[Way], frozenset[Way]]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Where a function asks whether a page is of a type."""

    function: ir.Function
    variant: ir.Variant
    place: Place
    call: ir.Call
    op: Operation


def find_dropped(
    sides: Sides, changed: Iterable[str], rules: Mapping[str, Rule]
) -> Iterator[Finding]:
    """Yield functions that find pages by their numbers and do not ask for a type any more.

    Pages still get the type, nobody asks in their place, and they call nothing else that might.
    """
    readers = _Readers(sides, tuple(changed))
    for id, label in readers.readers:
        if readers.asked(sides.programs.after, id, label):
            continue
        if not readers.are_found_by_number(id, label) or readers.is_moved(id, label):
            continue
        apart = readers.apart(sides.programs.before, id, label)
        if apart is None or any(doing(plain ^ typed) for plain, typed in apart):
            says = (
                f"{id[1]}() does not ask any more for {called(label)} of pages that it finds by "
                f"their numbers{_meaning(apart)}"
            )
            span = sides.programs.after.lowered(id)[0].span
            yield _finding(id, span, label, says, rules[_RULE])


def _meaning(apart: _Apart | None) -> str:
    """Say in words what is done to pages of a type now, and was before, where that is known."""
    lost = doing(frozenset(w for plain, typed in apart or () for w in typed - plain))
    gained = doing(frozenset(w for plain, typed in apart or () for w in plain - typed))
    return f": it {spelled(gained)} for those, and before it {spelled(lost)}" if apart else ""


def turned_round(sides: Sides, changed: Iterable[str]) -> Iterator[Gap]:
    """Admit where functions do now where something holds what they did where it did not.

    Nothing else differs in them, or they do so to pages of a type. That may be meant, where it was
    the wrong way round before.
    """
    readers = _Readers(sides, tuple(changed))
    told: set[FunctionId] = set()
    for id, branch in readers.turned():
        told.add(id)
        text = sides.programs.after.unit(id[0]).said(branch.span)
        says = f"{id[1]}() does what it did, with a condition the other way round: {text}"
        yield Gap("turned", id[0], branch.span.line, id[1], says)
    for id, label in readers.readers:
        was, now = (
            readers.apart(program, id, label)
            for program in (sides.programs.before, sides.programs.after)
        )
        if id not in told and was and now == frozenset((t, p) for p, t in was):
            told.add(id)
            says = (
                f"{id[1]}() does to pages that are {called(label)} what it did to all others, and "
                "to those what it did to these"
            )
            asked = readers.asked(sides.programs.after, id, label)[0].call
            yield Gap("turned", id[0], asked.span.line, id[1], says)


def _finding(id: FunctionId, span: Span, label: str, says: str, rule: Rule) -> Finding:
    return Finding(
        rule=rule.id,
        function=id[1],
        file=id[0],
        operation=called(label),
        span=span,
        severity=rule.severity,
        confidence=rule.confidence,
        message=says,
        cause=Cause(span, id[1]),
        trace=(Step(span, id[1], f"{id[1]}() goes on otherwise than before"),),
        by_hand=True,
        breaks=(less(f"{Verb.TEST} {label}"),),
    )


class _Readers:
    """Hold the functions that a patch changes and that only read pages."""

    def __init__(self, sides: Sides, changed: tuple[str, ...]) -> None:
        """Take both trees, and the files that differ."""
        self._sides = sides
        self._space: Space = sides.behaviours.after.space
        has = (sides.programs.before.has, sides.programs.after.has)
        self._paths = [p for p in changed if is_source(p) and all(h(p) for h in has)]
        tested = {op.label for op in self._space.operations.values() if op.is_test}
        self._labels = [label for label in sides.facts.types if label in tested]

    @property
    def readers(self) -> Iterator[tuple[FunctionId, str]]:
        """Yield the functions that read otherwise than before, each with a type it asked for."""
        before, after = self._sides.programs.before, self._sides.programs.after
        for id in self._edited:
            for label in self._labels:
                tests = self._tests(label)
                if tests.isdisjoint(before.called(id)):
                    continue
                if not self._writes(before, id) and not self._writes(after, id):
                    yield id, label

    @property
    def _edited(self) -> list[FunctionId]:
        return sorted(id for id in self._sides.edited if id[0] in self._paths)

    def _tests(self, label: str) -> set[str]:
        ops = self._space.operations.values()
        return {op.name for op in ops if op.is_test and op.dimension == TYPE and op.label == label}

    def _writes(self, program: Program, id: FunctionId) -> bool:
        """Tell whether a function changes a page's type, or leads to what does."""
        ops = (self._space.operations.get(name) for name in program.called(id))
        if any(op is not None and op.dimension == TYPE and not op.is_test for op in ops):
            return True
        b = self._sides.behaviours
        behaviour = b.after if program is self._sides.programs.after else b.before
        return any(id in o.chain for o, op in behaviour.operations() if not op.is_test)

    def turned(self) -> Iterator[tuple[FunctionId, ir.Branch]]:
        """Yield functions in which nothing but one condition differs, and which way it goes.

        What it decides has to do with the type of pages.
        """
        before, after = self._sides.programs.before, self._sides.programs.after
        tracked = {n for n, op in self._space.operations.items() if op.label in self._labels}
        for id in self._edited:
            if tracked.isdisjoint(after.called(id)) or abs(self._longer(id)) > _TURNING:
                continue
            pairs = zip(before.bodies(id), after.bodies(id), strict=False)
            for (_, was), (_, now) in pairs:
                branch = turned_in(was, now, tracked)
                if branch is not None:
                    yield id, branch
                    break

    def _longer(self, id: FunctionId) -> int:
        """Return by how many characters a function is longer than before, blanks aside."""
        found = (self._sides.programs.before, self._sides.programs.after)
        before, after = (
            sum(len(b"".join(unit.code[d.span.start : d.span.end].split())) for d in defined)
            for unit in (program.unit(id[0]) for program in found)
            for defined in (unit.definitions.get(id[1], ()),)
        )
        return after - before

    def asked(self, program: Program, id: FunctionId, label: str) -> list[_Asked]:
        """Return where a function asks for a type."""
        tests = self._tests(label)
        return [
            _Asked(function, variant, place, call, self._space.operations[call.callee.id])
            for function, variant in program.bodies(id)
            for place, call in calls_of(variant)
            if isinstance(call.callee, ir.Name) and call.callee.id in tests and call.args
        ]

    def apart(self, program: Program, id: FunctionId, label: str) -> _Apart | None:
        """Return what a function does to pages without a type and with it, where that differs.

        None where there are too many ways.
        """
        known = load_provenance()
        world = World(
            self._space, self._sides.facts, frozenset(), known.pure, known.typed, known.printing
        )
        states = (Held(frozenset()), Held(frozenset(), label))
        none = {name: n for name, n in known.fresh[_KEPT].items() if not n}
        found: set[tuple[frozenset[Way], frozenset[Way]]] = set()
        for a in self.asked(program, id, label):
            page = a.call.args[0]
            ways = ways_of(a.function, a.variant, a.place, page, states, none, world)
            if ways is None or not ways.complete:
                return None
            found |= {(_told(plain), _told(typed)) for plain, typed in ways.differing}
        return frozenset((plain, typed) for plain, typed in found if plain != typed)

    def are_found_by_number(self, id: FunctionId, label: str) -> bool:
        """Tell whether a function had from their numbers all of the pages that it asked."""
        return all(
            isinstance(a.call.args[0], ir.Name)
            and all(
                self._is_of_number(a.variant, r.step)
                for r in reaching(a.variant, a.call.args[0].id, a.place)
            )
            for a in self.asked(self._sides.programs.before, id, label)
        )

    def _is_of_number(self, variant: ir.Variant, step: ir.Instruction | None) -> bool:
        match step:
            case ir.Assign(_, ir.Name(temporary)) if temporary.startswith("%"):
                made = (c for _, c in calls_of(variant) if c.result == ir.Name(temporary))
                return self._is_of_number(variant, next(made, None))
            case ir.Call(_, ir.Name(name), _):
                identity = self._sides.facts.identities.get(name)
                if identity is None or identity.head or identity.distance is not None:
                    return False
                return identity.to == "page"
        return False

    def is_moved(self, id: FunctionId, label: str) -> bool:
        """Tell whether somebody may ask in a function's place, or fewer pages get the type.

        The function itself, of something else, who calls it or is called, or one that asks more
        than before: in its folder, or anywhere where it only reads.
        """
        before, after = self._sides.programs.before, self._sides.programs.after
        asks = _asks(after, id) - _asks(before, id)
        if asks or _calls(after, id) - _calls(before, id) or self._is_asked_around(id, label):
            return True
        tests, folder = self._tests(label), posixpath.dirname(id[0])
        sets = {n for n, op in self._space.operations.items() if op.is_set and op.label == label}
        marked = 0
        for path in self._paths:
            both = before.unit(path).definitions.keys() | after.unit(path).definitions.keys()
            for other in ((path, name) for name in sorted(both)):
                marked += _count(after, other, sets) - _count(before, other, sets)
                is_near = posixpath.dirname(path) == folder or not self._writes(after, other)
                if is_near and _count(after, other, tests) > _count(before, other, tests):
                    return True
        return marked < 0

    def _is_asked_around(self, id: FunctionId, label: str) -> bool:
        """Tell whether who calls a function asks for a type, or what it calls, or what that does.

        It may be the patch before that taught them to.
        """
        after, tests = self._sides.programs.after, self._tests(label)
        called = after.callees(id)
        around = {*after.calling(id[1]), *called, *(i for c in called for i in after.callees(c))}
        return any(not tests.isdisjoint(after.called(other)) for other in around - {id})


def _count(program: Program, id: FunctionId, names: set[str]) -> int:
    """Count where a function calls one of some names."""
    if names.isdisjoint(program.called(id)):
        return 0
    return sum(len(at) for name, at in program.calls(id).items() if name in names)


def _calls(program: Program, id: FunctionId) -> Counter[str]:
    """Return what a function calls, with in how many places."""
    return Counter({name: len(at) for name, at in program.calls(id).items()})


def _asks(program: Program, id: FunctionId) -> set[str]:
    """Return what decides in a function."""
    bodies = program.bodies(id)
    found = (d.guard[0].lstrip("!") for _, variant in bodies for d in decisions_of(variant))
    return {_TEMPORARY.sub("%", text) for text in found}


def _told(path: Path) -> frozenset[Way]:
    """Return what happens on a path but for what only a reader is told."""
    return frozenset(w for w in path.ways if w.kind != "prints")
