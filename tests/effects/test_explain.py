"""An explanation of a line must say what the check says of it, and why."""

from __future__ import annotations

import pytest
from fixture.harness import assemble, common_files, load_cases, tree_of

from analyzer.auditing import audit
from analyzer.base import AnalyzerError, Pair
from analyzer.contracts import Explanation
from analyzer.effects.explain import explain, ruled
from analyzer.migrations import migration_named
from analyzer.report.explain import render
from analyzer.tree import MemoryTree

DRIVER = "drivers/foo/foo.c"
TEXT = """\
#include <linux/mm.h>
#include <linux/memory_hotplug.h>

static void foo_keep(struct page *page)
{
	__SetPageOffline(page);
	foo_note(page);
}

static void foo_hide(struct page *page)
{
	if (!PageOffline(page))
		__SetPageOffline(page);
	foo_note(page);
}

static void foo_online_page(struct page *page, unsigned int order)
{
	if (foo_is_kept(page_to_pfn(page)))
		foo_keep(page);
	else if (foo_is_spare(page_to_pfn(page)))
		foo_hide(page);
	else
		generic_online_page(page, order);
}

int foo_init(void)
{
	return set_online_page_callback(&foo_online_page);
}

void foo_free_slot(struct page **slots, int nr)
{
	__free_page(slots[nr]);
}

void foo_mark(struct page *page)
{
	__SetPageOffline(page);
}

int foo_count(int a)
{
	return a + 1;
}

#define foo_bit (1UL << PG_reserved)
static const unsigned long foo_bits[] = {
	foo_bit, foo_bit,
};
"""
KEEP, HIDE = 6, 13


def asked(line: int, *, migrated: bool = True, law: str = "strict") -> Explanation:
    """Explain a line of the driver with the migration of the core as the patch."""
    before = MemoryTree({**common_files(law, "before"), DRIVER: TEXT})
    after = MemoryTree({**common_files(law, "after"), DRIVER: TEXT})
    trees = Pair(before, after) if migrated else Pair(after, after)
    found = explain(DRIVER, line, trees, sorted(common_files(law, "after")) if migrated else ())
    return ruled(found, lambda name: audit(after, migration_named(name)).sites)


def test_a_line_that_is_reported_says_so_and_shows_what_comes() -> None:
    found = asked(KEEP)

    assert "It is reported: see below." == found.reason
    assert [("here", "double-set")] == [(r.relation, r.rule) for r in found.remarks]
    assert {("hotplugged pages", "no type, Reserved", "changes it")} == {
        (h.pages, h.state, h.outcome) for h in found.before or ()
    }
    assert {("hotplugged pages", "Offline", "traps")} == {
        (h.pages, h.state, h.outcome) for h in found.after
    }
    assert ("foo_online_page()", "foo_keep()") == found.after[0].way[-2:]


def test_a_line_beside_a_finding_names_it() -> None:
    (remark,) = asked(KEEP + 1).remarks

    assert ("function", "double-set", KEEP) == (remark.relation, remark.rule, remark.place.line)


def test_a_guarded_line_is_not_reported_and_says_that_nobody_comes() -> None:
    found = asked(HIDE)

    assert "no page that is followed" in found.reason
    assert () == found.after
    assert ["no type, Reserved"] == [h.state for h in found.before or ()]


def test_a_test_that_allows_for_the_new_state_goes_well() -> None:
    found = asked(HIDE - 1)

    assert "nothing goes wrong" in found.reason
    assert {"no type, Reserved"} == {h.state for h in found.before or ()}
    assert {"Offline"} == {h.state for h in found.after}


def test_without_a_patch_there_is_nothing_to_compare() -> None:
    found = asked(KEEP, migrated=False)

    assert not found.compared
    assert found.before is None
    assert "--patch tells" in found.reason


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (39, "only pages of unknown origin"),
        (43, "does not come to any operation"),
        (1, "stands in no function"),
        (5, "nothing is done on this line"),
    ],
)
def test_a_line_that_no_known_page_reaches_says_why(line: int, words: str) -> None:
    assert words in asked(line).reason


def test_a_use_of_a_migrations_flags_has_the_verdict_of_the_audit() -> None:
    verdicts = {(r.operation, r.verdict) for r in asked(KEEP).rulings}

    assert ("__SetPageOffline", "affected") in verdicts
    assert () == asked(KEEP + 1).rulings


def test_a_use_that_stands_in_no_function_has_a_verdict_once() -> None:
    line = TEXT[: TEXT.index("\tfoo_bit, ")].count("\n") + 1

    assert [("foo_bit", "undecided")] == [(r.operation, r.verdict) for r in asked(line).rulings]
    assert () == asked(line - 1).rulings


def test_the_name_of_a_function_keeps_its_case_at_the_start() -> None:
    assert asked(43, migrated=False).reason.startswith("foo_count() does not come to")
    assert asked(1, migrated=False).reason.startswith("It stands in no function")


def test_a_new_line_has_no_before() -> None:
    before = MemoryTree({**common_files("strict", "after"), DRIVER: TEXT})
    lines = TEXT.split("\n")
    lines.insert(KEEP - 1, "\tClearPageReserved(page);")
    after = MemoryTree({**common_files("strict", "after"), DRIVER: "\n".join(lines)})

    found = explain(DRIVER, KEEP, Pair(before, after), [DRIVER])

    assert found.before is None
    assert found.compared


def test_a_moved_line_is_found_in_the_tree_before() -> None:
    before = MemoryTree({**common_files("strict", "before"), DRIVER: TEXT})
    after = MemoryTree({**common_files("strict", "after"), DRIVER: "\n\n\n" + TEXT})

    found = explain(
        DRIVER, KEEP + 3, Pair(before, after), [DRIVER, *common_files("strict", "after")]
    )

    assert ["no type, Reserved"] == [h.state for h in found.before or ()]
    assert ["Offline"] == [h.state for h in found.after]


@pytest.mark.parametrize(
    ("path", "line", "words"),
    [("drivers/gone.c", 1, "no such file"), (DRIVER, 4000, "has only")],
)
def test_a_place_that_is_not_there_is_refused(path: str, line: int, words: str) -> None:
    tree = MemoryTree({**common_files("strict", "after"), DRIVER: TEXT})

    with pytest.raises(AnalyzerError, match=words):
        explain(path, line, Pair(tree, tree))


def test_what_is_known_after_a_call_is_not_said_to_come_to_it() -> None:
    line = 1 + next(n for n, text in enumerate(TEXT.split("\n")) if "generic_online_page(" in text)
    found = asked(line)

    assert {""} == {h.operation for h in found.after}
    assert "come here" not in found.reason
    assert "What is known after it" in render(found)
    assert "What comes here" in render(asked(KEEP))


@pytest.mark.parametrize("rule", ["stale-test", "early-clear"])
def test_what_a_described_migration_forbids_is_explained_as_it_is_reported(rule: str) -> None:
    scene = next(
        assemble(c, "strict") for c in load_cases() if c.name.endswith("sticky/new_driver")
    )
    note = next(n for n in scene.notes if rule in n.rules)
    trees = Pair(tree_of(scene.before), tree_of(scene.after))

    found = explain(note.file, note.line, trees, sorted(scene.own))

    assert [("here", rule)] == [(r.relation, r.rule) for r in found.remarks]


def test_without_a_patch_a_line_is_looked_at_for_the_migrations_that_it_speaks_of() -> None:
    scene = next(assemble(c, "strict") for c in load_cases() if c.name == "slab-page-type/new_user")
    path = "mm/toy_slab.c"
    text = scene.before[path]
    line = text[: text.index("__SetPageSlab(")].count("\n") + 1
    tree = tree_of(scene.before)

    found = explain(path, line, Pair(tree, tree))

    assert ["changes it"] == [h.outcome for h in found.after]
