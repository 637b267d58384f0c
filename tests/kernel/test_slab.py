"""PageSlab() made a page type on a tree in which it is a flag."""

from __future__ import annotations

import pytest

from analyzer.base import Severity
from analyzer.tree import Tree

from .cases import introduced
from .edits import Edit
from .trees import checked, difference, edited

pytestmark = pytest.mark.kernel

HEADER = "include/linux/page-flags.h"
LAST = "#define PG_guard\t0x00000400\n"
BUDDY = "PAGE_TYPE_OPS(Buddy, buddy)\n"
CHANGES = (
    Edit(HEADER, "", "\tPG_slab,\n", ""),
    Edit(HEADER, "", "__PAGEFLAG(Slab, slab, PF_NO_TAIL)\n", ""),
    Edit(HEADER, "", LAST, f"{LAST}#define PG_slab\t\t0x00001000\n"),
    Edit(HEADER, "", BUDDY, f"{BUDDY}PAGE_TYPE_OPS(Slab, slab)\n"),
)


def test_who_uses_the_bit_is_named_and_nobody_else(older: Tree) -> None:
    result = checked(difference(older, edited(older, CHANGES)), older)

    assert ["slab-page-type"] == [m.name for m in result.migrations]
    found = introduced(result, Severity.NOTE)
    assert {"stale-test"} == {f.rule for f in found}
    assert {
        ("fs/proc/page.c", "stable_page_flags"),
        ("include/trace/events/mmflags.h", ""),
        ("mm/memory-failure.c", ""),
    } == {(f.file, f.function) for f in found}
