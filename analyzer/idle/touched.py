"""Follow a type that a patch sets or clears itself, though no migration describes it.

What is the allocator's own (`PageBuddy()`, `PageGuard()`), or nearly so (`PageHuge()`), is left
out: any page may come to who sets and clears it, and to follow all of them is worth it only where a
migration asks for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from analyzer.base import Pair
from analyzer.flow.analyse import Prepared
from analyzer.idle.nearby import Question
from analyzer.pages.facts import Facts
from analyzer.pages.machine import TYPE, Operation
from analyzer.program.mattering import is_far_reaching


def with_touched(
    question: Question, prepared: Pair[Prepared], again: Callable[[Facts], Pair[Prepared]]
) -> tuple[Question, Pair[Prepared]]:
    """Return the question with such types, and both trees as they are read for it.

    again reads the trees anew for other facts.
    """
    touched = tuple(sorted({op.label for op in _unfollowed(question, prepared)}))
    if not touched:
        return question, prepared
    wide = again(_with(touched, question.facts))
    near = tuple(label for label in touched if not _is_far_reaching(label, wide))
    if not near:
        return question, prepared
    facts = _with(near, question.facts)
    return replace(question, facts=facts), wide if near == touched else again(facts)


def _unfollowed(question: Question, prepared: Pair[Prepared]) -> Iterator[Operation]:
    """Yield the operations on other types that stand in what the patch changes."""
    for tree in (prepared.before, prepared.after):
        for name in question.writing & tree.law.space.operations.keys():
            op = tree.law.space.operations[name]
            if op.dimension == TYPE and not op.is_test and op.label not in question.facts.types:
                yield op


def _with(labels: tuple[str, ...], facts: Facts) -> Facts:
    return replace(facts, types=(*facts.types, *labels))


def _is_far_reaching(label: str, prepared: Pair[Prepared]) -> bool:
    return any(
        is_far_reaching(tree.program, tree.law.space, tree.facts, label)
        for tree in (prepared.before, prepared.after)
    )
