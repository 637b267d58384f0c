"""Tell what a patch takes to another file, function and all, from what it introduces there."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from analyzer.base import unspaced
from analyzer.comparison.compare import Sides
from analyzer.findings import Finding, Status


def carried_over(
    new: Iterable[Finding], gone: Iterable[Finding], sides: Sides
) -> tuple[tuple[Finding, ...], tuple[Finding, ...], tuple[Finding, ...]]:
    """Return what is new, what is gone, and what was there before, in a file that had the function.

    Each that is gone stands for one that is new.
    """
    left, kept, carried = list(gone), [], []
    for finding in new:
        old = next((g for g in left if _is_carried(g, finding, sides)), None)
        if old is None:
            kept.append(finding)
        else:
            left.remove(old)
            carried.append(replace(finding, status=Status.PRE_EXISTING))
    return tuple(kept), tuple(left), tuple(carried)


def _is_carried(old: Finding, new: Finding, sides: Sides) -> bool:
    """Tell whether a finding is another one's, whose function stands in a new file now."""
    one, other = ((f.rule, f.function, unspaced(f.operation), f.message) for f in (old, new))
    if one != other or old.file == new.file or not new.function:
        return False
    return sides.is_gone((old.file, old.function)) and sides.is_new((new.file, new.function))
