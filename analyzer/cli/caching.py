"""Open the cache for one run, and answer from it what has been answered before."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from analyzer.cli.output import say

if TYPE_CHECKING:
    from analyzer.findings import Result
    from analyzer.request import Request
    from analyzer.store import DiskStore
    from analyzer.tree import Tree


class _NotWholeError(Exception):
    """What was found is not all there is to find."""


@contextmanager
def opened_store(*, wanted: bool, quiet: bool) -> Iterator[DiskStore | None]:
    """Yield the user's store; None where it is not wanted or there is no place for one."""
    if not wanted:
        yield None
        return
    from analyzer.store import open_store

    store = open_store((lambda _: None) if quiet else say)
    try:
        yield store
    finally:
        if store is not None:
            store.close()


def recalled(
    store: DiskStore | None,
    request: Request,
    config: Mapping[str, bool],
    compute: Callable[[Tree], Result],
) -> Result:
    """Return what a check of the request finds, from the store where the tree is as it was."""
    from analyzer.codec import decode, encode
    from analyzer.findings import Result
    from analyzer.store import key_of
    from analyzer.tree.known import known_tree

    known = known_tree(request.tree, store) if store is not None else None
    if known is None:
        return compute(request.tree)
    started, computed = time.perf_counter(), list[Result]()

    def answer() -> bytes:
        computed.append(compute(known))
        if computed[0].stopped or any(g.kind == "budget" for g in computed[0].gaps):
            raise _NotWholeError  # another time there may be more time
        return encode(computed[0])

    choices = (repr(sorted(config.items())), str(request.partial), known.name)
    try:
        value = known.recall(key_of("check", repr(request.series), *choices), answer)
    except _NotWholeError:
        return computed[0]
    if computed:
        return computed[0]
    try:
        found = decode(Result, value)
    except ValueError:
        return compute(request.tree)
    return replace(found, seconds=(("recall", time.perf_counter() - started),))
