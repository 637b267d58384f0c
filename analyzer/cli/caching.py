"""Open the cache for one run."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from analyzer.cli.output import say

if TYPE_CHECKING:
    from analyzer.store import DiskStore


def opened_store(*, wanted: bool, quiet: bool) -> AbstractContextManager[DiskStore | None]:
    """Give the user's store; None where it is not wanted or there is no place for one."""
    from analyzer.store import opened

    return opened((lambda _: None) if quiet else say, wanted=wanted)
