"""Find the functions that matter: what leads to an operation, an origin or a hand-over."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Mapping, Sequence

from analyzer.base import FunctionId, Gap
from analyzer.pages.facts import Facts
from analyzer.pages.machine import TYPE, Space
from analyzer.program.callers import callers_of, slots_of
from analyzer.program.interest import Interest
from analyzer.program.params import is_page_pointer, list_params, passes_pages
from analyzer.program.passed_on import passing_on
from analyzer.program.program import Program
from analyzer.program.references import dropping
from analyzer.program.storing import STORING

#: So many calls away from an operation a function still matters.
_LEVELS = 12


def search_words(space: Space, facts: Facts) -> frozenset[str]:
    """Return the words whose files the analysis reads first."""
    return frozenset((*accessors(space, facts), *facts.origins, *facts.handers, *facts.search))


def accessors(space: Space, facts: Facts) -> frozenset[str]:
    """Return what changes a tracked type, or asks for it."""
    return frozenset(
        op.name
        for op in space.operations.values()
        if op.dimension == TYPE and op.label in facts.types
    )


def writers(space: Space, facts: Facts) -> frozenset[str]:
    """Return the accessors that change a tracked type."""
    return frozenset(
        op.name
        for op in space.operations.values()
        if op.dimension == TYPE and op.label in facts.types and not op.is_test
    )


def find_interest(
    program: Program, space: Space, facts: Facts, further: frozenset[str] = frozenset()
) -> Interest:
    """Return the functions of a tree that matter, and the flags that they write.

    further are flags that count as well: those that are written in the tree to compare with.
    """
    seeds = {*writers(space, facts), *facts.origins, *facts.handers}
    makers = {id for name in facts.origins for id in program.resolve(name, "")}
    handers = {id for name in facts.handers for id in program.resolve(name, "")}
    slots = slots_of(program)
    strong, beyond = _reaching(program, seeds, facts, slots, levels=_LEVELS)
    strong |= makers | handers
    for path, name in sorted(beyond):
        detail = f"{name}() is more than {_LEVELS} calls away from what it leads to; not followed"
        program.admit(Gap("budget", path, 0, name, detail))
    tracked = {
        op.name
        for op in space.operations.values()
        if (op.dimension == TYPE and op.label in facts.types) or op.dimension in facts.flags
    }
    flags = further.union(facts.flags, _written_flags(program, space, strong, makers))
    tracked |= {op.name for op in space.operations.values() if op.dimension in flags}
    names = {*tracked, *facts.sinks, *facts.resets, STORING}
    dropped = dropping(program, facts)
    weak, _ = _reaching(program, names, facts, slots, levels=4, besides=dropped)
    weak |= _movers(program, facts)
    return Interest(strong, weak - strong, flags, _givers(program, facts))


def is_far_reaching(program: Program, space: Space, facts: Facts, label: str) -> bool:
    """Tell whether any page of the kernel may come to what sets or clears a type.

    It may where whoever allocates or frees one leads there, or where the way there is too long to
    tell.
    """
    names = (
        op.name
        for op in space.operations.values()
        if op.dimension == TYPE and op.label == label and not op.is_test
    )
    found, beyond = _reaching(program, names, facts, slots_of(program), levels=_LEVELS)
    return bool(beyond) or any(facts.speaks_of(program.called_as(id)) for id in found)


def _givers(program: Program, facts: Facts) -> frozenset[FunctionId]:
    """Return the functions that return a page which they allocate or take from a list."""
    lists = facts.lists
    return frozenset(
        id
        for name in (*facts.allocators, *lists.first, *lists.entry)
        for id in program.calling(name)
        if not facts.speaks_of(program.called_as(id))
        and any(is_page_pointer(f.returns) for f in program.signatures(id))
        and (name not in lists.entry or not program.called(id).isdisjoint(lists.take))
    )


def _movers(program: Program, facts: Facts) -> frozenset[FunctionId]:
    """Return the functions that move a page, or the pages of a list, that they are passed."""
    return frozenset(
        id
        for name in (*facts.lists.put, *facts.lists.take, *facts.lists.passing)
        for id in program.calling(name)
        if not facts.speaks_of(program.called_as(id))
        and (
            any(is_page_pointer(p.type) for s in program.signatures(id) for p in s.params)
            or list_params(program, id)
        )
    )


def _written_flags(
    program: Program, space: Space, strong: frozenset[FunctionId], makers: set[FunctionId]
) -> frozenset[str]:
    """Return the flags that the functions at hand write, and in a driver its other functions too.

    Not all of what stands beside the origins: core files write flags for every purpose there is.
    """
    files = frozenset(drivers_of((path for path, _ in strong), makers))
    return frozenset(
        op.dimension
        for id in program.functions()
        if id in strong or (id[0] in files and id[0].endswith(".c"))
        for name in program.called(id)
        if (op := space.operations.get(name)) is not None
        and op.dimension != TYPE
        and not op.is_test
    )


def _reaching(
    program: Program,
    names: Iterable[str],
    facts: Facts,
    slots: Mapping[FunctionId, Sequence[str]],
    *,
    levels: int,
    besides: Iterable[FunctionId] = (),
) -> tuple[frozenset[FunctionId], frozenset[FunctionId]]:
    """Return the functions that call the names, or others besides, directly or through others.

    Also return those that are one level too far away.
    """
    found: set[FunctionId] = set()
    edge = [id for name in sorted(set(names)) for id in program.calling(name)]
    edge += besides
    for _ in range(levels):
        new = set(edge) - found
        found |= new
        edge = []
        for id in sorted(new):
            if facts.speaks_of(program.called_as(id)) or not passes_pages(program, facts, id):
                continue  # nobody needs to come in here from outside
            edge.extend(callers_of(program, id))
            edge.extend(passing_on(program, id))
            for slot in slots.get(id, ()):
                edge.extend(program.calling_through(slot))
        for chain in facts.chains.values():
            if any(chain.field in program.stored_in(id[1]) for id in new):
                edge.extend(program.calling(chain.call))
    return frozenset(found), frozenset(edge) - found


def drivers_of(paths: Iterable[str], makers: Iterable[FunctionId]) -> tuple[str, ...]:
    """Return those of some files that do not stand beside the makers: core frees all pages."""
    core = {posixpath.dirname(path) for path, _ in makers}
    return tuple(sorted(path for path in set(paths) if posixpath.dirname(path) not in core))
