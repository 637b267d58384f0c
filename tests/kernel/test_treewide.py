"""A patch that goes through a thousand files is judged within what one patch may cost."""

from __future__ import annotations

import time

import pytest

from analyzer.base import Pair
from analyzer.budget import Budget
from analyzer.clock import Clock
from analyzer.findings import Status
from analyzer.idle.nearby import question_of
from analyzer.judge import Task, judge_trees, read_trees
from analyzer.migrations import load_migrations
from analyzer.program.cache import Cache
from analyzer.tree import Overlay, Tree

pytestmark = pytest.mark.kernel

FILES = 1000
#: Seconds, as by default.
LIMIT = 120


def test_a_patch_of_a_thousand_files_is_judged(kernel: Tree) -> None:
    """What it calls instead gets values that may be pages: no file of it can be left aside."""
    texts: dict[str, bytes | None] = {}
    for path in sorted(kernel.search(("kfree",), ("drivers",))):
        text = kernel.read(path) if path.endswith(".c") else None
        if text is not None and b"\tkfree(" in text and len(texts) < FILES:
            texts[path] = text.replace(b"\tkfree(", b"\ttoy_free(")
    trees = Pair(kernel, Overlay(kernel, texts))
    question = question_of(trees, tuple(texts), tuple(load_migrations().values()))
    task = Task(
        trees=trees, changed=tuple(texts), question=question, config={}, cache=Cache(),
        clock=Clock(None), budget=Budget(time.monotonic() + LIMIT),
    )  # fmt: skip

    prepared = read_trees(task)
    judged = None if isinstance(prepared, str) else judge_trees(task, prepared)

    assert FILES == len(texts)
    assert judged is not None
    assert {Status.PRE_EXISTING} >= {f.status for f in judged.findings}
    assert [] == [gap for gap in judged.gaps if gap.kind == "budget"]
    assert FILES < judged.files
