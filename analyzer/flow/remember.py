"""Remember the runs of roots: where all is answered as it was, another run would show the same."""

from __future__ import annotations

from analyzer.base import FunctionId
from analyzer.flow.domain.contents import is_own
from analyzer.flow.interpret import run_root
from analyzer.flow.passages import passages_of
from analyzer.flow.run import Run
from analyzer.program.memo import Memo

_RUNS = Memo[FunctionId, list[Run]]()
#: So many runs of one root are remembered, the latest ones.
_MOST = 16


def run_or_recall(root: FunctionId, run: Run) -> Run:
    """Run a root, or return what an earlier run showed that was begun and answered alike.

    The trees of a patch, and those of the patches of a series, differ in a few files: most roots
    meet none of what changed. What was cut short is not remembered.
    """
    known = run.program.lasting.of(_RUNS).setdefault(root, [])
    for n, old in reversed([*enumerate(known)]):
        if _is_alike(old, run):
            known.append(known.pop(n))
            return old
    with run.program.noting(run.asked):
        run_root(root, run)
    run.forget(passages_of(run.memory))
    if not run.cut and not run.waits:
        del known[: len(known) - _MOST + 1]
        known.append(run)
    return run


def _is_alike(old: Run, run: Run) -> bool:
    """Tell whether a run would show what an earlier one has shown."""
    begun = all(
        one is other or one == other
        for one, other in (
            (old.types_forgotten, run.types_forgotten),
            (old.space, run.space),
            (old.facts, run.facts),
            (old.numbers, run.numbers),
            (old.starts, run.starts),
            (old.limits, run.limits),
            (old.watched, run.watched),
            (old.program.config, run.program.config),
        )
    )
    # Of a list that is not known yet this run would wait for who puts pages there.
    waits = run.early and any(p not in run.lists and not is_own(p) for p in old.drawn)
    return (
        begun
        and not waits
        and all(old.lists.get(place) == run.lists.get(place) for place in old.drawn)
        and run.answers(old)
    )
