"""PageOffline() that stays on until the page is freed, made on the real tree."""

from __future__ import annotations

import pytest

from analyzer.base import Severity
from analyzer.findings import Result
from analyzer.patch.read import read_series
from analyzer.tree import Tree

from .cases import introduced
from .edits import Edit
from .trees import checked, difference, edited, overlaid

pytestmark = pytest.mark.kernel

#: Freeing takes off any type; the balloon leaves it on.
FORGET = Edit(
    "mm/page_alloc.c",
    "",
    "\tkmsan_free_page(page, order);\n",
    "\tif (page_has_type(page))\n\t\tpage->page_type = UINT_MAX;\n"
    "\tkmsan_free_page(page, order);\n",
)
KEEP = Edit(
    "include/linux/balloon_compaction.h",
    "balloon_page_finalize",
    "\t__ClearPageOffline(page);\n",
    "",
)
#: Who frees, by every way, what it takes the type off just before.
EARLY = {
    ("arch/powerpc/platforms/powernv/memtrace.c", "memtrace_free"),
    ("drivers/hv/hv_balloon.c", "free_balloon_pages"),
    ("drivers/virtio/virtio_mem.c", "virtio_mem_clear_fake_offline"),
}


def made(tree: Tree, *changes: Edit) -> Result:
    """Check a patch that makes the changes."""
    return checked(difference(tree, edited(tree, changes)), tree)


def test_migration_is_derived_and_names_who_does_the_work_twice(kernel: Tree) -> None:
    result = made(kernel, FORGET, KEEP)

    assert ["offline-sticky"] == [m.name for m in result.migrations]
    assert [] == introduced(result, Severity.WARNING)
    notes = introduced(result, Severity.NOTE)
    assert {"early-clear"} == {f.rule for f in notes}
    # balloon_retrieve() also gives pages that are put to use: there the clear is needed.
    assert EARLY == {(f.file, f.function) for f in notes}


def test_half_of_it_leaks_what_the_balloon_hands_on(kernel: Tree) -> None:
    result = made(kernel, KEEP)

    loud = introduced(result, Severity.WARNING)
    assert [("leak-to-buddy", "balloon_page_finalize")] == [(f.rule, f.function) for f in loud]


PATH = "drivers/misc/acme_balloon.c"
DRIVER = """\
// SPDX-License-Identifier: GPL-2.0-only
#include <linux/balloon_compaction.h>
#include <linux/mm.h>

void acme_deflate(struct balloon_dev_info *b)
{{
	struct page *page = balloon_page_dequeue(b);

	if (!page)
		return;
{body}
}}
"""


@pytest.mark.parametrize(
    ("body", "rules"),
    [
        ("\t__free_page(page);", []),
        ("\tput_page(page);", []),
        ("\t__ClearPageOffline(page);\n\t__free_page(page);", ["early-clear"]),
        ("\t__ClearPageOffline(page);\n\tput_page(page);", ["early-clear"]),
        ("\t__ClearPageOffline(page);\n\tacme_use(page);", []),
    ],
)
def test_a_later_driver_leaves_it_to_freeing(kernel: Tree, body: str, rules: list[str]) -> None:
    sticky = overlaid(kernel, edited(kernel, (FORGET, KEEP)))
    lines = DRIVER.format(body=body).splitlines()
    head = f"--- /dev/null\n+++ b/{PATH}\n@@ -0,0 +1,{len(lines)} @@\n"
    patch = head + "".join(f"+{line}\n" for line in lines)

    result = checked(read_series(patch.encode(), "driver", sticky), sticky)

    assert rules == [f.rule for f in introduced(result, Severity.NOTE)]
