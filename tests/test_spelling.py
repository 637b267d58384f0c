"""Flags and types of several words are found by each of their names."""

from __future__ import annotations

import pytest
from fixture.harness import common_files, series_of, tree_of, unified

from analyzer.auditing import audit
from analyzer.findings import Result
from analyzer.migrations import Described, migration_named, parse_migration
from analyzer.pages.laws import HEADER
from analyzer.pipeline import check
from analyzer.spelling import label_of, names_in, names_of, unknown_in, usual_names

CORE = dict(common_files("strict", "after"))
FILE = "mm/toy.c"
AS_BIT = "int toy_asks(struct page *page)\n{\n\treturn test_bit(PG_kept_back, &page->flags);\n}\n"
#: Not the bit: a word that only sounds like it.
NO_BIT = AS_BIT.replace("PG_kept_back", "PG_keptback_shift")


def described(*types: str) -> Described:
    what = types[0]
    facts = {
        "title": "a flag becomes a type",
        "text": "It is a type now.",
        "flags": list(types),
        "types": list(types),
        "sources": ["include/linux/page-flags.h"],
        "obligation": [{"must_not": "use-as-bit", "what": what, "text": "it is no bit any more"}],
    }
    return parse_migration("kept-back-type", "a.toml", facts)


def made_type(*, user: str, migration: Described) -> Result:
    """Check a patch by which a flag that is set by SetPageKeptBack() becomes a type."""
    before = {**CORE, FILE: user}
    header = CORE[HEADER].replace("\tPG_kept_back,\n", "")
    header = header.replace("PAGEFLAG(KeptBack, kept_back, PF_ANY)\n", "")
    header = header.replace("= 0xf3,\n", "= 0xf3,\n\tPGTY_kept_back = 0xf4,\n")
    header = header.replace(
        "PAGE_TYPE_OPS(Guard, guard)\n",
        "PAGE_TYPE_OPS(Guard, guard)\nPAGE_TYPE_OPS(KeptBack, kept_back)\n",
    )
    after = {**before, HEADER: header}
    known = {migration.name: migration}
    return check(series_of(before, unified(before, after)), tree_of(before), migrations=known)


def test_bits_of_two_words_are_found() -> None:
    result = made_type(user=AS_BIT, migration=described("KeptBack"))

    assert [("stale-test", FILE, "toy_asks")] == [
        (f.rule, f.file, f.function) for f in result.findings
    ]
    assert "PG_kept_back" in result.findings[0].message


def test_a_bit_of_another_name_is_none_of_the_type() -> None:
    assert () == made_type(user=NO_BIT, migration=described("KeptBack")).findings


def test_a_flag_that_becomes_a_type_is_a_migration_whoever_sets_it() -> None:
    (moved,) = made_type(user=NO_BIT, migration=described("KeptBack")).migrations

    assert ("kept-back-type", "PageKeptBack()") == (moved.name, moved.population)
    assert moved.cause is not None
    assert HEADER == moved.cause.span.file


@pytest.mark.parametrize(
    ("label", "names"),
    [
        ("Offline", ("offline",)),
        ("LargeKmalloc", ("large_kmalloc", "largekmalloc")),
        ("OwnerPriv1", ("owner_priv_1", "ownerpriv1")),
        ("HWPoison", ("hw_poison", "hwpoison")),
    ],
)
def test_a_title_has_usual_names(label: str, names: tuple[str, ...]) -> None:
    assert names == usual_names(label)


@pytest.mark.parametrize("name", ["offline", "large_kmalloc", "private_2"])
def test_a_title_is_made_of_a_name_that_is_one_of_its_usual_ones(name: str) -> None:
    assert name == usual_names(label_of(name))[0]


def test_a_header_says_how_it_spells() -> None:
    spelled = names_in(
        b"PAGE_TYPE_OPS(Table, table, pgtable)\n"
        b"FOLIO_TYPE_OPS(big_lump, big_lump)\n"
        b"\t__SETPAGEFLAG(SkipKASan, skip_kasan, PF_HEAD)\n"
        b"#define NO_USE(Nothing, nothing) 0\n"
        b"call(Small, small)\n"
    )

    assert {
        "Table": ("table", "pgtable"),
        "BigLump": ("big_lump",),
        "SkipKASan": ("skip_kasan",),
    } == spelled
    assert "skip_kasan" in names_of("SkipKASan", spelled)
    assert ("guard",) == names_of("Guard", spelled)


def test_a_name_without_a_title_has_the_one_that_stands_elsewhere() -> None:
    spelled = names_in(
        b"FOLIO_TEST_FLAG_FALSE(hugetlb)\n"
        b"PAGE_TYPE_OPS(HugeTLB, hugetlb, hugetlb)\n"
        b"FOLIO_TYPE_OPS(slab, slab)\n"
    )

    assert {"HugeTLB": ("hugetlb",), "Slab": ("slab",)} == spelled


def test_a_source_speaks_of_a_type_by_the_name_that_its_folios_have() -> None:
    spelled = {"Table": ("table", "pgtable")}
    text = b"__folio_set_pgtable(folio);"

    assert described("Table").is_met_by(text, spelled)
    assert not described("Table").is_met_by(text)
    assert not described("Table").is_met_by(b"folio_set_pgtables(folio);", spelled)
    assert described("LargeKmalloc").is_met_by(b"__folio_set_large_kmalloc(folio)")


def test_a_name_that_no_tree_has_is_said() -> None:
    spelled = names_in(CORE[HEADER].encode())

    assert ["no page flag or type is called Offlien; did you mean Offline?"] == [
        *unknown_in(["Offlien", "Offline", "KeptBack"], spelled)
    ]
    assert ["no page flag or type is called kept_back; did you mean KeptBack?"] == [
        *unknown_in(["kept_back"], spelled)
    ]
    assert [] == [*unknown_in(["Offlien"], {})]


def test_an_audit_says_which_names_its_tree_does_not_have() -> None:
    tree = tree_of(CORE)

    assert (
        "no page flag or type is called Offlien; did you mean Offline?"
        in audit(tree, described("Offlien")).notes
    )
    assert () == audit(tree, migration_named("hotplug-offline")).notes


def test_a_check_says_which_names_of_own_migrations_no_tree_has() -> None:
    said = made_type(user=AS_BIT, migration=described("Offlien")).notes
    known = made_type(user=AS_BIT, migration=described("KeptBack")).notes

    assert (
        "kept-back-type: no page flag or type is called Offlien; did you mean Offline?",
    ) == said
    assert () == known
