"""A page that is freed on every way after a use has an owner, and another may have none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzer.auditing import audit
from analyzer.sites import Verdict
from analyzer.tree import MemoryTree

from ..fixture.harness import common_files
from .trees import FILE, MIGRATION, audited, site

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


@pytest.mark.parametrize("named", ["by_its_maker", "by_its_zone"])
def test_pages_that_somebody_makes_have_an_owner(named: str) -> None:
    ours = MIGRATION.populations[0]
    made = replace(ours, name="spare", title="spare pages", made_by=("init_spare_page",), when=())
    own = replace(MIGRATION, populations=(made if named == "by_its_maker" else ours,))
    text = DROP.format(body=f"{CLEARED}__free_pages(page, order);")
    maker = "void init_spare_page(struct page *page)\n{\n\t__init_single_page(page, 0, 0, 0);\n}\n"

    tree = MemoryTree({**common_files("strict", "after"), FILE: f"{maker}{text}"})
    found = site(audit(tree, own), "drop")

    assert ("only its owner does" in found.reason) == (named == "by_its_zone")
    assert (found.verdict is Verdict.UNAFFECTED) == (named == "by_its_zone")
