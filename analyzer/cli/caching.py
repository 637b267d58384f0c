"""Open the cache for one run."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from analyzer.cli.output import say

if TYPE_CHECKING:
    from analyzer.progress import Progress
    from analyzer.store import DiskStore


def opened_store(
    progress: Progress, *, wanted: bool, quiet: bool
) -> AbstractContextManager[DiskStore | None]:
    """Give the user's store; None where it is not wanted or there is no place for one."""
    from analyzer.store import opened

    def remark(message: str) -> None:
        if not quiet:
            with progress.aside():
                say(message)

    return opened(remark, wanted=wanted)
