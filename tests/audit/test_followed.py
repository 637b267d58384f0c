"""What is said of pages that were followed is true of the tree at hand, whichever side it is on."""

from __future__ import annotations

import pytest

from analyzer.sites import Verdict

from .trees import audited, site

KEPT = """
static void toy_online_page(struct page *page, unsigned int order)
{
	ClearPageReserved(page);
	if (!PageOffline(page))
		__SetPageOffline(page);
	list_add(&page->lru, &toy_pages);
}

int __init toy_init(void)
{
	return set_online_page_callback(toy_online_page);
}
"""


@pytest.mark.parametrize(
    ("base", "operation", "said"),
    [
        ("after", "__SetPageOffline", "and do not take this way any more"),
        ("before", "__SetPageOffline", "and would not take this way any more"),
        ("after", "ClearPageReserved", "come here, and their Reserved is as it makes it already"),
        ("before", "ClearPageReserved", "would come here with their Reserved as it makes it"),
    ],
)
def test_what_pages_do_is_said_as_the_tree_has_it(base: str, operation: str, said: str) -> None:
    assert said in site(audited(KEPT, base), "toy_online_page", operation).reason


@pytest.mark.parametrize(
    ("base", "said"),
    [
        ("after", "come here Offline, and __SetPageOffline() traps"),
        ("before", "would come here Offline, and __SetPageOffline() would trap"),
    ],
)
def test_what_fails_is_said_as_the_tree_has_it(base: str, said: str) -> None:
    unguarded = KEPT.replace("\tif (!PageOffline(page))\n\t", "")

    found = site(audited(unguarded, base), "toy_online_page", "__SetPageOffline")

    assert f"hotplugged pages {said}" == found.reason


@pytest.mark.parametrize(
    ("then", "verdict"),
    [
        ("__SetPageOffline(page);", Verdict.UNAFFECTED),
        ("toy_note(page);", Verdict.AFFECTED),
        ("{\n\t\t__SetPageOffline(page);\n\t\ttoy_note(page);\n\t}", Verdict.AFFECTED),
    ],
)
def test_who_sets_what_is_missing_does_so_before_and_after(then: str, verdict: Verdict) -> None:
    kept = KEPT.replace("__SetPageOffline(page);", then)

    found = audited(kept, "before").sites

    tests = [s for s in found if s.operation == "PageOffline"]
    assert [verdict] == [s.verdict for s in tests]


LISTED = """
static LIST_HEAD(toy_pages);

static void toy_keep(struct page *page)
{{
	{mark}
	list_add(&page->lru, &toy_pages);
}}

struct page *toy_take(void)
{{
	struct page *page = list_first_entry(&toy_pages, struct page, lru);

	list_del(&page->lru);
	__ClearPageOffline(page);
	return page;
}}

static void toy_online_page(struct page *page, unsigned int order)
{{
	toy_keep(page);
}}

int __init toy_init(void)
{{
	return set_online_page_callback(toy_online_page);
}}
"""


@pytest.mark.parametrize(
    ("mark", "said"),
    [
        (
            "__SetPageOffline(page);",
            "come here, and would not any more: they would fail at __SetPageOffline() in toy_keep",
        ),
        (
            "if (!PageOffline(page))\n\t\t__SetPageOffline(page);",
            "does the same to hotplugged pages as they are now and as they were",
        ),
    ],
)
def test_pages_that_would_fail_on_their_way_are_not_said_never_to_have_come(
    mark: str, said: str
) -> None:
    found = site(audited(LISTED.format(mark=mark), "before"), "toy_take")

    assert Verdict.UNAFFECTED is found.verdict
    assert said in found.reason
