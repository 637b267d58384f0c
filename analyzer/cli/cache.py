"""Show and clear the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from analyzer.base import AnalyzerError
from analyzer.cli.output import put, say

if TYPE_CHECKING:
    from analyzer.store import DiskStore, Usage


@click.group()
def cache() -> None:
    """Show or clear what earlier runs have remembered.

    The cache lies in $OFFLINT_CACHE_DIR, else $XDG_CACHE_HOME/offlint, else ~/.cache/offlint. It
    holds nothing that cannot be computed again, and drops by itself what was not used for long.
    """


@cache.command()
def info() -> None:
    """Say where the cache is and how much it holds."""
    from analyzer.store import LIMIT

    store = _store()
    usage = _usage(store)
    put(
        f"{store.path}\n"
        f"{usage.answers} answers, {_megabytes(usage.size)} of at most {_megabytes(LIMIT)}; "
        f"{_megabytes(usage.on_disk)} on the disk\n",
        None,
    )


@cache.command()
def clear() -> None:
    """Delete everything in the cache; safe while other runs use it."""
    store = _store()
    held = _usage(store).on_disk
    if why := store.clear():
        raise AnalyzerError(f"{store.path.parent}: cannot delete the cache: {why}")
    put(f"{store.path.parent}: {_megabytes(held)} deleted\n", None)


def _store() -> DiskStore:
    from analyzer.store import open_store

    store = open_store(say)
    if store is None:
        raise AnalyzerError("no cache: there is no home directory; set OFFLINT_CACHE_DIR")
    return store


def _usage(store: DiskStore) -> Usage:
    try:
        return store.usage()
    except OSError as error:
        raise AnalyzerError(
            f"{store.path.parent}: no cache can be kept there: {error.strerror}"
        ) from error


def _megabytes(size: int) -> str:
    return f"{size / 1e6:.1f} MB"
