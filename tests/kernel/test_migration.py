"""The migration of the real change: derived, named, told by its contracts."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping

import pytest

from analyzer.base import Severity
from analyzer.idle.nearby import NO_PAGE
from analyzer.patch.read import read_series
from analyzer.pipeline import check
from analyzer.tree import Tree

from .cases import CASES, Case, complaints, introduced
from .pieces import select
from .trees import difference, read_texts

pytestmark = pytest.mark.kernel

#: Cases of the answer key that go through every kind of rule that a migration could decide.
FEW = tuple(CASES[:: max(len(CASES) // 5, 1)])
CLOCK = "drivers/clk/clk-divider.c"


def test_contracts_of_core_and_drivers_are_told(befores: Mapping[str, Tree], change: str) -> None:
    tree = befores["strict"]

    result = check(read_series(change.encode(), "change", tree), tree)
    (migration,) = result.migrations
    told = {c.function: (c.gained, c.lost) for c in migration.contracts}

    assert "hotplug-offline" == migration.name
    assert (("clears PageOffline",), ("clears PageReserved",)) == told["__free_pages_core"]
    assert (("hands on pages Offline",), ("hands on pages Reserved",)) == told[
        "move_pfn_range_to_zone"
    ]
    assert (("clears PageOffline",), ()) == told["mhp_init_memmap_on_memory"]
    assert ((), ("sets PageOffline",)) == told["balloon_append"]
    assert "clears PageOffline" in told["generic_online_page"][0]
    assert migration.cause is not None
    assert ("mm/mm_init.c", 1) == (migration.cause.span.file, migration.cause.hunk)


@pytest.mark.parametrize("case", FEW, ids=lambda c: c.name.replace(" ", "-"))
def test_the_answer_key_needs_no_described_migration(
    case: Case, befores: Mapping[str, Tree], afters: Mapping[str, Tree], change: str
) -> None:
    tree = (afters if case.applied_before else befores)["strict"]
    series = read_series(select(change, case.kept), case.name, tree)

    result = check(series, tree, migrations={})

    assert [] == complaints(case, "strict", result)
    assert {"derived"} >= {m.name for m in result.migrations}


def test_a_patch_without_pages_costs_no_analysis(
    kernel: Tree,
    befores: Mapping[str, Tree],
    change: str,
    row: Callable[[str, tuple[str, ...]], None],
) -> None:
    text = read_texts(kernel, [CLOCK])[CLOCK]
    more = text.replace("\treturn ", "\tbarrier();\n\treturn ", 1)
    patch = "".join(
        difflib.unified_diff(
            text.splitlines(True), more.splitlines(True), f"a/{CLOCK}", f"b/{CLOCK}"
        )
    )

    idle = check(read_series(patch.encode(), "idle", kernel), kernel)
    full = check(read_series(change.encode(), "change", befores["strict"]), befores["strict"])

    cost, whole = (sum(s for stage, s in r.seconds if stage == "analyse") for r in (idle, full))
    row("idle patch", (f"analysis {cost:.3f} s", f"of the whole change {whole:.2f} s"))
    assert NO_PAGE == idle.unmoved
    assert cost < whole / 20


#: The essence of two patches of 2025 (v6.17): freeing takes off any type, the balloon leaves it on.
FREE = ("mm/page_alloc.c", "\ttrace_mm_page_free(page, order);\n")
FREED = FREE[1] + "\tif (unlikely(page_has_type(page)))\n\t\tpage->page_type = UINT_MAX;\n"
KEEP = ("include/linux/balloon_compaction.h", "\t__ClearPageOffline(page);\n")


def test_a_sticky_type_is_derived_and_costs_nobody_a_warning(kernel: Tree) -> None:
    texts = read_texts(kernel, [FREE[0], KEEP[0]])
    for (path, old), new in ((FREE, FREED), (KEEP, "")):
        assert 1 == texts[path].count(old)
        texts[path] = texts[path].replace(old, new)

    result = check(difference(kernel, texts), kernel)
    (migration,) = result.migrations

    assert ("offline-sticky", "pages from the balloon") == (migration.name, migration.population)
    assert ("neither", "Offline") == (migration.before, migration.after)
    assert migration.cause is not None
    assert "balloon_page_finalize" == migration.cause.function
    assert [] == introduced(result, Severity.WARNING)
    assert "early-clear" in {f.rule for f in introduced(result, Severity.NOTE)}
