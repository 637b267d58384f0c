"""Trace what comes into a function to its callers, whose files are read as they are asked for."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from analyzer.audit.provenance import Sources, Values
from analyzer.audit.sources import Source, Spot
from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.program.defs import call_at, calls_of, variable
from analyzer.tree.words import files_of

#: How many calls are followed outwards, and inwards to what a callee returns.
_DEPTH = 7
#: How often files of callers are searched for: that reads the text of the whole tree.
_SEARCHES = 2
#: Functions that are called from more places than this are not followed outwards.
_MANY = 40


class Wish(NamedTuple):
    """A function, the offset of a name in it, which argument is asked for, and whether a page."""

    id: FunctionId
    start: int
    argument: int
    is_page: bool


@dataclass
class Tracer(Values):
    """Trace pages backwards through one tree. Callers that were not read yet are in wanted."""

    wanted: dict[str, None] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    _params: dict[tuple[FunctionId, str, bool, bool], Sources] = field(default_factory=dict)

    def page_at(self, wish: Wish) -> Sources:
        """Return where the page comes from that the call at an offset is handed.

        It may be handed a frame number or an address.
        """
        found: set[Source] = set()
        for function in self.program.lowered(wish.id):
            for variant in function.variants:
                at = call_at(variant, wish.start)
                if at is not None and wish.argument < len(at[1].args):
                    spot = Spot(function, variant, at[0], _DEPTH, is_page=wish.is_page)
                    found |= self.of(at[1].args[wish.argument], spot)
        return frozenset(found)

    def forget(self) -> None:
        """Forget what was traced, because more callers are known now."""
        self._params.clear()
        self._locals.clear()
        self.wanted.clear()

    def param(self, at: Spot, name: str) -> Sources:
        """Return the sources of what a function's callers pass for a parameter."""
        key = (at.id, name, at.walked, at.is_page)
        if key not in self._params:
            self._params[key] = frozenset()  # a function that calls itself adds nothing
            self._params[key] = self._passed(at, name)
        return self._params[key]

    def _passed(self, at: Spot, name: str) -> Sources:
        function = at.function
        if function.name in self.known.handed:
            return at.told(self.known.handed[function.name], f"{function.name}() is handed it")
        if self.is_early(at.id):
            return at.told("boot", f"{function.name}() runs early")
        index = next(n for n, p in enumerate(function.params) if p.name == name)
        found: set[Source] = set()
        if at.depth > 0:
            for caller in self.callers(at.id, is_static=function.static):
                found |= self._from(caller, at, index)
            found |= self._called_back(at)
        if not found:
            found |= at.unknown(f"who calls {function.name}() is not known")
        return self.narrowed(frozenset(found), at)

    def callers(self, id: FunctionId, *, is_static: bool) -> tuple[FunctionId, ...]:
        """Return the functions that call one; ask for them where it is global."""
        name = id[1]
        if not is_static and name not in self.asked:
            self.wanted.setdefault(name)
        found = {c for c in self.program.calling(name) if c != id and self.program.visible(c, id)}
        return tuple(sorted(found))[:_MANY]

    def _from(self, caller: FunctionId, callee: Spot, index: int) -> Sources:
        """Return the sources of one argument of every call in a caller."""
        found: set[Source] = set()
        for function in self.program.lowered(caller):
            for variant in function.variants:
                for place, call in calls_of(variant):
                    if call.callee == ir.Name(callee.function.name) and index < len(call.args):
                        spot = callee.inside(function, variant, place)
                        found |= self.of(call.args[index], spot)
        return frozenset(found)

    def _called_back(self, at: Spot) -> Sources:
        """Return the sources of what is walked by those whom the function is passed to."""
        name = at.function.name
        unit = self.program.unit(at.function.path)
        needle = name.encode()
        mention = re.compile(rb"[(,]\s*&?" + needle + rb"\s*[,)]")
        found: set[Source] = set()
        for definitions in unit.definitions.values():
            for d in definitions:
                if unit.flat.find(needle, d.body, d.span.end) < 0:
                    continue
                if not mention.search(unit.flat, d.body, d.span.end):
                    continue
                for function in self.program.lowered((unit.path, d.name)):
                    for variant in function.variants:
                        for place, call in calls_of(variant):
                            if any(variable(a) == name for a in call.args[1:]):
                                spot = at.inside(function, variant, place).number
                                found |= self.of(call.args[0], spot)
        return frozenset(found)

    def is_early(self, id: FunctionId, depth: int = 3) -> bool:
        """Tell whether a function runs only before memory can be added."""
        if id[1] in self.known.early:
            return True
        functions = self.program.lowered(id)
        heads = self.program.heads(id)
        if depth == 0 or not any(b"__init" in h or b"__meminit" in h for h in heads):
            return False
        callers = self.callers(id, is_static=functions[0].static)
        return bool(callers) and all(self.is_early(c, depth - 1) for c in callers)


def trace_all(tracer: Tracer, wishes: Iterable[Wish]) -> dict[tuple[FunctionId, int], Sources]:
    """Trace every wish, reading the files of callers until no more are asked for."""
    todo = list(wishes)
    found = {(w.id, w.start): tracer.page_at(w) for w in todo}
    for _ in range(_SEARCHES):
        wanted = [n for n in tracer.wanted if n not in tracer.asked]
        if not wanted:
            break
        tracer.asked.update(wanted)
        places = files_of(wanted, tracer.program.search(wanted)).values()
        tracer.program.add(p for paths in places if len(paths) <= _MANY for p in paths)
        tracer.forget()
        found = {(w.id, w.start): tracer.page_at(w) for w in todo}
    return found
