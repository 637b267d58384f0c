"""What is said of before and now is said of the same pages: of all that come to a place."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from analyzer.findings import Result, Status, Step
from analyzer.patch.apply import apply_patch
from analyzer.patch.model import reverse_patch
from analyzer.patch.read import read_series
from analyzer.pipeline import check
from analyzer.tree import DirectoryTree, Tree

from .cli.commands import PATCH, TREE

MEND = """\
--- a/drivers/acme/acme_balloon.c
+++ b/drivers/acme/acme_balloon.c
@@ -13,5 +13,6 @@
 static void acme_append(struct page *page)
 {
-\t__SetPageOffline(page);
+\tif (!PageOffline(page))
+\t\t__SetPageOffline(page);
 \tlist_add(&page->lru, &acme_pages);
 }
"""


def judged(patch: bytes, tree: Tree) -> Result:
    return check(read_series(patch, "x.patch", tree), tree)


def end(result: Result, function: str, status: Status) -> Step:
    """Return where the trace of what was found in a function ends."""
    return next(
        f.trace[-1] for f in result.findings if (f.function, f.status) == (function, status)
    )


def test_pages_that_come_in_another_state_do_so_in_both_trees() -> None:
    tree = DirectoryTree(TREE)
    (change,) = read_series(Path(PATCH).read_bytes(), "change.patch", tree).patches

    broken = judged(Path(PATCH).read_bytes(), tree)
    mended = judged(MEND.encode(), apply_patch(tree, change).tree)

    site = end(broken, "acme_append", Status.INTRODUCED)
    assert ("Reserved", "Offline") == (site.before, site.after)
    # One driver leaves the pages marked, another does not; neither is touched.
    standing = end(mended, "free_pages_core", Status.PRE_EXISTING)
    assert standing.before == standing.after == "Offline or unmarked"


def test_what_the_reverse_mends_was_broken_before() -> None:
    tree = DirectoryTree(TREE)
    series = read_series(Path(PATCH).read_bytes(), "change.patch", tree)
    (change,) = series.patches

    mended = check(
        replace(series, patches=(reverse_patch(change),)), apply_patch(tree, change).tree
    )

    site = end(mended, "acme_append", Status.FIXED)
    assert ("Offline", "Reserved") == (site.before, site.after)


def test_a_trace_goes_forward_in_time() -> None:
    """What a function does that is still at work comes after the call that entered it."""
    result = judged(Path(PATCH).read_bytes(), DirectoryTree(TREE))

    told = {f.function: [step.message for step in f.trace[:-1]] for f in result.findings}
    made = [
        "memmap_init_range() makes the page by __init_single_page(page, pfn, zone, nid)",
        "memmap_init_range() sets PageOffline",
    ]
    # What happened on another way, which has come to its end, comes before all calls of this one.
    assert told["acme_append"] == [
        *made,
        "online_pages() calls online_pages_range()",
        "online_pages_range() calls (*online_page_callback)()",
        "acme_online_page() calls acme_append()",
    ]
    assert told["foo_online_one"] == [
        *made,
        "foo_online_page() calls foo_online_one()",
        "foo_online_one() clears PageOffline",
        "foo_online_one() calls generic_online_page()",
        "generic_online_page() calls free_pages_core()",
    ]


def test_what_fails_is_not_told_to_be_done_no_longer() -> None:
    tree = DirectoryTree(TREE)
    guard = read_series(MEND.encode(), "x.patch", tree).patches[0]

    def lost(tree: Tree) -> dict[str, tuple[str, ...]]:
        (moved,) = judged(Path(PATCH).read_bytes(), tree).migrations
        return {c.function: c.lost for c in moved.contracts}

    broken, guarded = lost(tree), lost(apply_patch(tree, guard).tree)

    # It sets the mark as it did, which is what goes wrong; and so no page goes on from there.
    assert not {"acme_append", "acme_retrieve"} & broken.keys()
    # Behind a guard it does not.
    assert guarded["acme_append"] == ("sets PageOffline",)
    assert guarded["acme_retrieve"] == ("hands on pages Reserved",)
    assert "sets PageOffline" in broken["foo_online_one"]
