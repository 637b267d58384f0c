"""Open the cache for one run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from analyzer.cli.output import say

if TYPE_CHECKING:
    from analyzer.store import DiskStore


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
