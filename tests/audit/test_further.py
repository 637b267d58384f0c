"""A migration may move pages that the kernel's facts say little of: less is certain of those."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fixture.harness import common_files

from analyzer.auditing import audit
from analyzer.migrations import Described, Moved
from analyzer.sites import Audit, Verdict
from analyzer.tree import MemoryTree

from .trees import FILE, MIGRATION, site

HOTPLUGGED = MIGRATION.populations
BOOT = (Moved("boot", "Reserved", "neither"),)
LENT = (Moved("lent", "neither", "Offline", "lent pages", handed_on_by=("lend_page",)),)


def moving(*populations: Moved) -> Described:
    return replace(MIGRATION, populations=populations, exceptions=())


def audited(text: str, *populations: Moved) -> Audit:
    tree = MemoryTree({**common_files("strict", "after"), FILE: text})
    return audit(tree, moving(*populations))


FREED = """
void drop(unsigned long addr, unsigned int order)
{
	struct page *page = virt_to_page(addr);

	if (PageReserved(page))
		free_reserved_page(page);
	else
		__free_pages(page, order);
}
"""


@pytest.mark.parametrize("moved", [HOTPLUGGED, BOOT])
def test_how_a_page_is_freed_matters_to_pages_that_somebody_has(moved: tuple[Moved, ...]) -> None:
    found = site(audited(FREED, *moved), "drop", "PageReserved")

    assert found.verdict is (Verdict.UNAFFECTED if moved is HOTPLUGGED else Verdict.UNDECIDED)
    assert ("hotplugged" in found.reason) == (moved is HOTPLUGGED)


MARKED = """
void mark(struct toy *toy)
{{
	SetPageReserved(virt_to_page({address}));
}}
"""


@pytest.mark.parametrize(
    ("address", "verdict"),
    [
        ("toy->table", Verdict.UNDECIDED),
        ("__get_free_page(GFP_KERNEL)", Verdict.UNAFFECTED),
        ("memblock_alloc(PAGE_SIZE, PAGE_SIZE)", Verdict.AFFECTED),
    ],
)
def test_memory_by_its_address_may_be_boot_memory(address: str, verdict: Verdict) -> None:
    found = site(audited(MARKED.format(address=address), *BOOT), "mark")

    assert verdict is found.verdict


LENDS = """
struct page *lend_page(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	__SetPageOffline(page);
	return page;
}
"""
TESTS = """
int is_lent(struct toy *toy)
{{
	struct page *page = {page};

	return PageOffline(page);
}}
"""


@pytest.mark.parametrize(
    ("page", "verdict"),
    [
        ("toy->page", Verdict.UNAFFECTED),
        ("virt_to_page(toy->address)", Verdict.UNDECIDED),
        ("pfn_to_online_page(toy->frame)", Verdict.UNDECIDED),
        ("alloc_page(GFP_KERNEL)", Verdict.UNAFFECTED),
    ],
)
def test_pages_of_a_migrations_own_are_memory_in_use(page: str, verdict: Verdict) -> None:
    found = site(audited(LENDS + TESTS.format(page=page), *LENT), "is_lent")

    assert verdict is found.verdict


@pytest.mark.parametrize(
    ("lends", "verdict"), [(LENDS, Verdict.UNAFFECTED), ("", Verdict.UNDECIDED)]
)
def test_a_pointer_is_none_of_theirs_only_where_they_were_followed(
    lends: str, verdict: Verdict
) -> None:
    found = site(audited(lends + TESTS.format(page="toy->page"), *LENT), "is_lent")

    assert verdict is found.verdict


SHIFTED = """
unsigned long frame_of(unsigned long nr)
{
	return nr << 4;
}

int look(struct toy *toy)
{
	return PageReserved(pfn_to_page(frame_of(toy->nr)));
}

int look_at_all(struct zone *zone)
{
	unsigned long pfn = frame_of(zone->zone_start_pfn);

	for (; pfn < zone_end_pfn(zone); pfn++)
		if (PageReserved(pfn_to_page(pfn)))
			return 1;
	return 0;
}
"""


def test_what_a_helper_computes_is_made_of_what_this_call_passes() -> None:
    found = audited(SHIFTED, *HOTPLUGGED)

    assert "toy->nr is read from memory" in site(found, "look").reason
    assert site(found, "look").verdict is Verdict.UNDECIDED
    assert site(found, "look_at_all").verdict is Verdict.AFFECTED
