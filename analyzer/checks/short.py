"""Find ranges of pages that are marked, or unmarked, but for one end, and were whole before."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from analyzer.base import FunctionId, unspaced
from analyzer.c import ir
from analyzer.c.facts import macros
from analyzer.checks.coverage import (
    AGAIN,
    BEHIND_THE_FIRST,
    FIRST_ALONE,
    Coverage,
    Way,
    compared,
    way_of,
)
from analyzer.comparison.compare import Failure, Sides
from analyzer.flow.domain.observe import Behaviour, Observation
from analyzer.pages.facts import Facts
from analyzer.pages.machine import TYPE, called
from analyzer.pages.provenance import load_provenance
from analyzer.program.defs import Place
from analyzer.program.program import Program
from analyzer.program.reach import Reader
from analyzer.program.sums import Extent, Sum

#: In a sum, what a function computes at an offset of its file.
_AT = re.compile(r" of (\d+)$")


@dataclass(frozen=True, slots=True)
class _Found:
    """An operation, and the number of a function among those that lead to it."""

    seen: Observation
    n: int


def find(sides: Sides, told: Collection[FunctionId]) -> Iterator[Failure]:
    """Yield where a function marks, or unmarks, a part only of the pages that it did before.

    Not where one on the way there is told of already. Before, the range ended where what the
    function is passed says, and nothing marks more pages than it did. What else in the function
    goes by the length of the whole range makes that certain.
    """
    short = _Short(sides)
    for id in sorted(short.changed):
        if (part := short.part(id)) and short.is_all(id):
            found, counted = short.found(id), short.is_counted(id)
            if counted is None or any(on in told for on in found.seen.chain):
                continue
            if not short.is_matched(id, found, part):
                yield _failure(found, part, sides, definite=counted)


def _failure(found: _Found, part: str, sides: Sides, *, definite: bool) -> Failure:
    """Say what a function does itself, or where it goes on the way there."""
    o, n = found.seen, found.n
    op = sides.behaviours.after.space.operations[o.operation]
    if n < len(o.stack):
        frame, callee = o.stack[n], o.chain[n + 1][1]
        says = f"{frame.function}() uses {callee}() {part} on which it did before"
        o = replace(
            o,
            path=frame.path,
            function=frame.function,
            span=frame.span,
            text=frame.text,
            stack=o.stack[:n],
        )
    else:
        does = f"{op.verb.says} {called(op.label)}"
        says = f"{o.function}() {does} {part} on which it did before"
    less = f"{op.verb} {op.label}"
    return Failure("contract-mismatch", o, definite=definite, says=says, less=less, by_hand=True)


class _Marked:
    """What the changed functions of a tree mark: which pages of what each is passed.

    By what a function calls on the way, and by what is done in the end: where several places do
    the same, there are several extents.
    """

    def __init__(
        self, program: Program, behaviour: Behaviour, facts: Facts, changed: frozenset[FunctionId]
    ) -> None:
        """Read the ways to all that marks pages, or asks for a mark, in some functions."""
        self._program, self._behaviour, self._facts = program, behaviour, facts
        self.ways: dict[FunctionId, dict[Way, int]] = {}
        self.seen: dict[tuple[FunctionId, str], _Found] = {}
        self.sets: set[tuple[FunctionId, str]] = set()
        self._leading: dict[tuple[FunctionId, str], dict[Way, None]] = {}
        self._known: dict[tuple[Way, bool], Extent | None] = {}
        done: set[Way] = set()
        for o, op in behaviour.operations():
            if changed.isdisjoint(o.chain):
                continue
            way = way_of(o)
            if way in done:
                continue
            done.add(way)
            for n, (id, _) in enumerate(way):
                if id in changed:
                    self.ways.setdefault(id, {})[way] = n
                    callee = o.operation if n + 1 == len(way) else way[n + 1][0][1]
                    does = () if op.is_test else (f"{op.verb} {op.label}",)
                    for what in (f"{callee}()", *does):
                        self._leading.setdefault((id, what), {})[way[n:]] = None
                        if does:
                            self.sets.add((id, what))
                        if does or (id, what) not in self.seen:
                            self.seen[id, what] = _Found(o, n)

    @cached_property
    def _coverage(self) -> Coverage:
        return Coverage(self._program, self._facts, self._behaviour)

    def calls(self, id: FunctionId, what: str) -> set[int]:
        """Return where a function marks pages, or goes on to what does."""
        return {way[0][1] for way in self._leading.get((id, what), ())}

    def only(self, id: FunctionId, what: str, *, in_turn: bool) -> Extent | None:
        """Return which pages alone a function marks in one way; None where that is not known."""
        ways = self._leading.get((id, what), ())
        found = {self._reached(id, way, in_turn=in_turn) for way in ways}
        return found.pop() if len(found) == 1 else None

    def _reached(self, id: FunctionId, way: Way, *, in_turn: bool) -> Extent | None:
        if (way, in_turn) not in self._known:
            reached = self._coverage.reached(way, in_turn=in_turn)
            self._known[way, in_turn] = _renamed(reached, self._program, id)
        return self._known[way, in_turn]


class _Short:
    """Hold what functions mark against what they marked before."""

    def __init__(self, sides: Sides) -> None:
        """Take both trees."""
        self._sides = sides
        self._programs = sides.programs
        self.changed = sides.edited
        self._done: dict[FunctionId, list[tuple[str, str, Extent, Extent]]] = {}

    @cached_property
    def before(self) -> _Marked:
        """Return what is marked in the tree before."""
        sides = self._sides
        return _Marked(self._programs.before, sides.behaviours.before, sides.facts, self.changed)

    @cached_property
    def after(self) -> _Marked:
        """Return what is marked in the tree after."""
        sides = self._sides
        return _Marked(self._programs.after, sides.behaviours.after, sides.facts, self.changed)

    def part(self, id: FunctionId) -> str:
        """Return in words which part a function still marks; "" where it is all, or not known."""
        parts = {part for part, _, _, _ in self._parts(id)}
        return parts.pop() if len(parts) == 1 else ""

    def found(self, id: FunctionId) -> _Found:
        """Return what marks a part only, of which there must be one."""
        found = (self.after.seen[id, what] for _, what, _, _ in self._parts(id))
        return min(found, key=lambda f: f.seen.dimension != TYPE)

    def _parts(self, id: FunctionId) -> list[tuple[str, str, Extent, Extent]]:
        """Return what a function marks in part: in words, how, which pages, and which before."""
        if id not in self._done:
            whats = (what for at, what in self.after.seen if at == id)
            self._done[id] = [
                (part, what, now, whole)
                for what in whats
                if (id, what) in self.before.sets
                for now, whole in self._both(id, what)
                if (part := compared(now, whole)) and part not in (AGAIN, FIRST_ALONE)
                if part != BEHIND_THE_FIRST or not self._is_forgotten(id, what)
            ]
        return self._done[id]

    def _is_forgotten(self, id: FunctionId, what: str) -> bool:
        """Tell whether a type is taken off that freeing the first page of a range resets."""
        behaviour = self._sides.behaviours.after
        op = behaviour.space.operations[self.after.seen[id, what].seen.operation]
        return behaviour.types_forgotten and not op.is_set

    def _both(self, id: FunctionId, what: str) -> Iterator[tuple[Extent, Extent]]:
        """Yield which pages are marked now and were before, of a loop over as many as are told."""
        for in_turn in (False, True):
            whole = self.before.only(id, what, in_turn=in_turn)
            if whole is not None and _is_plain(whole):
                now = self.after.only(id, what, in_turn=in_turn)
                if now is not None and now.is_range:  # one mark may be meant for all of the pages
                    yield now, whole
                return

    def is_matched(self, id: FunctionId, found: _Found, part: str) -> bool:
        """Tell whether the folder leaves the same pages out of the contrary: then it is meant.

        What is marked no more is unmarked no more.
        """
        ops = self._sides.behaviours.after.space.operations
        op = ops[found.seen.operation]
        others = (
            (ops[self.after.seen[beside, what].seen.operation], other)
            for beside in self.changed
            if posixpath.dirname(beside[0]) == posixpath.dirname(id[0])
            for other, what, _, _ in self._parts(beside)
        )
        return any(
            (o.label, other) == (op.label, part) and o.is_set is not op.is_set
            for o, other in others
        )

    def is_all(self, id: FunctionId) -> bool:
        """Tell whether a function is the innermost that is short, and none does more."""
        around = self.after.ways.get(id, {})
        for way, n in around.items():
            for k, (other, _) in enumerate(way):
                if other == id or other not in self.changed:
                    continue
                if bool(self.part(other)) is (k > n):
                    return False  # that one is to be told, or marks what this one leaves
        if any(self._calls_others(on, around) for way in around for on, _ in way):
            return False
        return not any(self._marks_more(other) for other in self._beside(id))

    def _calls_others(self, id: FunctionId, around: dict[Way, int]) -> bool:
        """Tell whether a function on a way calls anything new but what leads on, or is harmless."""
        if id not in self.changed:
            return False
        known, facts = load_provenance(), self._sides.facts
        leading = {name for way in around for (_, name), _ in way}
        new = self._programs.after.called(id) - self._programs.before.called(id)
        new -= leading | known.pure | known.printing | facts.identities.keys()
        new -= macros().assertions.keys()
        return bool(new - self._sides.behaviours.after.space.operations.keys())

    def _beside(self, id: FunctionId) -> Iterator[FunctionId]:
        """Yield the functions of a folder that read otherwise than before, or are new."""
        before, after = self._programs.before, self._programs.after
        folder = posixpath.dirname(id[0])
        for path in after.paths:
            if posixpath.dirname(path) == folder:
                for name in after.unit(path).definitions:
                    if not before.has(path) or self._sides.is_edited((path, name)):
                        yield path, name

    def _marks_more(self, id: FunctionId) -> bool:
        """Tell whether a function marks more often than before."""
        return self._marks(self._programs.after, id) > self._marks(self._programs.before, id)

    def _marks(self, program: Program, id: FunctionId) -> int:
        """Count where a function marks pages, or calls what does."""
        if not program.has(id[0]):
            return 0
        calls = program.calls(id)
        return len({at for name in calls.keys() & self._marking for at in calls[name]})

    @cached_property
    def _marking(self) -> frozenset[str]:
        """Return the names of what marks pages or takes marks off, and of what leads there."""
        both = (self._sides.behaviours.before, self._sides.behaviours.after)
        ops = (op for b in both for op in b.space.operations.values())
        writes = {op.name for op in ops if not op.is_test}
        leading = {
            id[1] for b in both for o, op in b.operations() if not op.is_test for id in o.chain[1:]
        }
        return frozenset(writes | leading)

    def is_counted(self, id: FunctionId) -> bool | None:
        """Tell whether a function still goes by the length of all that it marked before.

        None where it goes by the length of what it marks now.
        """
        found = self._parts(id)
        wholes, parts = {whole for _, _, _, whole in found}, {now for _, _, now, _ in found}
        marking = {at for _, what, _, _ in found for at in self.after.calls(id, what)}
        numbers = set(self._numbers(id, marking))
        if any(_is_among(pages, numbers) for pages in parts):
            return None
        return any(_is_among(pages, numbers) for pages in wholes)

    def _numbers(self, id: FunctionId, but: set[int]) -> Iterator[Sum]:
        """Yield the numbers that a function stores in memory or passes on, but not to be printed.

        What it passes on in some of its calls is left out.
        """
        program = self._programs.after
        texts = _texts(program, id)
        for _, variant in program.bodies(id):
            reader = Reader(variant, self._sides.facts, frozenset())
            for b, block in enumerate(variant.blocks):
                for n, step in enumerate(block.instructions):
                    values: tuple[ir.Expr, ...] = ()
                    if isinstance(step, ir.Call):
                        printed = any(isinstance(a, ir.Text) for a in step.args)
                        values = () if printed or step.span.start in but else step.args
                    elif isinstance(step, ir.Assign) and not isinstance(step.target, ir.Name):
                        values = (step.value,)
                    for value in values:
                        number = reader.value(_unsigned(value), Place(b, n))
                        if number is not None:
                            yield _named(number, texts)


def _unsigned(e: ir.Expr) -> ir.Expr:
    """Return a number without its sign: as many pages are taken away as are there."""
    match e:
        case ir.Unary("-", operand) | ir.Cast(_, operand):
            return _unsigned(operand)
    return e


def _length(pages: Extent) -> Sum | None:
    return None if pages.end is None else pages.end.plus(pages.first, -1)


def _is_among(pages: Extent, numbers: set[Sum]) -> bool:
    """Tell whether one of some numbers is the length of a range, or where it ends."""
    length = _length(pages)
    return any(n in numbers for n in (length, pages.end) if n is not None and n.terms)


def _is_plain(pages: Extent) -> bool:
    """Tell whether a loop goes over as many pages as something says, no more and no less."""
    length = _length(pages)
    if length is None or pages.first.number:
        return False
    if length.terms:
        return not length.number
    return length.number > 1 and not length.number & (length.number - 1)


def _renamed(pages: Extent | None, program: Program, id: FunctionId) -> Extent | None:
    """Return the same pages, with what is computed named by what computes it."""
    if pages is None:
        return None
    sums = [pages.first, *([] if pages.end is None else [pages.end])]
    if not any(_AT.search(name) for total in sums for name, _ in total.terms):
        return pages
    texts = _texts(program, id)
    end = None if pages.end is None else _named(pages.end, texts)
    return replace(pages, first=_named(pages.first, texts), end=end)


def _named(number: Sum, texts: dict[str, str]) -> Sum:
    found = Sum((), number.number)
    for name, n in number.terms:
        at = _AT.search(name)
        text = None if at is None else texts.get(at[1])
        spelled = name if at is None or text is None else f"{name[: at.start()]} of {text}"
        found = found.plus(Sum(((spelled, n),)))
    return found


def _texts(program: Program, id: FunctionId) -> dict[str, str]:
    """Return what a function's steps read, by where they begin."""
    unit = program.unit(id[0])
    return {
        str(step.span.start): unspaced(unit.said(step.span))
        for _, variant in program.bodies(id)
        for step in variant.steps
        if isinstance(step, ir.Call | ir.Assign)
    }
