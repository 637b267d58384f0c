"""Find where to start: what makes a population, and what writes a tracked type or flag."""

from __future__ import annotations

import posixpath
from collections.abc import Collection, Iterable, Iterator

from analyzer.base import FunctionId
from analyzer.pages.facts import Facts, Lists
from analyzer.pages.machine import TYPE, Space
from analyzer.program.callers import callers_of, slots_of
from analyzer.program.finishing import finishing
from analyzer.program.held import held_in
from analyzer.program.interest import Interest
from analyzer.program.mattering import drivers_of, writers
from analyzer.program.params import is_page_pointer, passes_pages
from analyzer.program.program import Program
from analyzer.program.references import dropping

#: How many functions of the core may hand a page on to the one that frees it.
_HANDED_ON = 2


def find_roots(
    program: Program, space: Space, facts: Facts, interest: Interest
) -> tuple[FunctionId, ...]:
    """Return the functions to start from: makers of populations first, then who writes states."""
    makers = _makers(program, space, facts, interest)
    rest = _writing_roots(program, space, facts, interest, frozenset(makers))
    return (*makers, *(id for id in rest if id not in makers))


def _makers(
    program: Program, space: Space, facts: Facts, interest: Interest
) -> tuple[FunctionId, ...]:
    """Climb from the origins to the functions that do more with the pages than pass them on.

    Where nobody up to two calls above a caller does, that caller is the place to start.
    """
    roots: set[FunctionId] = set()
    marking = finishing(program, space, facts)
    for origin in facts.origins:
        for caller in program.calling(origin):
            does_more = _does_more(program, caller, {origin}, space, interest)
            if does_more and caller not in marking:
                roots.add(caller)
                continue
            above = callers_of(program, caller)
            below = {origin, caller[1]}
            for id in above:
                roots |= _climb(program, id, below, space, interest, 1) or {id}
            if not above:
                roots.add(caller)
    return program.in_order(roots)


def _climb(
    program: Program,
    id: FunctionId,
    below: set[str],
    space: Space,
    interest: Interest,
    level: int,
) -> set[FunctionId]:
    """Return the nearest functions above one that do more with its pages; none where none do."""
    if _does_more(program, id, below, space, interest):
        return {id}
    found: set[FunctionId] = set()
    for caller in callers_of(program, id) if level < 2 else ():
        found |= _climb(program, caller, below | {id[1]}, space, interest, level + 1)
    return found


def _does_more(
    program: Program, id: FunctionId, below: set[str], space: Space, interest: Interest
) -> bool:
    for name in program.called(id) - below:
        if name in space.operations:
            return True
        for callee in program.resolve(name, id[0]) if program.is_function(name) else ():
            if callee in interest.strong and callee != id:
                return True
    return False


def _writing_roots(
    program: Program,
    space: Space,
    facts: Facts,
    interest: Interest,
    makers: frozenset[FunctionId],
) -> tuple[FunctionId, ...]:
    """Climb from each writer of a tracked type, and of a flag in drivers, to its page's origin.

    Not above a maker of pages: its caller's ranges are several populations.
    """
    starts = sorted({*writers(space, facts), *facts.handers})
    edge = [id for name in starts for id in program.calling(name)]
    edge += _flagging(program, space, facts, makers)
    drivers = drivers_of({path for path, _ in edge}, makers)
    edge += _drains(program, facts, drivers, _freeing(program, facts, interest, makers))
    edge += _asking(program, space, facts)
    return _climbed(program, facts, edge, makers)


def _flagging(
    program: Program, space: Space, facts: Facts, makers: Collection[FunctionId]
) -> tuple[FunctionId, ...]:
    """Return the functions that write a tracked flag, of drivers that set it on pages.

    Those of headers are everybody's: whoever frees boot memory calls free_reserved_page().
    """
    found: dict[FunctionId, None] = {}
    setting: set[str] = set()
    for op in sorted(space.operations.values(), key=lambda op: op.name):
        if op.dimension in facts.flags and not op.is_test:
            calling = program.calling(op.name)
            found.update(dict.fromkeys(calling))
            setting |= {path for path, _ in calling} if op.is_set else set()
    own = {path for path in drivers_of(setting, makers) if path.endswith(".c")}
    return tuple(id for id in found if id[0] in own)


def find_holders(
    program: Program, space: Space, facts: Facts, interest: Interest
) -> tuple[FunctionId, ...]:
    """Return where pages of a driver are put on lists, or into its structures and freed there."""
    makers = frozenset(_makers(program, space, facts, interest))
    marking = [id for name in writers(space, facts) for id in program.calling(name)]
    marking += _flagging(program, space, facts, makers)
    drivers = drivers_of((path for path, _ in marking), makers)
    held = [held_in(path, program, facts) for path in drivers]
    edge = [id for found in held for id in program.in_order(found.freeing | found.storing)]
    listing = sorted((*facts.lists.put, *facts.lists.passing))
    edge += [id for name in listing for id in program.calling(name) if id[0] in drivers]
    return _climbed(program, facts, edge, makers)


def _climbed(
    program: Program, facts: Facts, starts: Iterable[FunctionId], makers: frozenset[FunctionId]
) -> tuple[FunctionId, ...]:
    """Climb from functions to where their pages come from."""
    called_back = _called_back(program, makers)
    roots: dict[FunctionId, None] = {}
    seen: set[FunctionId] = set()
    edge = [(id, 0) for id in starts]
    while edge:
        id, level = edge.pop(0)
        if id in seen:
            continue
        seen.add(id)
        if id in makers or id in called_back:
            continue
        callers = callers_of(program, id)
        if level >= 4 or not callers or not passes_pages(program, facts, id):
            roots.setdefault(id)
            roots.update(dict.fromkeys(_allocating(program, facts, callers, id)))
            continue
        edge.extend((caller, level + 1) for caller in callers)
    return program.in_order(roots)


def _allocating(
    program: Program, facts: Facts, callers: Iterable[FunctionId], id: FunctionId
) -> Iterator[FunctionId]:
    """Yield the callers, in its file, of a function that allocate what it may find in memory."""
    makes = {*facts.allocators, *facts.range_allocators}
    yield from (c for c in callers if c[0] == id[0] and not makes.isdisjoint(program.called(c)))


def _freeing(
    program: Program, facts: Facts, interest: Interest, makers: Iterable[FunctionId]
) -> Iterator[str]:
    """Yield what frees pages, and what the core has that frees those it is passed."""
    core = {posixpath.dirname(path) for path, _ in makers}
    names = sorted(facts.sinks)
    for _ in range(_HANDED_ON):
        yield from names
        calling = {id for name in names for id in program.calling(name)}
        names = [
            id[1]
            for id in sorted(calling & (interest.strong | interest.weak))
            if posixpath.dirname(id[0]) in core
            and any(is_page_pointer(p.type) for s in program.signatures(id) for p in s.params)
        ]
    yield from names


def _drains(
    program: Program, facts: Facts, paths: Collection[str], frees: Iterable[str]
) -> Iterator[FunctionId]:
    """Yield the functions of some files that free what they take from a list.

    Who forgets to take the type off a page names no operation on it. Either may be done by another
    function of the file. frees are the names of what frees.
    """
    freeing = [id for name in sorted(set(frees)) for id in program.calling(name)]
    for id in (*freeing, *dropping(program, facts)):
        if id[0] not in paths:
            continue
        if _takes(program, id, facts.lists):
            yield id
        elif passes_pages(program, facts, id):
            above = (c for c in callers_of(program, id) if c[0] == id[0])
            yield from (c for c in above if _takes(program, c, facts.lists))


def _asking(program: Program, space: Space, facts: Facts) -> Iterator[FunctionId]:
    """Yield the functions that ask for a tracked type and free pages.

    Who forgets to take off the type that it has asked for names no other operation on it.
    """
    tests = (op for op in space.operations.values() if op.dimension == TYPE and op.is_test)
    asking = {id for op in tests if op.label in facts.types for id in program.calling(op.name)}
    for sink in sorted(facts.sinks):
        yield from (id for id in program.calling(sink) if id in asking)


def _takes(program: Program, id: FunctionId, lists: Lists) -> bool:
    """Tell whether a function takes from a list, or one of its file or a header that it calls."""
    first = {*lists.first, *lists.step, *lists.iterators}
    called = program.called(id)
    near = (c for n in called for c in program.resolve(n, id[0]))
    own = (program.called(c) for c in near if c[0] == id[0] or c[0].endswith(".h"))
    return any(
        not names.isdisjoint(first)
        or not (names.isdisjoint(lists.entry) or names.isdisjoint(lists.take))
        for names in (called, *own)
    )


def _called_back(program: Program, makers: frozenset[FunctionId]) -> frozenset[FunctionId]:
    """Return the callbacks that the makers' files call: their pages come from there."""
    files = {path for path, _ in makers}
    return frozenset(
        id
        for id, slots in slots_of(program).items()
        if any(f[0] in files for slot in slots for f in program.calling_through(slot))
    )
