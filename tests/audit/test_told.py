"""What a verdict tells of before and now is what the use at hand makes of it."""

from __future__ import annotations

import pytest

from analyzer.sites import Site, Verdict

from .trees import audited

SORTED = """
int sort(struct zone *zone, int armed)
{{
	unsigned long pfn;

	for (pfn = zone->zone_start_pfn; pfn < zone_end_pfn(zone); pfn++) {{
		struct page *page = pfn_to_page(pfn);

		if (PageVmemmapSelfHosted(page))
			continue;
		{body}
	}}
	return 0;
}}
"""


FOUR = """int a = PageReserved(page), b = PageReserved(page);
		int c = PageReserved(page), d = PageReserved(page);

		if ((a && b) || (c && d))
			bark(pfn);
"""


def told(body: str, word: str = "PageReserved") -> list[Site]:
    """Return the sites of a walker over all pages, for hotplugged ones."""
    found = audited(SORTED.format(body=body))
    return [s for s in found.sites if s.function == "sort" and s.operation == word]


def test_of_two_tests_each_tells_what_it_decides() -> None:
    first, second = told(
        "if (armed && PageReserved(page))\n\t\t\tbark(pfn);\n"
        "\t\tif (!PageReserved(page))\n\t\t\tpurr(pfn);"
    )

    assert ("calls bark(pfn)", "goes on to the next page") == first.ways
    assert ("goes on to the next page, and no more", "calls purr(pfn)") == second.ways


def test_a_test_that_decides_all_tells_all() -> None:
    (only,) = told("if (PageReserved(page))\n\t\t\tbark(pfn);\n\t\telse\n\t\t\tpurr(pfn);")

    assert ("calls bark(pfn)", "calls purr(pfn)") == only.ways


def test_each_of_two_tests_that_must_both_hold_makes_the_difference() -> None:
    found = told("if (PageReserved(page) && armed && PageReserved(page))\n\t\t\tbark(pfn);")

    assert [Verdict.AFFECTED] * 2 == [s.verdict for s in found]
    assert [("calls bark(pfn)", "goes on to the next page, and no more")] * 2 == [
        s.ways for s in found
    ]


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("int a = PageReserved(page);\n\n\t\tif (a)\n\t\t\tbark(pfn);", Verdict.AFFECTED),
        (FOUR, Verdict.UNDECIDED),
    ],
    ids=["one", "four"],
)
def test_a_test_that_makes_no_difference_alone_is_not_said_to(body: str, verdict: Verdict) -> None:
    assert {verdict} == {s.verdict for s in told(body)}
