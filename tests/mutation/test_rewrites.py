"""Many small rewrites of the real tree that change nothing: none of them is an error."""

from __future__ import annotations

import sys
from collections import Counter

import pytest
from kernel.tables import render
from kernel.trees import TOUCHED

from .conftest import Bench
from .rewrites import rewrites, spellings

pytestmark = pytest.mark.kernel


@pytest.mark.slow
def test_rewrites_draw_no_error(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    every: Counter[str] = Counter()
    noise: list[str] = []
    for rewrite in (*rewrites(bench.text), *spellings(bench.text)):
        every[rewrite.kind] += 1
        found = bench.errors(rewrite.path, rewrite.text)
        noise += [f"{rewrite.kind} in {rewrite.function}: {f.rule} in {f.function}" for f in found]
    with capsys.disabled():
        sys.stdout.write(f"\n{render([(k, str(n)) for k, n in sorted(every.items())])}\n")

    assert every.total() >= 150
    assert [] == noise


def test_the_finished_change_itself_has_no_error(bench: Bench) -> None:
    path = TOUCHED[0]

    assert () == bench.errors(path, bench.text(path))
