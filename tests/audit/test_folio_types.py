"""The uses of a type that only folios have accessors for are those of any other type."""

from __future__ import annotations

from fixture.harness import FIXTURES, common_files, patched

from analyzer.auditing import audit
from analyzer.migrations import migration_named
from analyzer.tree import MemoryTree

CASE = FIXTURES / "slab-page-type" / "made_folio_type"
FILE = "mm/toy_user.c"
SOURCE = """\
int toy_use(struct page *page, struct folio *folio)
{
	if (PageSlab(page) || folio_test_slab(folio))
		return 1;
	__folio_set_slab(folio);
	__folio_clear_slab(folio);
	return folio_test_dirty(folio) || PageSlabby(page);
}
"""


def test_accessors_of_folios_are_uses() -> None:
    files = {**common_files("strict", "after"), "mm/toy_slab.c": _text("tree/mm/toy_slab.c")}
    for change in ("tree.patch", "change.patch"):
        files = patched(files, _text(change))

    result = audit(MemoryTree({**files, FILE: SOURCE}), migration_named("slab-page-type"))

    assert [
        (3, "PageSlab"),
        (3, "folio_test_slab"),
        (5, "__folio_set_slab"),
        (6, "__folio_clear_slab"),
    ] == [(s.span.line, s.operation.split()[0]) for s in result.sites if s.span.file == FILE]


def _text(name: str) -> str:
    return (CASE / name).read_text()
