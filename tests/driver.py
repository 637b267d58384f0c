"""A driver that keeps pages back on a migrated core, and a patch that spoils it in two places."""

from __future__ import annotations

from itertools import pairwise

from analyzer.findings import Result
from analyzer.pipeline import check
from analyzer.request import Request
from analyzer.suppress import suppress

from .fixture.harness import common_files, series_of, tree_of, unified

PATH = "drivers/foo/foo_mem.c"
DRIVER = """\
// SPDX-License-Identifier: GPL-2.0
#include <linux/memory_hotplug.h>

static void foo_keep(struct page *page)
{
	list_add(&page->lru, &foo_pages);
}

static void foo_hold(struct page *page)
{
	SetPageKeptBack(page);
}

static void foo_online_page(struct page *page, unsigned int order)
{
	if (foo_is_spare(page_to_pfn(page)))
		foo_keep(page);
	else if (foo_is_held(page_to_pfn(page)))
		foo_hold(page);
	else
		generic_online_page(page, order);
}

int __init foo_init(void)
{
	return set_online_page_callback(&foo_online_page);
}
"""
KEEP = "\t__SetPageOffline(page);\n\tlist_add(&page->lru, &foo_pages);\n"
HOLD = "\t__SetPageOffline(page);\n\tSetPageKeptBack(page);\n"
SPOILT = DRIVER.replace("\tlist_add(&page->lru, &foo_pages);\n", KEEP).replace(
    "\tSetPageKeptBack(page);\n", HOLD
)


def requested(before: str, *afters: str) -> Request:
    """Return the request to check patches that give the driver new texts, one after another."""
    core = common_files("strict", "after")
    texts = [before, *afters]
    patches = []
    for n, (one, other) in enumerate(pairwise(texts), 1):
        subject = f"[PATCH {n}/{len(afters)}] foo: change {n}"
        head = (
            f"From {n:040} Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\n"
            f"Message-Id: <{n}@example.org>\nSubject: {subject}\n\nText.\n---\n"
        )
        patches.append(head + unified({PATH: one}, {PATH: other}) + "-- \n2.45.0\n\n")
    files = {**core, PATH: before}
    return Request(series_of(files, "".join(patches)), tree_of(files))


def found(before: str, *afters: str) -> Result:
    """Return what is found by patches that give the driver new texts."""
    request = requested(before, *afters)
    return check(request.series, request.tree)


def heard(before: str, *afters: str) -> Result:
    """Return the same, the suppressions in the source heard."""
    request = requested(before, *afters)
    result = check(request.series, request.tree)
    return suppress(result, request.read, request.changed, request.files)
