"""A file that gets another name holds nothing new: what was wrong in it was wrong before."""

from __future__ import annotations

from difflib import unified_diff
from pathlib import Path

import pytest

from analyzer.findings import Result, Status
from analyzer.patch.apply import apply_patch
from analyzer.patch.moves import moved_on, with_moved
from analyzer.patch.read import read_series
from analyzer.pipeline import check
from analyzer.request import Request
from analyzer.tree import DirectoryTree, Overlay, Tree

from .cli.commands import PATCH, TREE

BEFORE, AFTER = "drivers/acme/acme_balloon.c", "drivers/acme/acme.c"
TEXT = (Path(TREE) / BEFORE).read_text()
SET = "\t__SetPageOffline(page);\n\tlist_add(&page->lru, &acme_pages);\n"

MUCH_MORE = "".join(f"int acme_{n}[{n} + 1], acme_more_{n};\n" for n in range(60))

RENAME = f"""\
diff --git a/{BEFORE} b/{AFTER}
similarity index 100%
rename from {BEFORE}
rename to {AFTER}
"""
EDIT = f"""\
diff --git a/{BEFORE} b/{AFTER}
similarity index 98%
rename from {BEFORE}
rename to {AFTER}
--- a/{BEFORE}
+++ b/{AFTER}
@@ -63,3 +63,4 @@
 \t\tacme_append(pfn_to_page(pfn + i));
+\tacme_tell();
 \tmutex_unlock(&acme_mutex);
 }}
"""
CALL = "\t\tacme_append(pfn_to_page(pfn + i));\n"
TOLD = TEXT.replace(CALL, f"{CALL}\tacme_tell();\n")
LINES = TEXT.count("\n")
AS_TWO = (
    f"diff --git a/{BEFORE} b/{BEFORE}\ndeleted file mode 100644\n"
    f"--- a/{BEFORE}\n+++ /dev/null\n@@ -1,{LINES} +0,0 @@\n"
    + "".join(f"-{line}\n" for line in TEXT.splitlines())
    + f"diff --git a/{AFTER} b/{AFTER}\nnew file mode 100644\n"
    f"--- /dev/null\n+++ b/{AFTER}\n@@ -0,0 +1,{LINES} @@\n"
    + "".join(f"+{line}\n" for line in TEXT.splitlines())
)
#: The renamed file once more, beside the one that stays.
COPY = f"""\
diff --git a/{BEFORE} b/{AFTER}
similarity index 100%
copy from {BEFORE}
copy to {AFTER}
"""
MEND = f"""\
--- a/{AFTER}
+++ b/{AFTER}
@@ -13,5 +13,6 @@
 static void acme_append(struct page *page)
 {{
-\t__SetPageOffline(page);
+\tif (!PageOffline(page))
+\t\t__SetPageOffline(page);
 \tlist_add(&page->lru, &acme_pages);
 }}
"""


def changed_tree() -> Tree:
    """Return the demonstration's tree with its change, which breaks the driver, in it."""
    tree = DirectoryTree(TREE)
    (patch,) = read_series(Path(PATCH).read_bytes(), "change.patch", tree).patches
    return apply_patch(tree, patch).tree


def judged(text: str, tree: Tree) -> Result:
    return check(read_series(text.encode(), "x.patch", tree), tree)


def of_driver(result: Result) -> list[tuple[str, str, Status]]:
    return [(f.rule, f.file, f.status) for f in result.findings if "acme" in f.file]


@pytest.mark.parametrize("patch", [RENAME, AS_TWO])
def test_a_rename_alone_introduces_nothing(patch: str) -> None:
    result = judged(patch, changed_tree())

    assert () == result.findings
    assert "the patch renames files and changes no line of code" == result.unmoved


def test_what_was_wrong_stays_pre_existing_in_a_renamed_file() -> None:
    assert [("double-set", AFTER, Status.PRE_EXISTING)] == of_driver(judged(EDIT, changed_tree()))


def as_two(before: str, text: str, after: str, new: str) -> str:
    """Return a diff that takes one file away and brings another."""
    gone, come = text.splitlines(), new.splitlines()
    return (
        f"--- a/{before}\n+++ /dev/null\n@@ -1,{len(gone)} +0,0 @@\n"
        + "".join(f"-{line}\n" for line in gone)
        + f"--- /dev/null\n+++ b/{after}\n@@ -0,0 +1,{len(come)} @@\n"
        + "".join(f"+{line}\n" for line in come)
    )


def test_a_file_that_goes_where_much_the_same_comes_is_renamed() -> None:
    result = judged(as_two(BEFORE, TEXT, AFTER, TOLD), changed_tree())

    assert [("double-set", AFTER, Status.PRE_EXISTING)] == of_driver(result)


def test_a_file_that_goes_where_another_comes_is_not_renamed() -> None:
    other = TEXT.replace("acme_append", "acme_enqueue") + MUCH_MORE
    result = judged(as_two(BEFORE, TEXT, AFTER, other), changed_tree())

    assert {("double-set", AFTER, Status.INTRODUCED), ("double-set", BEFORE, Status.FIXED)} == {
        f for f in of_driver(result) if f[0] == "double-set"
    }


def test_its_functions_are_where_they_went_all_the_same() -> None:
    result = judged(as_two(BEFORE, TEXT, AFTER, TEXT + MUCH_MORE), changed_tree())

    assert [("double-set", AFTER, Status.PRE_EXISTING)] == of_driver(result)


def in_header(header: str, include: str, text: str) -> dict[str, bytes]:
    """Return the driver's files where its bad function stands in a header."""
    start, end = text.index("static void acme_append"), text.index("/* Take a page out")
    body = text[start:end].replace("static void", "static inline void")
    driver = text[:start] + f"#include {include}\n\n" + text[end:]
    return {BEFORE: driver.encode(), header: body.encode()}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("drivers/acme/acme.h", '"acme.h"'), ("drivers/acme/balloon.h", '"balloon.h"')),
        (("include/linux/acme.h", "<linux/acme.h>"), ("include/linux/ab.h", "<linux/ab.h>")),
        (("drivers/acme/acme.h", '"acme.h"'), ("include/linux/acme.h", "<linux/acme.h>")),
    ],
)
def test_what_was_wrong_in_a_header_stays_pre_existing_where_it_is_renamed(
    one: tuple[str, str], other: tuple[str, str]
) -> None:
    before, after = in_header(*one, TEXT), in_header(*other, TOLD)
    patch = as_two(one[0], before[one[0]].decode(), other[0], after[other[0]].decode())
    patch += "".join(unified_diff(*(f[BEFORE].decode().splitlines(True) for f in (before, after)),
                                  BEFORE, BEFORE))  # fmt: skip
    result = judged(patch, Overlay(changed_tree(), before))

    assert {Status.PRE_EXISTING} == {f.status for f in result.findings}
    assert other[0] in {f.file for f in result.findings}


def test_who_includes_a_renamed_header_by_its_old_name_finds_it() -> None:
    tree = Overlay(changed_tree(), {"a/x.h": b"int x;\n", "a/y.c": b"int y;\n"})
    moved = with_moved(tree, {"a/x.h": "a/b/z.h", "a/y.c": "a/b/y.c"})

    assert b'#include "b/z.h"\n' == moved.read("a/x.h")
    assert b"int x;\n" == moved.read("a/b/z.h")
    assert None is moved.read("a/y.c")


def test_what_becomes_wrong_in_a_renamed_file_is_introduced() -> None:
    both = judged(Path(PATCH).read_text() + RENAME, DirectoryTree(TREE))

    assert [("double-set", AFTER, Status.INTRODUCED)] == of_driver(both)


def test_a_copy_is_new_code() -> None:
    known = of_driver(judged(EDIT, changed_tree()))
    copied = of_driver(judged(COPY, changed_tree()))

    assert ("double-set", AFTER, Status.INTRODUCED) not in known
    assert ("double-set", AFTER, Status.INTRODUCED) in copied


def mails(*texts: str) -> str:
    """Return a mailbox with a series."""
    return "".join(
        f"From x@y Mon Sep 17 00:00:00 2001\nFrom: A <a@b>\nSubject: [PATCH {n}/{len(texts)}] s\n"
        f"Message-Id: <{n}@b>\n\n---\n{text}\n"
        for n, text in enumerate(texts, 1)
    )


def test_a_series_mends_under_the_new_name_what_it_broke_under_the_old() -> None:
    change = Path(PATCH).read_text()
    change = change[change.index("diff --git") :].partition("\n-- \n")[0] + "\n"
    tree = DirectoryTree(TREE)

    unmended = judged(mails(change, RENAME), tree)
    mended = judged(mails(change, RENAME, MEND), tree)

    assert [(BEFORE, 1, None)] == [
        (f.file, f.introduced_by, f.fixed_by) for f in unmended.findings if f.rule == "double-set"
    ]
    assert [(BEFORE, 1, 3)] == [
        (f.file, f.introduced_by, f.fixed_by) for f in mended.findings if f.rule == "double-set"
    ]


def test_a_series_shows_a_renamed_file_under_both_names() -> None:
    tree = changed_tree()
    request = Request(read_series(mails(HEADLESS, RENAME).encode(), "x.mbox", tree), tree)

    assert request.read(BEFORE, 1) == request.read(AFTER, 1) == request.read(AFTER, 2)
    assert None is request.read(BEFORE, 2)
    assert request.trees.before.read(AFTER) == tree.read(BEFORE)
    assert None is request.trees.before.read(BEFORE)
    assert AFTER in request.files
    assert BEFORE not in request.files


#: A patch to another place of the file that is renamed next.
HEADLESS = f"""\
--- a/{BEFORE}
+++ b/{BEFORE}
@@ -1,2 +1,3 @@
 // SPDX-License-Identifier: GPL-2.0
+/* A balloon. */
 #include <linux/init.h>
"""


@pytest.mark.parametrize(
    ("first", "then", "both"),
    [
        ({}, {"a": "b"}, {"a": "b"}),
        ({"a": "b"}, {"b": "c"}, {"a": "c"}),
        ({"a": "b"}, {"c": "d"}, {"a": "b", "c": "d"}),
        ({"a": "b"}, {"b": "a"}, {}),
    ],
)
def test_names_follow_one_another(
    first: dict[str, str], then: dict[str, str], both: dict[str, str]
) -> None:
    assert both == moved_on(first, then)
