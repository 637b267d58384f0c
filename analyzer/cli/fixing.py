"""Prove fixes for what a check has found, and write them as one diff."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.cli.output import Output, put

if TYPE_CHECKING:
    from analyzer.findings import Result
    from analyzer.fixes import Offers
    from analyzer.migrations import Described
    from analyzer.progress import Progress
    from analyzer.request import Request
    from analyzer.select import Selection


def proved_fixes(
    result: Result,
    found: Result,
    request: Request,
    selection: Selection,
    config: Mapping[str, bool],
    progress: Progress,
    migrations: Mapping[str, Described],
) -> Offers:
    """Return the result with fixes for the findings that are shown.

    found is all that the check has found, accepted or not: a fix must not add to it. Where the
    check was stopped no fix is tried.
    """
    from analyzer.base import Pair
    from analyzer.fixes import Offers, offer_fixes
    from analyzer.pipeline import compare_trees
    from analyzer.program.cache import Cache
    from analyzer.tree import Tree

    if result.stopped:
        untried = f"no fix was tried: {result.stopped}"
        return Offers(replace(result, notes=(*result.notes, untried)), "")
    cache, runs = Cache(), 0

    def analyse(trees: Pair[Tree], changed: tuple[str, ...]) -> Result:
        nonlocal runs
        runs += 1
        progress("prove fixes", runs / (runs + 4))  # nobody knows how many there will be
        return compare_trees(trees, changed, config=config, cache=cache, migrations=migrations)

    return offer_fixes(
        result,
        request.trees,
        request.files,
        analyse,
        reference=found,
        wanted=lambda f: selection.counts(f) and f.severity.rank >= selection.level.rank,
    )


def written_fixes(
    diff: str | None, path: Path | None, outputs: Sequence[Output], *, asked: bool
) -> tuple[Output, ...]:
    """Write the diff, if there is one, and return the reports that are still to be written.

    Without a file for it the diff takes the place of the report on standard output, unless a
    format was asked for: then each finding shows its fix.
    """
    if diff is None or (path is None and asked and any(o.path is None for o in outputs)):
        return tuple(outputs)
    put(diff.encode("utf-8", "surrogateescape"), path)
    return tuple(o for o in outputs if path is not None or o.path is not None)
