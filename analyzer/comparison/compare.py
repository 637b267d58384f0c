"""Set two trees' behaviours side by side: what changed in functions, what fails newly."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from analyzer.base import FunctionId, Gap, Pair, unspaced
from analyzer.c import ir
from analyzer.comparison.guards import GuardedCall, guarded_calls, signature
from analyzer.comparison.mixed import as_text, doubtful, is_kept
from analyzer.comparison.related import Related, related
from analyzer.findings import Step
from analyzer.flow.analyse import Prepared
from analyzer.flow.domain.observe import Behaviour, Kind, Observation, Outcome, unmarks_unknown
from analyzer.migrations import Described
from analyzer.pages.facts import Facts
from analyzer.pages.machine import TYPE, UNTYPED, Frame, Operation, Space
from analyzer.program.interest import Interest
from analyzer.program.program import Program


@dataclass(frozen=True, slots=True)
class Failure:
    """An observation that must not be, and the rule that it breaks as things stand."""

    rule: str
    seen: Observation
    definite: bool = True
    because: str = ""  # what a described migration says of it
    says: str = ""  # the message, where the rule alone does not give it
    steps: tuple[Step, ...] = ()  # the trace, where the observation alone does not give it
    lost: str = ""  # the label that was taken off before and is not now, where it is one
    less: str = ""  # what is done to fewer pages than before, where that is all that is said
    by_hand: bool = False  # to guard the operation or to drop it would hide the mistake

    @property
    def key(self) -> object:
        """Return what makes two failures the same, whatever their lines."""
        o = self.seen
        return (
            self.rule, o.path, o.function, unspaced(o.text), o.dimension, o.page.population,
        )  # fmt: skip


@dataclass(frozen=True)
class Sides:
    """Both trees' programs and behaviours."""

    programs: Pair[Program]
    behaviours: Pair[Behaviour]
    facts: Facts
    described: tuple[Described, ...] = ()
    related: Pair[Related] | None = None

    @staticmethod
    def of(
        prepared: Pair[Prepared],
        found: tuple[Interest, Pair[Behaviour]],
        facts: Facts,
        described: tuple[Described, ...] = (),
    ) -> Sides:
        """Return both trees as they were read, with what matters in them and how they behave."""
        interest, b = found
        kin = Pair(
            related(prepared.before, interest, b.before), related(prepared.after, interest, b.after)
        )
        return Sides(prepared.map(lambda p: p.program), b, facts, described, kin)

    @property
    def doubts(self) -> tuple[Gap, ...]:
        """Return which conditions nobody could relate, so that what hangs on them is not told."""
        return () if self.related is None else tuple(self.related.after.gaps)

    @property
    def swapped(self) -> Sides:
        """Return the sides for the reverse patch."""
        return replace(
            self,
            programs=self.programs.swapped,
            behaviours=self.behaviours.swapped,
            related=self.related and self.related.swapped,
        )

    @cached_property
    def _changed(self) -> dict[tuple[FunctionId, str], bool]:
        return {}

    def is_doubtful(self, o: Observation) -> bool:
        """Tell whether a page that fails may be known apart from others, or is on no path."""
        return self._is_mixed(o) or (self.related is not None and self.related.after.explain(o))

    @cached_property
    def _is_mixed(self) -> Callable[[Observation], bool]:
        return doubtful(self.behaviours)

    @cached_property
    def _core(self) -> frozenset[str]:
        """Return the folders in which the origins of populations stand."""
        return frozenset(
            posixpath.dirname(path)
            for name in self.facts.origins
            for path, _ in self.programs.after.resolve(name, "")
        )

    def is_core(self, path: str) -> bool:
        """Tell whether a file stands beside those that make pages."""
        return posixpath.dirname(path) in self._core

    def is_new(self, id: FunctionId) -> bool:
        """Tell whether the patch has added a function."""
        return not self.programs.before.lowered(id)

    def is_gone(self, id: FunctionId) -> bool:
        """Tell whether the patch has taken a function away."""
        return not self.programs.after.lowered(id)

    @cached_property
    def edited(self) -> frozenset[FunctionId]:
        """Return the functions of both trees that read otherwise than before."""
        before, after = self.programs.before, self.programs.after
        return frozenset(
            (path, name)
            for path in after.paths
            if before.has(path) and before.unit(path) is not after.unit(path)
            for name in before.unit(path).definitions.keys() & after.unit(path).definitions.keys()
            if self.is_edited((path, name))
        )

    def done_in(
        self, path: str, program: Program
    ) -> Iterator[tuple[Operation, FunctionId, Collection[int]]]:
        """Yield the operations that functions of a file call, with the offsets of the calls."""
        ops = self.behaviours.after.space.operations
        for name in program.unit(path).definitions if program.has(path) else ():
            if not ops.keys().isdisjoint(program.called((path, name))):
                for callee, at in program.calls((path, name)).items():
                    if (op := ops.get(callee)) is not None:
                        yield op, (path, name), at

    def is_edited(self, id: FunctionId) -> bool:
        """Tell whether a function reads otherwise than before, or is new in its file."""
        before, after = self.programs.before, self.programs.after
        if not before.has(id[0]) or before.unit(id[0]) is after.unit(id[0]):
            return False
        return _text(before, id) != _text(after, id)

    def is_changed(self, id: FunctionId, dimension: str) -> bool:
        """Tell whether the patch changed what a function does to a dimension."""
        key = (id, dimension)
        if key not in self._changed:
            space = self.behaviours.after.space
            before = signature(self.programs.before, id, space, dimension)
            after = signature(self.programs.after, id, space, dimension)
            self._changed[key] = before != after
        return self._changed[key]

    def touches(self, id: FunctionId) -> bool:
        """Tell whether the patch changed what a function does to any tracked dimension."""
        return any(self.is_changed(id, d) for d in (TYPE, *self.facts.flags))

    def touches_flags(self, id: FunctionId) -> bool:
        """Tell whether the patch changed what a function does to any flag of a page at all."""
        space = self.behaviours.after.space
        dimensions = {
            op.dimension
            for program in (self.programs.before, self.programs.after)
            for name in program.called(id)
            if (op := space.operations.get(name)) is not None
        }
        return any(self.is_changed(id, d) for d in sorted(dimensions))

    def drops_call(self, caller: FunctionId, text: str) -> bool:
        """Tell whether a call that a function made before is not in it any more."""
        flat = unspaced(text)
        return flat not in _calls(self.programs.after, caller)

    def new_calls(self, path: str) -> frozenset[str]:
        """Return what the functions of a file call with other words than before, by name."""
        after, before = self.programs.after, self.programs.before
        return frozenset(
            text.partition("(")[0]
            for id in after.functions()
            if id[0] == path
            for text in _calls(after, id) - _calls(before, id)
        )

    def call_inverted(self, frame: Frame) -> bool:
        """Tell whether the patch made a call where it was not made before, and the reverse.

        The same call stood under the same conditions, and one of them is the other way round.
        """
        before = guarded_calls(self.programs.before, frame.id)
        for call in self._made(frame):
            rivals = [other.guards for other in before if other.same == call.same]
            texts = {text for text, _ in call.guards}
            turned = any({text for text, _ in guards} == texts for guards in rivals)
            if turned and call.guards not in rivals:
                return True
        return False

    def terms_changed(self, frame: Frame) -> bool:
        """Tell whether a call with these arguments was made before, and never under its guards."""
        before = guarded_calls(self.programs.before, frame.id)
        for call in self._made(frame):
            rivals = [other.guards for other in before if other.same == call.same]
            return bool(rivals) and call.guards not in rivals
        return False

    def call_changed(self, frame: Frame) -> bool:
        """Tell whether the patch gave a call other arguments under the same guards."""
        before = guarded_calls(self.programs.before, frame.id)
        for call in self._made(frame):
            rivals = {o.args for o in before if (o.name, o.guards) == (call.name, call.guards)}
            fits = any(len(args) == len(call.args) for args in rivals)
            if fits and call.args not in rivals:
                return True
        return False

    def _made(self, frame: Frame) -> Iterator[GuardedCall]:
        """Yield the call of a frame of the tree after, once for each variant that makes it."""
        for call in guarded_calls(self.programs.after, frame.id):
            if call.at == frame.span.start:
                yield call


def _calls(program: Program, id: FunctionId) -> frozenset[str]:
    """Return the texts of a function's calls, without blanks."""
    if not program.has(id[0]):
        return frozenset()
    unit = program.unit(id[0])
    return frozenset(
        unspaced(unit.said(step.span))
        for _, variant in program.bodies(id)
        for step in variant.steps
        if isinstance(step, ir.Call)
    )


def _text(program: Program, id: FunctionId) -> tuple[bytes, ...]:
    unit = program.unit(id[0])
    return tuple(unit.code[d.span.start : d.span.end] for d in unit.definitions.get(id[1], ()))


Detect = Callable[[Behaviour], Iterable[Failure]]


def trapped(behaviour: Behaviour) -> Iterable[Failure]:
    """Yield operations that trap, by what they try to do."""
    for o, op in behaviour.operations():
        if o.outcome is Outcome.TRAP:
            yield Failure("double-set" if op.verb == "set" else "double-clear", o)


def leaked(behaviour: Behaviour) -> Iterable[Failure]:
    """Yield pages handed to the buddy in a state in which it must not have them.

    Not a page from a list or a structure where the files beside the entry point that free it also
    unmark pages of which nothing is known, or what they call does: that may have been one of them,
    unless they free what they unmark at once.
    """
    unmarked = _unmarked(_unmarking(behaviour), behaviour.space)
    return (Failure("leak-to-buddy", o) for o in _leaks(behaviour) if not _excused(o, unmarked))


def spoiled(sides: Sides) -> Iterable[Failure]:
    """Yield pages from a list that are handed to the buddy marked, and came there unmarked before.

    Whoever unmarks pages of which nothing is known did so before as well, and not to these.
    """
    before, after = sides.behaviours.before, sides.behaviours.after
    clean = {
        as_text(o)
        for o in before.observations
        if o.is_typed_sink
        and o.outcome is Outcome.CLEAN
        and (source := o.page.source(TYPE)) is not None
        and source.kind == "write"
    }
    clean -= {as_text(o) for o in _leaks(before)}
    known = {(as_text(o), o.chain) for o in _unmarking(before)}
    old = [o for o in _unmarking(after) if (as_text(o), o.chain) in known]
    new = [o for o in _unmarking(after) if (as_text(o), o.chain) not in known]
    unmarked, newly = (_unmarked(found, after.space) for found in ((*old, *new), new))
    for o in _leaks(after):
        spoilt = _excused(o, unmarked) and as_text(o) in clean and not _excused(o, newly)
        if spoilt and not sides.is_doubtful(o):
            yield Failure("leak-to-buddy", o)


def _unmarking(behaviour: Behaviour) -> Iterator[Observation]:
    """Yield where the type is taken off pages of which nothing is known."""
    for o in behaviour.observations:
        is_freed = (*o.id, o.span.start) in behaviour.freed_next
        if unmarks_unknown(o, behaviour.space) and not is_freed:
            yield o


def _unmarked(observations: Iterable[Observation], space: Space) -> Mapping[str, int]:
    """Return the files on the way to observations, and the types that are taken off there."""
    found: dict[str, int] = {}
    for o in observations:
        types = space.holding(space.operations[o.operation].label) or space.every
        found.update((path, found.get(path, 0) | types) for path, _ in o.chain)
    return found


def _excused(leak: Observation, unmarked: Mapping[str, int]) -> bool:
    """Tell whether a page that was kept may have been unmarked meanwhile, by files that do so."""
    if not is_kept(leak):
        return False
    types = [unmarked[path] for path in _beside_root(leak) if path in unmarked]
    return any(leak.dimension != TYPE or leak.page.types & t for t in types)


def _leaks(behaviour: Behaviour) -> Iterator[Observation]:
    """Yield where pages are handed to the buddy with what it must not have."""
    for o in behaviour.observations:
        if o.kind is Kind.SINK and o.outcome is Outcome.LEAK:
            yield o


def _beside_root(o: Observation) -> frozenset[str]:
    """Return the files on the way to an observation that stand beside its entry point."""
    folder = posixpath.dirname(o.root[0])
    return frozenset(path for path, _ in o.chain if posixpath.dirname(path) == folder)


def asserted(behaviour: Behaviour) -> Iterable[Failure]:
    """Yield assertions about a page that fail."""
    for o in behaviour.observations:
        if o.kind is Kind.CHECK:
            yield Failure("contract-mismatch", o)


def redundant(behaviour: Behaviour) -> Iterable[Failure]:
    """Yield operations on a page's type that change nothing and do not trap."""
    for o, op in behaviour.operations():
        idle = o.outcome is Outcome.NO_EFFECT and o.dimension == TYPE
        if idle and _is_told(o, op, behaviour.space):
            yield Failure("redundant-op", o)


def _is_told(o: Observation, op: Operation, space: Space) -> bool:
    """Tell whether the type that an operation finds is known to be its own, or none at all.

    Of the types that are not told apart only the one that set it says which it is.
    """
    if space.tells(op.label) or o.page.types == UNTYPED:
        return True
    source = o.page.source(TYPE)
    writer = None if source is None else space.operations.get(source.accessor)
    return writer is not None and writer.label == op.label


def introduced(sides: Sides, detect: Detect) -> tuple[Failure, ...]:
    """Return what fails after and did not before, compared without lines."""
    known = {f.key for f in detect(sides.behaviours.before)}
    return tuple(f for f in certain(sides, detect) if f.key not in known)


def certain(sides: Sides, detect: Detect) -> tuple[Failure, ...]:
    """Return what fails after, but for pages that may be known apart from others."""
    return tuple(f for f in detect(sides.behaviours.after) if not sides.is_doubtful(f.seen))
