"""Many small edits of the real tree: faults that trap are found, rewrites are passed over."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

import pytest
from kernel.tables import render
from kernel.trees import TOUCHED, corpus, open_kernel, patched

from analyzer.base import Pair, Severity
from analyzer.findings import Finding, Status
from analyzer.flow.cache import Cache
from analyzer.pipeline import compare_trees
from analyzer.tree import Overlay, Tree

from .faults import faults
from .rewrites import rewrites

pytestmark = pytest.mark.kernel

#: So many of the faults must be errors.
AIM = 0.95


@dataclass
class Bench:
    """The trees around the change, which remember what was searched for, and what is shared."""

    before: Tree
    after: Tree
    cache: Cache

    def text(self, path: str) -> str:
        """Return a file of the finished change."""
        data = self.after.read(path)
        assert data is not None, f"{path}: not in the tree"
        return data.decode()

    def errors(self, path: str, text: str) -> tuple[Finding, ...]:
        """Return the errors that the change introduces with one more file changed."""
        after = Overlay(self.after, {path: text.encode()})
        changed = tuple(dict.fromkeys((*TOUCHED, path)))
        result = compare_trees(Pair(self.before, after), changed, cache=self.cache)
        return tuple(
            f
            for f in result.findings
            if f.status is Status.INTRODUCED and f.severity is Severity.ERROR
        )


@pytest.fixture(scope="module")
def bench() -> Bench:
    """Return the trees."""
    seed = corpus() / "seed"
    after = patched(open_kernel(), [seed / "6.12-strict-page-types.patch"])
    before = patched(after, [seed / "6.12-to-before.patch"])
    return Bench(before, after, Cache())


def _names(finding: Finding, function: str) -> bool:
    """Tell whether a finding leads to a function: it, its cause, or a step on the way."""
    cause = finding.cause.function if finding.cause else ""
    return function in (finding.function, cause, *(s.function for s in finding.trace))


@pytest.mark.slow
def test_faults_that_must_trap_are_errors(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    right: Counter[str] = Counter()
    there: Counter[str] = Counter()
    every: Counter[str] = Counter()
    missed: dict[tuple[str, str], list[str]] = defaultdict(list)
    made = tuple(faults(bench.text))
    for fault in made:
        found = bench.errors(fault.path, fault.text)
        every[fault.kind] += 1
        right[fault.kind] += bool(found)
        there[fault.kind] += any(_names(f, fault.function) for f in found)
        if not found:
            missed[fault.kind, fault.function].append(fault.spelling)
    with capsys.disabled():
        sys.stdout.write(f"\n{_table(every, right, there, missed)}\n")

    assert len(made) >= 150
    assert sum(right.values()) >= AIM * len(made)


@pytest.mark.slow
def test_rewrites_draw_no_error(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    every: Counter[str] = Counter()
    noise: list[str] = []
    made = tuple(rewrites(bench.text))
    for rewrite in made:
        every[rewrite.kind] += 1
        found = bench.errors(rewrite.path, rewrite.text)
        noise += [f"{rewrite.kind} in {rewrite.function}: {f.rule} in {f.function}" for f in found]
    with capsys.disabled():
        sys.stdout.write(f"\n{render([(k, str(n)) for k, n in sorted(every.items())])}\n")

    assert len(made) >= 150
    assert [] == noise


def test_the_finished_change_itself_has_no_error(bench: Bench) -> None:
    path = TOUCHED[0]

    assert () == bench.errors(path, bench.text(path))


def _table(
    every: Mapping[str, int],
    right: Mapping[str, int],
    there: Mapping[str, int],
    missed: Mapping[tuple[str, str], list[str]],
) -> str:
    rows = [("faults", "all", "error", "leads to the place")]
    rows += [(k, str(every[k]), str(right[k]), str(there[k])) for k in sorted(every)]
    totals = (sum(counts.values()) for counts in (every, right, there))
    rows.append(("total", *map(str, totals)))
    lines = [f"missed: {kind} in {name}: {', '.join(s)}" for (kind, name), s in missed.items()]
    return "\n".join([render(rows), *lines])
