"""Only a store into a word of a page counts as one; a test of a bit in it does not."""

from __future__ import annotations

import pytest

from analyzer.program.storing import STORING, storing

STORES = (
    b"{ page->page_type = 0; }",
    b"{ p->page_type |= mask; }",
    b"{ page->flags &= ~bits; }",
    b"{ set_bit(PG_locked, &page->flags); }",
    b"{ return !test_and_set_bit_lock(PG_locked, &folio->flags); }",
    b"{ atomic_set(&page->_mapcount, -1); }",
    b"{ WRITE_ONCE(p->page_type, type); }",
    b"{ if (test_bit(PG_locked, &page->flags)) __clear_bit(PG_locked, &page->flags); }",
)
READS = (
    b"{ return page->page_type == 0; }",
    b"{ return test_bit(PG_head, &page->flags); }",
    b"{ return arch_test_bit(PG_head, &page[n].flags); }",
    b"{ wait_on_bit(&folio->flags, PG_locked, mode); }",
    b"{ set_bit(FLAG, &map->flags); }",
)


@pytest.mark.parametrize("body", STORES)
def test_a_store_is_seen(body: bytes) -> None:
    assert {STORING} == storing(body)


@pytest.mark.parametrize("body", READS)
def test_a_read_is_no_store(body: bytes) -> None:
    assert not storing(body)
