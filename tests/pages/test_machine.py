"""The lattice of page states: a join allows what either side allows, and nothing is lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.pages.machine import (
    CLEAR,
    EITHER,
    SET,
    Event,
    PageState,
    Space,
    called,
    clean_page,
    describe,
    join,
    unknown_page,
)

SPACE = Space((0xFFFFFFFF, 0xF1000000, 0xF0000000), ("no type", "Offline", "Buddy"), {})
masks = st.sampled_from([CLEAR, SET, EITHER])
pages = st.builds(
    lambda types, flags, rest: _page(types, flags, rest),
    st.integers(1, SPACE.every),
    st.dictionaries(st.sampled_from(["Reserved", "Dirty"]), masks),
    masks,
)


def _page(types: int, flags: dict[str, int], rest: int) -> PageState:
    page = PageState(types, (), rest)
    for name, mask in flags.items():
        page = page.with_flag(name, mask)
    return page


def allows(big: PageState, small: PageState) -> bool:
    names = {n for n, _ in big.flags} | {n for n, _ in small.flags}
    return (
        small.types & ~big.types == 0
        and small.rest & ~big.rest == 0
        and all(small.flag(n) & ~big.flag(n) == 0 for n in names)
    )


@given(pages, pages)
def test_a_join_allows_what_either_side_allows(one: PageState, other: PageState) -> None:
    joined = join(one, other)

    assert allows(joined, one)
    assert allows(joined, other)


@given(pages, pages)
def test_a_join_does_not_depend_on_the_order(one: PageState, other: PageState) -> None:
    assert join(one, other) == join(other, one)


@given(pages)
def test_joining_a_state_with_itself_changes_nothing(page: PageState) -> None:
    assert page == join(page, page)


@given(pages)
def test_an_unknown_page_allows_everything(page: PageState) -> None:
    assert allows(unknown_page(SPACE), page)


@given(pages, masks)
def test_a_flag_reads_back_as_it_was_written(page: PageState, mask: int) -> None:
    assert mask == page.with_flag("Checked", mask).flag("Checked")


def test_a_state_is_described_in_words() -> None:
    page = clean_page().with_types(SPACE.mask_of("Offline")).with_flag("Dirty", SET)

    assert "neither" == describe(SPACE, clean_page())
    assert "Offline, Dirty" == describe(SPACE, page)
    assert "Reserved" == describe(SPACE, clean_page().with_flag("Reserved", SET))


def test_the_last_writer_of_a_dimension_is_remembered_for_itself() -> None:
    birth = Event("birth", "", "a.c", "init", 0, 1, "init(page)")
    marked = Event("write", "type", "a.c", "mark", 9, 2, "__SetPageOffline(page)")
    dirtied = Event("write", "Dirty", "a.c", "dirty", 20, 3, "SetPageDirty(page)")
    page = clean_page().with_event(birth).with_event(marked).with_event(dirtied)

    assert marked == page.source("type")
    assert dirtied == page.source("Dirty")
    assert birth == page.source("Reserved")


@pytest.mark.parametrize(
    ("label", "name"), [("Offline", "PageOffline"), ("other type", "another type")]
)
def test_a_type_without_a_name_has_no_accessor(label: str, name: str) -> None:
    assert name == called(label)
