"""What a patch breaks is said of the use that breaks, and of no other in its function."""

from __future__ import annotations

import pytest
from fixture.harness import common_files

from analyzer.sites import Delta, Site, Verdict

from .trees import FILE, patched

DRIVER = """
static void toy_keep(struct page *page)
{{
	{body}
	list_add(&page->lru, &toy_pages);
}}

static void toy_online_page(struct page *page, unsigned int order)
{{
	if (toy_is_plugged(page))
		generic_online_page(page, order);
	else
		toy_keep(page);
}}

int __init toy_init(void)
{{
	return set_online_page_callback(toy_online_page);
}}
"""
CORE = "mm/page_alloc.c"


def sites(before: str, after: str = "", law: str = "strict", **left: str) -> list[Site]:
    """Return what is said of a driver's function where the core migrates, but for some files."""
    was = {**common_files(law, "before"), FILE: DRIVER.format(body=before)}
    now = {**common_files(law, "after"), **left, FILE: DRIVER.format(body=after or before)}
    return list(patched(was, now).sites)


def in_toy(found: list[Site]) -> dict[str, Site]:
    """Return the sites of the driver's function by their operation."""
    return {s.operation: s for s in found if s.function == "toy_keep"}


def test_a_finding_is_said_of_its_use_alone() -> None:
    found = in_toy(sites("if (!PageOffline(page))\n\t\ttoy_note(page);\n\t__SetPageOffline(page);"))

    assert Verdict.AFFECTED is found["__SetPageOffline"].verdict
    assert "sets PageOffline" in found["__SetPageOffline"].reason
    assert ("calls toy_note(page)", "fails in __SetPageOffline()") == found["PageOffline"].ways
    assert Verdict.MIGRATED is found["PageOffline"].verdict


def test_a_change_to_one_flag_is_not_said_of_another() -> None:
    plain = "\n\tif (PageReserved(page))\n\t\ttoy_count++;"
    before, after = f"__SetPageOffline(page);{plain}", f"toy_note(page);{plain}"

    found = in_toy(sites(before, after))

    assert "toy_keep() does to Reserved" not in found["PageReserved"].reason
    assert Verdict.MIGRATED is not found["PageReserved"].verdict


def test_what_the_patch_changes_is_said_with_its_flag() -> None:
    found = in_toy(
        sites(
            "ClearPageReserved(page);\n\t__SetPageOffline(page);",
            "if (!PageOffline(page))\n\t\t__SetPageOffline(page);",
        )
    )

    said = "the patch changes what toy_keep() does to Offline, and nothing fails here"
    assert said == found["__SetPageOffline"].reason
    gone = found["ClearPageReserved"]
    assert (Verdict.MIGRATED, Delta.REMOVED) == (gone.verdict, gone.delta)


def test_a_place_that_is_no_use_is_one_site_more() -> None:
    core = common_files("strict", "before")[CORE]

    found = sites("if (!PageOffline(page))\n\t\t__SetPageOffline(page);", **{CORE: core})

    here = [s for s in found if s.function == "free_pages_core"]
    (absent,) = [s for s in here if s.absent]
    assert Verdict.AFFECTED is absent.verdict
    assert "still PageOffline" in absent.reason
    assert not [s for s in here if not s.absent and s.reason == absent.reason]


def test_what_is_taken_away_while_another_place_is_to_blame_is_not_affected() -> None:
    core = common_files("strict", "before")[CORE]

    found = sites(
        "__ClearPageOffline(page);\n\tgeneric_online_page(page, 0);",
        "generic_online_page(page, 0);",
        **{CORE: core},
    )

    gone = in_toy(found)["__ClearPageOffline"]
    assert Verdict.MIGRATED is gone.verdict
    assert "what then fails is to be mended in free_pages_core()" in gone.reason


def test_what_fails_for_others_has_nothing_to_do_with_what_is_taken_away() -> None:
    core = common_files("strict", "before")[CORE]

    found = sites("__ClearPageOffline(page);", "toy_note(page);", **{CORE: core})

    gone = in_toy(found)["__ClearPageOffline"]
    assert [s for s in found if s.function == "free_pages_core" and s.absent]
    assert "nothing fails for want of it" in gone.reason


@pytest.mark.parametrize(
    ("law", "verdict", "said"),
    [
        ("lenient", Verdict.UNAFFECTED, "that are already that way"),
        ("strict", Verdict.AFFECTED, "that already have"),
    ],
)
def test_what_is_harmless_in_the_tree_is_told_and_not_affected(
    law: str, verdict: Verdict, said: str
) -> None:
    found = in_toy(sites("__SetPageOffline(page);", law=law))["__SetPageOffline"]

    assert verdict is found.verdict
    assert said in found.reason


def test_where_nothing_starts_so_yet_nothing_is_said_to_come_so() -> None:
    maker = common_files("strict", "before")["mm/mm_init.c"]

    found = sites(
        "__SetPageOffline(page);",
        "if (!PageOffline(page))\n\t\t__SetPageOffline(page);",
        **{"mm/mm_init.c": maker},
    )

    assert not [s for s in found if "come here as Offline" in s.reason]
    (made,) = [s for s in found if s.function == "memmap_init_range" and not s.absent]
    assert Verdict.AFFECTED is made.verdict
