"""A driver that comes after the change: the old habits are flagged, the same done right is not."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from analyzer.base import Severity
from analyzer.findings import Result
from analyzer.patch.read import read_series
from analyzer.tree import Tree

from .cases import LAWS, introduced
from .trees import checked

pytestmark = pytest.mark.kernel

PATH = "drivers/misc/acme_hotmem.c"
DRIVER = """\
// SPDX-License-Identifier: GPL-2.0-only
#include <linux/init.h>
#include <linux/list.h>
#include <linux/memory.h>
#include <linux/memory_hotplug.h>
#include <linux/mm.h>

static LIST_HEAD(acme_kept);
static unsigned long acme_pending;

static void acme_free(struct page *page, unsigned int order)
{{
{free}	generic_online_page(page, order);
}}

static void acme_keep(struct page *page)
{{
{keep}	list_add(&page->lru, &acme_kept);
}}

static void acme_online_page(struct page *page, unsigned int order)
{{
	if (acme_wants(page_to_pfn(page)))
		acme_keep(page);
	else
		acme_free(page, order);
}}

static int acme_memory_notify(struct notifier_block *nb, unsigned long action, void *data)
{{
	struct memory_notify *arg = data;
	unsigned long pfn = arg->start_pfn;

	if (action != MEM_GOING_ONLINE)
		return NOTIFY_OK;
	for (; pfn < arg->start_pfn + arg->nr_pages; pfn++)
		if ({test}(pfn_to_page(pfn)))
			acme_pending++;
	return NOTIFY_OK;
}}

static struct notifier_block acme_nb = {{
	.notifier_call = acme_memory_notify,
}};

static int __init acme_init(void)
{{
	int rc = register_memory_notifier(&acme_nb);

	return rc ? rc : set_online_page_callback(&acme_online_page);
}}
module_init(acme_init);
"""
GUARDED = "\tif (!PageOffline(page))\n\t\t__SetPageOffline(page);\n"
RIGHT = {"free": "", "keep": GUARDED, "test": "PageOffline"}

#: Old habit -> the function that has it, and the rule under each law.
HABITS = {
    "clears Reserved": (
        {"free": "\tClearPageReserved(page);\n"},
        "acme_free",
        dict.fromkeys(LAWS, "dead-op"),
    ),
    "sets Offline unguarded": (
        {"keep": "\t__SetPageOffline(page);\n"},
        "acme_keep",
        {"strict": "double-set", "lenient": "redundant-op", "bits": "redundant-op"},
    ),
    "clears Offline before onlining": (
        {"free": "\t__ClearPageOffline(page);\n"},
        "acme_free",
        {"strict": "double-clear", "lenient": "redundant-op", "bits": "double-clear"},
    ),
    "finds hotplugged pages by Reserved": (
        {"test": "PageReserved"},
        "acme_memory_notify",
        dict.fromkeys(LAWS, "stale-test"),
    ),
}


def added(tree: Tree, **parts: str) -> Result:
    """Check a patch that adds the driver."""
    lines = DRIVER.format(**{**RIGHT, **parts}).splitlines()
    head = f"--- /dev/null\n+++ b/{PATH}\n@@ -0,0 +1,{len(lines)} @@\n"
    patch = head + "".join(f"+{line}\n" for line in lines)
    return checked(read_series(patch.encode(), "driver", tree), tree)


def found(result: Result) -> list[tuple[str, str]]:
    """Return rule and function of everything that the patch introduces, notes included."""
    return [(f.rule, f.function) for f in introduced(result, Severity.NOTE)]


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("habit", HABITS)
def test_an_old_habit_is_flagged(law: str, habit: str, afters: Mapping[str, Tree]) -> None:
    parts, function, rules = HABITS[habit]

    assert [(rules[law], function)] == found(added(afters[law], **parts))


@pytest.mark.parametrize("law", LAWS)
def test_the_same_driver_written_right_is_silent(law: str, afters: Mapping[str, Tree]) -> None:
    assert [] == found(added(afters[law]))


def test_before_the_change_the_old_habits_are_right(befores: Mapping[str, Tree]) -> None:
    clears = added(befores["strict"], free="\tClearPageReserved(page);\n")
    tests = added(befores["strict"], test="PageReserved")

    assert "dead-op" not in [rule for rule, _ in found(clears)]
    assert "stale-test" not in [rule for rule, _ in found(tests)]
