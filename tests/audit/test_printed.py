"""What is told to a reader is no difference, and what anybody else can see is one."""

from __future__ import annotations

import pytest

from analyzer.sites import Verdict

from .trees import audited, site

WALK = """
static int toy_seen;

int sort(struct zone *zone)
{{
	unsigned long pfn;
	int seen = 0;

	for (pfn = zone->zone_start_pfn; pfn < zone_end_pfn(zone); pfn++) {{
		struct page *page = pfn_to_page(pfn);

		if (PageVmemmapSelfHosted(page))
			continue;
		{body}
	}}
	return {answer};
}}
"""


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ('pr_info("%d\\n", PageReserved(page));', Verdict.UNAFFECTED),
        ('toy_note("%d\\n", PageReserved(page));', Verdict.AFFECTED),
        ('if (PageReserved(page))\n\t\t\tpr_info("kept\\n");', Verdict.UNAFFECTED),
        (
            "if (PageReserved(page)) {\n\t\t\tpr_info(text);\n\t\t\treturn 1;\n\t\t}",
            Verdict.AFFECTED,
        ),
        ("WARN_ON(PageReserved(page));", Verdict.AFFECTED),
    ],
)
def test_only_what_is_printed_is_no_difference(body: str, verdict: Verdict) -> None:
    found = site(audited(WALK.format(body=body, answer="0")), "sort", "PageReserved")

    assert verdict is found.verdict
    assert ("only what is printed differs" in found.reason) == (verdict is Verdict.UNAFFECTED)


@pytest.mark.parametrize(
    ("counter", "answer", "verdict"),
    [
        ("seen++;\n\t\tpr_info(text, seen)", "0", Verdict.UNAFFECTED),
        ("seen++;\n\t\ttoy_note(text, seen)", "0", Verdict.AFFECTED),
        ("seen++", "0", Verdict.UNAFFECTED),
        ("seen++", "seen", Verdict.AFFECTED),
        ("toy_seen++", "0", Verdict.AFFECTED),
    ],
)
def test_a_count_matters_where_it_outlives_the_function(
    counter: str, answer: str, verdict: Verdict
) -> None:
    body = f"if (PageReserved(page))\n\t\t\t{{{counter};}}"

    found = site(audited(WALK.format(body=body, answer=answer)), "sort", "PageReserved")

    assert verdict is found.verdict
