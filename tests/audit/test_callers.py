"""Callers are read where what they pass can decide, and only there."""

from __future__ import annotations

from dataclasses import replace

import pytest
from fixture.harness import common_files

from analyzer.auditing import audit
from analyzer.migrations import migration_named
from analyzer.tree import MemoryTree

FILES = {
    **common_files("strict", "after"),
    "mm/toy_user.c": "int toy_use(struct page *page)\n{\n\treturn PageReserved(page);\n}\n",
}
CALLER = {
    "mm/toy_caller.c": "int toy_ask(unsigned long pfn)\n{\n\treturn toy_use(pfn_to_page(pfn));\n}\n"
}


@pytest.mark.parametrize(("moves", "read"), [(True, 1), (False, 0)])
def test_callers_are_read_where_pages_move(moves: bool, read: int) -> None:
    migration = migration_named("hotplug-offline")
    if not moves:
        migration = replace(migration, populations=())

    alone, called = (audit(MemoryTree(f), migration) for f in (FILES, FILES | CALLER))

    assert read == called.files_read - alone.files_read
