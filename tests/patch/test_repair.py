"""Hold the repair of archive copies to the intact patch."""

from __future__ import annotations

import pytest

from analyzer.base import AnalyzerError
from analyzer.patch import apply_patch, read_series
from analyzer.patch.indent import Indenter
from analyzer.tree import MemoryTree

from .damage import damaged
from .texts import diff, mail, read_patch, replaced

PATH = "mm/pool.c"
BEFORE = """\
// SPDX-License-Identifier: GPL-2.0
#include <linux/mm.h>

/*
 * Pages wait here until somebody wants them:
 *   - hot ones in front,
 *   - cold ones at the end.
 */
static LIST_HEAD(pool);

static void pool_add(struct page *page, bool hot)
{
	unsigned long flags;

	spin_lock_irqsave(&pool_lock, flags);
	if (hot)
		list_add(&page->lru, &pool);
	else
		list_add_tail(&page->lru, &pool);
	spin_unlock_irqrestore(&pool_lock, flags);
}

static struct page *pool_take(void)
{
	struct page *page;

	page = list_first_entry_or_null(&pool, struct page, lru);
	if (!page)
		return NULL;

	list_del(&page->lru);
	return page;
}
"""

AFTER = replaced(
    BEFORE,
    [
        (" *   - cold ones at the end.\n", " *   - cold ones at the end,\n *   - none twice.\n"),
        (
            "\tif (hot)\n\t\tlist_add(&page->lru, &pool);\n\telse\n",
            (
                "\tif (hot) {\n"
                "\t\t/*\n"
                "\t\t * Somebody will want it soon.\n"
                "\t\t */\n"
                "\t\tfor (i = 0; i < 2; i++)\n"
                "\t\t\tprefetch(page + i);\n"
                "#ifdef CONFIG_POOL\n"
                "\t\tif (pool_full())\n"
                "\t\t\tgoto out;\n"
                "#endif\n"
                "\t\tlist_add(&page->lru, &pool);\n"
                "\t} else {\n"
            ),
        ),
        (
            "\t\tlist_add_tail(&page->lru, &pool);\n",
            "\t\tlist_add_tail(&page->lru, &pool);\n\t}\n\n\tpool_size++;\nout:\n",
        ),
        ("\tif (!page)\n\t\treturn NULL;\n\n", "\tif (!page)\n\t\treturn ERR_PTR(-ENOENT);\n\n"),
    ],
)
TEXT = diff(PATH, BEFORE, AFTER)
TREE = MemoryTree({PATH: BEFORE})


def _after(text: str, tree: MemoryTree = TREE, path: str = PATH) -> str:
    data = apply_patch(tree, read_patch(text, tree)).tree.read(path)
    assert data is not None
    return data.decode()


def test_a_damaged_copy_gives_what_the_intact_patch_gives() -> None:
    assert _after(TEXT) == AFTER
    # Blanks inside a line that the patch adds are lost for good.
    assert _after(damaged(TEXT)) == AFTER.replace(" *   - none", " * - none").replace(
        " *   - cold ones at the end,", " * - cold ones at the end,"
    )


def test_blank_lines_may_have_vanished() -> None:
    text = damaged(TEXT, keep_blank_lines=False)

    assert "\n\n" not in text
    assert _after(text).split() == AFTER.split()


def test_only_the_blank_of_context_lines_may_be_lost() -> None:
    text = "\n".join(
        line[1:] if line.startswith(" ") and line[1:2] != " " else line for line in TEXT.split("\n")
    ).replace("\n  *", "\n *")

    assert _after(text) == AFTER


def test_context_and_removed_lines_come_from_the_tree() -> None:
    patch = read_patch(damaged(TEXT), TREE)
    old = [line for hunk in patch.files[0].hunks for line in hunk.before]

    assert set(old) <= set(BEFORE.encode().splitlines(keepends=True))


def test_a_repair_is_told_with_the_number_of_lines() -> None:
    patch = read_patch(damaged(TEXT), TREE, name="copy.txt")
    context = sum(line.kind == " " for hunk in patch.files[0].hunks for line in hunk.lines)

    (note,) = patch.notes
    assert note.startswith("copy.txt: a damaged copy (its leading blanks are lost): ")
    assert int(note.split()[9]) >= context - 5
    assert note.endswith(" lines in 3 hunks repaired from the tree")
    assert read_patch(TEXT, TREE).notes == ()


def test_lines_keep_their_numbers_in_the_input() -> None:
    text = damaged(TEXT)
    lines = text.encode().split(b"\n")
    patch = read_patch(text, TREE)

    for hunk in patch.files[0].hunks:
        for line in hunk.lines:
            assert lines[line.line - 1].removeprefix(b"+").removeprefix(b"-").split() == (
                line.text.split()
            )


def test_a_damaged_hunk_is_found_at_an_offset() -> None:
    moved = MemoryTree({PATH: "/* new */\n" * 7 + BEFORE})

    assert _after(damaged(TEXT), moved).split() == ("/* new */\n" * 7 + AFTER).split()


def test_a_context_line_that_starts_with_a_sign_is_told_from_a_change() -> None:
    before = "int f(int a)\n{\n\treturn a\n\t\t- b\n\t\t+ c;\n}\n"
    after = before.replace("\t\t- b\n", "\t\t- d\n")
    tree = MemoryTree({PATH: before})

    assert _after(damaged(diff(PATH, before, after)), tree).split() == after.split()


def test_what_follows_the_last_hunk_is_no_part_of_it() -> None:
    text = mail("[PATCH] mm: pool", damaged(TEXT)) + "To unsubscribe, write\nto the list.\n"

    assert _after(text).split() == AFTER.split()


def test_a_hunk_that_cannot_be_aligned_is_named() -> None:
    tree = MemoryTree({PATH: BEFORE.replace("list_del(", "list_del_init(")})
    text = damaged(TEXT)
    line = [n for n, row in enumerate(text.split("\n"), 1) if row.startswith("@@")][2]

    with pytest.raises(AnalyzerError) as caught:
        read_series(text.encode(), "copy.txt", tree)
    assert str(caught.value).startswith(
        f"copy.txt:{line}: a damaged copy, and hunk 3 of {PATH}, which starts with "
    )
    assert "cannot be aligned with memory" in str(caught.value)


def test_a_hunk_of_a_new_file_that_cannot_be_aligned_is_named() -> None:
    made = "--- /dev/null\n+++ b/mm/new.c\n@@ -0,0 +1,3 @@\n+int a;\nint b;\n"

    with pytest.raises(AnalyzerError, match=r"hunk 1 of mm/new\.c, which starts with \"int b;\""):
        read_series(damaged(TEXT + made).encode(), "copy.txt", MemoryTree({PATH: BEFORE}))


def test_a_damaged_copy_needs_the_tree_and_its_file() -> None:
    with pytest.raises(AnalyzerError, match="takes a tree to repair"):
        read_series(damaged(TEXT).encode(), "copy.txt", None)
    with pytest.raises(AnalyzerError, match="is not in memory"):
        read_series(damaged(TEXT).encode(), "copy.txt", MemoryTree({}))


def test_a_diff_that_is_malformed_in_one_line_is_not_taken_for_a_copy() -> None:
    text = TEXT.replace("\n \tunsigned long flags;\n", "\nunsigned long flags;\n", 1)
    text = text if text != TEXT else TEXT.replace("\n \tspin_lock", "\nspin_lock", 1)

    assert text != TEXT
    with pytest.raises(AnalyzerError, match="malformed diff: found"):
        read_series(text.encode(), "x.patch", TREE)


def test_a_later_damaged_patch_is_aligned_with_what_the_first_leaves() -> None:
    last = replaced(AFTER, [("\tpool_size++;\n", "\tpool_size += 2;\n")])
    text = mail("[PATCH 1/2] a", damaged(TEXT)) + mail(
        "[PATCH 2/2] b", damaged(diff(PATH, AFTER, last)), number=2
    )
    series = read_series(text.encode(), "t.mbox", TREE)
    tree = apply_patch(TREE, series.patches[0]).tree
    data = apply_patch(tree, series.patches[1]).tree.read(PATH)

    assert data is not None
    assert data.decode().split() == last.split()


def test_a_file_that_a_damaged_copy_makes_is_indented() -> None:
    made = diff("mm/new.c", "", BEFORE).replace("--- a/mm/new.c", "--- /dev/null")
    text = damaged(made.replace("index 1", "new file mode 100644\nindex 1"))
    text = text.replace("+++ b/mm/new.c\n", "+++ b/mm/new.c\n").replace("@@\n", "@@\nlost\n", 1)

    with pytest.raises(AnalyzerError, match="hunk 1 of"):
        read_series(text.encode(), "copy.txt", TREE)


@pytest.mark.parametrize(
    "text",
    [
        "if (a)\n\tb;\nelse if (c)\n\td;\nelse\n\te;\nf;\n",
        "if (a &&\n\tb) {\n\tc;\n} else {\n\td;\n}\ne;\n",
        "do {\n\ta;\n} while (b);\nc;\n",
        "switch (a) {\ncase 1:\n\tb;\n\tbreak;\ndefault:\n\tc;\n}\nd;\n",
        "for_each_page(p)\n\tif (a)\n\t\tb;\nc;\n",
        "/*\n * a\n */\nb;\n/* c */\nd;\n",
        "a(b, /* ( */\n\tc);\nd;\n",
        "a(\"(\", ')');\nb;\n",
    ],
)
def test_lines_are_indented_as_the_kernel_does(text: str) -> None:
    body = "".join(f"\t{line}\n" for line in text.splitlines())
    indenter = Indenter()
    for line in (b"static void f(void)", b"{"):
        indenter.follow(line)

    placed = [indenter.place(line.strip().encode()) for line in body.splitlines()]
    assert b"\n".join([*placed, b""]).decode() == body
