"""What is told to be idle on the way from one kernel to the next, the analysis finds the same."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from itertools import islice

import pytest

from analyzer.base import Pair
from analyzer.checks.contracts import is_same
from analyzer.clock import Clock
from analyzer.comparison.compare import Sides
from analyzer.flow.analyse import Prepared, interest_of, prepare
from analyzer.idle.nearby import Question, idle_by_text, idle_nearby, question_of
from analyzer.idle.relevance import idle_by_interest, idle_by_names
from analyzer.judge import found_in
from analyzer.migrations import load_migrations
from analyzer.program.cache import Cache
from analyzer.rules import load_rules
from analyzer.settle import settle
from analyzer.tree import Overlay, Tree

pytestmark = pytest.mark.kernel

#: Beside the files that the analysis reads: headers that they look into, and files without pages.
OTHERS = (
    *(f"include/linux/{name}.h" for name in ("mm", "mmzone", "page-flags", "memory_hotplug")),
    *(f"include/linux/{name}.h" for name in ("balloon_compaction", "memory", "list", "fs", "of")),
    *("mm/internal.h", "mm/vmstat.c", "mm/slab.h", "kernel/fork.c", "fs/inode.c", "net/core/dev.c"),
    *("drivers/base/core.c", "drivers/net/dummy.c", "drivers/clk/clk.c", "lib/string.c"),
)
HUNKS = 90


def hunks(older: Tree, newer: Tree, paths: list[str]) -> Iterator[tuple[str, bytes]]:
    """Yield files of the older tree with one hunk of what changed by the newer: path and text."""
    draw = random.Random(19)
    draw.shuffle(paths)
    for path in paths:
        before, after = older.read(path), newer.read(path)
        if before is None or after is None:
            continue
        old, new = before.splitlines(True), after.splitlines(True)
        steps = [s for s in SequenceMatcher(None, old, new).get_opcodes() if s[0] != "equal"]
        for _, i, j, m, n in draw.sample(steps, min(len(steps), 3)):
            yield path, b"".join((*old[:i], *new[m:n], *old[j:]))


def why_idle(trees: Pair[Tree], path: str, question: Question, both: Pair[Prepared]) -> str:
    """Return which way to decide without analysis calls a change idle; nothing where none does."""
    ways: dict[str, Callable[[], str | None]] = {
        "by its text": lambda: idle_by_text(trees, [path]),
        "by its file": lambda: idle_nearby(trees, [path], question.facts),
        "by names": lambda: idle_by_names(both, [path]),
        "by what matters": lambda: idle_by_interest(both, both.map(interest_of), [path]),
    }
    return next((name for name, says in ways.items() if says() is not None), "")


def test_what_is_idle_is_analysed_alike(
    older: Tree, kernel: Tree, row: Callable[[str, tuple[str, ...]], None]
) -> None:
    cache, rules, told, wrong = Cache(), load_rules(), Counter[str](), []
    described = load_migrations().values()
    first = question_of(Pair(older, older), [], described)
    read = prepare(older.read, older.search, cache, first.facts, {}).program.paths
    for path, text in islice(hunks(older, kernel, [*sorted(read), *OTHERS]), HUNKS):
        trees: Pair[Tree] = Pair(older, Overlay(older, {path: text}))
        question = question_of(trees, [path], described)
        facts = question.facts
        both = trees.map(lambda t, f=facts: prepare(t.read, t.search, cache, f, {}))
        both.map(lambda p, path=path: p.program.add([path]))
        way = why_idle(trees, path, question, both)
        told[way or "analysed"] += 1
        if way:
            sides = Sides.of(both, settle(both, Clock(None)), facts, question.described)
            new = (*found_in(sides, [path], rules), *found_in(sides.swapped, [path], rules))
            if new or not is_same(sides):
                wrong.append((path, way, [f.message for f in new]))

    for way, times in sorted(told.items()):
        row("hunks from 6.1 to 6.12", (way, str(times)))
    assert [] == wrong
    assert told["by what matters"]
    assert told["by its file"]
