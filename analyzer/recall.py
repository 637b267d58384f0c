"""Answer from the cache what has been answered of the same tree before."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from analyzer.codec import decode, encode
from analyzer.findings import Result
from analyzer.store import Store, key_of
from analyzer.tree.known import known_tree
from analyzer.tree.listing import Lister, list_directory

if TYPE_CHECKING:
    from analyzer.contracts import Effects, Explanation
    from analyzer.patch.model import Series
    from analyzer.sites import Audit
    from analyzer.tree import Tree

# What other commands answer is imported where they ask: a check that is known loads no more.

T = TypeVar("T")
R = TypeVar("R", Result, "Audit")


class _NotWholeError(Exception):
    """What was found is not all there is to find."""


def recall(
    store: Store | None,
    tree: Tree,
    kind: type[T],
    question: Sequence[str],
    compute: Callable[[Tree], T],
    is_whole: Callable[[T], bool] = lambda _: True,
    *,
    is_quick: Callable[[], bool] = lambda: False,
    looked: Lister = list_directory,
) -> tuple[T, bool]:
    """Return the answer to a question about a tree, and whether it was known already.

    question names everything that the answer follows from beside the tree. compute gets the tree
    to ask, and must ask no other; what is not whole is not kept. is_quick is asked where nothing
    is known, and tells what takes less time than to look the tree over for an answer to keep.
    looked lists a directory.
    """
    known = known_tree(tree, store, looked) if store is not None else None
    if known is None:
        return compute(tree), False
    key = key_of(*question, known.name)
    if (value := known.recall(key)) is not None:
        with contextlib.suppress(ValueError):
            return decode(kind, value), True
    if is_quick():
        return compute(tree), False
    computed: list[T] = []

    def answer() -> bytes:
        computed.append(compute(known))
        if not is_whole(computed[0]):
            raise _NotWholeError  # another time there may be more time
        return encode(computed[0])

    with contextlib.suppress(_NotWholeError):
        known.learn(key, answer)
    return computed[0], False


def recall_check(
    store: Store | None,
    series: Series,
    tree: Tree,
    config: Mapping[str, bool],
    compute: Callable[[Tree], Result],
    *,
    partial: bool = False,
    is_quick: Callable[[], bool] = lambda: False,
    looked: Lister = list_directory,
) -> Result:
    """Return what a check of a series finds in a tree; compute it where that is not known."""
    question = ("check", repr(series), repr(sorted(config.items())), str(partial))
    return _timed(store, tree, Result, question, compute, is_quick=is_quick, looked=looked)


def recall_audit(
    store: Store | None,
    series: Series | None,
    tree: Tree,
    migration: str,
    config: Mapping[str, bool],
    compute: Callable[[Tree], Audit],
    *,
    looked: Lister = list_directory,
) -> Audit:
    """Return what an audit of a tree, or of a series on it, says."""
    from analyzer.sites import Audit

    question = ("audit", repr(series), migration, repr(sorted(config.items())))
    return _timed(store, tree, Audit, question, compute, looked=looked)


def recall_effects(
    store: Store | None,
    series: Series | None,
    tree: Tree,
    function: str,
    lines: Sequence[tuple[str, int]],
    compute: Callable[[Tree], Effects],
    *,
    looked: Lister = list_directory,
) -> Effects:
    """Return the contract of a function in a tree, or before and after a series on it."""
    from analyzer.contracts import Effects

    question = ("effects", repr(series), function, repr(lines))
    return recall(store, tree, Effects, question, compute, _is_whole, looked=looked)[0]


def recall_explanation(
    store: Store | None,
    series: Series | None,
    tree: Tree,
    path: str,
    line: int,
    compute: Callable[[Tree], Explanation],
    *,
    looked: Lister = list_directory,
) -> Explanation:
    """Return why a line of a tree, or of the one after a series on it, is or is not reported."""
    from analyzer.contracts import Explanation

    question = ("explain", repr(series), path, str(line))
    return recall(store, tree, Explanation, question, compute, _is_whole, looked=looked)[0]


def _is_whole(found: Result | Audit | Effects | Explanation) -> bool:
    return not getattr(found, "stopped", "") and not any(g.kind == "budget" for g in found.gaps)


def _timed(
    store: Store | None,
    tree: Tree,
    kind: type[R],
    question: Sequence[str],
    compute: Callable[[Tree], R],
    *,
    is_quick: Callable[[], bool] = lambda: False,
    looked: Lister,
) -> R:
    """Recall what says how long it took: of an answer that was known, how long that took."""
    started = time.perf_counter()
    found, known = recall(
        store, tree, kind, question, compute, _is_whole, is_quick=is_quick, looked=looked
    )
    times = (("recall", time.perf_counter() - started),)
    return replace(found, seconds=times) if known else found
