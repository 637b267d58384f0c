"""Hold the reader of diffs to git's and GNU diff's spellings, and its refusals to plain words."""

from __future__ import annotations

import pytest

from analyzer.base import AnalyzerError
from analyzer.patch import ChangeKind, FileChange, read_series
from analyzer.tree import MemoryTree

from .texts import LETTERS, diff, read_patch, replaced

HUNK = "@@ -1,2 +1,2 @@\n one\n-two\n+three\n"


def _only(text: str, *files: str) -> FileChange:
    tree = MemoryTree(dict.fromkeys(files, "one\ntwo\n")) if files else None
    (change,) = read_patch(text, tree).files
    return change


def _sides(change: FileChange) -> tuple[str | None, str | None, ChangeKind]:
    return change.before, change.after, change.kind


MODIFIED = ("mm/a.c", "mm/a.c", ChangeKind.MODIFIED)


@pytest.mark.parametrize(
    "names",
    [
        "diff --git a/mm/a.c b/mm/a.c\nindex 1..2 100644\n--- a/mm/a.c\n+++ b/mm/a.c\n",
        "diff --git b/mm/a.c a/mm/a.c\nindex 1..2 100644\n--- b/mm/a.c\n+++ a/mm/a.c\n",
        "diff --git i/mm/a.c w/mm/a.c\nindex 1..2 100644\n--- i/mm/a.c\n+++ w/mm/a.c\n",
        "diff --git mm/a.c mm/a.c\nindex 1..2 100644\n--- mm/a.c\n+++ mm/a.c\n",
        "--- a/mm/a.c\n+++ b/mm/a.c\n",
        (
            "--- linux-6.12.orig/mm/a.c\t2024-01-01 00:00:00.000000000 +0000\n"
            "+++ linux-6.12/mm/a.c\t2024-01-02 00:00:00.000000000 +0000\n"
        ),
        "Index: linux/mm/a.c\n=====\n--- linux/mm/a.c.orig\n+++ linux/mm/a.c\n",
        "diff -ruN old/mm/a.c new/mm/a.c\n--- old/mm/a.c\n+++ new/mm/a.c\n",
        '--- "a/mm/a.c"\n+++ "b/mm/\\141.c"\n',
        "--- a//mm/a.c\n+++ b//mm/a.c\n",
    ],
)
def test_a_name_loses_its_prefix_whatever_it_is(names: str) -> None:
    assert _sides(_only(names + HUNK)) == MODIFIED


def test_a_name_without_prefix_is_known_from_the_tree() -> None:
    text = f"--- mm/a.c\n+++ mm/a.c\n{HUNK}"

    assert _sides(_only(text, "mm/a.c")) == MODIFIED
    assert _only(text, "a.c").path == "a.c"


def test_names_with_blanks_and_odd_letters_are_read() -> None:
    blank = "diff --git a/mm/a b.c b/mm/a b.c\nold mode 100644\nnew mode 100755\n"
    name = 'mm/\\303\\244\\t.c"'
    quoted = f'diff --git "a/{name} "b/{name}\nold mode 100644\nnew mode 100755\n'

    assert _only(blank).path == "mm/a b.c"
    assert _only(quoted).path == "mm/ä\t.c"


@pytest.mark.parametrize(
    ("head", "sides"),
    [
        (
            (
                "diff --git a/n.c b/n.c\nnew file mode 100644\nindex 0..1\n"
                "--- /dev/null\n+++ b/n.c\n"
                "@@ -0,0 +1 @@\n+one\n"
            ),
            (None, "n.c", ChangeKind.ADDED),
        ),
        (
            "diff --git a/n.c b/n.c\nnew file mode 100644\nindex 0000000..e69de29\n",
            (None, "n.c", ChangeKind.ADDED),
        ),
        (
            (
                "diff --git a/n.c b/n.c\ndeleted file mode 100644\nindex 1..0\n--- a/n.c\n"
                "+++ /dev/null\n@@ -1 +0,0 @@\n-one\n"
            ),
            ("n.c", None, ChangeKind.DELETED),
        ),
        (
            "diff --git a/o.c b/mm/n.c\nsimilarity index 100%\nrename from o.c\nrename to mm/n.c\n",
            ("o.c", "mm/n.c", ChangeKind.RENAMED),
        ),
        (
            (
                "diff --git a/o.c b/n.c\nsimilarity index 90%\ncopy from o.c\ncopy to n.c\n"
                f"--- a/o.c\n+++ b/n.c\n{HUNK}"
            ),
            ("o.c", "n.c", ChangeKind.COPIED),
        ),
        (
            "diff --git a/s.sh b/s.sh\nold mode 100644\nnew mode 100755\n",
            ("s.sh", "s.sh", ChangeKind.MODE),
        ),
        (
            "diff --git a/l.png b/l.png\nindex 1..2\nBinary files a/l.png and b/l.png differ\n",
            ("l.png", "l.png", ChangeKind.BINARY),
        ),
        (
            (
                "diff --git a/l.png b/l.png\nnew file mode 100644\nindex 0..2\nGIT binary patch\n"
                "literal 3\nKcmZ>\n\nliteral 0\nHcmV?d00001\n\n"
            ),
            (None, "l.png", ChangeKind.BINARY),
        ),
        ("Binary files a/l.png and b/l.png differ\n--- a/l\n+++ b/l\n", None),
        (
            (
                "diff --git a/sub b/sub\nindex 1..2 160000\n--- a/sub\n+++ b/sub\n@@ -1 +1 @@\n"
                "-Subproject commit 1\n+Subproject commit 2\n"
            ),
            ("sub", "sub", ChangeKind.BINARY),
        ),
        (
            (
                "diff --git a/l b/l\nindex 1..2 120000\n--- a/l\n+++ b/l\n@@ -1 +1 @@\n-a\n"
                "\\ No newline at end of file\n+b\n\\ No newline at end of file\n"
            ),
            ("l", "l", ChangeKind.LINK),
        ),
        (
            (
                "diff --git a/l.c b/l.c\nnew file mode 120000\nindex 0..1\n"
                "--- /dev/null\n+++ b/l.c\n@@ -0,0 +1 @@\n+a.c\n\\ No newline at end of file\n"
            ),
            (None, "l.c", ChangeKind.LINK),
        ),
        (
            (
                "--- linux/n.c\t1970-01-01 00:00:00\n+++ linux/n.c\t2024-01-01 00:00:00\n"
                "@@ -0,0 +1 @@\n+one\n"
            ),
            (None, "n.c", ChangeKind.ADDED),
        ),
        (
            (
                "--- linux/n.c\t2024-01-01 00:00:00\n+++ linux/n.c\t1970-01-01 00:00:00\n"
                "@@ -1 +0,0 @@\n-one\n"
            ),
            ("n.c", None, ChangeKind.DELETED),
        ),
    ],
)
def test_every_kind_of_change_is_told_apart(
    head: str, sides: tuple[str | None, str | None, ChangeKind] | None
) -> None:
    assert _sides(_only(head)) == (sides or ("l.png", "l.png", ChangeKind.BINARY))


def test_several_files_and_prose_between_them_are_read() -> None:
    text = "".join(
        f"Some prose.\n{diff(path, LETTERS, replaced(LETTERS, [('line 9;', 'nine;')]))}"
        for path in ("mm/a.c", "mm/b.c")
    )

    assert [file.path for file in read_patch(text).files] == ["mm/a.c", "mm/b.c"]


def test_a_removed_line_that_looks_like_a_file_name_is_a_removed_line() -> None:
    text = diff("mm/a.c", "a\n-- b\nc\n", "a\n++ d\nc\n")
    (hunk,) = _only(text).hunks

    assert [line.kind + line.text.decode() for line in hunk.lines] == [" a", "--- b", "+++ d", " c"]


def test_a_missing_newline_is_kept() -> None:
    (hunk,) = _only(diff("mm/a.c", "a\nb", "a\nc")).hunks

    assert hunk.before == (b"a\n", b"b")
    assert hunk.after == (b"a\n", b"c")


def test_a_blank_context_line_may_have_lost_its_blank() -> None:
    (hunk,) = _only("--- a/x.c\n+++ b/x.c\n@@ -1,3 +1,2 @@\n one\n\n-two\n").hunks

    assert [(line.kind, line.text) for line in hunk.lines] == [
        (" ", b"one"),
        (" ", b""),
        ("-", b"two"),
    ]


def test_what_follows_the_hunk_head_is_kept() -> None:
    (hunk,) = _only("--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@ static int f(void)\n-a\n+b\n").hunks

    assert hunk.section == "static int f(void)"
    assert (hunk.before_start, hunk.before_lines, hunk.after_start, hunk.after_lines) == (
        1,
        1,
        1,
        1,
    )


@pytest.mark.parametrize("odd", ["\x0c", "\x1c", "\x85", "\u2028", "\x0b", "\rx"])
def test_only_a_line_feed_ends_a_line(odd: str) -> None:
    (hunk,) = _only(f"--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a{odd}\n+b{odd}\n").hunks

    assert hunk.after == (f"b{odd}\n".encode(),)


START = "From here\n--- a/mm/a.c\n+++ b/mm/a.c\n"


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (f"{START}@@ -1,2 +1,2 @@\n one\n-two\n", 4, "it ends 1 lines too early"),
        (f"{START}{HUNK}+more\n", 8, 'found "+more" too much'),
        (f"{START}@@ -1,2 +1,1 @@\n one\n+two\n", 6, 'found "+two" too much'),
        (f"{START}@@ -1,9 +1,9 @@\n one\n two\n?three\n four\n", 7, 'found "?three" in a hunk'),
        (
            f"diff --git a/mm/a.c b/mm/a.c\nindex 1..2\n{START[10:]}@@ one @@\n one\n",
            5,
            'found "@@ one @@"; expected @@ -LINE,COUNT +LINE,COUNT @@',
        ),
        (f"{START}@@ -1,2 +1,2\n one\n", 4, "expected @@ -LINE,COUNT +LINE,COUNT @@"),
        ("diff --cc mm/a.c\nindex 1,2..3\n--- a/mm/a.c\n+++ b/mm/a.c\n", 1, "combined diff"),
        (
            "diff --git a/mm/a.c b/mm/a.c\nindex 1..2 100644\n--- a/mm/a.c\n+++ b/mm/a.c\nprose\n",
            3,
            "file names without a hunk",
        ),
        ("--- a/mm/a.c\n+++ b/mm/a.c\nprose\n", 1, "file names of a diff but no hunk"),
        ("diff --git x\nold mode 100644\nnew mode 100755\n", 1, "the name of one file, twice"),
        (f"--- /dev/null\n+++ /dev/null\n{HUNK}", 1, "it names no file"),
    ],
)
def test_a_malformed_diff_names_the_line_and_what_was_found(
    text: str, line: int, says: str
) -> None:
    with pytest.raises(AnalyzerError) as caught:
        read_series(text.encode(), "x.patch", None)

    assert str(caught.value).startswith(f"x.patch:{line}: ")
    assert says in str(caught.value)


@pytest.mark.parametrize("lines", [1, 2, 3])
def test_a_diff_that_ends_in_the_head_of_a_file_is_cut_off(lines: int) -> None:
    head = "diff --git a/mm/b.c b/mm/b.c\nindex 1..2 100644\n--- a/mm/b.c\n".splitlines(True)

    with pytest.raises(AnalyzerError, match="malformed diff: it is cut off in the head of a file"):
        read_series(f"{START}{HUNK}{''.join(head[:lines])}".encode(), "x.patch", None)


def test_a_file_without_lines_is_not_cut_off() -> None:
    new = "diff --git a/mm/b.c b/mm/b.c\nnew file mode 100644\nindex 0000000..e69de29\n"
    (patch,) = read_series(f"{START}{HUNK}{new}".encode(), "x.patch", None).patches

    assert ["mm/a.c", "mm/b.c"] == [f.path for f in patch.files]


@pytest.mark.parametrize(
    "path",
    [
        "../x.c",
        "mm/../../x.c",
        ".git/config",
        "mm/.GIT/hooks/x",
        ".",
        "mm/./x.c",
        '"mm/\\000x"',
        '"mm/\\012x"',
        "mm/",
    ],
)
@pytest.mark.parametrize("form", ["names", "rename", "new"])
def test_a_path_out_of_the_tree_is_refused(path: str, form: str) -> None:
    quoted = path.startswith('"')
    after = f'"b/{path[1:]}' if quoted else f"b/{path}"
    text = f"--- a/x.c\n+++ {after}\n{HUNK}"
    if form == "new":
        text = f"--- /dev/null\n+++ {after}\n@@ -0,0 +1 @@\n+one\n"
    if form == "rename":
        text = (
            f"diff --git a/x.c {after}\nsimilarity index 90%\nrename from x.c\nrename to {path}\n"
            f"--- a/x.c\n+++ {after}\n{HUNK}"
        )

    with pytest.raises(AnalyzerError, match="outside the tree or inside"):
        read_series(text.encode(), "x.patch", None)


@pytest.mark.parametrize(
    "names",
    [
        "--- /etc/passwd\n+++ /etc/passwd\n",
        "--- a/x.c\n+++ /etc/passwd\n",
        "diff --git a/x.c b/x.c\nrename from x.c\nrename to /etc/passwd\n--- a/x.c\n+++ b/x.c\n",
    ],
)
def test_an_absolute_path_is_refused(names: str) -> None:
    with pytest.raises(AnalyzerError, match="outside the tree or inside"):
        read_series(f"{names}{HUNK}".encode(), "x.patch", None)
