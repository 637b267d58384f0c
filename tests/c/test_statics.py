"""What a file keeps to itself is told from what others share."""

from __future__ import annotations

from analyzer.c.statics import private_names
from analyzer.c.unit import scan_unit

SOURCE = b"""\
#include "toy.h"
static LIST_HEAD(kept);
static DEFINE_PER_CPU(struct toy, local);
static struct toy *first, *second;
static unsigned long map[4][8] = { 0 };
static bool hides __read_mostly = true;
static u64 early __initdata;
LIST_HEAD(shared);
struct list_head also_shared;
extern struct list_head elsewhere;
/* static int commented; */
struct own {
	struct list_head pages;
};
static int work(struct page *page)
{
	static int inner;

	return inner;
}
static int declared(struct page *page);
"""


def test_static_variables_and_tags_of_a_source_are_its_own() -> None:
    found = private_names(scan_unit("drivers/toy/toy.c", SOURCE))

    own = {"kept", "local", "first", "second", "map", "hides", "early", "own"}
    assert own <= found
    others = {"shared", "also_shared", "elsewhere", "commented", "work", "declared", "inner"}
    assert not others & found


def test_what_a_header_declares_is_shared() -> None:
    assert frozenset() == private_names(scan_unit("include/linux/toy.h", SOURCE))
