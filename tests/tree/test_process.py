"""Programs that are started for a search hear no interrupt, and outlive nobody who does."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from types import FrameType

import pytest

from analyzer.tree.process import run


def unheard() -> set[signal.Signals]:
    """Return the signals that this thread does not hear."""
    return {signal.Signals(n) for n in signal.pthread_sigmask(signal.SIG_BLOCK, ())}


@pytest.mark.parametrize(("name", "status", "output"), [("INT", 0, b"on\n"), ("TERM", -15, b"")])
def test_an_interrupt_does_not_reach_a_search(name: str, status: int, output: bytes) -> None:
    before = unheard()

    done = run(["sh", "-c", f"kill -{name} $$; echo on"], ".", b"", os.environ)

    assert (status, output, b"") == done
    assert before == unheard()


def test_what_a_program_is_given_and_what_it_says_are_told_apart() -> None:
    assert (3, b"in", b"out") == run(
        ["sh", "-c", "cat; printf out >&2; exit 3"], ".", b"in", os.environ
    )


@pytest.fixture
def alarm() -> Iterator[None]:
    """Interrupt this process in a moment."""

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    yield
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


@pytest.mark.usefixtures("alarm")
def test_a_search_ends_with_whoever_waits_for_it() -> None:
    started = time.monotonic()

    with pytest.raises(KeyboardInterrupt):
        run(["sleep", "60"], ".", b"", os.environ)

    assert time.monotonic() - started < 30
