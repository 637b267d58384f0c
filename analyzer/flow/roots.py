"""Find where to start: what makes a population, and what writes a tracked type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from analyzer.flow.program import FunctionId, Program
from analyzer.flow.run import Interest
from analyzer.pages.facts import Facts
from analyzer.pages.machine import TYPE, Space

_PAGE_TYPES = ("struct page", "struct folio")
_NUMBER_NAMES = ("pfn", "addr", "phys", "start")


def search_words(space: Space, facts: Facts) -> frozenset[str]:
    """Return the words whose files the analysis reads first."""
    accessors = (
        op.name
        for op in space.operations.values()
        if op.dimension == TYPE and op.label in facts.types
    )
    chains = (c.call for c in facts.chains.values())
    registers = (r for c in facts.chains.values() for r in c.register)
    return frozenset((*accessors, *facts.origins, *facts.search, *chains, *registers))


def writers(space: Space, facts: Facts) -> frozenset[str]:
    """Return the accessors that change a tracked type."""
    return frozenset(
        op.name
        for op in space.operations.values()
        if op.dimension == TYPE and op.label in facts.types and not op.is_test
    )


def find_interest(program: Program, space: Space, facts: Facts) -> Interest:
    """Return the functions of a tree that matter, and the flags that they write."""
    seeds = {*writers(space, facts), *facts.origins}
    strong = _reaching(program, seeds, facts, levels=24)
    tracked = {
        op.name
        for op in space.operations.values()
        if (op.dimension == TYPE and op.label in facts.types) or op.dimension in facts.flags
    }
    weak = _reaching(program, {*tracked, *facts.sinks, *facts.resets}, facts, levels=4)
    flags = set(facts.flags)
    for id in strong:
        for name in program.mentioned(id):
            op = space.operations.get(name)
            if op is not None and op.dimension != TYPE and not op.is_test:
                flags.add(op.dimension)
    return Interest(strong, weak - strong, frozenset(flags))


def _reaching(
    program: Program, names: Iterable[str], facts: Facts, *, levels: int
) -> frozenset[FunctionId]:
    """Return the functions that mention the names, directly or through calls and callbacks."""
    found: set[FunctionId] = set()
    edge = [id for name in sorted(set(names)) for id in program.mentioning(name)]
    slots = _slots(program)
    for _ in range(levels):
        new = set(edge) - found
        if not new:
            break
        found |= new
        edge = []
        for id in sorted(new):
            edge.extend(c for c in program.mentioning(id[1]) if program.visible(c, id))
            for slot in slots.get(id, ()):
                edge.extend(program.mentioning(slot))
        for chain in facts.chains.values():
            if any(chain.field in slots.get(id, ()) for id in new):
                edge.extend(program.mentioning(chain.call))
    return frozenset(found)


def _slots(program: Program) -> Mapping[FunctionId, tuple[str, ...]]:
    """Return for each function the variables and fields that it is stored into.

    A field that many functions are stored into (`probe`) says nothing and is left out.
    """
    values: dict[str, set[str]] = {}
    ids: dict[FunctionId, list[str]] = {}
    for stored in program.stores():
        values.setdefault(stored.slot, set()).add(stored.value)
    for stored in program.stores():
        if len(values[stored.slot]) <= 12 or stored.slot == "notifier_call":
            for id in program.resolve(stored.value, stored.path):
                ids.setdefault(id, []).append(stored.slot)
    return {id: tuple(dict.fromkeys(s)) for id, s in ids.items()}


def find_roots(
    program: Program, space: Space, facts: Facts, interest: Interest
) -> tuple[FunctionId, ...]:
    """Return the functions to start from: makers of populations first, then writers of types."""
    makers = _makers(program, space, facts, interest)
    rest = _writing_roots(program, space, facts)
    return (*makers, *(id for id in rest if id not in makers))


def _makers(
    program: Program, space: Space, facts: Facts, interest: Interest
) -> tuple[FunctionId, ...]:
    """Climb from the origins until a function does more with the pages than pass them on."""
    roots: dict[FunctionId, None] = {}
    seen: set[FunctionId] = set()
    edge = [(caller, 0) for name in sorted(facts.origins) for caller in program.mentioning(name)]
    below: dict[FunctionId, set[str]] = {}
    for caller, _ in edge:
        below.setdefault(caller, set()).update(facts.origins)
    while edge:
        id, level = edge.pop(0)
        if id in seen:
            continue
        seen.add(id)
        callers = _callers(program, id)
        if level >= 3 or not callers or _does_more(program, id, below[id], space, interest):
            roots.setdefault(id)
            continue
        for caller in callers:
            below.setdefault(caller, set()).add(id[1])
            edge.append((caller, level + 1))
    return tuple(sorted(roots))


def _does_more(
    program: Program, id: FunctionId, below: set[str], space: Space, interest: Interest
) -> bool:
    for name in program.mentioned(id) - below:
        if name in space.operations:
            return True
        for callee in program.resolve(name, id[0]) if program.is_function(name) else ():
            if callee in interest.strong and callee != id:
                return True
    return False


def _callers(program: Program, id: FunctionId) -> tuple[FunctionId, ...]:
    return tuple(
        sorted({c for c in program.mentioning(id[1]) if c != id and program.visible(c, id)})
    )


def _writing_roots(program: Program, space: Space, facts: Facts) -> tuple[FunctionId, ...]:
    """Climb from each writer of a tracked type to where its page comes from."""
    roots: dict[FunctionId, None] = {}
    seen: set[FunctionId] = set()
    edge = [(id, 0) for name in sorted(writers(space, facts)) for id in program.mentioning(name)]
    while edge:
        id, level = edge.pop(0)
        if id in seen:
            continue
        seen.add(id)
        callers = _callers(program, id)
        if level >= 6 or not callers or not _passes_pages(program, id):
            roots.setdefault(id)
            continue
        edge.extend((caller, level + 1) for caller in callers)
    return tuple(sorted(roots))


def _passes_pages(program: Program, id: FunctionId) -> bool:
    """Tell whether a function receives a page from its caller, or returns one to it."""
    for function in program.lowered(id):
        if any(t in function.returns for t in _PAGE_TYPES):
            return True
        for param in function.params:
            if any(t in param.type for t in _PAGE_TYPES):
                return True
            if "*" not in param.type and any(n in param.name for n in _NUMBER_NAMES):
                return True
    return False
