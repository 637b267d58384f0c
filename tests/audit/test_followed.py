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
