"""The posted series on 6.1: refused hunk by hunk, and analysed as far as it applies.

There __free_pages_core() takes no context, and memmap_init_range() stands in mm/page_alloc.c.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.base import AnalyzerError, Severity
from analyzer.findings import Result
from analyzer.patch.read import read_series
from analyzer.pipeline import check
from analyzer.tree import Tree

from .cases import introduced
from .test_series import mailbox

pytestmark = pytest.mark.kernel

#: What stands elsewhere in 6.1, by patch.
ELSEWHERE = {(1, "mm/internal.h", 1), (1, "mm/mm_init.c", 1), (1, "mm/mm_init.c", 2)} | {
    (2, "mm/mm_init.c", 1)
}


@pytest.fixture(scope="module")
def partial(seed: Path, older: Tree) -> Result:
    """Return what is said of what applies."""
    return check(read_series(mailbox(seed), "v1.mbox", older), older, partial=True)


def test_hunks_that_do_not_apply_are_named_one_by_one(seed: Path, older: Tree) -> None:
    series = read_series(mailbox(seed), "v1.mbox", older)

    with pytest.raises(AnalyzerError) as caught:
        check(series, older)

    said = str(caught.value)
    assert "patch 1 " in said
    assert "3 of 7 hunks" in said
    assert "1 of 14 hunks" in said
    assert all(f"{file} hunk {n} (line " in said for _, file, n in ELSEWHERE)


def test_partial_result_names_what_it_leaves_out(partial: Result) -> None:
    assert ELSEWHERE == {(x.patch, x.file, x.hunk) for x in partial.left_out}
    assert all(x.reason for x in partial.left_out)


def test_what_applies_shows_the_initialiser_that_did_not_follow(partial: Result) -> None:
    wrong = [f for f in introduced(partial) if f.rule == "wrong-initial-state"]

    assert [("mm/page_alloc.c", "memmap_init_range")] == [(f.file, f.function) for f in wrong]
    assert {Severity.ERROR} == {f.severity for f in wrong}


def test_what_applies_shows_the_calls_without_a_context(partial: Result) -> None:
    stale = [f for f in introduced(partial) if f.rule == "stale-call"]

    assert {"memblock_free_pages", "deferred_free_range"} == {f.function for f in stale}
    assert {"mm/page_alloc.c"} == {f.file for f in stale}


def test_what_applies_shows_nothing_that_no_path_explains(partial: Result) -> None:
    """Calls without a context free boot memory as if it were hotplugged; none of them compiles."""
    loud = {f.rule for f in introduced(partial, Severity.WARNING)}

    assert {"wrong-initial-state", "stale-call"} == loud
