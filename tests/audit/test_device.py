"""Where the exception is forgotten, who tells device memory is affected; who never meets it not."""

from __future__ import annotations

import pytest
from fixture.harness import common_files

from analyzer.sites import Site, Verdict

from .trees import FILE, patched

EXCEPTION = "\t\t\tif (zone == ZONE_DEVICE)\n\t\t\t\t__SetPageReserved(page);\n\t\t\telse\n"


def forgetful(text: str, function: str) -> Site | None:
    """Audit the change without its exception; return the use in a function, where it is listed."""
    before, after = (common_files("strict", base) for base in ("before", "after"))
    assert EXCEPTION in after["mm/mm_init.c"]
    after["mm/mm_init.c"] = after["mm/mm_init.c"].replace(EXCEPTION, "")
    found = patched({**before, FILE: text}, {**after, FILE: text}).sites
    return next((s for s in found if s.function == function), None)


@pytest.mark.parametrize(
    ("step", "is_kept_out"),
    [
        ("list_for_each_entry(page, pages, lru)", True),
        ("list_for_each_entry(page, pages, toy_link)", False),
        ("while ((page = toy_next(pages)))", False),
    ],
)
def test_no_device_page_is_on_a_list(step: str, is_kept_out: bool) -> None:
    text = f"""
void mark(struct list_head *pages)
{{
	struct page *page;

	{step} {{
		__SetPageOffline(page);
	}}
}}
"""
    found = forgetful(text, "mark")

    assert (found is None) is is_kept_out
    assert found is None or Verdict.UNDECIDED is found.verdict


WALK = """
static void sift(struct zone *zone)
{{
	unsigned long pfn;

	for (pfn = zone->zone_start_pfn; pfn < zone_end_pfn(zone); pfn++) {{
		struct page *page = pfn_to_page(pfn);

		{test}
		if (PageReserved(page))
			continue;
		{then}
	}}
}}

void sift_all(struct zone *zones, struct zone *first)
{{
	struct zone *zone;

	for (zone = zones; zone < zones + MAX_NR_ZONES; zone++) {{
		{asked}
		sift(zone);
	}}
}}
"""
POPULATED = "if (!populated_zone(zone))\n\t\t\tcontinue;"
NOT_HERE = "if (page_zone(page) != zone)\n\t\t\tcontinue;"


@pytest.mark.parametrize(
    ("test", "asked", "is_kept_out"),
    [
        (NOT_HERE, POPULATED, True),
        (NOT_HERE, "", False),
        (NOT_HERE, "if (!populated_zone(first))\n\t\t\tcontinue;", False),
        ("", POPULATED, False),
        ("if (page_zone(page) == zone)\n\t\t\tcontinue;", POPULATED, False),
        ("if (!pfn_to_online_page(pfn))\n\t\t\tcontinue;", "", True),
        ("if (pfn_to_online_page(pfn))\n\t\t\tcontinue;", "", False),
    ],
)
def test_a_zone_of_device_memory_is_not_populated_and_its_pages_not_online(
    test: str, asked: str, is_kept_out: bool
) -> None:
    text = WALK.format(
        test=test, asked=asked, then="if (page_ext_get(page))\n\t\t\ttoy_note(page);"
    )

    found = forgetful(text, "sift")

    assert found is not None
    assert (Verdict.UNAFFECTED if is_kept_out else Verdict.AFFECTED) is found.verdict
    assert ("; ZONE_DEVICE pages are told apart before: " in found.reason) is is_kept_out


@pytest.mark.parametrize(
    ("macro", "test", "is_kept_out"),
    [
        ("for_each_populated_zone", NOT_HERE, True),
        ("for_each_zone", NOT_HERE, False),
        ("for_each_populated_zone", "", False),
    ],
)
def test_a_macro_may_step_over_populated_zones_alone(
    macro: str, test: str, is_kept_out: bool
) -> None:
    text = WALK.format(test=test, asked="", then="if (page_ext_get(page))\n\t\t\ttoy_note(page);")
    loop = "for (zone = zones; zone < zones + MAX_NR_ZONES; zone++)"
    assert loop in text

    found = forgetful(text.replace(loop, f"{macro}(zone)"), "sift")

    assert found is not None
    assert (Verdict.UNAFFECTED if is_kept_out else Verdict.AFFECTED) is found.verdict


@pytest.mark.parametrize(
    ("inside", "verdict"), [(True, Verdict.UNAFFECTED), (False, Verdict.AFFECTED)]
)
def test_that_one_page_is_online_says_nothing_of_a_whole_walk(
    inside: bool, verdict: Verdict
) -> None:
    test = "if (!pfn_to_online_page(pfn))\n\t\treturn 0;"
    text = f"""
int look(struct zone *zone)
{{
	unsigned long pfn = zone->zone_start_pfn;

	{"" if inside else test}
	for (; pfn < zone_end_pfn(zone); pfn++) {{
		{test if inside else ""}
		struct page *page = pfn_to_page(pfn);

		if (PageReserved(page))
			continue;
		if (page_ext_get(page))
			return 1;
	}}
	return 0;
}}
"""
    found = forgetful(text, "look")

    assert (Verdict.UNAFFECTED if found is None else found.verdict) is verdict
