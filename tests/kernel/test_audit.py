"""Audit real trees: as they are, before the change, with parts of it, without its exception."""

from __future__ import annotations

import re
from collections.abc import Mapping

import pytest

from analyzer.audit.names import names_of
from analyzer.audit.uses import Found, find_uses
from analyzer.auditing import audit
from analyzer.budget import Budget
from analyzer.migrations import migration_named
from analyzer.pages.facts import load_facts
from analyzer.pages.laws import HEADER
from analyzer.patch.read import read_series
from analyzer.program.cache import Cache
from analyzer.program.program import Program
from analyzer.sites import Audit, Verdict
from analyzer.tree import Tree

from .audits import BOOT, DEVICE, MAINTAINERS, agreeing, sites_in, with_verdict
from .edits import Edit, edit_files, unified
from .pieces import CODE, INIT, NAMES, PIECES, select
from .trees import open_kernel, patched_with, read_texts

pytestmark = pytest.mark.kernel

MIGRATION = migration_named("hotplug-offline")
#: The function of each hunk of code.
PLACES = {p.name: (p.file, p.function) for p in PIECES if p.code}


@pytest.fixture(scope="module")
def whole() -> Audit:
    """Return the audit of the tree that has the change."""
    return audit(open_kernel(), MIGRATION)


# -- the tree that has the change --------------------------------------------------------------


def test_the_tree_has_the_change(whole: Audit) -> None:
    assert whole.is_in
    assert [("Reserved", "Offline")] == [(m.before, m.after) for m in whole.moves]


def test_every_place_of_the_maintainers_appears_and_none_is_affected(whole: Audit) -> None:
    for row in MAINTAINERS:
        found = sites_in(whole, (row.file, row.function))
        assert found, row
        assert not [s for s in found if s.verdict is Verdict.AFFECTED], row


def test_at_least_twelve_reasons_agree_with_the_maintainers(whole: Audit) -> None:
    agreed = agreeing(whole, MAINTAINERS)

    assert len(agreed) >= 12, [r.function for r in MAINTAINERS if r not in agreed]


def test_at_most_a_tenth_is_undecided(whole: Audit) -> None:
    assert 10 * whole.counts["undecided"] <= whole.counts["uses"]


def test_nothing_is_affected_where_the_change_is_complete(whole: Audit) -> None:
    assert not with_verdict(whole, Verdict.AFFECTED)


def test_every_verdict_has_a_reason(whole: Audit) -> None:
    assert all(s.reason for s in whole.sites)


# -- the number of uses ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def found() -> Found:
    """Return what is found in the text of the tree."""
    tree, facts, cache = open_kernel(), load_facts(), Cache()
    law = cache.law(tree.read(HEADER) or b"", (*facts.types, *facts.beside))
    return find_uses(
        names_of(law.space, MIGRATION), Program(tree.read, tree.search, cache, {}, Budget()), tree
    )


def test_a_plain_word_search_finds_the_uses_and_what_is_explained(
    kernel: Tree, found: Found
) -> None:
    shared = [n.word for n in found.names.values() if not n.file]
    count = sum(_count(kernel, path, shared) for path in kernel.search(shared))
    count += sum(_count(kernel, n.file, [n.word]) for n in found.names.values() if n.file)

    pasted = [u for u in found.uses if u.pasted]  # no search for a word finds these
    assert count == found.words - len(pasted)
    assert found.words == len(found.uses) + len(found.mentions)
    assert {"mm/debug.c"} == {u.file for u in pasted}
    assert {"comment", "string", "definition", "wrapper"} >= {m.kind for m in found.mentions}


def _count(tree: Tree, path: str, words: list[str]) -> int:
    text = (tree.read(path) or b"").decode("latin-1")
    return len(re.findall(rf"(?<!\w)(?:{'|'.join(words)})(?!\w)", text, re.ASCII))


def test_what_is_called_a_comment_stands_in_one(kernel: Tree, found: Found) -> None:
    for mention in found.mentions:
        if mention.kind == "comment":
            text = (kernel.read(mention.span.file) or b"")[: mention.span.start]
            opened = max(text.rfind(b"/*"), text.rfind(b"//"))
            assert opened > text.rfind(b"*/"), mention


# -- the change as a patch -----------------------------------------------------------------------


@pytest.fixture(scope="module")
def before(request: pytest.FixtureRequest) -> Tree:
    """Return the tree without the change, under the strict law."""
    befores: Mapping[str, Tree] = request.getfixturevalue("befores")
    return befores["strict"]


def test_the_whole_change_migrates_every_place(before: Tree, change: str) -> None:
    result = audit(before, MIGRATION, read_series(change.encode(), "change", before))

    assert not with_verdict(result, Verdict.AFFECTED)
    for place in PLACES.values():
        assert {Verdict.MIGRATED} == {s.verdict for s in sites_in(result, place)}, place


@pytest.mark.parametrize("left_out", sorted(CODE))
def test_a_hunk_left_out_leaves_its_place_affected(
    left_out: str, before: Tree, change: str
) -> None:
    kept = NAMES - {left_out}

    result = audit(before, MIGRATION, read_series(select(change, kept), "part", before))

    assert {PLACES[left_out]} == with_verdict(result, Verdict.AFFECTED)


def test_without_its_exception_device_memory_is_affected_and_boot_memory_is_not(
    before: Tree, change: str
) -> None:
    complete = patched_with(before, change.encode())
    paths = sorted({p.file for p in PIECES})
    forgetful = edit_files(
        read_texts(complete, paths),
        (
            Edit(INIT, "memmap_init_range", "\t\t\tif (zone == ZONE_DEVICE)", ""),
            Edit(INIT, "memmap_init_range", "__SetPageReserved(page);", ""),
            Edit(INIT, "memmap_init_range", "\t\t\telse", ""),
        ),
    )
    patch = unified(read_texts(before, paths), forgetful)

    result = audit(before, MIGRATION, read_series(patch, "forgetful", before))

    affected = with_verdict(result, Verdict.AFFECTED)
    assert set(DEVICE) <= affected
    assert not set(BOOT) & affected


def test_with_its_exception_device_memory_is_not_affected(before: Tree, change: str) -> None:
    result = audit(before, MIGRATION, read_series(change.encode(), "change", before))

    assert not set(DEVICE) & with_verdict(result, Verdict.AFFECTED)


# -- an older tree -------------------------------------------------------------------------------


def test_an_older_tree_says_that_the_change_is_not_in_and_still_classifies(older: Tree) -> None:
    result = audit(older, MIGRATION)

    assert not result.is_in
    assert ["Reserved"] == [m.starts for m in result.moves]
    counts = result.counts
    assert counts["uses"] == sum(counts[v] for v in Verdict) > 100
    assert 4 * counts["undecided"] <= counts["uses"]
    assert ("mm/page_alloc.c", "memmap_init_range") in with_verdict(result, Verdict.AFFECTED)
