"""Find where names lead from functions: to what they call, and to what is called through a name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

from analyzer.base import FunctionId
from analyzer.flow.domain.activation import types_of
from analyzer.idle.edits import identifiers
from analyzer.pages.aside import is_harmless
from analyzer.pages.facts import Facts
from analyzer.program.callers import called_through, registrars
from analyzer.program.chains import in_chain
from analyzer.program.program import Program


class Leads:
    """Know of each function of one tree where the names in it lead; whoever asks twice is told so.

    No walk comes to a function that is not among them, but for those that nobody has read.
    """

    def __init__(self, program: Program, facts: Facts) -> None:
        self._program, self._facts = program, facts
        self._held = _held_in_slots(program)
        self._near: dict[FunctionId, frozenset[FunctionId]] = {}
        self._far: dict[FunctionId, frozenset[FunctionId] | None] = {}

    def near(self, ids: Iterable[FunctionId]) -> frozenset[FunctionId]:
        """Return the functions, and all to which names lead from them."""
        return _closure(ids, self._next)

    def far(self, ids: Iterable[FunctionId]) -> frozenset[FunctionId] | None:
        """Return those, and what is called where it is registered; None where more may be."""
        found = _closure(ids, lambda id: self._next(id) | (self._registered(id) or frozenset()))
        return None if any(self._registered(id) is None for id in found) else found

    def pointed(self, ids: Iterable[FunctionId]) -> frozenset[FunctionId]:
        """Return what may be called through a pointer there: it is entered whatever it does."""
        found: set[FunctionId] = set()
        for id in ids:
            found.update(self._stored(id), self._registered(id) or ())
        return frozenset(found)

    def words(self, id: FunctionId) -> frozenset[str]:
        """Return the names in a function, and those that macros of its file have there."""
        program = self._program
        if not program.has(id[0]):
            return frozenset()
        return identifiers(program.unit(id[0]), id[1]) | program.called(id)

    def name(self, ids: Iterable[FunctionId], word: str) -> bool:
        """Tell whether a function names a field, or a variable that is not its own."""
        return any(word in self.words(id) and not self._is_own(word, id) for id in ids)

    def _is_own(self, word: str, id: FunctionId) -> bool:
        """Tell whether a word is but a parameter or a variable of a function."""
        as_field = re.compile(rb"(?:\.|->)\s*+%s\b" % re.escape(word).encode())
        unit = self._program.unit(id[0])
        return all(
            not as_field.search(unit.code, d.body, d.span.end)
            for d in unit.definitions.get(id[1], ())
        ) and all(word in types_of(*body) for body in self._program.bodies(id))

    def _next(self, id: FunctionId) -> frozenset[FunctionId]:
        if id not in self._near:
            facts = self._facts
            words = (word for word in self.words(id) if not facts.speaks_of(word))
            named = (self._program.resolve(word, id[0]) for word in words)
            self._near[id] = self._stored(id).union(*named)
        return self._near[id]

    def _stored(self, id: FunctionId) -> frozenset[FunctionId]:
        """Return what is stored into the variables and fields that a function names."""
        words = self.words(id) & self._held.keys()
        return frozenset().union(*(self._held[word] for word in words))

    def _registered(self, id: FunctionId) -> frozenset[FunctionId] | None:
        """Return what a function calls that was registered; None where not all of it was read."""
        if id not in self._far:
            program, chains = self._program, self._facts.chains
            called = {n for n in program.called(id) if not program.resolve(n, id[0])}
            slots = program.pointers(id) | called
            passed = [
                _passed(s, program) for s in slots if program.stored(s) and not is_harmless(s)
            ]
            chained = (in_chain(chains[w], program) for w in self.words(id) & chains.keys())
            known = [found for found in passed if found is not None]
            whole = program.has(id[0]) and len(known) == len(passed)
            self._far[id] = frozenset().union(*known, *chained) if whole else None
        return self._far[id]


def _closure(
    ids: Iterable[FunctionId], next_of: Callable[[FunctionId], frozenset[FunctionId]]
) -> frozenset[FunctionId]:
    found = set(ids)
    todo = list(found)
    while todo:
        new = next_of(todo.pop()) - found
        found |= new
        todo += new
    return frozenset(found)


def _held_in_slots(program: Program) -> Mapping[str, frozenset[FunctionId]]:
    """Return for each variable or field the functions that it may hold."""
    found = {slot: {*ids} for slot, ids in called_through(program).items()}
    for stored in program.stores():
        found.setdefault(stored.slot, set()).update(program.resolve(stored.value, stored.path))
    return {slot: frozenset(ids) for slot, ids in found.items()}


def _passed(slot: str, program: Program) -> frozenset[FunctionId] | None:
    """Return the functions that are passed to who stores them in a slot; None where more may be."""
    found: set[FunctionId] = set()
    for stored in program.stored(slot):
        through = () if program.is_function(stored.value) else registrars(program, stored)
        if not all(program.is_searched(name) for name, _ in through):
            return None
        found.update(id for name, index in through for id in program.passed(name, index))
    return frozenset(found)
