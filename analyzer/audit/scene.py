"""Hold what every verdict is drawn from: one tree, its uses, its flow, and what moves."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from analyzer.audit.callers import Tracer
from analyzer.audit.moved import Shift
from analyzer.audit.names import Names
from analyzer.audit.sources import Source
from analyzer.audit.uses import Use
from analyzer.c import ir
from analyzer.compare import guards_of
from analyzer.flow.observe import Behaviour, Observation
from analyzer.flow.program import FunctionId, Program
from analyzer.migrations import Described
from analyzer.pages.facts import Facts
from analyzer.pages.machine import Space
from analyzer.pages.provenance import Part, Provenance
from analyzer.tree import Read
from analyzer.ways.defs import Place, call_at, calls_of
from analyzer.ways.walk import World
from analyzer.ways.ways import Ways, ways_of

#: How far up the callers what excludes a population is looked for.
_CLIMB = 5

#: In the types of what is a page.
_PAGES = ("page", "folio", "ptdesc")
_ASSIGNED = re.compile(rb"(\w+)\s*=\s*\Z")

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
        return tuple(
            o
            for o in self.behaviour.observations
            if o.operation == use.name.word and (use.file, use.function) in o.chain
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
    cut: str = ""  # what ran out before all pages were followed
    sources: dict[Spot, frozenset[Source]] = field(default_factory=dict)
    _ways: dict[tuple[str, int, str], Ways | None] = field(default_factory=dict)
    _architectures: dict[tuple[str, str], bool] = field(default_factory=dict)

    def world(self, path: str) -> World:
        """Return what calls in a file mean to a page."""
        touching = frozenset(n.word for n in self.names.values() if n.verb != "names")
        small = functools.partial(self.small, path)
        return World(self.space, self.facts, touching, self.known.pure, self.known.typed, small)

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

    def _small(self, path: str, name: str) -> FunctionId | None:
        """Return the static function of a file, or of the headers that were read, with a name."""
        ids = self.program.resolve(name, path) if self.program.has(path) else ()
        found = self.program.unit(ids[0][0]).definitions.get(name, ()) if ids else ()
        return ids[0] if len(found) == 1 and found[0].static else None

    def relevant(self, use: Use) -> tuple[Shift, ...]:
        """Return the populations for whose pages the flag of a use is another now."""
        return tuple(s for s in self.shifts if s.changes(use.name.label))

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
        for _, variant, place, call in self.places(use):
            if argument >= len(call.args):
                return None
            states = (shift.before, shift.after)
            ways = ways_of(variant, place, call.args[argument], states, values, world)
            if ways is None:
                return None
            both += ways
        return both if both.pairs else None

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

    # -- what tells a part of a population apart ----------------------------------------------

    def guard_of(self, use: Use, part: Part) -> str:
        """Return a test that every way to a use passes and that a part's pages fail."""
        return self._value_guard(use, part) or self._guard(
            (use.file, use.function), use.span.start, part, _CLIMB, frozenset()
        )

    def _value_guard(self, use: Use, part: Part) -> str:
        """Return a variable that must be NULL at a use and is not for a part's pages."""
        guarded = []
        for function, variant, place, _ in self.places(use):
            typed = {**{p.name: p.type for p in function.params}, **variant.locals}
            names = [n for n, t in typed.items() if any(w in t for w in part.excluded_where)]
            held = guards_of(variant)[place.block]
            guarded.append(next((n for n in names if (repr(ir.Name(n)), False) in held), ""))
        return f"{guarded[0]} is NULL here" if guarded and all(guarded) else ""

    def rechecked(self, id: FunctionId, depth: int = 6) -> str:
        """Return a call that comes after every use of a function and decides for itself."""
        called = self.program.called(id)
        if found := self.known.recheck & called:
            return min(found)
        functions = self.program.lowered(id)
        if depth == 0 or not functions:
            return ""
        above = self.tracer.callers(id, is_static=functions[0].static)
        found_above = [self.rechecked(c, depth - 1) for c in above if c != id]
        return found_above[0] if found_above and all(found_above) else ""

    def _guard(
        self, id: FunctionId, at: int, part: Part, depth: int, seen: frozenset[FunctionId]
    ) -> str:
        """Return a test that stands before an offset in a function, or before each call of it."""
        tests = part.excluded_by & self.program.called(id)  # seldom any: the body need not be read
        for function in self.program.lowered(id) if tests else ():
            for variant in function.variants:
                for _, call in calls_of(variant):
                    callee = call.callee.id if isinstance(call.callee, ir.Name) else ""
                    if callee in part.excluded_by and call.span.start < at:
                        return f"{callee}() in {id[1]}()"
        if depth == 0:
            return ""
        guards = [
            self._guard(c, self._call_of(c, id), part, depth - 1, seen | {id})
            for c in self._above(id)
            if c not in seen
        ]
        return guards[0] if guards and all(guards) else ""

    def _call_of(self, caller: FunctionId, callee: FunctionId) -> int:
        """Return where a caller calls a function; its end where it only mentions it."""
        functions = self.program.lowered(caller)
        calls = [
            call.span.start
            for function in functions
            for variant in function.variants
            for _, call in calls_of(variant)
            if call.callee == ir.Name(callee[1])
        ]
        return min(calls, default=max((f.span.end for f in functions), default=0))

    def _above(self, id: FunctionId) -> tuple[FunctionId, ...]:
        """Return the callers of a function, or who uses the table that it stands in."""
        functions = self.program.lowered(id)
        static = bool(functions) and functions[0].static
        callers = self.tracer.callers(id, is_static=static)
        return callers or tuple(self._users_of_table(id))

    def _users_of_table(self, id: FunctionId) -> Iterator[FunctionId]:
        unit = self.program.unit(id[0])
        table = _table_around(unit.flat, id[1].encode())
        if not table:
            return
        word = re.compile(rb"\b" + table + rb"\b")
        for found in unit.definitions.values():
            for d in found:
                if word.search(unit.flat, d.body, d.span.end):
                    yield (id[0], d.name)


def _table_around(flat: bytes, name: bytes) -> bytes:
    """Return the variable whose initialiser names a function first; nothing where none does."""
    for m in re.finditer(rb"\b" + name + rb"\b", flat):
        brace = max(flat.rfind(b"{", 0, m.start()), flat.rfind(b"}", 0, m.start()))
        if brace >= 0 and flat[brace : brace + 1] == b"{":
            begin = max(flat.rfind(b";", 0, brace), flat.rfind(b"}", 0, brace)) + 1
            table = _ASSIGNED.search(flat, begin, brace)
            if table is not None:
                return table[1]
    return b""
