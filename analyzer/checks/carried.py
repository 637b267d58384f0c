"""Tell what a patch takes to another file or function, from what it introduces there."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace

from analyzer.base import unspaced
from analyzer.comparison.compare import Sides
from analyzer.findings import Finding, Status


def carried_over(
    new: Iterable[Finding], gone: Iterable[Finding], sides: Sides
) -> tuple[tuple[Finding, ...], tuple[Finding, ...], tuple[Finding, ...]]:
    """Return what is new, what is gone, and what was there before, in another file or function.

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
    """Tell whether a finding is another one's, whose function stands in a new file now.

    Or whose operation a new function does for that one, or did that is gone.
    """
    is_new, is_gone = (
        sides.is_new((new.file, new.function)),
        sides.is_gone((old.file, old.function)),
    )
    one, other = ((f.rule, f.function, unspaced(f.operation), f.message) for f in (old, new))
    if one == other and old.file != new.file and new.function:
        return is_new and is_gone
    helper, caller = (new, old) if is_new else (old, new)
    done, does = (f.operation.partition("(")[0] for f in (old, new))
    says = re.sub(rf"\b{old.function}\b", new.function, old.message)
    way = {(s.span.file, s.function) for s in helper.trace}
    called = (is_new or is_gone) and (caller.file, caller.function) in way
    return called and (old.rule, done, says) == (new.rule, does, new.message)
