"""Open the cache for one run."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from analyzer.cli.output import say

if TYPE_CHECKING:
    import click

    from analyzer.progress import Progress
    from analyzer.store import DiskStore
    from analyzer.tree.listing import Lister


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


def looked_over(
    context: click.Context,
    tree: str | None,
    revision: str | None,
    patches: Iterable[str | None],
    jobs: int,
    *,
    cached: bool,
) -> Lister:
    """Return what lists a directory; for a cache the tree's is being listed from now on.

    Another process does that, while this one loads what it needs, until the command ends. Not of a
    revision, and only where the patches, None is none, are there: a listing that waits for standard
    input would be out of date.
    """
    from analyzer.tree.listing import list_directory, looking_over

    there = all(map(os.path.exists, filter(None, patches)))
    if cached and revision is None and jobs > 1 and there:
        return context.with_resource(looking_over(tree or ".", jobs))
    return lambda root: list_directory(root, jobs)
