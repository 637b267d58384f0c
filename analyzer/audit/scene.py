"""Hold what every verdict is drawn from: one tree, its uses, its flow, and what moves."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from analyzer.audit.callers import Tracer
from analyzer.audit.moved import Shift
from analyzer.audit.names import Names
from analyzer.audit.sources import Source
from analyzer.audit.uses import Use
from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.flow.domain.observe import Behaviour, Observation
from analyzer.migrations import Described
from analyzer.pages.facts import Facts
from analyzer.pages.machine import TYPE, Space, Verb
from analyzer.pages.provenance import Provenance
from analyzer.program.defs import Place, call_at, calls_of
from analyzer.program.program import Program
from analyzer.tree import Read
from analyzer.ways.walk import World
from analyzer.ways.ways import Share, Ways, shares_of, ways_of

#: In the types of what is a page.
_PAGES = ("page", "folio", "ptdesc")

#: Where something happens: file and byte offset.
Spot = tuple[str, int]


@dataclass(frozen=True)
class Flow:
    """What was observed of pages, by the place of an operation or of a call on the way to it."""

    seen: Mapping[Spot, tuple[Observation, ...]]
    behaviour: Behaviour
    exact: bool = True

    @classmethod
    def of(cls, behaviour: Behaviour, *, exact: bool = True) -> Flow:
        """Sort observations by place; where the text is another tree's, by function."""
        seen: dict[Spot, dict[Observation, None]] = {}
        for o in behaviour.observations:
            seen.setdefault((o.path, o.span.start), {})[o] = None
            for frame in o.stack:
                seen.setdefault((frame.path, frame.span.start), {})[o] = None
        return cls({spot: tuple(found) for spot, found in seen.items()}, behaviour, exact)

    def at(self, use: Use) -> tuple[Observation, ...]:
        """Return what happened at a use or, through a call, behind it."""
        if self.exact:
            return self.seen.get((use.file, use.span.start), ())
        word, id = use.name.word, (use.file, use.function)
        return tuple(
            o
            for o in self.behaviour.observations
            if id in o.chain and (o.operation == word or any(name == word for _, name in o.chain))
        )


@dataclass
class Scene:
    """One tree under audit."""

    program: Program
    read: Read
    space: Space
    facts: Facts
    known: Provenance
    migration: Described
    names: Names
    shifts: tuple[Shift, ...]
    after: Flow  # pages start as the migration wants them
    before: Flow  # pages start as they did
    is_in: bool  # the tree starts them so by itself
    tracer: Tracer
    is_ahead: bool = False  # not so, and in after they start as the tree has it all the same
    cut: str = ""  # what ran out before all pages were followed
    sources: dict[Spot, frozenset[Source]] = field(default_factory=dict)
    _ways: dict[tuple[str, int, str], Ways | None] = field(default_factory=dict)
    _shares: dict[tuple[str, int, str], tuple[Share, ...] | None] = field(default_factory=dict)
    _architectures: dict[tuple[str, str], bool] = field(default_factory=dict)

    def world(self, path: str) -> World:
        """Return what calls in a file mean to a page."""
        touching = frozenset(n.word for n in self.names.values() if n.verb != "names")
        small = functools.partial(self.small, path)
        known = self.known
        return World(
            self.space, self.facts, touching, known.pure, known.typed, known.printing, small
        )

    def named(self, use: Use) -> frozenset[str]:
        """Return what a function calls, and what the static functions that it calls call for it."""
        todo, found = [(use.file, use.function)], set[str]()
        while todo:
            id = todo.pop()
            new = self.program.called(id) - found
            found |= new
            todo += [small for n in sorted(new) if (small := self._small(id[0], n)) is not None]
        return frozenset(found)

    def small(self, path: str, name: str) -> ir.Function | None:
        """Return the static function that a name means in a file, if there is just one."""
        id = self._small(path, name)
        found = () if id is None else self.program.lowered(id)
        return found[0] if len(found) == 1 else None

    def frees(self, path: str, name: str) -> bool:
        """Tell whether a call gives a page back: it, or all that a static function calls, does."""
        if name in self.known.free:
            return True
        id = self._small(path, name)
        called = frozenset[str]() if id is None else self.program.called(id)
        return bool(called) and called <= self.known.free

    def _small(self, path: str, name: str) -> FunctionId | None:
        """Return the static function of a file, or of the headers that were read, with a name."""
        ids = self.program.resolve(name, path) if self.program.has(path) else ()
        found = self.program.unit(ids[0][0]).definitions.get(name, ()) if ids else ()
        return ids[0] if len(found) == 1 and found[0].static else None

    def relevant(self, use: Use) -> tuple[Shift, ...]:
        """Return the populations for whose pages the flag of a use is another now."""
        return tuple(s for s in self.shifts if s.changes(use.name.label))

    def unfreed(self, use: Use) -> str:
        """Say why nobody gives pages to the allocator whose flag of a use is another now.

        Return nothing where somebody has such pages, and may free them.
        """
        why = [self.known.unfreed.get(s.population, "") for s in self.relevant(use)]
        return why[0] if why and all(why) else ""

    def is_followed(self, shift: Shift) -> bool:
        """Tell whether pages of a population were seen where they are made or handed on."""
        return any(True for _ in self.after.behaviour.births(shift.population))

    def handed(self, use: Use) -> tuple[int, bool]:
        """Return which argument of a use says what it is applied to, and whether that is a page.

        Else it is a frame number or an address.
        """
        if use.name.word in self.space.operations:
            return 0, True
        ids = self.program.resolve(use.name.word, "")
        heads = [f.params for id in ids for f in self.program.lowered(id) if f.params]
        for params in heads:
            for n, param in enumerate(params):
                if any(t in param.type for t in _PAGES):
                    return n, True
        return 0, not heads

    def places(self, use: Use) -> Iterator[tuple[ir.Function, ir.Variant, Place, ir.Call]]:
        """Yield where a use stands in the lowered function, once for each variant."""
        for function in self.program.lowered((use.file, use.function)):
            for variant in function.variants:
                found = call_at(variant, use.span.start)
                if found is not None:
                    yield function, variant, *found

    def ways(self, use: Use, shift: Shift) -> Ways | None:
        """Return what happens to a page before and after; None where it cannot be followed."""
        key = (use.file, use.span.start, shift.population)
        if key not in self._ways:
            self._ways[key] = self._follow(use, shift)
        return self._ways[key]

    def _follow(self, use: Use, shift: Shift) -> Ways | None:
        values = self.known.fresh.get(shift.population, {})
        both = Ways(())
        argument, _ = self.handed(use)
        world = self.world(use.file)
        for function, variant, place, call in self.places(use):
            if argument >= len(call.args):
                return None
            states = (shift.before, shift.after)
            ways = ways_of(function, variant, place, call.args[argument], states, values, world)
            if ways is None:
                return None
            both += ways
        return both if both.pairs else None

    def shares(self, use: Use, shift: Shift) -> tuple[Share, ...] | None:
        """Return what of the ways' differences the answer of a use makes; None where it has none.

        Only an accessor that tests has an answer that follows from a page's state.
        """
        key = (use.file, use.span.start, shift.population)
        if key not in self._shares:
            self._shares[key] = self._shared(use, shift)
        return self._shares[key]

    def _shared(self, use: Use, shift: Shift) -> tuple[Share, ...] | None:
        op = self.space.operations.get(use.name.word)
        if op is None or op.verb is not Verb.TEST:
            return None
        values, world = self.known.fresh.get(shift.population, {}), self.world(use.file)
        states = (shift.before, shift.after)
        found: list[Share] | None = None
        for function, variant, place, call in self.places(use):
            if call.callee == ir.Name(op.name) and call.args:
                if self._is_alone(use, shift, variant):
                    continue  # the whole difference is its own
                shares = shares_of(function, variant, place, call, states, values, world)
                found = [*(found or ()), *shares]
        return None if found is None else tuple(found)

    def _is_alone(self, use: Use, shift: Shift, variant: ir.Variant) -> bool:
        """Tell whether nothing else in a function, or in what it calls, goes by what has moved."""
        operations = self.space.operations
        telling = {
            op.name
            for op in operations.values()
            if shift.changes(op.label) or (op.verb is not Verb.TEST and op.dimension == TYPE)
        }
        wrappers = {n.word for n in self.names.values() if n.verb != "names"} - operations.keys()
        telling |= self.known.typed | wrappers
        callees = [c.callee.id for _, c in calls_of(variant) if isinstance(c.callee, ir.Name)]
        helpers = self.named(use) - set(callees)
        return telling.isdisjoint(helpers) and [n for n in callees if n in telling] == [
            use.name.word
        ]

    # -- what a population cannot do without --------------------------------------------------

    def excluded(self, use: Use, shifts: Iterable[Shift]) -> str:
        """Return why the use is never built where the populations are; nothing where it may be."""
        wanted = {s.population for s in shifts}
        for need in self.known.needs:
            if not wanted <= need.populations:
                continue
            if need.arch and use.file.startswith("arch/"):
                name = use.file.split("/")[1]
                if not self._selects(name, need.arch):
                    return f"{name} never has such pages: its Kconfig does not select {need.arch}"
            for symbol in sorted(need.without & self._conditions(use)):
                return f"built with {symbol} only, where there are no such pages"
        return ""

    def _selects(self, architecture: str, symbol: str) -> bool:
        key = (architecture, symbol)
        if key not in self._architectures:
            text = self.read(f"arch/{architecture}/Kconfig")
            self._architectures[key] = text is None or symbol.encode() in text
        return self._architectures[key]

    def _conditions(self, use: Use) -> frozenset[str]:
        """Return the symbols that are set in every variant in which a use stands."""
        built = {s for s, held in self.program.built_with(use.file) if held}
        unit = self.program.unit(use.file)
        built |= {s for s, held in unit.conditions.at(use.span.start) if held}
        found = [
            {s for s, held in (*function.conditions, *variant.conditions) if held}
            for function, variant, _, _ in self.places(use)
        ]
        return frozenset(built | (set.intersection(*found) if found else set()))

    # -- what comes after a use ---------------------------------------------------------------

    def rechecked(self, id: FunctionId, depth: int = 6) -> str:
        """Return a call that comes after every use of a function and decides for itself."""
        called = self.program.called(id)
        helpers = (h for n in called for h in self.program.resolve(n, id[0]) if h[0] == id[0])
        if found := self.known.recheck & called.union(*map(self.program.called, helpers)):
            return min(found)
        functions = self.program.lowered(id)
        if depth == 0 or not functions:
            return ""
        above = self.tracer.callers(id, is_static=functions[0].static)
        found_above = [self.rechecked(c, depth - 1) for c in above if c != id]
        return found_above[0] if found_above and all(found_above) else ""
