"""Many small edits of the real tree: faults that trap are found, rewrites are passed over."""

from __future__ import annotations

import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pytest
from kernel.places import DEFLATE, FINALIZE
from kernel.tables import render
from kernel.trees import TOUCHED, corpus, open_kernel, patched

from analyzer.base import Pair, Severity
from analyzer.findings import Finding, Status
from analyzer.flow.cache import Cache
from analyzer.pipeline import compare_trees
from analyzer.tree import Hits, MemoryTree, Overlay, Tree

from .faults import faults
from .rewrites import rewrites

pytestmark = pytest.mark.kernel

#: One run of the tool takes seconds, so every so-manieth edit is tried; OFFLINT_MUTATIONS=all tries
#: all of them.
EVERY = (1, 1) if os.environ.get("OFFLINT_MUTATIONS") == "all" else (9, 19)
#: So many of the faults must be errors. Two sites are known to be missed, in each of their six
#: spellings: pages that a driver is named by number, and those that a structure brings back.
AIM = 0.95
KNOWN = frozenset({("drop a clear", DEFLATE), ("drop a clear", FINALIZE)})


@dataclass
class Recorded:
    """A tree that remembers what was read."""

    tree: Tree
    files: dict[str, bytes] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.tree.name

    def read(self, path: str) -> bytes | None:
        data = self.tree.read(path)
        if data is not None:
            self.files[path] = data
        return data

    def search(self, words: Iterable[str]) -> Hits:
        return self.tree.search(words)

    def listdir(self, path: str) -> tuple[str, ...]:
        return self.tree.listdir(path)


@dataclass
class Bench:
    """The trees around the change, as small as the analysis lets them be, and what is shared."""

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
    """Return the trees, read once for all runs."""
    seed = corpus() / "seed"
    after = patched(open_kernel(), [seed / "6.12-strict-page-types.patch"])
    before = patched(after, [seed / "6.12-to-before.patch"])
    recorded = Recorded(before), Recorded(after)
    compare_trees(Pair(*recorded), TOUCHED)
    files = [dict(r.files) for r in recorded]
    return Bench(MemoryTree(files[0]), MemoryTree(files[1]), Cache())


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
    for fault in made[EVERY[0] // 2 :: EVERY[0]]:
        found = bench.errors(fault.path, fault.text)
        every[fault.kind] += 1
        right[fault.kind] += bool(found)
        there[fault.kind] += any(_names(f, fault.function) for f in found)
        if not found:
            missed[fault.kind, fault.function].append(fault.spelling)
    with capsys.disabled():
        sys.stdout.write(f"\n{_table(every, right, there, missed)}\n")

    others = sum(len(s) for site, s in missed.items() if site not in KNOWN)
    assert len(made) >= 150
    assert others <= (1 - AIM) * sum(every.values())


@pytest.mark.slow
def test_rewrites_draw_no_error(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    every: Counter[str] = Counter()
    noise: list[str] = []
    made = tuple(rewrites(bench.text))
    for rewrite in made[EVERY[1] // 2 :: EVERY[1]]:
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
