"""The trees around the change, into which edits are put."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from kernel.trees import TOUCHED, corpus, open_kernel, patched

from analyzer.base import Pair, Severity
from analyzer.findings import Finding, Status
from analyzer.pipeline import compare_trees
from analyzer.program.cache import Cache
from analyzer.tree import Overlay, Tree


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


@pytest.fixture(scope="session")
def bench() -> Bench:
    """Return the trees."""
    seed = corpus() / "seed"
    after = patched(open_kernel(), [seed / "6.12-strict-page-types.patch"])
    before = patched(after, [seed / "6.12-to-before.patch"])
    return Bench(before, after, Cache())
