"""The bar is for people who wait, and for nobody else."""

from __future__ import annotations

import io
import re
import time
from pathlib import Path

import pytest

from analyzer.patch.read import read_series
from analyzer.pipeline import check
from analyzer.progress import Progress, time_left
from analyzer.tree import DirectoryTree

from .commands import PATCH, TREE


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def drawn(stream: io.StringIO, *, enabled: bool = True, patience: float = 0.0) -> str:
    """Return what is written to a stream while work goes on for a while."""
    with Progress(stream, enabled=enabled, patience=patience) as progress:
        progress("analyse", 0.5)
        time.sleep(0.3)
    return stream.getvalue()


def test_a_terminal_sees_a_bar_that_is_wiped() -> None:
    text = drawn(Terminal())

    assert "analyse" in text
    assert "50%" in text
    assert text.endswith("\x1b[2K\r")


def test_a_dumb_terminal_sees_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")

    assert "" == drawn(Terminal())


def test_short_work_shows_nothing() -> None:
    assert "" == drawn(Terminal(), patience=60)


@pytest.mark.parametrize(("stream", "enabled"), [(io.StringIO(), True), (Terminal(), False)])
def test_nothing_goes_where_nobody_looks(stream: io.StringIO, enabled: bool) -> None:
    assert "" == drawn(stream, enabled=enabled)


def test_a_long_stage_is_seen_to_go_on() -> None:
    stream = Terminal()

    with Progress(stream, patience=0) as progress:
        progress("analyse", 0.0)
        time.sleep(0.5)
        first = len(stream.getvalue())
        time.sleep(1.2)
        assert first < len(stream.getvalue())


def interrupted(stream: io.StringIO) -> None:
    """Be interrupted while a bar is shown."""
    with Progress(stream, patience=0) as progress:
        progress("analyse", 0.3)
        time.sleep(0.3)
        raise KeyboardInterrupt


def test_the_bar_is_wiped_when_work_ends_early() -> None:
    stream = Terminal()

    with pytest.raises(KeyboardInterrupt):
        interrupted(stream)

    assert stream.getvalue().endswith("\x1b[2K\r")


@pytest.mark.parametrize(
    ("seconds", "done", "said"),
    [
        (10, 0.0, ""),
        (10, 0.05, ""),
        (10, 0.5, ", about 10 s left"),
        (300, 0.25, ", about 15 min left"),
        (10, 1.0, ""),
    ],
)
def test_the_time_left_is_told_once_there_is_something_to_go_by(
    seconds: float, done: float, said: str
) -> None:
    assert said == time_left(seconds, done)


def test_the_bar_says_how_long_it_will_take() -> None:
    stream = Terminal()

    with Progress(stream, patience=0) as progress:
        progress("analyse", 0.1)
        time.sleep(0.7)  # nine times that is left

    assert re.search(r"about \d s left", stream.getvalue())


def test_files_and_functions_are_counted_within_a_patch() -> None:
    told: list[tuple[str, float]] = []
    tree = DirectoryTree(TREE)
    series = read_series(Path(PATCH).read_bytes(), "change.patch", tree)

    check(series, tree, progress=lambda stage, done: told.append((stage, done)))

    for verb, least in (("read", 8), ("analyse", 8)):
        counts = [
            tuple(map(int, s.split()[1].split("/"))) for s, _ in told if s.startswith(f"{verb} ")
        ]
        assert len({done for done, _ in counts}) >= least
        assert all(0 < done <= whole for done, whole in counts)
    shares = [done for stage, done in told if stage]
    assert len({round(share, 3) for share in shares}) > 16
    assert all(0 <= share < 1 for share in shares)


def test_nothing_is_drawn_before_the_first_stage() -> None:
    stream = Terminal()

    with Progress(stream, patience=0):
        time.sleep(0.3)  # somebody types a patch

    assert "" == stream.getvalue()


def test_what_is_written_meanwhile_stands_alone_and_the_bar_comes_back() -> None:
    stream = Terminal()

    with Progress(stream, patience=0) as progress:
        progress("analyse", 0.5)
        time.sleep(0.3)
        with progress.aside():
            stream.write("a line\n")
            time.sleep(0.5)
            stream.write("another\n")
        time.sleep(0.3)

    assert "\x1b[2K\ra line\nanother\n\ranalyse" in stream.getvalue()
    assert stream.getvalue().endswith("\x1b[2K\r")
