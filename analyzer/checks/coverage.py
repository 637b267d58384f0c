"""Hold what is cleared of a range of pages against what is handed over of it.

To the analysis a range is one page: what is done to its first page, or to some, is done to it. Here
the calls that cleared a page on its way are held against the call that hands it over, in terms of
what the function is passed in which the two ways part.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.flow.domain.observe import Behaviour, Kind, Observation, Outcome
from analyzer.pages.facts import Facts
from analyzer.pages.machine import TYPE, Event, Frame, Space, Verb
from analyzer.program.defs import call_from
from analyzer.program.program import Program
from analyzer.program.reach import TURN, Reader, leads_around, leads_on, loops_at
from analyzer.program.sums import Extent, Sum, is_fraction, one

#: What is cleared where the first page of a range is not.
BEHIND_THE_FIRST = "on all but the first of the pages"
FIRST_ALONE = "on the first page only of those"
AGAIN = "on one page again and again, not on each of those"

#: The calls that lead somewhere, outermost first: each a function and an offset in its file.
Way = tuple[tuple[FunctionId, int], ...]


class Coverage:
    """Tell in one tree which pages of a range that is handed over are unmarked on the way."""

    def __init__(self, program: Program, facts: Facts, behaviour: Behaviour) -> None:
        """Take a tree's functions and what they do."""
        self._program = program
        self._facts = facts
        self._space = behaviour.space
        clears = [
            o
            for o in behaviour.observations
            if o.kind is Kind.OPERATION and is_clear(o.operation, self._space)
        ]
        late = {way_of(o) for o in clears if o.outcome is Outcome.LATE}
        self._clears = frozenset(map(way_of, clears)) - late
        self._inside: dict[FunctionId, set[Way]] = {}
        for clear in self._clears:
            for n, (id, _) in enumerate(clear):
                self._inside.setdefault(id, set()).add(clear[n:])
        # What has cleared the pages that come to the buddy clean.
        self._leading = frozenset(
            (source.owner, source.at)
            for o in behaviour.observations
            if o.is_typed_sink and o.outcome is Outcome.CLEAN
            if (source := o.page.source(TYPE)) is not None
        )

    def left(self, o: Observation) -> str | None:
        """Return in words what of a range was cleared where that is not all; "" where it is all.

        None where it cannot be told.
        """
        clear = o.page.source(TYPE)
        assert clear is not None, "asked of pages that were cleared"
        way, other = way_of(o), way_to(clear)
        part = parting(way, other)
        if part is None:
            return None
        # Of a single page the loop over the rest has no turn: what clears others of them counts.
        others = (
            w
            for call in way[part:]
            for w in self._inside.get(call[0], ())
            if w[0] != call and not self._is_aside(w[0], call)
        )
        if any(w != other[part:] for w in others):
            return None  # the rest may be cleared by another call, there or further on
        return self._left(o, way[part:], other[part:])

    def _is_aside(self, clear: tuple[FunctionId, int], call: tuple[FunctionId, int]) -> bool:
        """Tell whether from one call of a function no way leads to another in the same turn."""
        found = [
            leads_on(variant, first[0].block, then[0].block)
            for _, variant in self._program.bodies(call[0])
            if (first := call_from(variant, clear[1])) and (then := call_from(variant, call[1]))
        ]
        return bool(found) and not any(found)

    def is_begun(self, o: Observation) -> bool:
        """Tell whether who wrote a flag last has reached not all of the pages of an operation."""
        writer = o.source
        if writer is None or writer.kind != "write" or self._facts.is_initial(writer, o.page):
            return False
        way, other = way_of(o), way_to(writer)
        part = parting(way, other)
        return part is not None and bool(self._left(o, way[part:], other[part:]))

    def meets(self, o: Observation, handed: Observation) -> bool:
        """Tell whether an operation certainly reaches pages that another place hands over."""
        way, other = way_of(handed), way_of(o)
        part = parting(way, other)
        left = None if part is None else self._left(handed, way[part:], other[part:])
        return left is not None and left != AGAIN

    def is_elsewhere(self, o: Observation, functions: Collection[FunctionId]) -> bool:
        """Tell whether what is cleared in one of the functions on the way may be the page.

        No clear was seen to reach it. But one that no way leads around, or that reaches no page
        that is handed over, is for others of a range, or for this one.
        """
        found = self._elsewhere(o, functions)
        return bool(found) and not self.misses(o, functions)

    def misses(self, o: Observation, functions: Collection[FunctionId]) -> bool:
        """Tell whether what is cleared in one of the functions certainly is not all of it."""
        way, found = way_of(o), self._elsewhere(o, functions)
        if len(found) != 1:
            return False
        part, other = next(iter(found))
        return bool(self._left(o, way[part:], other))

    def _elsewhere(
        self, o: Observation, functions: Collection[FunctionId]
    ) -> frozenset[tuple[int, Way]]:
        """Return the ways to clears that were not seen to reach a page, from where they part."""
        way = way_of(o)
        return frozenset(
            (part, other[part:])
            for part in range(len(way))
            if way[part][0] in functions
            for other in self._beside(way, part)
            if other[-1] not in self._leading or not self._is_passed(way[part], other[part])
        )

    def _is_passed(self, call: tuple[FunctionId, int], clear: tuple[FunctionId, int]) -> bool:
        """Tell whether a function can come to a call around another one that clears."""
        return any(
            leads_around(variant, first[0].block, then[0].block)
            for _, variant in self._program.bodies(call[0])
            if (first := call_from(variant, clear[1])) and (then := call_from(variant, call[1]))
        )

    def _beside(self, way: Way, part: int) -> Iterator[Way]:
        """Yield the ways to clears that part from a way at a function."""
        return (w for w in self._clears if parting(way, w) == part)

    def _left(self, o: Observation, way: Way, other: Way) -> str | None:
        """Return what one way clears of what the other one hands over; both begin in a function."""
        found = {
            compared(
                self._reach(other, 0, None, variant, shared),
                self._reach(way, *self.handing(o), variant, shared),
            )
            for _, variant in self._program.bodies(way[0][0])
            for shared in (loops_at(variant, way[0][1]) & loops_at(variant, other[0][1]),)
            if call_from(variant, way[0][1]) and call_from(variant, other[0][1])
        }
        return found.pop() if len(found) == 1 else None

    def reached(
        self, way: Way, given: Observation | None = None, *, in_turn: bool = False
    ) -> Extent | None:
        """Return which pages an accessor reaches, in terms of the first function on the way to it.

        Or which somebody gives away there. None where it is not known, or another one where that
        function has several variants. What is reached in a turn may be asked, of all loops.
        """
        which = (0, None) if given is None else self.handing(given)
        found = {
            self._reach(way, *which, variant, loops_at(variant, way[0][1] if in_turn else -1))
            for _, variant in self._program.bodies(way[0][0])
            if call_from(variant, way[0][1])
        }
        return found.pop() if len(found) == 1 else None

    def is_marked_whole(self, o: Observation) -> bool:
        """Tell whether each page of a range had the type: who made it gave it, or a loop did."""
        clear = o.page.source(TYPE)
        events = [e for e in o.page.history if e.dimension in (TYPE, "") and e != clear]
        mark = events[-1] if events else None
        if mark is None or mark.kind != "write":
            return False
        if self._facts.is_initial(mark, o.page):
            return True
        op = self._space.operations.get(mark.accessor)
        if op is None or not op.is_set:
            return False
        return any(
            found is not None and found.is_range
            for _, variant in self._program.bodies(mark.owner)
            for found in (Reader(variant, self._facts, frozenset()).argument(mark.at, 0),)
        )

    def handing(self, o: Observation) -> tuple[int, tuple[int, bool] | None]:
        """Return which argument a call hands over; which says how many, and whether as a power.

        What is no hand-over is done to one page.
        """
        if o.kind is Kind.OPERATION:
            return 0, None
        sink = self._facts.sinks.get(o.operation) or self._facts.puts[o.operation]
        if sink.count is not None:
            return sink.arg, (sink.count, False)
        return sink.arg, None if sink.order is None else (sink.order, True)

    def _reach(
        self,
        way: Way,
        arg: int,
        many: tuple[int, bool] | None,
        variant: ir.Variant,
        shared: frozenset[int],
    ) -> Extent | None:
        """Return which pages the last call of a way reaches, in terms of its first function."""
        found: Extent | None = None
        for n, (id, at) in reversed(tuple(enumerate(way))):
            outermost = n == 0
            inside = [variant] if outermost else self._variants(id, at)
            if len(inside) != 1:
                return None
            reader = Reader(inside[0], self._facts, shared if outermost else frozenset())
            if n == len(way) - 1:
                found = reader.argument(at, arg)
                if found is not None and many is not None:
                    found = _times(found, reader.number(at, many[0], power=many[1]))
            elif found is not None:
                found = self._passed(found, way[n + 1][0], reader, at)
            if found is None:
                return None
        return found

    def _variants(self, id: FunctionId, at: int) -> list[ir.Variant]:
        return [v for _, v in self._program.bodies(id) if call_from(v, at)]

    def _passed(self, inner: Extent, callee: FunctionId, reader: Reader, at: int) -> Extent | None:
        """Return what a callee reaches in terms of the function that calls it."""
        values: dict[str, Sum | None] = {}
        stepped: Extent | None = None
        for function in self._program.lowered(callee)[:1]:
            for n, param in enumerate(function.params):
                values[param.name] = reader.number(at, n)
                passed = reader.argument(at, n)
                if passed is not None and passed.is_range:
                    values[param.name], stepped = passed.first, passed
        found = inner.put(values)
        if found is None or stepped is None:
            return found
        ahead = found.first.plus(stepped.first, -1)
        is_each = not _is_several(inner) and not ahead.terms and stepped.end is not None
        end = stepped.end.plus(ahead) if is_each and stepped.end is not None else None
        return replace(found, end=end, is_range=True)


def is_clear(accessor: str, space: Space) -> bool:
    """Tell whether an accessor takes the type off a page."""
    op = space.operations.get(accessor)
    return op is not None and op.dimension == TYPE and op.verb is Verb.CLEAR


def parting(way: Way, other: Way) -> int | None:
    """Return where two ways part in a function that both go through; None where they do not."""
    for n, (a, b) in enumerate(zip(way, other, strict=False)):
        if a != b:
            return n if a[0] == b[0] else None
    return None


def way_of(o: Observation) -> Way:
    """Return the calls that lead from an entry point to an observation."""
    return _way(o.stack, o.id, o.span.start)


def way_to(event: Event) -> Way:
    """Return the calls that lead from an entry point to what made a page be what it is."""
    return _way(event.chain, event.owner, event.at)


def _way(stack: Sequence[Frame], id: FunctionId, at: int) -> Way:
    return (*((f.id, f.span.start) for f in stack), (id, at))


def _times(page: Extent, many: Sum | None) -> Extent:
    """Return so many pages from a page on, where it is not stepped besides."""
    end = None if page.is_range or many is None else page.first.plus(many)
    return replace(page, end=end)


def _turns(pages: Extent) -> frozenset[str]:
    """Return which of the loops that a clear and a hand-over share move on to other pages."""
    return frozenset(name for name, _ in pages.first.terms if name.startswith(TURN))


def _is_several(pages: Extent) -> bool:
    """Tell whether there are several pages, or as many as somebody says."""
    return pages.end != one(pages.first).end and (pages.is_range or pages.end is not None)


def compared(clear: Extent | None, handed: Extent | None) -> str | None:
    """Return in words what a clear reaches of what is handed over; "" where that is all."""
    if clear is None or handed is None:
        return None
    ahead = clear.first.plus(handed.first, -1)
    if _turns(handed) and not _turns(clear):
        return AGAIN
    if ahead.terms:
        return None
    if ahead.number > 0:
        return BEHIND_THE_FIRST if clear.is_range else None
    if not _is_several(clear) and ahead == Sum() and _is_several(handed):
        return FIRST_ALONE
    if clear.end is None or handed.end is None:
        return None
    behind = handed.end.plus(clear.end, -1)
    many, all_of_them = clear.end.plus(clear.first, -1), handed.end.plus(handed.first, -1)
    if ahead == Sum() and is_fraction(many, all_of_them):
        return "on a fraction only of the pages"
    if behind.terms:
        return None
    return "on all but the last of the pages" if behind.number > 0 else ""
