"""What a function does to a page on the way decides, and what those do who use a wrapper."""

from __future__ import annotations

import pytest

from analyzer.sites import Verdict

from .trees import audited, site

MADE = """
static void make_one(struct page *page, unsigned long pfn, unsigned long zone, int nid)
{{
	{made}
	if (!PageReserved(page))
		bark(page);
}}

void make_all(struct zone *zone)
{{
	unsigned long pfn;

	for (pfn = zone->zone_start_pfn; pfn < zone_end_pfn(zone); pfn++)
		make_one(pfn_to_page(pfn), pfn, 0, 0);
}}
"""


@pytest.mark.parametrize(
    ("made", "verdict"),
    [
        ("__init_single_page(page, pfn, zone, nid);", Verdict.UNAFFECTED),
        ("__init_single_page(other, pfn, zone, nid);", Verdict.AFFECTED),
        ("if (nid)\n\t\t__init_single_page(page, pfn, zone, nid);", Verdict.AFFECTED),
    ],
)
def test_what_a_page_came_with_is_gone_where_it_is_made_anew(made: str, verdict: Verdict) -> None:
    assert verdict is site(audited(MADE.format(made=made)), "make_one", "PageReserved").verdict


FREED = """
static void drop_each(struct page *page, unsigned long count)
{{
	while (count--)
		{drop}(page++);
}}

void drop(pmd_t *pmd, int order)
{{
	struct page *page = pmd_page(*pmd);

	if (PageReserved(page))
		drop_each(page, 1 << order);
	else
		__free_pages(page, order);
}}
"""


@pytest.mark.parametrize(
    ("drop", "verdict"),
    [("free_reserved_page", Verdict.UNAFFECTED), ("toy_keep", Verdict.UNDECIDED)],
)
def test_a_static_function_that_only_frees_frees(drop: str, verdict: Verdict) -> None:
    assert verdict is site(audited(FREED.format(drop=drop)), "drop", "PageReserved").verdict


# -- wrappers -------------------------------------------------------------------------------------

WRAPPERS = """
static inline int page_is_mine(struct page *page)
{
	return PageReserved(page);
}

static inline int page_is_ours(struct page *page)
{
	return page_is_mine(page);
}

static inline int page_is_spare(struct page *page)
{
	return PageReserved(page);
}
"""


@pytest.mark.parametrize(
    ("page", "verdict"),
    [("alloc_page(GFP_KERNEL)", Verdict.UNAFFECTED), ("pfn_to_page(pfn)", Verdict.UNDECIDED)],
)
def test_a_wrapper_is_judged_by_the_users_of_its_users(page: str, verdict: Verdict) -> None:
    user = f"int look(unsigned long pfn)\n{{\n\treturn page_is_ours({page});\n}}\n"

    result = audited(user, **{"include/linux/mine.h": WRAPPERS})

    inner = site(result, "page_is_mine", "PageReserved")
    assert (verdict, "so is the only use of page_is_mine()") == (inner.verdict, inner.reason)
    assert verdict is site(result, "page_is_ours").verdict


def test_a_wrapper_that_nothing_uses_matters_nowhere() -> None:
    found = site(audited("", **{"include/linux/mine.h": WRAPPERS}), "page_is_spare")

    assert (Verdict.UNAFFECTED, "nothing uses page_is_spare()") == (found.verdict, found.reason)


# -- arrays of pages ------------------------------------------------------------------------------

ARRAY = """
int fill(struct toy *t, unsigned long pfn, int n)
{{
	int i;

	t->pages = kcalloc(n, sizeof(*t->pages), GFP_KERNEL);
	for (i = 0; i < n; i++) {{
		{stored}
		SetPageReserved(t->pages[i]);
	}}
	return 0;
}}
"""


@pytest.mark.parametrize(
    ("stored", "verdict", "words"),
    [
        ("t->pages[i] = vmalloc_to_page(t->base);", Verdict.UNAFFECTED, "vmalloc_to_page() gives"),
        ("t->pages[i] = pfn_to_page(pfn + i);", Verdict.UNDECIDED, "read from memory"),
    ],
)
def test_who_makes_an_array_does_not_make_its_pages(
    stored: str, verdict: Verdict, words: str
) -> None:
    found = site(audited(ARRAY.format(stored=stored)), "fill")

    assert verdict is found.verdict
    assert words in found.reason
    assert "kcalloc" not in found.reason
