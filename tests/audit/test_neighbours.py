"""A page beside the one at hand is another page, and so is what a variable names later."""

from __future__ import annotations

import pytest

from analyzer.sites import Verdict

from .trees import audited, site

WALK = """
int sort(struct zone *zone, int i)
{{
	unsigned long pfn;

	for (pfn = zone->zone_start_pfn; pfn < zone_end_pfn(zone); pfn++) {{
		struct page *page = pfn_to_page(pfn), *other;

		if (PageVmemmapSelfHosted(page))
			continue;
		{body}
		bark(pfn);
	}}
	return 0;
}}
"""
BOTH = "if (PageReserved(page) || PageOffline({other}))\n\t\t\tcontinue;"


@pytest.mark.parametrize(
    ("other", "verdict"),
    [
        ("page", Verdict.UNAFFECTED),
        ("page + 0", Verdict.UNAFFECTED),
        ("&page[0]", Verdict.UNAFFECTED),
        ("pfn_to_page(pfn)", Verdict.UNAFFECTED),
        ("pfn_to_page(page_to_pfn(page))", Verdict.UNAFFECTED),
        ("nth_page(page, 0)", Verdict.UNAFFECTED),
        ("page + 1", Verdict.AFFECTED),
        ("page - 1", Verdict.AFFECTED),
        ("&page[1]", Verdict.AFFECTED),
        ("page + i", Verdict.AFFECTED),
        ("pfn_to_page(pfn + 1)", Verdict.AFFECTED),
        ("pfn_to_page(page_to_pfn(page) + 1)", Verdict.AFFECTED),
        ("nth_page(page, 1)", Verdict.AFFECTED),
    ],
)
def test_only_a_test_of_the_same_page_is_a_test_as_well(other: str, verdict: Verdict) -> None:
    found = audited(WALK.format(body=BOTH.format(other=other)))

    assert verdict is site(found, "sort", "PageReserved").verdict


@pytest.mark.parametrize(
    ("named", "verdict"),
    [
        ("other = page;", Verdict.UNAFFECTED),
        ("other = page + 1;", Verdict.AFFECTED),
        ("other = page;\n\t\tother = mate(page);", Verdict.AFFECTED),
        ("other = page;\n\t\tother++;", Verdict.AFFECTED),
        ("other = page;\n\t\tfill(&other);", Verdict.AFFECTED),
        ("other = mate(page);\n\t\tother = page;", Verdict.UNAFFECTED),
    ],
)
def test_a_variable_names_the_page_until_it_is_given_another(named: str, verdict: Verdict) -> None:
    body = f"{named}\n\t\t{BOTH.format(other='other')}"

    assert verdict is site(audited(WALK.format(body=body)), "sort", "PageReserved").verdict


@pytest.mark.parametrize(
    ("other", "verdict"), [("page + 1", Verdict.AFFECTED), ("page", Verdict.UNDECIDED)]
)
def test_what_the_next_page_has_lost_this_one_has_still(other: str, verdict: Verdict) -> None:
    body = f"ClearPageReserved({other});\n\t\tif (PageReserved(page))\n\t\t\tcontinue;"

    found = audited(WALK.format(body=body)).sites

    tests = [s for s in found if (s.function, s.operation) == ("sort", "PageReserved")]
    assert [verdict] == [s.verdict for s in tests]


@pytest.mark.parametrize(
    ("asked", "verdict"),
    [
        ("PageLRU(page)", Verdict.UNAFFECTED),
        ("folio_test_lru(page_folio(page))", Verdict.UNAFFECTED),
        ("TestClearPageLRU(page)", Verdict.AFFECTED),
        ("toy_skip(page)", Verdict.AFFECTED),
    ],
)
def test_what_only_looks_may_stand_between_two_tests(asked: str, verdict: Verdict) -> None:
    body = f"if (PageReserved(page) || {asked} || PageOffline(page))\n\t\t\tcontinue;"

    assert verdict is site(audited(WALK.format(body=body)), "sort", "PageReserved").verdict
