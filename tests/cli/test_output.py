"""Remarks on stderr."""

from __future__ import annotations

import pytest

from analyzer.base import Gap
from analyzer.cli.output import say_left_out

NOWHERE = Gap("budget", "", 0, "", "out of time: nothing of patch 2 was judged")


def _cut(n: int) -> Gap:
    return Gap("budget", "drivers/toy.c", n, "keep", "too many paths")


def test_what_a_limit_left_out_is_said_with_its_place(capsys: pytest.CaptureFixture[str]) -> None:
    say_left_out((NOWHERE, Gap("syntax", "a.c", 3, "", "cannot be read"), _cut(7)), "--all")

    assert capsys.readouterr().err.splitlines() == [
        "offlint: left out: out of time: nothing of patch 2 was judged",
        "offlint: left out: too many paths (drivers/toy.c:7 in keep())",
    ]


def test_of_many_the_first_are_said(capsys: pytest.CaptureFixture[str]) -> None:
    say_left_out(tuple(_cut(n) for n in range(1, 41)), "--all")

    lines = capsys.readouterr().err.splitlines()
    assert 4 == len(lines)
    assert "offlint: left out: 37 more; --all lists them all" == lines[-1]
