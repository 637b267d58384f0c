"""Hold applying to: every line verified, offsets and fuzz as GNU patch has them, in memory only."""

from __future__ import annotations

import pytest

from analyzer.base import AnalyzerError
from analyzer.patch import Applied, apply_patch, reverse_patch
from analyzer.tree import MemoryTree, Tree

from .texts import LETTERS, diff, read_patch, replaced

PATH = "mm/a.c"
TEXT = diff(PATH, LETTERS, replaced(LETTERS, [("line 9;", "nine;"), ("line 20;", "twenty;")]))


def _apply(text: str, files: dict[str, str], *, partial: bool = False) -> Applied:
    tree = MemoryTree(files)
    return apply_patch(tree, read_patch(text, tree), partial=partial)


def _text(tree: Tree, path: str = PATH) -> str:
    data = tree.read(path)
    assert data is not None
    return data.decode()


def test_a_patch_that_fits_is_applied_and_leaves_the_tree_alone() -> None:
    tree = MemoryTree({PATH: LETTERS, "mm/b.c": "b\n"})
    applied = apply_patch(tree, read_patch(TEXT))

    assert _text(applied.tree) == replaced(LETTERS, [("line 9;", "nine;"), ("line 20;", "twenty;")])
    assert _text(tree) == LETTERS
    assert _text(applied.tree, "mm/b.c") == "b\n"
    assert (applied.rejected, applied.already_applied, applied.notes) == ((), False, ())


def test_placements_and_changed_lines_count_from_one() -> None:
    after = replaced(LETTERS, [("\tline 9;\n", "\ta;\n\tb;\n"), ("\tline 20;\n", "")])
    applied = _apply(diff(PATH, LETTERS, after), {PATH: LETTERS})
    before, added = applied.changed[PATH]

    assert [(p.hunk, p.offset, p.fuzz) for p in applied.placements] == [(1, 0, 0), (2, 0, 0)]
    assert [p.before_lines for p in applied.placements] == [range(6, 13), range(17, 24)]
    assert [p.after_lines for p in applied.placements] == [range(6, 14), range(18, 24)]
    assert (before, added) == ((range(9, 10), range(20, 21)), (range(9, 11),))


def test_a_hunk_is_found_further_down_and_drags_the_next() -> None:
    moved = "/* new */\n" * 5 + LETTERS
    applied = _apply(TEXT, {PATH: moved})

    assert [p.offset for p in applied.placements] == [5, 5]
    assert applied.notes == (f"{PATH}: hunks 1, 2 placed with an offset of +5 lines",)
    assert "\tnine;\n" in _text(applied.tree)


def test_a_hunk_is_found_further_up() -> None:
    applied = _apply(TEXT, {PATH: LETTERS.removeprefix("\tline 1;\n\tline 2;\n")})

    assert [p.offset for p in applied.placements] == [-2, -2]


def test_the_nearest_of_several_places_is_taken() -> None:
    block = "\t{\n\t\tx;\n\t}\n"
    text = block * 9
    at = text.splitlines(keepends=True)
    after = "".join([*at[:13], "\t\ty;\n", *at[14:]])
    patch = diff(PATH, text, after, context=1)

    assert _text(_apply(patch, {PATH: text}).tree) == after
    assert _text(_apply(patch, {PATH: "\n" + text}).tree) == "\n" + after


def test_fuzz_leaves_context_as_the_tree_has_it() -> None:
    other = replaced(LETTERS, [("line 6;", "six;"), ("line 23;", "twenty three;")])
    applied = _apply(TEXT, {PATH: other})

    assert [p.fuzz for p in applied.placements] == [1, 1]
    assert _text(applied.tree) == replaced(other, [("line 9;", "nine;"), ("line 20;", "twenty;")])
    assert applied.notes == (f"{PATH}: hunks 1, 2 placed with fuzz 1",)
    moved = _apply(TEXT, {PATH: "\n" + other}).notes
    assert moved == (f"{PATH}: hunks 1, 2 placed with an offset of +1 lines, fuzz 1",)


def test_fuzz_ends_at_two_lines() -> None:
    two = replaced(LETTERS, [("line 7;", "seven;"), ("line 6;", "six;")])
    three = replaced(LETTERS, [("line 8;", "eight;")])

    assert _apply(TEXT, {PATH: two}).placements[0].fuzz == 2
    with pytest.raises(AnalyzerError, match="1 of 2 hunks"):
        _apply(TEXT, {PATH: three})


def test_a_removed_line_is_never_fuzzy() -> None:
    with pytest.raises(AnalyzerError, match="does not apply"):
        _apply(TEXT, {PATH: replaced(LETTERS, [("line 9;", "neun;")])})


def test_a_hunk_at_the_top_or_the_end_stays_there() -> None:
    top = diff(PATH, LETTERS, "new;\n" + LETTERS)
    end = diff(PATH, LETTERS, LETTERS + "new;\n")
    longer = "one;\ntwo;\n" + LETTERS + "one;\ntwo;\nthree;\n"

    assert _text(_apply(top, {PATH: longer.removeprefix("one;\ntwo;\n")}).tree).startswith("new;\n")
    assert _text(_apply(end, {PATH: "one;\n" + LETTERS}).tree).endswith("\tline 26;\nnew;\n")
    with pytest.raises(AnalyzerError, match="does not apply"):
        apply_patch(MemoryTree({PATH: "x;\n"}), read_patch(end))


def in_function(last: int) -> str:
    """Return a diff as `git diff -W` writes it: context up to the ends of a function."""
    lines = [f" \tline {n};\n" for n in range(3, last + 1)]
    lines[10:11] = ["-\tline 13;\n", "+\tthirteen;\n"]
    count = last - 2
    return f"--- a/{PATH}\n+++ b/{PATH}\n@@ -3,{count} +3,{count} @@ int f(void)\n" + "".join(lines)


@pytest.mark.parametrize("last", [14, 15, 18, 23])
def test_context_up_to_the_ends_of_a_function_says_nothing_of_the_files(last: int) -> None:
    longer = "one;\n" + LETTERS
    found = _apply(in_function(last), {PATH: longer})

    assert replaced(longer, [("line 13;", "thirteen;")]) == _text(found.tree)
    assert [(1, 0)] == [(p.offset, p.fuzz) for p in found.placements]


def test_such_context_has_no_fuzz() -> None:
    other = replaced(LETTERS, [("line 5;", "five;")])

    with pytest.raises(AnalyzerError, match="does not apply"):
        _apply(in_function(15), {PATH: other})
    with pytest.raises(AnalyzerError, match="does not apply"):
        _apply(in_function(13), {PATH: LETTERS})  # it says that the file ends there


def test_every_hunk_that_fits_nowhere_is_listed_with_what_was_found() -> None:
    other = replaced(LETTERS, [("line 9;", "neun;"), ("\tline 20;", "    line 20;")])
    with pytest.raises(AnalyzerError) as caught:
        _apply(TEXT, {PATH: other})
    lines = str(caught.value).splitlines()

    assert lines[0] == "x.patch: patch 1 does not apply to memory: 2 of 2 hunks"
    assert lines[1] == (
        f'  {PATH} hunk 1 (line 5 of the patch): line 9: expected "line 9;", found "neun;"'
    )
    assert lines[2] == (
        f"  {PATH} hunk 2 (line 14 of the patch): line 20: "
        'expected "line 20;", found "line 20;" (they differ in blanks only)'
    )


def test_what_tells_long_lines_apart_is_in_sight() -> None:
    start = "void toy_release_all_pages(struct page *page, unsigned int order"
    had, has = f"{start}, bool last);", f"{start}, int how, int nid, struct list_head *list);"
    text = diff(PATH, replaced(LETTERS, [("line 9;", had)]), replaced(LETTERS, [("line 9;", "x")]))

    with pytest.raises(AnalyzerError) as caught:
        _apply(text, {PATH: replaced(LETTERS, [("line 9;", has)])})

    assert (
        'expected "...unsigned int order, bool last);", '
        'found "...unsigned int order, int how, int nid, struct list_head *list..."'
    ) in str(caught.value)


def test_a_hunk_that_is_to_stand_at_an_end_of_the_file_is_told_so() -> None:
    top = diff(PATH, LETTERS, "new;\n" + LETTERS)
    end = diff(PATH, LETTERS, LETTERS + "new;\n")

    with pytest.raises(AnalyzerError, match="line 1: expected the top of the hunk, found it at li"):
        _apply(top, {PATH: "a;\nb;\nc;\n" + LETTERS})
    with pytest.raises(AnalyzerError, match='line 27: expected the end of the file, found "more;"'):
        _apply(end, {PATH: LETTERS + "more;\n"})


def test_a_patch_whose_tabs_have_become_blanks_is_told_so() -> None:
    with pytest.raises(AnalyzerError) as caught:
        _apply(TEXT.replace("\t", "        "), {PATH: LETTERS})
    with pytest.raises(AnalyzerError) as other:
        _apply(TEXT.replace("\t", "        ").replace("line 8;", "line 80;"), {PATH: LETTERS})

    assert 2 == str(caught.value).count("with other blanks; have tabs become blanks on the way?")
    assert 1 == str(other.value).count("no line of it, brackets aside, is in the file")


BRACKETS = "{\n}\n\n{\n}\n\n"
FUNCTION = "int first(void)\n{\n\treturn 1;\n}\n"
SPOILT = diff(PATH, FUNCTION, FUNCTION.replace("1", "2"))


def test_where_a_hunk_fails_is_told_by_lines_with_words() -> None:
    with pytest.raises(AnalyzerError) as caught:
        _apply(SPOILT, {PATH: BRACKETS + "int first(void)\n\tgoto out;\nout:\n"})

    assert 'line 8: expected "{", found "goto out;"' in str(caught.value)


def test_brackets_and_blanks_alone_are_no_place() -> None:
    with pytest.raises(AnalyzerError, match=r"no line of it, brackets aside, is in the file \(6 "):
        _apply(SPOILT, {PATH: BRACKETS})


def test_a_blank_line_that_is_missing_is_called_so() -> None:
    had = FUNCTION.replace("{\n", "{\n\n")
    text = diff(PATH, had, had.replace("1", "2"))

    with pytest.raises(AnalyzerError, match=r'expected a blank line, found "return 1;"'):
        _apply(text, {PATH: FUNCTION.replace("}", "\treturn 3;\n}")})


def test_partial_applies_what_fits_and_returns_the_rest() -> None:
    applied = _apply(TEXT, {PATH: replaced(LETTERS, [("line 9;", "neun;")])}, partial=True)

    assert [(r.file, r.hunk, r.line) for r in applied.rejected] == [(PATH, 1, 5)]
    assert "\ttwenty;\n" in _text(applied.tree)
    assert "\tneun;\n" in _text(applied.tree)


def test_a_patch_that_is_applied_already_is_recognised() -> None:
    tree = MemoryTree({PATH: LETTERS})
    patch = read_patch(TEXT)
    after = apply_patch(tree, patch).tree
    again = apply_patch(after, patch)

    assert again.already_applied
    assert again.tree is after
    assert (again.placements, dict(again.changed), again.rejected) == ((), {}, ())
    assert _text(apply_patch(after, reverse_patch(patch)).tree) == LETTERS


def test_an_addition_that_is_there_already_is_not_added_elsewhere() -> None:
    block = "\tlock(x);\n\twork(x);\n\tmore(x);\n\tunlock(x);\n\n"
    text = block * 6
    lines = text.splitlines(keepends=True)
    after = "".join([*lines[:17], "\tadded(x);\n", *lines[17:]])
    applied = _apply(diff(PATH, text, after), {PATH: after})

    assert applied.already_applied


def test_a_file_is_made_and_removed() -> None:
    made = "--- /dev/null\n+++ b/mm/n.c\n@@ -0,0 +1,2 @@\n+one\n+two\n"
    gone = "--- a/mm/n.c\n+++ /dev/null\n@@ -1,2 +0,0 @@\n-one\n-two\n"
    applied = _apply(made, {PATH: LETTERS})

    assert _text(applied.tree, "mm/n.c") == "one\ntwo\n"
    assert applied.changed["mm/n.c"] == ((), (range(1, 3),))
    assert apply_patch(applied.tree, read_patch(gone)).tree.read("mm/n.c") is None
    with pytest.raises(AnalyzerError, match="the tree has it"):
        _apply(made, {"mm/n.c": "other\n"})
    with pytest.raises(AnalyzerError, match="1 lines would stay"):
        _apply(gone, {"mm/n.c": "one\ntwo\nthree\n"})
    assert _apply(gone, {PATH: LETTERS}).already_applied


def test_a_file_is_renamed_and_copied() -> None:
    body = "@@ -1,2 +1,2 @@\n \tline 1;\n-\tline 2;\n+\ttwo;\n \tline 3;\n".replace("1,2", "1,3")
    moved = (
        "diff --git a/mm/a.c b/mm/n.c\nsimilarity index 90%\n{0} from mm/a.c\n{0} to mm/n.c\n"
        "--- a/mm/a.c\n+++ b/mm/n.c\n"
    )
    renamed = _apply(moved.format("rename") + body, {PATH: LETTERS})
    copied = _apply(moved.format("copy") + body, {PATH: LETTERS})

    after = replaced(LETTERS, [("line 2;", "two;")])
    assert (renamed.tree.read(PATH), _text(renamed.tree, "mm/n.c")) == (None, after)
    assert (_text(copied.tree), _text(copied.tree, "mm/n.c")) == (LETTERS, after)
    assert renamed.changed[PATH].before == (range(2, 3),)
    assert renamed.changed["mm/n.c"].after == (range(2, 3),)
    with pytest.raises(AnalyzerError, match=r"makes it from mm/a\.c, but the tree has it"):
        _apply(moved.format("rename") + body, {PATH: LETTERS, "mm/n.c": "x\n"})


def _move(how: str, before: str, after: str, hunk: str = "") -> str:
    names = f"--- a/{before}\n+++ b/{after}\n" if hunk else ""
    return (
        f"diff --git a/{before} b/{after}\nsimilarity index 99%\n"
        f"{how} from {before}\n{how} to {after}\n{names}{hunk}"
    )


def _one(find: str, replace: str) -> str:
    return f"@@ -1 +1 @@\n-{find}\n+{replace}\n"


_FILES = {"a.c": "a\n", "b.c": "b\n"}
_EDIT = f"diff --git a/a.c b/a.c\n--- a/a.c\n+++ b/a.c\n{_one('a', 'x')}"


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        # git diff -B -M: names that are swapped, handed on, handed round
        (_move("rename", "b.c", "a.c") + _move("rename", "a.c", "b.c"), ["b", "a", None]),
        (
            _move("rename", "b.c", "a.c", _one("b", "x")) + _move("rename", "a.c", "b.c"),
            ["x", "a", None],
        ),
        (
            _move("rename", "b.c", "a.c") + _move("rename", "a.c", "b.c", _one("a", "x")),
            ["b", "x", None],
        ),
        (_move("rename", "b.c", "a.c") + _move("rename", "a.c", "c.c"), ["b", None, "a"]),
        (_move("rename", "a.c", "c.c") + _move("rename", "b.c", "a.c"), ["b", None, "a"]),
        (
            _move("rename", "b.c", "a.c")
            + _move("copy", "a.c", "b.c")
            + _move("rename", "a.c", "c.c"),
            ["b", "a", "a"],
        ),
        # git diff -C: a copy of what is changed as well
        (_EDIT + _move("copy", "a.c", "c.c"), ["x", "b", "a"]),
        (_EDIT + _move("copy", "a.c", "c.c", _one("a", "y")), ["x", "b", "y"]),
        # several diffs in one text: one builds on the other
        (_EDIT + _move("rename", "a.c", "c.c"), [None, "b", "x"]),
        (_move("rename", "a.c", "c.c") + _move("rename", "c.c", "d.c"), [None, "b", None]),
        (
            _move("rename", "a.c", "c.c") + "diff --git a/c.c b/c.c\ndeleted file mode 100644\n"
            "--- a/c.c\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n",
            [None, "b", None],
        ),
        (_move("copy", "a.c", "c.c") + _move("copy", "c.c", "d.c"), ["a", "b", "a"]),
    ],
)
def test_renames_and_copies_start_from_what_was_there_before(
    patch: str, expected: list[str | None]
) -> None:
    applied = _apply(patch, _FILES)

    found = [applied.tree.read(path) for path in ("a.c", "b.c", "c.c")]
    assert [None if text is None else f"{text}\n".encode() for text in expected] == found
    if "copy" not in patch and "/dev/null" not in patch:
        back = apply_patch(applied.tree, reverse_patch(read_patch(patch)))
        texts = {p: back.tree.read(p) for p in ("a.c", "b.c", "c.c", "d.c")}
        assert {"a.c": b"a\n", "b.c": b"b\n", "c.c": None, "d.c": None} == texts


@pytest.mark.parametrize(
    ("patch", "refused"),
    [
        (_move("rename", "a.c", "b.c"), "b.c"),
        (_move("copy", "a.c", "b.c") + _move("copy", "b.c", "a.c"), "b.c"),
        (_move("rename", "a.c", "c.c") + _move("rename", "b.c", "c.c"), "c.c"),
        (
            _move("rename", "b.c", "a.c") + _move("rename", "a.c", "b.c", _one("b", "x")),
            "b.c hunk 1",
        ),
    ],
)
def test_a_name_that_stays_is_in_the_way(patch: str, refused: str) -> None:
    with pytest.raises(AnalyzerError, match=rf"(?m)^  {refused} \(line \d+ of the patch\): "):
        _apply(patch, _FILES)


def test_a_mode_changes_no_text_and_a_binary_is_left_out() -> None:
    mode = f"diff --git a/{PATH} b/{PATH}\nold mode 100644\nnew mode 100755\n"
    binary = "diff --git a/l.png b/l.png\nindex 1..2\nBinary files a/l.png and b/l.png differ\n"
    applied = _apply(mode + binary, {PATH: LETTERS})

    assert _text(applied.tree) == LETTERS
    assert applied.notes == ("l.png: binary change left out",)


def link(path: str, *, gone: bool) -> str:
    """Return what git says of a symbolic link to x.c that goes or comes."""
    what, names = (
        ("deleted", f"a/{path}\n+++ /dev/null") if gone else ("new", f"/dev/null\n+++ b/{path}")
    )
    hunk = "@@ -1 +0,0 @@\n-x.c" if gone else "@@ -0,0 +1 @@\n+x.c"
    head = f"diff --git a/{path} b/{path}\n{what} file mode 120000\nindex 1..2\n--- {names}\n"
    return f"{head}{hunk}\n\\ No newline at end of file\n"


def test_a_symbolic_link_is_left_out_and_makes_room_for_a_file() -> None:
    made = (
        "diff --git a/l.c b/l.c\nnew file mode 100644\nindex 0..1\n--- /dev/null\n+++ b/l.c\n"
        "@@ -0,0 +1 @@\n+int l;\n"
    )
    # Who reads a link gets what it leads to.
    applied = _apply(link("l.c", gone=True) + made, {"x.c": "int x;\n", "l.c": "int x;\n"})

    assert "int l;\n" == _text(applied.tree, "l.c")
    assert applied.notes == ("l.c: symbolic link left out",)
    with pytest.raises(AnalyzerError, match="the patch makes this file, but the tree has it"):
        _apply(made, {"l.c": "int x;\n"})


def test_a_symbolic_link_is_no_source() -> None:
    removed = (
        "diff --git a/l.c b/l.c\ndeleted file mode 100644\nindex 1..0\n--- a/l.c\n+++ /dev/null\n"
        "@@ -1 +0,0 @@\n-int l;\n"
    )
    applied = _apply(removed + link("l.c", gone=False), {"x.c": "int x;\n", "l.c": "int l;\n"})

    assert applied.tree.read("l.c") is None
    assert applied.notes == ("l.c: symbolic link left out",)


def test_a_missing_newline_is_part_of_the_line() -> None:
    text = diff(PATH, "a\nb", "a\nc")

    assert _text(_apply(text, {PATH: "a\nb"}).tree) == "a\nc"
    with pytest.raises(AnalyzerError, match="does not apply"):
        _apply(text, {PATH: "a\nb\n"})


def test_a_diff_without_context_goes_where_it_says() -> None:
    after = replaced(LETTERS, [("\tline 9;\n", "\tline 9;\n\tnew;\n"), ("\tline 20;\n", "")])

    assert _text(_apply(diff(PATH, LETTERS, after, context=0), {PATH: LETTERS}).tree) == after


def test_two_diffs_of_one_file_build_on_each_other() -> None:
    second = replaced(LETTERS, [("line 9;", "nine;")])
    third = replaced(second, [("nine;", "neun;")])

    text = diff(PATH, LETTERS, second) + diff(PATH, second, third)
    assert _text(_apply(text, {PATH: LETTERS}).tree) == third


def test_the_reverse_of_a_reverse_is_the_patch() -> None:
    patch = read_patch(TEXT)

    assert reverse_patch(reverse_patch(patch)) == patch


def test_a_file_the_tree_lacks_is_said() -> None:
    with pytest.raises(AnalyzerError) as caught:
        _apply(TEXT, {"mm/b.c": "x\n"})

    assert str(caught.value).splitlines()[0].endswith("does not apply to memory: 1 of its files")
    assert f"  {PATH} (line 1 of the patch): no such file in the tree" in str(caught.value)


def test_an_applied_patch_is_recognised_where_the_context_has_drifted() -> None:
    after = replaced(LETTERS, [("line 9;", "nine;"), ("line 20;", "twenty;")])
    drifted = replaced(after, [("line 6;", "six;"), ("line 23;", "twenty three;")])

    assert _apply(TEXT, {PATH: drifted}).already_applied


def test_a_rename_that_is_done_already_is_recognised() -> None:
    text = "diff --git a/o.c b/n.c\nsimilarity index 100%\nrename from o.c\nrename to n.c\n"

    assert _apply(text, {"n.c": "x\n"}).already_applied
    with pytest.raises(AnalyzerError, match="no such file in the tree"):
        _apply(text, {"m.c": "x\n"})


def test_a_copy_that_is_there_is_not_taken_for_the_patch_s() -> None:
    text = "diff --git a/o.c b/n.c\nsimilarity index 100%\ncopy from o.c\ncopy to n.c\n"

    with pytest.raises(AnalyzerError, match="the tree has it"):
        _apply(text, {"o.c": "x\n", "n.c": "y\n"})
