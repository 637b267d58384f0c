"""What runs out is left out and said so: it never turns into a finding."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count

import pytest
from fixture.harness import assemble, load_cases, series_of, tree_of

from analyzer.budget import Budget, OutOfBudgetError, resident
from analyzer.findings import Finding, Result, Status
from analyzer.pipeline import check

CASES = {c.name: c for c in load_cases()}
#: One each with callbacks, lists, a series, helpers and variants.
CHOSEN = ("topics/lists", "topics/series_mends", "topics/wrappers", "topics/ifdef_split")


def asked(times: int, seen: list[int] | None = None) -> Budget:
    """Return a budget that is spent when it is looked at for the last of so many times."""
    looks = count(1)

    def interrupted() -> bool:
        n = next(looks)
        if seen is not None:
            seen.append(n)
        return n >= times

    return Budget(interrupted=interrupted, every=1)


def judged(name: str, budget: Callable[[], Budget] = Budget) -> Result:
    scene = assemble(CASES[name], "strict")
    series = series_of(scene.before, scene.patch)
    return check(series, tree_of(scene.before), budgets=budget)


def introduced(result: Result) -> set[Finding]:
    return {f for f in result.findings if f.status is Status.INTRODUCED}


@pytest.mark.parametrize("name", CHOSEN)
def test_wherever_work_is_cut_nothing_is_found_that_is_not_there(name: str) -> None:
    looks: list[int] = []
    whole = judged(name, lambda: asked(10**9, looks))
    places = {f.function for f in introduced(whole)}

    for times in range(1, max(looks), max(1, max(looks) // 12)):
        cut = judged(name, partial(asked, times))
        assert {f.function for f in introduced(cut)} <= places
        assert "interrupted" == cut.stopped
        left_out = [g for g in cut.gaps if g.kind == "budget"]
        assert left_out or introduced(cut) == introduced(whole)


def test_calls_that_nobody_had_the_time_to_look_for_are_left_out() -> None:
    looks: list[int] = []
    whole = judged("stale-call/missed_caller", lambda: asked(10**9, looks))

    for times in range(max(looks) - 6, max(looks)):
        cut = judged("stale-call/missed_caller", partial(asked, times))
        left_out = [g for g in cut.gaps if g.kind == "budget"]
        assert left_out or introduced(cut) == introduced(whole)


def test_a_root_that_is_too_much_leaves_the_others_their_time() -> None:
    budget = Budget(time.monotonic() + 100)

    assert 40 < budget.share(0.5).deadline - time.monotonic() < 60
    assert "" == budget.share(0.5).spent
    assert "out of time" == replace(budget, deadline=time.monotonic() - 1).spent
    assert "out of memory" == Budget(memory=1).spent
    assert "" == Budget(memory=resident() * 4).spent


def test_a_patch_for_which_there_is_no_time_is_named() -> None:
    result = judged("topics/series_mends", lambda: Budget(time.monotonic() - 1))

    assert "out of time" == result.stopped
    assert () == result.findings
    assert tuple(p.index for p in result.patches) == result.unjudged
    assert "" == result.unmoved
    assert ["out of time: nothing of patch 1 was judged"] == [
        g.detail for g in result.gaps if g.detail.endswith("patch 1 was judged")
    ]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        (OutOfBudgetError("out of time"), "out of time"),
        (MemoryError(), "out of memory"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_a_series_goes_on_after_a_patch_that_was_too_much(end: BaseException, reason: str) -> None:
    """The first patch never gets anywhere; the second one is judged unless the user wants out."""
    first = iter([True])

    def look() -> bool:
        if next(first, False):
            raise end
        return False

    result = judged("topics/series_mends", lambda: Budget(interrupted=look))

    missing = [g.detail for g in result.gaps if "was judged" in g.detail]
    assert reason == result.stopped
    assert f"{reason}: nothing of patch 1 was judged" == missing[0]
    assert (reason == "interrupted") == (len(missing) > 1)
