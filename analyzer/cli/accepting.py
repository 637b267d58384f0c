"""Leave out what is accepted: by the tree's settings, by its source, by a baseline."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analyzer.baseline import Entry
    from analyzer.findings import Result
    from analyzer.request import Request
    from analyzer.select import Selection
    from analyzer.settings import Settings


def accepted(
    result: Result,
    request: Request,
    selection: Selection,
    settings: Settings,
    *,
    known: Sequence[Entry],
    name: str,
) -> Result:
    """Return a result as the tree wants it weighed, without what it and the baseline accept."""
    from analyzer.baseline import without_known
    from analyzer.settings import with_levels
    from analyzer.suppress import suppress

    heard = suppress(result, request.read, request.changed, request.files)
    weighed = with_levels(heard, settings.levels)
    if not known:
        return weighed
    last = len(request.series.patches)

    def has(path: str) -> bool:
        return request.read(path, last) is not None

    return without_known(weighed, known, name, selection.wants, has=has)


def remember(
    path: Path,
    result: Result,
    request: Request,
    selection: Selection,
    settings: Settings,
    *,
    quiet: bool,
) -> None:
    """Write a baseline of all that is found and wanted, known or not."""
    from analyzer.baseline import write_baseline

    heard = accepted(result, request, selection, settings, known=(), name="")
    count = write_baseline(path, heard, selection.counts)
    what = "1 finding" if count == 1 else f"{count} findings"
    hides = f"; --baseline {path} hides {'it' if count == 1 else 'them'}"
    if not quiet:
        say(f"{path}: {what} written{hides if count else ''}")
