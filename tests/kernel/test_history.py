"""Check earlier and later patches of the same corner of the kernel, most of them innocent."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from analyzer.base import Severity
from analyzer.findings import Finding, Status
from analyzer.patch.model import Series, reverse_patch
from analyzer.patch.read import read_series
from analyzer.tree import Tree

from .cases import LAWS, introduced, spell
from .trees import checked, unpatched

pytestmark = pytest.mark.kernel

#: Refactoring, accounting, remarks, an allocation's flag: they apply to the tree as it is.
INNOCENT = (
    "T16-snapshot-kerneldoc.mbox",
    "T19-memtrace-gfp-zero.mbox",
    "T22-nr-balloon-pages-1.mbox",
    "T22-nr-balloon-pages-2.mbox",
    "T27-hv-debug-show.mbox",
)
#: The tree has these; the tree before them is made by undoing them. The second changes the law of
#: page types, not the state of any page.
HELD = ("T10-hv-cosmetic.mbox", "B20-hugetlb-double-set-2024.mbox")

BALLOON = "B02-vmw-balloon-double-clear-2019.mbox"
BALLOON_FILE = "drivers/misc/vmw_balloon.c"
#: Where the driver of 2019 marked and unmarked small pages that the balloon list marks as well:
#: the callers that it was mended in, and the two helpers that hold the operations.
MARKS = frozenset({"vmballoon_alloc_page_list", "vmballoon_mark_page_offline"})
UNMARKS = frozenset({"vmballoon_release_page_list", "vmballoon_mark_page_online"})


def warnings(series: Series, tree: Tree) -> list[str]:
    """Return what a series makes wrong, at warning or above."""
    return [spell(f) for f in introduced(checked(series, tree), Severity.WARNING)]


@pytest.mark.parametrize("name", INNOCENT)
def test_innocent_patch_draws_no_warning(name: str, kernel: Tree, history: Path) -> None:
    series = read_series((history / name).read_bytes(), name, kernel)

    assert warnings(series, kernel) == []


@pytest.mark.parametrize("name", HELD)
def test_patch_that_the_tree_has_draws_no_warning(name: str, kernel: Tree, history: Path) -> None:
    before = unpatched(kernel, history / name)
    series = read_series((history / name).read_bytes(), name, before)

    assert warnings(series, before) == []


@pytest.mark.parametrize("law", LAWS)
def test_balloon_fix_of_2019_draws_no_warning(
    law: str, afters: Mapping[str, Tree], history: Path
) -> None:
    before = unpatched(afters[law], history / BALLOON)
    series = read_series((history / BALLOON).read_bytes(), BALLOON, before)

    assert warnings(series, before) == []


def _of_balloon(findings: list[Finding]) -> set[str]:
    """Return the driver's functions that findings stand in or lead through."""
    heavy = (f for f in findings if f.severity.rank >= Severity.WARNING.rank)
    return {s.function for f in heavy for s in f.trace if s.span.file == BALLOON_FILE}


def test_balloon_fix_of_2019_mends_a_double_set_and_a_double_clear(
    afters: Mapping[str, Tree], history: Path
) -> None:
    before = unpatched(afters["strict"], history / BALLOON)
    series = read_series((history / BALLOON).read_bytes(), BALLOON, before)

    result = checked(series, before)

    mended = _of_balloon([f for f in result.findings if f.status is Status.FIXED])
    assert mended & MARKS
    assert mended & UNMARKS


def test_balloon_fix_of_2019_undone_is_reported(afters: Mapping[str, Tree], history: Path) -> None:
    tree = afters["strict"]
    series = read_series((history / BALLOON).read_bytes(), BALLOON, None)
    undo = Series(tuple(reverse_patch(p) for p in reversed(series.patches)), ())

    broken = _of_balloon(introduced(checked(undo, tree), Severity.WARNING))

    assert broken & MARKS
    assert broken & UNMARKS
