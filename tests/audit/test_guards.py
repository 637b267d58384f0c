"""A test keeps pages from a use where it is of these pages and every way to the use passes it."""

from __future__ import annotations

import pytest

from analyzer.sites import Verdict

from .trees import SELF_HOSTING, audited, site

GUARDED = """
{before}
int take(struct vmemmap_remap_walk *walk, pmd_t *pmd, pmd_t *next)
{{
	struct page *page = pmd_page(*pmd);
	int err = 0;

	if (!page)
		return 0;
	{test}
	return {use};
}}
"""


@pytest.mark.parametrize(
    ("test", "is_kept_out"),
    [
        ("if (PageVmemmapSelfHosted(page))\n\t\treturn 0;", True),
        ("if (PageVmemmapSelfHosted(page))\n\t\terr = -EBUSY;\n\tif (err)\n\t\treturn 0;", True),
        ('if (PageVmemmapSelfHosted(page))\n\t\tpr_info("self-hosted");', False),
        ("if (!PageVmemmapSelfHosted(page))\n\t\treturn 0;", False),
        ("if (armed() && PageVmemmapSelfHosted(page))\n\t\treturn 0;", False),
        ("if (PageVmemmapSelfHosted(toy_first))\n\t\treturn 0;", False),
        (
            "if (PageVmemmapSelfHosted(page))\n\t\treturn 0;\n\tpage = pmd_page(*next);",
            False,
        ),
    ],
)
@pytest.mark.parametrize("is_called", [False, True])
def test_pages_are_kept_out_by_a_test_of_them_that_every_way_to_the_use_passes(
    test: str, is_kept_out: bool, is_called: bool
) -> None:
    helper = "static int toy_read(struct page *p)\n{\n\treturn PageReserved(p);\n}\n"
    before, use = (helper, "toy_read(page)") if is_called else ("", "PageReserved(page)")

    found = site(
        audited(GUARDED.format(before=before, test=test, use=use), **SELF_HOSTING),
        "toy_read" if is_called else "take",
    )

    assert (Verdict.UNAFFECTED if is_kept_out else Verdict.UNDECIDED) is found.verdict
    assert ("told apart before: PageVmemmapSelfHosted() in take()" in found.reason) is is_kept_out


def test_the_first_page_of_a_walk_is_asked_for_those_that_follow() -> None:
    text = """
int take(struct toy_walk *walk, struct vmemmap_remap_walk *remap, pmd_t *pmd)
{{
	struct page *page = pmd_page(*pmd);

	if (!walk->{field} && PageVmemmapSelfHosted(page))
		return 0;
	walk->walked++;
	return PageReserved(page);
}}
"""
    texts = (text.format(field=f) for f in ("walked", "armed"))
    first, other = (site(audited(t, **SELF_HOSTING), "take") for t in texts)

    assert Verdict.UNAFFECTED is first.verdict
    assert Verdict.UNDECIDED is other.verdict


@pytest.mark.parametrize(
    ("source", "first", "verdict"),
    [
        ("pfn_to_online_page", "PageDirty(page)", Verdict.AFFECTED),
        ("pfn_to_online_page", "PageOffline(page)", Verdict.UNAFFECTED),
        ("pfn_to_online_page", "page_count(page)", Verdict.UNAFFECTED),
        ("virt_to_page", "PageDirty(page)", Verdict.UNAFFECTED),
    ],
)
def test_an_online_section_has_pages_that_were_kept_back(
    source: str, first: str, verdict: Verdict
) -> None:
    text = f"""
int look(unsigned long pfn)
{{
	struct page *page = {source}(pfn);

	if (!page || PageVmemmapSelfHosted(page) || {first})
		return 0;
	return PageReserved(page);
}}
"""
    found = site(audited(text), "look", "PageReserved")

    assert verdict is found.verdict
    said = "pages that a balloon has kept back at onlining (assumed: Offline) can come here"
    assert (said in found.reason) is (verdict is Verdict.AFFECTED)
