"""What the user named must become the series and the trees that a report speaks of."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest

from analyzer.base import AnalyzerError, Gap
from analyzer.patch.stack import patches_in
from analyzer.request import Request, open_request

from .recipes.repos import HARMLESS, demo

SOURCE = "int one(void)\n{\n\treturn 1;\n}\n\nint two(void)\n{\n\treturn 2;\n}\n"
FIRST = """\
--- a/mm/x.c
+++ b/mm/x.c
@@ -6,4 +6,4 @@
 int two(void)
 {
-\treturn 2;
+\treturn 3;
 }
"""


def opened(tree: Path, *patches: Path) -> Request:
    with Path("/dev/null").open("rb") as nothing:
        return open_request([str(p) for p in patches], str(tree), None, None, nothing)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "mm").mkdir()
    (tmp_path / "mm/x.c").write_text(SOURCE)
    return tmp_path


@pytest.fixture
def request_(tree: Path) -> Request:
    patch = tree / "two.patch"
    patch.write_text(FIRST)
    return opened(tree, patch)


SECOND = FIRST.replace("return 3", "return 4").replace("return 2", "return 3")


@pytest.fixture
def folder(tree: Path) -> Path:
    """Return a directory of patches as people keep them, beside other things."""
    made = tree / "patches"
    (made / "old").mkdir(parents=True)
    for name, text in {
        "0000-cover.patch": "Subject: [PATCH 0/2] all\nFrom: a@b\n\nWhy.\n",
        "0001-one.patch": FIRST,
        "0002-two.patch": SECOND,
        ".0001-one.patch.swp": FIRST,
        "old/0001-one.patch": FIRST,
        "series": "0001-one.patch\n0002-two.patch\n",
    }.items():
        (made / name).write_text(text)
    return made


def test_a_directory_of_patches_is_one_series(tree: Path, folder: Path) -> None:
    found = opened(tree, folder)

    assert [str(folder / f"000{n}.patch") for n in ("1-one", "2-two")] == [
        p.name for p in found.series.patches
    ]
    assert b"return 4" in (found.read("mm/x.c", 2) or b"")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("b.patch\na.patch\n", ["b.patch", "a.patch"]),
        ("# first\n\n  b.patch -p1 # so\nold/a.patch\n#a.patch\n", ["b.patch", "old/a.patch"]),
        ("b.patch\n", ["b.patch"]),
        ("no-such.patch\n", ["a.patch", "b.patch", "series"]),
        ("../x.patch\n", ["a.patch", "b.patch", "series"]),
        ("What these are\n", ["a.patch", "b.patch", "series"]),
        ("", ["a.patch", "b.patch", "series"]),
    ],
)
def test_a_series_file_tells_the_order(tmp_path: Path, text: str, expected: list[str]) -> None:
    (tmp_path / "old").mkdir()
    for name in ("a.patch", "b.patch", "old/a.patch", ".c.patch"):
        (tmp_path / name).write_text(FIRST)
    (tmp_path / "series").write_text(text)

    found, notes = patches_in(tmp_path)

    assert [tmp_path / name for name in expected] == list(found)
    left_out = ", without a.patch" if "a.patch" not in expected else ""
    told = (f"{tmp_path}: in the order of its series file{left_out}",)
    assert (() if "series" in expected else told) == notes


@pytest.mark.parametrize(
    ("others", "told"),
    [("", None), ("c", ", without c"), ("cdef", ", without c, d, e and 1 more")],
)
def test_an_order_that_is_that_of_the_names_is_not_told(
    tmp_path: Path, others: str, told: str | None
) -> None:
    for name in ("a", "b", *others):
        (tmp_path / name).write_text(FIRST)
    (tmp_path / "series").write_text("a\nb\n")

    expected = () if told is None else (f"{tmp_path}: in the order of its series file{told}",)
    assert ([tmp_path / "a", tmp_path / "b"], expected) == patches_in(tmp_path)


@pytest.mark.parametrize("name", ["c.patch", "../a.patch", "/a.patch", "old"])
def test_a_series_file_names_what_is_there(tmp_path: Path, name: str) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "a.patch").write_text(FIRST)
    (tmp_path / "series").write_text(f"a.patch\n{name}\n")

    with pytest.raises(AnalyzerError, match=f"series: names {name}, which is not there"):
        patches_in(tmp_path)


def test_a_stack_of_patches_is_read_as_it_applies(tree: Path) -> None:
    made = tree / "patches"
    made.mkdir()
    (made / "a.patch").write_text(SECOND)
    (made / "b.patch").write_text(FIRST)
    (made / "series").write_text("b.patch\na.patch\n")

    request = opened(tree, made)

    assert ["b.patch", "a.patch"] == [Path(p.name).name for p in request.series.patches]
    assert b"return 4" in (request.read("mm/x.c", 2) or b"")
    assert (f"{made}: in the order of its series file",) == request.series.notes


def test_several_patches_are_one_series_in_the_order_in_which_they_are_named(
    tree: Path, folder: Path
) -> None:
    one, two = (folder / f"000{n}.patch" for n in ("1-one", "2-two"))
    found = opened(tree, one, two)

    assert [str(one), str(two)] == [p.name for p in found.series.patches]
    with pytest.raises(AnalyzerError, match=f"^{re.escape(str(two))}: patch 1 does not apply"):
        assert opened(tree, two, one).steps


@pytest.mark.parametrize(
    ("data", "held"),
    [
        (b"", "an empty input"),
        (b"\x7fELF\0\1", "binary data"),
        (b"some words\n", "1 line of text and no diff"),
    ],
)
def test_a_file_without_a_patch_is_told_to_be_left_out(tree: Path, data: bytes, held: str) -> None:
    patch, other = tree / "a.patch", tree / "b.patch"
    patch.write_text(FIRST)
    other.write_bytes(data)

    series = opened(tree, patch, other).series

    assert (f"{other}: no patch in it, left out: found {held}",) == series.notes


def test_a_mail_without_a_patch_is_left_out_in_silence(tree: Path) -> None:
    patch, cover = tree / "a.patch", tree / "0.patch"
    patch.write_text(FIRST)
    cover.write_text("Subject: [PATCH 0/1] all\nFrom: a@b\n\nWhy.\n")

    assert () == opened(tree, cover, patch).series.notes


def test_a_patch_that_is_named_twice_is_one(tree: Path, folder: Path) -> None:
    assert 1 == len(
        opened(tree, folder / "0001-one.patch", folder / "0001-one.patch").series.patches
    )
    with Path(folder / "0001-one.patch").open("rb") as stdin:
        assert 1 == len(open_request(("-", "-"), str(tree), None, None, stdin).series.patches)


def test_numbered_mails_stand_in_the_order_of_their_numbers(tree: Path) -> None:
    for n, text in ((1, FIRST), (2, SECOND)):
        mail = f"From: a@b\nSubject: [PATCH {n}/2] x\n\n{text}"
        (tree / f"{3 - n}.eml").write_text(mail)
    found = opened(tree, tree / "1.eml", tree / "2.eml")

    assert ["[PATCH 1/2]", "[PATCH 2/2]"] == [p.tag for p in found.series.patches]
    assert b"return 4" in (found.read("mm/x.c", 2) or b"")


def test_a_file_is_read_as_it_is_after_each_patch(request_: Request) -> None:
    before, after = (request_.read("mm/x.c", n) for n in (0, 1))

    assert SOURCE.encode() == before
    assert SOURCE.replace("return 2", "return 3").encode() == after
    assert request_.read("mm/x.c", 2) is None


@pytest.mark.parametrize(
    ("gap", "touched"),
    [
        (Gap("syntax", "mm/x.c", 8, "two", ""), True),
        (Gap("syntax", "mm/x.c", 3, "one", ""), False),
        (Gap("syntax", "mm/x.c", 0, "", ""), True),
        (Gap("syntax", "mm/x.c", 8, "", ""), True),
        (Gap("syntax", "mm/x.c", 3, "", ""), False),
        (Gap("syntax", "mm/y.c", 8, "two", ""), False),
    ],
)
def test_only_gaps_in_what_is_changed_count(request_: Request, gap: Gap, touched: bool) -> None:
    assert touched == request_.touches(gap)


@pytest.mark.parametrize(("revision", "name"), [("HEAD", "HEAD"), (None, "HEAD^")])
def test_a_range_is_for_the_revision_that_is_named(
    tmp_path: Path, revision: str | None, name: str
) -> None:
    repository = demo(tmp_path)
    repository.apply(HARMLESS)

    ask = ("HEAD^..HEAD",), str(repository.path), revision, None, BytesIO()

    assert name == open_request(*ask).tree.name
    with pytest.raises(AnalyzerError, match="--git: expected a revision of the tree's repository"):
        open_request(*ask[:2], "", *ask[3:])
