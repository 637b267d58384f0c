"""What runs aside gives what it would give here."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer import settle
from analyzer.base import Pair
from analyzer.findings import Result
from analyzer.parallel import later, shared_out, sharing_out
from analyzer.patch.read import read_series
from analyzer.pipeline import check
from analyzer.tree import DirectoryTree

DEMO = Path(__file__).resolve().parent.parent / "fixtures" / "demo"


def test_a_process_aside_returns_its_value() -> None:
    with later(lambda: (os.getpid(), Pair("a", ["b"])), aside=True) as task:
        process, value = task.value()

    assert Pair("a", ["b"]) == value
    assert process != os.getpid()


def test_put_off_work_is_done_when_it_is_asked_for() -> None:
    done: list[str] = []
    with later(lambda: done.append("work"), aside=False) as task:
        before = list(done)
        task.value()

    assert ([], ["work"]) == (before, done)


def test_a_process_that_dies_costs_time_only() -> None:
    here = os.getpid()

    def work() -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        return 7

    with later(work, aside=True) as task:
        assert 7 == task.value()


def test_an_error_aside_is_an_error_here() -> None:
    def work() -> None:
        raise ValueError("of the work")

    with pytest.raises(ValueError, match="of the work"), later(work, aside=True) as task:
        task.value()


def test_nobody_waits_for_work_that_is_dropped() -> None:
    with later(signal.pause, aside=True):
        pass

    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_a_large_value_fits_through_the_pipe() -> None:
    with later(lambda: b"x" * (1 << 22), aside=True) as task:
        assert b"x" * (1 << 22) == task.value()


@pytest.mark.parametrize("jobs", [1, 2, 7])
def test_work_is_shared_out_and_comes_back_in_order(jobs: int) -> None:
    works = [lambda n=n: (n, "x" * n) for n in range(300)]

    assert [(n, "x" * n) for n in range(300)] == shared_out(works, jobs)


def test_work_that_is_shared_out_is_done_by_several() -> None:
    found = set(shared_out([_slowly_here] * 20, 2))

    assert 2 == len(found)
    assert os.getpid() in found


def test_work_of_a_process_that_dies_is_done_all_the_same() -> None:
    here = os.getpid()

    def work() -> int:
        if os.getpid() != here:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(0.01)
        return 7

    assert [7] * 20 == shared_out([work] * 20, 3)


def test_work_that_is_shared_out_is_begun_before_it_is_asked_for(tmp_path: Path) -> None:
    begun = tmp_path / "begun"

    def work() -> int:
        begun.touch()
        return os.getpid()

    with sharing_out([work, work], 2) as joined:
        until = time.monotonic() + 20
        while not begun.exists() and time.monotonic() < until:
            time.sleep(0.01)
        assert begun.exists()
        found = joined()

    assert 2 == len(found)
    assert os.getpid() != found[0]


def test_nobody_waits_for_work_that_was_shared_out_and_is_not_asked_for() -> None:
    with sharing_out([signal.pause, signal.pause], 2):
        pass

    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def _slowly_here() -> int:
    time.sleep(0.02)
    return os.getpid()


def test_the_result_does_not_depend_on_the_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settle, "_MANY_FUNCTIONS", 0)

    alone, together = result(1), result(2)

    assert alone.findings
    assert repr(alone) == repr(together)  # findings are equal whatever they say


def result(jobs: int) -> Result:
    tree = DirectoryTree(str(DEMO / "tree"))
    series = read_series((DEMO / "change.patch").read_bytes(), "demo", tree)
    found = check(series, tree, jobs=jobs)
    return replace(found, seconds=())
