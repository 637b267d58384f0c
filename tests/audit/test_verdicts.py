"""Each reason has a page that it is true of, and beside it one that it is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from fixture.harness import common_files, patched

from analyzer.sites import Verdict

from .trees import SELF_HOSTING, audited, posted, site

HEAD = "#include <linux/mm.h>\n"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("vm_normal_page(vma, addr, pte)", "mapped into user space"),
        ("alloc_page(GFP_KERNEL)", "from the allocator"),
        ("virt_to_page(buffer)", "kernel memory in use"),
        ("vmalloc_to_page(buffer)", "from the allocator"),
        ("pte_page(pte)", "user mapping"),  # a VMA is at hand
        ("pfn_to_online_page(pfn)", "online section"),
    ],
)
def test_where_the_page_comes_from_decides(source: str, words: str) -> None:
    text = f"""{HEAD}
int look_ok(struct vm_area_struct *vma, unsigned long addr, pte_t pte, void *buffer, long pfn)
{{
	struct page *page = {source};

	if (page && PageOffline(page))
		return 1;
	return 0;
}}
"""
    found = site(audited(text), "look_ok")

    assert Verdict.UNAFFECTED is found.verdict
    assert words in found.reason


@pytest.mark.parametrize("source", ["pte_page(pte)", "pfn_to_page(pfn)", "lookup(pfn)"])
def test_a_page_table_entry_or_a_number_alone_says_too_little(source: str) -> None:
    text = f"""{HEAD}
int look(pte_t pte, unsigned long pfn)
{{
	struct page *page = {source};

	if (PageReserved(page))
		return 1;
	return 0;
}}
"""
    found = site(audited(text), "look")

    if source == "lookup(pfn)":  # a pointer that is handed on: such pages are followed
        assert Verdict.UNAFFECTED is found.verdict
    else:
        assert Verdict.UNDECIDED is found.verdict
        assert ("returns 1", "returns 0") == found.ways


WALKER = """
static struct page *sift(struct zone *zone)
{{
	unsigned long pfn;

	for (pfn = zone->zone_start_pfn; pfn < zone_end_pfn(zone); pfn++) {{
		struct page *page = pfn_to_page(pfn);

		{test}
		copy_page(buffer, page_address(page));
	}}
	return NULL;
}}
"""


#: Sends away pages that are in another state than those that they are a part of.
APART = "if (PageVmemmapSelfHosted(page))\n\t\t\tcontinue;\n\t\t"
SKIPPED = "if (PageReserved(page))\n\t\t\tcontinue;\n\t\tif (toy_skip(page))\n\t\t\tcontinue;"


def test_a_walker_that_goes_by_the_flag_is_affected_with_both_ways() -> None:
    text = WALKER.format(test="if (PageReserved(page))\n\t\t\tcontinue;")

    found = site(audited(text), "sift")

    assert Verdict.AFFECTED is found.verdict
    assert found.ways is not None
    assert "goes on to the next page" in found.ways[0]
    assert "calls copy_page" in found.ways[1]


def test_a_test_of_the_new_flag_with_the_same_way_out_decides() -> None:
    test = "if (PageReserved(page) || PageOffline(page))\n\t\t\tcontinue;"

    found = site(audited(WALKER.format(test=APART + test)), "sift", "PageReserved")

    assert Verdict.UNAFFECTED is found.verdict
    assert "PageOffline() is tested as well, with the same way out" in found.reason


def test_a_test_of_the_new_flag_does_not_speak_for_a_part_that_has_it_not() -> None:
    test = "if (PageReserved(page) || PageOffline(page))\n\t\t\tcontinue;"

    found = site(audited(WALKER.format(test=test), **SELF_HOSTING), "sift", "PageReserved")

    assert Verdict.AFFECTED is found.verdict
    assert "self-hosted vmemmap pages (assumed: neither) can come here" in found.reason


def test_a_tree_that_puts_no_part_of_added_memory_to_use_has_no_such_part() -> None:
    test = "if (PageReserved(page) || PageOffline(page))\n\t\t\tcontinue;"

    found = site(audited(WALKER.format(test=test)), "sift", "PageReserved")

    assert Verdict.UNAFFECTED is found.verdict
    assert "PageOffline() is tested as well, with the same way out" in found.reason


def test_a_test_of_the_new_flag_with_another_way_out_does_not() -> None:
    test = "if (PageReserved(page))\n\t\t\tcontinue;\n\t\tif (PageOffline(page))\n\t\t\tnag(page);"

    found = site(audited(WALKER.format(test=test)), "sift", "PageReserved")

    assert Verdict.AFFECTED is found.verdict


def test_an_outcome_with_the_same_effects_decides() -> None:
    test = "if (PageReserved(page))\n\t\t\tcontinue;\n\t\tif (page_count(page))\n\t\t\tcontinue;"

    found = site(audited(WALKER.format(test=test)), "sift")

    assert Verdict.UNAFFECTED is found.verdict
    assert "the same for hotplugged pages before and after" in found.reason


@pytest.mark.parametrize(
    ("more", "verdict"),
    [("page_count(page) > 0", Verdict.UNAFFECTED), ("page_count(page) >= 2", Verdict.AFFECTED)],
)
def test_what_is_counted_is_compared(more: str, verdict: Verdict) -> None:
    test = f"if (PageReserved(page))\n\t\t\tcontinue;\n\t\tif ({more})\n\t\t\tcontinue;"

    assert verdict is site(audited(WALKER.format(test=test)), "sift").verdict


@pytest.mark.parametrize(
    ("helper", "verdict"), [("test_pages_isolated", "unaffected"), ("toy_look_at", "affected")]
)
def test_who_decides_for_itself_may_do_so_in_a_helper(helper: str, verdict: str) -> None:
    text = f"""
static int toy_take(unsigned long pfn, unsigned long nr_pages, void *arg)
{{
	return {helper}(pfn, pfn + nr_pages, 0);
}}

static int toy_has_unmovable(unsigned long pfn)
{{
	struct page *page = pfn_to_online_page(pfn);

	if (!page)
		return 1;
	return PageReserved(page);
}}

int toy_offline(unsigned long pfn, unsigned long nr_pages)
{{
	if (toy_has_unmovable(pfn))
		return -EBUSY;
	return walk_system_ram_range(pfn, nr_pages, NULL, toy_take);
}}
"""
    found = site(audited(text, **SELF_HOSTING), "toy_has_unmovable")

    assert verdict == found.verdict.value


def test_an_outcome_that_is_not_always_the_same_does_not() -> None:
    test = "if (PageReserved(page) && armed())\n\t\t\tcontinue;\n\t\tif (spare())\n\t\t\tcontinue;"

    found = site(audited(WALKER.format(test=test)), "sift")

    assert Verdict.AFFECTED is found.verdict


@pytest.mark.parametrize(
    ("tests", "verdict"),
    [
        (("!page_has_type", "PageReserved"), Verdict.AFFECTED),
        (("PageReserved", "page_has_type"), Verdict.UNAFFECTED),
        (("PageReserved", "!page_has_type"), Verdict.AFFECTED),
    ],
)
def test_whether_a_page_has_any_type_follows_from_its_state(
    tests: tuple[str, str], verdict: Verdict
) -> None:
    skipped = ("PageVmemmapSelfHosted", *tests)
    test = "\n\t\t".join(f"if ({t}(page))\n\t\t\tcontinue;" for t in skipped)

    assert verdict is site(audited(WALKER.format(test=test)), "sift").verdict


def test_a_page_that_is_freed_either_way_has_an_owner() -> None:
    text = """
void drop_ok(pmd_t *pmd)
{
	struct page *page = pmd_page(*pmd);

	if (PageReserved(page))
		free_reserved_page(page);
	else
		__free_pages(page, 0);
}
"""
    found = site(audited(text), "drop_ok", "PageReserved")

    assert Verdict.UNAFFECTED is found.verdict
    assert "frees the page either way" in found.reason


@pytest.mark.parametrize(
    ("kconfig", "verdict"),
    [
        ("config TOY\n\tdef_bool y\n", Verdict.UNAFFECTED),
        ("config TOY\n\tselect ARCH_ENABLE_MEMORY_HOTPLUG\n", Verdict.AFFECTED),
    ],
)
def test_an_architecture_without_hotplug_has_no_such_pages(kconfig: str, verdict: Verdict) -> None:
    text = WALKER.format(test="if (PageReserved(page))\n\t\t\tcontinue;")

    result = audited(text, path="arch/toy/mm/init.c", **{"arch/toy/Kconfig": kconfig})

    assert verdict is site(result, "sift").verdict


def test_the_way_through_callers_decides() -> None:
    text = """
static int is_mine(struct page *page)
{
	return PageReserved(page);
}

int mine_ok(struct vm_area_struct *vma, unsigned long addr, pte_t pte)
{
	return is_mine(vm_normal_page(vma, addr, pte));
}
"""
    found = site(audited(text), "is_mine")

    assert Verdict.UNAFFECTED is found.verdict
    assert "mapped into user space" in found.reason


def test_a_bit_that_is_named_is_undecided_where_a_page_is_at_hand() -> None:
    text = """
unsigned long bits(struct page *page)
{
	return page->flags & (1UL << PG_reserved);
}

unsigned long number(void)
{
	return PG_reserved;
}
"""
    result = audited(text)

    assert Verdict.UNDECIDED is site(result, "bits").verdict
    assert Verdict.UNAFFECTED is site(result, "number").verdict


def test_what_makes_the_pages_and_what_follows_is_migrated() -> None:
    result = audited("")

    assert result.is_in
    assert Verdict.MIGRATED is site(result, "memmap_init_range", "Offline").verdict
    assert Verdict.MIGRATED is site(result, "free_pages_core", "__ClearPageOffline").verdict
    assert Verdict.UNAFFECTED is site(result, "memmap_init_range", "Reserved").verdict


def test_a_tree_without_the_change_says_so_and_what_it_would_mean() -> None:
    result = audited("", base="before")

    assert not result.is_in
    assert ["Reserved"] == [m.starts for m in result.moves]
    assert Verdict.AFFECTED is site(result, "memmap_init_range").verdict
    assert Verdict.AFFECTED is site(result, "free_pages_core").verdict


def test_counts_add_up() -> None:
    result = audited(WALKER.format(test="if (PageReserved(page))\n\t\t\tcontinue;"))

    counts = result.counts
    verdicts = sum(counts[v] for v in Verdict)
    assert counts["uses"] == verdicts == result.words - sum(n for _, n in result.others)


# -- a series -------------------------------------------------------------------------------------

DEMO = Path(__file__).resolve().parents[2] / "fixtures" / "demo"


def test_a_series_tells_after_which_patch_a_verdict_came_about() -> None:
    tree = DEMO / "tree"
    before = {str(p.relative_to(tree)): p.read_text() for p in tree.rglob("*") if p.is_file()}
    after = patched(before, (DEMO / "change.patch").read_text())
    driver = "drivers/toy/toy_mem.c"
    halfway = {**after, driver: before[driver]}

    result = posted(before, halfway, after)

    affected, migrated = Verdict.AFFECTED, Verdict.MIGRATED
    assert ((1, migrated),) == site(result, "memmap_init_range", "Offline").history
    assert ((1, affected),) == site(result, "acme_append").history
    assert ((1, affected), (2, migrated)) == site(result, "toy_unhold").history
    assert "step 1 and 1 more patch" == result.patch


def test_patches_that_move_no_page_are_not_told_of() -> None:
    before, after = common_files("strict", "before"), common_files("strict", "after")
    first, last = {**before, "lib/a.c": "int a;\n"}, {**after, "lib/a.c": "int b;\n"}

    result = posted(before, first, {**after, "lib/a.c": "int a;\n"}, last)

    verdicts = {s.history for s in result.sites if s.verdict is Verdict.MIGRATED}
    assert {((2, Verdict.MIGRATED),)} == verdicts


def test_one_patch_has_no_history() -> None:
    result = posted(common_files("strict", "before"), common_files("strict", "after"))

    assert result.sites
    assert {()} == {s.history for s in result.sites}


# -- numbers that were pages ----------------------------------------------------------------------

STORED = """
static void put(struct toy *t, unsigned long first)
{{
	t->pfn = t->nid = NUMA_NO_NODE;
	t->pfn = {stored};
}}

int take(struct toy *t)
{{
	struct page *page = pfn_to_page(t->pfn);

	if (PageReserved(page))
		return 1;
	return 0;
}}
"""


@pytest.mark.parametrize(
    ("stored", "verdict", "words"),
    [
        ("page_to_pfn(alloc_page(GFP_KERNEL))", Verdict.UNAFFECTED, "from the allocator"),
        ("page_to_pfn(t->page)", Verdict.UNAFFECTED, "handed on"),
        ("first + 1", Verdict.UNDECIDED, "t->pfn is read from memory"),
        ("t->nid", Verdict.UNDECIDED, "t->pfn is read from memory"),
    ],
)
def test_a_number_is_the_page_that_it_was_made_of_where_it_was_stored(
    stored: str, verdict: Verdict, words: str
) -> None:
    found = site(audited(STORED.format(stored=stored)), "take")

    assert verdict is found.verdict
    assert words in found.reason


def test_what_is_declared_within_a_function_is_still_the_kernels() -> None:
    text = """
int free_all(void)
{{
	{declared};

	free_reserved_area(&{name}, &__init_end, 0, "unused");
	return 0;
}}
"""
    ours = text.format(declared="extern char __init_begin[], __init_end[]", name="__init_begin")
    other = text.format(declared="extern char toy_begin[], __init_end[]", name="toy_begin")

    assert "boot memory" in site(audited(ours), "free_all").reason
    assert Verdict.UNDECIDED is site(audited(other), "free_all").verdict


@pytest.mark.parametrize(
    ("source", "verdict"),
    [("alloc_page(GFP_KERNEL)", Verdict.UNAFFECTED), ("pfn_to_page(pfn)", Verdict.UNDECIDED)],
)
def test_the_page_is_asked_for_wherever_a_wrapper_takes_it(source: str, verdict: Verdict) -> None:
    header = """
static inline void toy_insert(struct toy_list *list, struct page *page)
{
	__SetPageReserved(page);
	list_add(&page->lru, &list->pages);
}
"""
    user = f"""
void fill(struct toy_list *list, unsigned long pfn)
{{
	struct page *page = {source};

	toy_insert(list, page);
}}
"""

    found = site(audited(user, **{"include/linux/toy.h": header}), "fill")

    assert verdict is found.verdict


# -- small functions of the same file -------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("return toy_idle(page) && !PageBuddy(page);", Verdict.UNAFFECTED),
        ("if (toy_idle(page))\n\t\treturn true;\n\treturn false;", Verdict.UNAFFECTED),
        ("return PageLRU(page);", Verdict.AFFECTED),
        ("return toy_knows(page) || toy_skip(page);", Verdict.AFFECTED),
        ("toy_seen++;\n\treturn PageOffline(page);", Verdict.AFFECTED),
    ],
)
def test_what_a_small_function_answers_about_the_page_is_known(body: str, verdict: Verdict) -> None:
    helpers = f"""
static bool toy_idle(struct page *page)
{{
	return PageOffline(page);
}}

static bool toy_skip(struct page *page)
{{
	{body}
}}
"""
    test = APART + SKIPPED

    found = site(audited(helpers + WALKER.format(test=test)), "sift", "PageReserved")

    assert verdict is found.verdict


def test_what_a_function_of_another_file_answers_is_not_known() -> None:
    test = APART + SKIPPED
    other = "bool toy_skip(struct page *page)\n{\n\treturn PageOffline(page);\n}\n"

    result = audited(WALKER.format(test=test), **{"lib/other.c": other})

    assert Verdict.AFFECTED is site(result, "sift", "PageReserved").verdict


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ("return PageDirty(page) && PageOffline(page);", Verdict.UNAFFECTED),
        ("return PageDirty(page) || PageOffline(page);", Verdict.AFFECTED),
    ],
)
def test_what_a_function_of_a_header_answers_is_known(body: str, verdict: Verdict) -> None:
    header = f"static inline bool page_is_toy(const struct page *page)\n{{\n\t{body}\n}}\n"
    text = "#include <linux/toy.h>\n" + WALKER.format(
        test="if (page_is_toy(page))\n\t\t\tcontinue;"
    )

    found = site(audited(text, **{"include/linux/toy.h": header}), "sift")

    assert verdict is found.verdict


@pytest.mark.parametrize(
    ("asserted", "verdict"),
    [
        ("PageDirty(page)", Verdict.UNAFFECTED),
        ("!PageDirty(page)", Verdict.AFFECTED),
        ("toy_is_open", Verdict.AFFECTED),
        ("PageReserved(page)", Verdict.AFFECTED),
    ],
)
def test_an_assertion_that_fails_either_way_decides(asserted: str, verdict: Verdict) -> None:
    test = f"VM_WARN_ON_ONCE_PAGE(!{asserted}, page);\n\t\tif (PageOffline(page))\n\t\t\tcontinue;"

    found = site(audited(WALKER.format(test=test)), "sift", "PageOffline")

    assert verdict is found.verdict
    assert ("would fail here" in found.reason) == (verdict is Verdict.UNAFFECTED)


# -- types ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "verdict"),
    [("cma", Verdict.UNAFFECTED), ("cmac_ring", Verdict.UNDECIDED)],
)
def test_a_type_is_told_by_its_whole_name(name: str, verdict: Verdict) -> None:
    text = f"""
int take(struct {name} *area)
{{
	return PageReserved(pfn_to_page(area->first));
}}
"""
    assert verdict is site(audited(text), "take").verdict


@pytest.mark.parametrize(
    ("page", "verdict"),
    [("pfn_to_page(pfn)", Verdict.UNDECIDED), ("pgmap->first", Verdict.UNAFFECTED)],
)
def test_looking_for_a_pagemap_tells_nothing_of_the_page(page: str, verdict: Verdict) -> None:
    text = f"""
int take(unsigned long pfn)
{{
	struct dev_pagemap *pgmap = get_dev_pagemap(pfn, NULL);

	if (pgmap)
		put_dev_pagemap(pgmap);
	return PageReserved({page});
}}
"""
    found = site(audited(text), "take")

    assert verdict is found.verdict
    assert ("pgmap is a struct dev_pagemap" in found.reason) is (verdict is Verdict.UNAFFECTED)
