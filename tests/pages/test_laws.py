"""What a tree's accessors are called, and what they are about, is read from its macros."""

from __future__ import annotations

import pytest
from fixture.harness import common_files

from analyzer.pages.laws import HEADER, Law, derive_law
from analyzer.pages.machine import TYPE

FOLIO_OPS = """
#define FOLIO_TYPE_OPS(lname, fname)					\\
static bool folio_test_##fname(const struct folio *folio)		\\
{									\\
	return folio->page.page_type >> 24 == PGTY_##lname;		\\
}									\\
static void __folio_set_##fname(struct folio *folio)			\\
{									\\
	folio->page.page_type = (unsigned int)PGTY_##lname << 24;	\\
}									\\
static void __folio_clear_##fname(struct folio *folio)			\\
{									\\
	folio->page.page_type = UINT_MAX;				\\
}

#define PGTY_big_lump 0xf6
FOLIO_TYPE_OPS(big_lump, big_lump)

static inline bool PageBigLump(const struct page *page)
{
	return folio_test_big_lump(page_folio(page));
}

static inline bool PageSomeLump(const struct page *page)
{
	if (folio_test_big_lump(page_folio(page)))
		return some_lump(page);
	return folio_test_big_lump(page_folio(page));
}

static inline bool PageNoLump(const struct page *page)
{
	return !folio_test_big_lump(page_folio(page));
}

#define FOLIO_SET_FLAG(name, policy)					\\
static void folio_set_##name(struct folio *folio)			\\
{									\\
	set_bit(PG_##name, folio_flags(folio, policy));			\\
}

FOLIO_SET_FLAG(seen_twice, 0)
"""


def law(*types: str) -> Law:
    header = common_files("strict", "before")[HEADER].replace(
        "#endif /*", f"{FOLIO_OPS}\n#endif /*"
    )
    return derive_law(header.encode(), types)


def test_a_type_of_folios_alone_is_spelled_like_any_other() -> None:
    found = law("Offline", "BigLump")
    space = found.space

    assert () == found.gaps
    assert "BigLump" in space.names
    assert ("BigLump", TYPE) == (
        space.operations["__folio_set_big_lump"].label,
        space.operations["__folio_set_big_lump"].dimension,
    )


def test_a_type_of_folios_alone_is_held_by_the_pages_of_which_its_test_is_true() -> None:
    space = law("Offline", "BigLump").space

    assert space.mask_of("BigLump") == space.holding("BigLump") != 0
    assert 0 == space.holding("Table")


def test_a_page_is_asked_by_way_of_its_folio() -> None:
    operations = law("BigLump").space.operations

    assert operations["folio_test_big_lump"].truth == operations["PageBigLump"].truth
    assert "PageNoLump" not in operations  # asks the contrary
    assert "PageSomeLump" not in operations  # asks for more


def test_a_flag_of_folios_alone_has_a_title() -> None:
    assert "SeenTwice" == law().space.operations["folio_set_seen_twice"].label


def test_a_name_that_is_no_type_is_a_gap() -> None:
    (gap,) = law("Offline", "big_lump").gaps

    assert "big_lump" == gap.function


@pytest.mark.parametrize("types", [(), ("Offline",)])
def test_a_type_that_is_not_told_apart_keeps_its_name(types: tuple[str, ...]) -> None:
    space = law(*types).space

    assert "Guard" == space.operations["__SetPageGuard"].label
    assert not space.tells("Guard")


@pytest.mark.parametrize(
    ("law", "wanted"),
    [("bits", "Offline and perhaps another type"), ("strict", "Offline"), ("lenient", "Offline")],
)
def test_a_type_that_a_page_certainly_has_is_named(law: str, wanted: str) -> None:
    header = common_files(law, "after")[HEADER].encode()
    space = derive_law(header, ("Buddy", "Offline")).space

    assert wanted == space.describe(space.holding("Offline"))
    assert space.common(space.holding("Offline")) == ("Offline",)
    assert space.describe(space.mask_of("Offline")) == "Offline"
    assert space.describe(space.mask_of("Offline") | space.mask_of("Buddy")) == "Buddy or Offline"


def test_a_page_of_which_nothing_is_known_has_one_type_at_most() -> None:
    header = common_files("bits", "before")[HEADER].encode()
    space = derive_law(header, ("Offline", "Buddy")).space

    held = {n for i, n in enumerate(space.names) if space.every >> i & 1}

    assert {"no type", "Offline"} <= held
    assert len(space.values) > len(held)
    assert not any(" and " in name for name in held)
