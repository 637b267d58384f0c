"""Tell failures that hang on how two conditions about the same thing go together.

Who marks a page if `IS_ALIGNED(pfn, 8)` and unmarks it unless `pfn & 7` means one thing by both.
The analysis takes them for independent of each other and sees a page that is marked and stays so.
Where such a failure is gone once the way around the operation that would mend it is closed, and
pages come through where it failed, the conditions may be two names of one: that is a gap. So is
one that asks for a flag which is stored where the other has the page marked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from analyzer.base import FunctionId, Gap
from analyzer.flow.analyse import Prepared, seen_without
from analyzer.flow.asks.decisions import Decision, decisions_about
from analyzer.flow.domain.observe import Behaviour, Kind, Observation, Outcome
from analyzer.flow.run import Edge
from analyzer.pages.machine import Frame
from analyzer.program.interest import Interest
from analyzer.program.program import Program

_FAILS = frozenset({Outcome.TRAP, Outcome.LEAK, Outcome.NO_EFFECT, Outcome.FAILED})

#: What is observed from a root if some edges are never taken.
Again = Callable[[FunctionId, frozenset[Edge]], tuple[Observation, ...]]


@dataclass(frozen=True)
class Related:
    """What one tree's failures are held against: what else was seen, and what would have been."""

    behaviour: Behaviour
    program: Program
    again: Again
    gaps: dict[Gap, None] = field(default_factory=dict)  # the conditions that nobody can relate
    _known: dict[tuple[object, ...], bool] = field(default_factory=dict)

    def explain(self, o: Observation) -> bool:
        """Tell whether a failure may be one only because two conditions are not understood."""
        key = _key(o)
        if key not in self._known:
            found = self._unrelated(o)
            self._known[key] = bool(found)
            self.gaps.update((self._gap(*pair), None) for pair in found[:1])
        return self._known[key]

    def _unrelated(self, o: Observation) -> list[tuple[Decision, Decision]]:
        """Return the conditions of which it is not known how they go together, if it may be that.

        Two that decide whether the page fails, or one of these and one that decides about what
        would have kept it from that.
        """
        if not any(x.place == o.place and x.outcome not in _FAILS for x in self._seen(o)):
            return []
        deciding = self._decisions(o.stack, o.id, o.span.start)
        source = o.source
        if source is not None and source.kind == "write" and source.entry == o.root:
            writing = self._decisions(source.chain, source.owner, source.at)
            pairs = _pairs(_without(deciding, writing), _without(writing, deciding))
            if found := [(d, w) for d, w in pairs if not w.counters or d.is_past(w)]:
                return found
            deciding = [*deciding, *writing]
        found = [
            pair
            for x in self._seen(o)
            if x.kind is Kind.OPERATION and self._mends(x.operation, o)
            for mending in (self._decisions(x.stack, x.id, x.span.start),)
            for pair in (*_pairs(mending, deciding), *_told(mending, deciding))
        ]
        closed = frozenset((d.variant, d.block, to) for d, _ in found for to in d.skips)
        if not closed:
            return []
        again = [x for x in self.again(o.root, closed) if x.place == o.place]
        fails = any(x.outcome in _FAILS and _key(x) == _key(o) for x in again)
        return [] if fails or all(x.outcome in _FAILS for x in again) else found

    def _seen(self, o: Observation) -> Iterator[Observation]:
        """Yield what was seen of the same dimension from the same root."""
        for x in self.behaviour.observations:
            if x.root == o.root and x.dimension == o.dimension:
                yield x

    def _mends(self, operation: str, o: Observation) -> bool:
        """Tell whether a page for which an operation came before would not have failed."""
        operations = self.behaviour.space.operations
        if operations[operation].is_test:
            return False
        failed = operations.get(o.operation)
        return failed is None or operations[operation].is_set is not failed.is_set

    def _decisions(self, chain: Sequence[Frame], id: FunctionId, at: int) -> list[Decision]:
        return decisions_about([*((f.id, f.span.start) for f in chain), (id, at)], self.program)

    def _gap(self, *pair: Decision) -> Gap:
        one, other = sorted(pair, key=lambda d: d.span)
        (path, name), span = one.id, one.span
        detail = (
            f"whether {self._text(one)} goes together with {self._text(other)} is not known: "
            "what would be wrong only if it does not is not reported"
        )
        return Gap("condition", path, span.line, name, detail)

    def _text(self, d: Decision) -> str:
        said = self.program.unit(d.id[0]).said(d.span)
        return f"`case {said}`" if d.is_case and "=" not in said else f"`{said}`"


def related(tree: Prepared, interest: Interest, behaviour: Behaviour) -> Related:
    """Return what the failures of an analysed tree are held against."""
    again = partial(seen_without, tree, interest, behaviour.lists)
    return Related(behaviour, tree.program, again)


def _pairs(some: Sequence[Decision], others: Sequence[Decision]) -> list[tuple[Decision, Decision]]:
    return [(d, other) for d in some for other in others if d.is_about(other)]


def _without(some: Sequence[Decision], others: Sequence[Decision]) -> list[Decision]:
    """Return decisions that are not among others: who passes both ways passes what they share."""
    shared = {(d.variant, d.block) for d in others}
    return [d for d in some if (d.variant, d.block) not in shared]


def _told(some: Sequence[Decision], others: Sequence[Decision]) -> list[tuple[Decision, Decision]]:
    """Return pairs of which the other asks for a flag stored under the one, innermost first."""
    return [
        (d, other)
        for d in reversed(some)
        for other in others
        if d is not other and other.is_told_by(d)
    ]


def _key(o: Observation) -> tuple[object, ...]:
    """Return what is the same for the failures of a place that have the same cause."""
    source = o.source
    return (*o.place, o.kind, None if source is None else (source.owner, source.at))
