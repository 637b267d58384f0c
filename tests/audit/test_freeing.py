"""A page that is freed on every way after a use has an owner, and another may have none."""

from __future__ import annotations

import pytest

from analyzer.sites import Verdict

from .trees import audited, site

DROP = """
void drop(struct toy *toy, unsigned int order, int kept)
{{
	struct page *page = pfn_to_page(toy->frame), *other = toy->page;
	int i, nr = 1 << order;

	{body}
}}
"""
CLEARED = "for (i = 0; i < nr; i++)\n\t\tClearPageReserved(page + i);\n\t"


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (CLEARED + "__free_pages(page, order);", Verdict.UNAFFECTED),
        (CLEARED + "toy_note(page);", Verdict.UNDECIDED),
        (CLEARED + "__free_pages(other, order);", Verdict.UNDECIDED),
        (CLEARED + "if (kept)\n\t\treturn;\n\t__free_pages(page, order);", Verdict.UNDECIDED),
        (CLEARED + "if (kept)\n\t\t__free_pages(page, order);", Verdict.UNDECIDED),
        ("ClearPageReserved(page);\n\twhile (nr--)\n\t\t__free_page(page++);", Verdict.UNAFFECTED),
        ("ClearPageReserved(page);\n\twhile (nr--)\n\t\ttoy_note(page++);", Verdict.UNDECIDED),
        ("__free_pages(other, order);\n\tClearPageReserved(page);", Verdict.UNDECIDED),
    ],
)
def test_a_page_is_owned_by_who_frees_it_on_every_way(body: str, verdict: Verdict) -> None:
    found = site(audited(DROP.format(body=body)), "drop")

    assert verdict is found.verdict
    assert ("only its owner does" in found.reason) == (verdict is Verdict.UNAFFECTED)


@pytest.mark.parametrize(
    ("otherwise", "verdict"),
    [("__free_pages(page, order);", Verdict.UNAFFECTED), ("return;", Verdict.UNDECIDED)],
)
def test_a_test_of_a_page_that_is_freed_either_way_tells_how(
    otherwise: str, verdict: Verdict
) -> None:
    body = (
        "if (PageReserved(page)) {\n\t\t__ClearPageReserved(page);\n\t\twhile (nr--)\n"
        f"\t\t\tfree_reserved_page(page++);\n\t\treturn;\n\t}}\n\t{otherwise}"
    )

    found = audited(DROP.format(body=body)).sites

    tests = [s for s in found if (s.function, s.operation) == ("drop", "PageReserved")]
    assert [verdict] == [s.verdict for s in tests]
