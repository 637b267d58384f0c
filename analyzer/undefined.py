"""Find what is called in place of what marks pages, and that nobody defines: half of a change."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from analyzer.base import FunctionId, Pair
from analyzer.c import ir
from analyzer.flow.analyse import Prepared
from analyzer.pages.aside import is_harmless
from analyzer.program.program import Program


def read_replacing(prepared: Pair[Prepared]) -> None:
    """Read what each tree calls in place of marks of the other; take note of what nobody defines.

    It need not be passed a page by any name of it. What stands in the files that differ alone,
    and not in those of the other tree, nobody else declares: another patch may bring it, or it is
    a new macro of theirs that leads to no accessor.
    """
    before, after = prepared.before, prepared.after
    differing = frozenset(
        path
        for path in after.program.paths
        if before.program.has(path) and before.program.unit(path) is not after.program.unit(path)
    )
    called = Pair(
        frozenset(_replacing(differing, before, after)),
        frozenset(_replacing(differing, after, before)),
    )
    if not (wanted := called.before | called.after):
        return
    for names, tree, other in ((called.before, before, after), (called.after, after, before)):
        standing = tree.program.read_defining(wanted)
        tree.program.give_up(
            name
            for name in names.intersection(standing)
            if not tree.program.named(name) and differing.issuperset(standing[name])
            if not any(other.program.says(path, name) for path in differing)
            if not tree.program.stands_for_nothing(name)
        )


def _replacing(paths: Iterable[str], tree: Prepared, other: Prepared) -> Iterator[str]:
    """Yield what is newly called in files where functions drop marks, and was not read."""
    program, facts, operations = tree.program, tree.facts, tree.law.space.operations
    for path in sorted(paths):
        known = other.program.unit(path).definitions
        ids = [(path, name) for name in program.unit(path).definitions]
        dropping = {id for id in ids if _drops(id, tree, other)}
        for id in ids if dropping else ():
            if id not in dropping and id[1] in known:
                continue
            for name in sorted(_calls(id, program) - other.program.called(id)):
                told = name in operations or facts.speaks_of(name) or is_harmless(name)
                if not told and not program.resolve(name, path):
                    yield name


def _calls(id: FunctionId, program: Program) -> set[str]:
    """Return the names of the functions that a function calls; macros that are known are none."""
    return {
        step.callee.id
        for _, variant in program.bodies(id)
        for step in variant.steps
        if isinstance(step, ir.Call) and isinstance(step.callee, ir.Name)
        if step.callee.id not in variant.locals
    }


def is_lost(name: str, tree: Prepared, other: Prepared) -> bool:
    """Tell whether a name marks pages in the other tree, or is called in place of what does."""
    if found := other.program.named(name):
        return not other.interest().strong.isdisjoint(found)
    callers = () if other.program.calling(name) else tree.program.calling(name)
    return any(_drops(id, tree, other) for id in callers)


def _drops(id: FunctionId, tree: Prepared, other: Prepared) -> bool:
    """Tell whether a function calls what marks pages in the other tree, and not in this one."""
    operations = other.law.space.operations
    return any(
        ((op := operations.get(called)) is not None and not op.is_test)
        or not other.interest().strong.isdisjoint(other.program.resolve(called, id[0]))
        for called in other.program.called(id) - tree.program.called(id)
    )
