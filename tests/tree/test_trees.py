"""Hold every kind of tree to the same contract."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from analyzer.base import AnalyzerError
from analyzer.tree import DirectoryTree, GitTree, MemoryTree, Overlay, Tree, open_tree
from analyzer.tree.api import Folders, Hits
from analyzer.tree.words import WordMemory

from .sources import AWKWARD, EXPECTED, WORDS, commit_files, git, write_files

KINDS = ("directory", "git", "memory", "overlay", "overlays")


def _build(kind: str, files: Mapping[str, bytes], folder: Path) -> Tree:
    if kind == "directory":
        return DirectoryTree(str(write_files(folder / "tree", files)))
    if kind == "git":
        return GitTree(str(folder), commit_files(folder, files))
    if kind == "memory":
        return MemoryTree(files)
    wrong = MemoryTree(dict.fromkeys([*files, "mm/gone.c"], b"PageOdd PageEven Page\n"))
    gone: dict[str, bytes | None] = {"mm/gone.c": None}
    if kind == "overlay":
        return Overlay(wrong, {**files, **gone})
    return Overlay(Overlay(wrong, dict.fromkeys(files)), {**files, **gone})


@pytest.fixture(params=KINDS)
def awkward(request: pytest.FixtureRequest, tmp_path: Path) -> Tree:
    return _build(request.param, AWKWARD, tmp_path)


def test_a_search_finds_whole_words_in_c_files(awkward: Tree) -> None:
    assert awkward.search(WORDS) == EXPECTED


def test_a_search_answers_the_same_again_and_in_parts(awkward: Tree) -> None:
    parts = [awkward.search([word]) for word in WORDS]

    assert awkward.search(WORDS) == EXPECTED
    for word, hits in zip(WORDS, parts, strict=True):
        assert set(hits) == {path for path, found in EXPECTED.items() if word in found}
    assert awkward.search([]) == {}
    assert awkward.search(iter(WORDS)) == EXPECTED


@pytest.mark.parametrize(
    ("folders", "starts"),
    [
        (("mm",), ("mm/",)),
        (("include", "mm/deep"), ("include/", "mm/deep/")),
        (("mm/deep", "absent"), ("mm/deep/",)),
        (("m",), ("-",)),
        (("absent",), ("-",)),
        ((".hidden",), (".hidden/",)),
    ],
)
def test_a_search_below_folders_finds_what_is_there(
    folders: Folders, starts: tuple[str, ...], awkward: Tree
) -> None:
    expected = {p: found for p, found in EXPECTED.items() if p.startswith(starts)}

    assert awkward.search(WORDS, folders) == expected
    assert awkward.search(WORDS) == EXPECTED
    assert awkward.search(WORDS, folders) == expected


def test_what_the_whole_tree_was_searched_for_is_known_below_folders() -> None:
    asked: list[tuple[str, ...]] = []

    def search(words: Collection[str], folders: Folders) -> Hits:
        asked.append((*folders, *sorted(words)))
        return {"mm/x.c": frozenset(words) & {"a", "b"}, "lib/y.c": frozenset(words) & {"a"}}

    memory = WordMemory(search)
    memory.search(["a"])

    assert memory.search(["a"], ("mm",)) == {"mm/x.c": frozenset({"a"})}
    assert asked == [("a",)]


def test_hits_come_sorted(awkward: Tree) -> None:
    assert list(awkward.search(WORDS)) == sorted(EXPECTED)


def test_a_file_is_read_as_it_is(awkward: Tree) -> None:
    assert {path: awkward.read(path) for path in AWKWARD} == AWKWARD


def test_what_is_no_file_of_the_tree_reads_as_none(awkward: Tree) -> None:
    outside = ("/etc/passwd", "../x", "mm/../mm/one.c", "./mm", "mm//one.c")
    strange = ("", "\n", "mm/one.c\0", "mm/one.c\n", "x" * 5000)
    absent = ("mm", "mm/", "nowhere.c", "mm/one.c/x")

    assert [path for path in (*outside, *strange, *absent) if awkward.read(path) is not None] == []


def test_a_directory_is_listed(awkward: Tree) -> None:
    assert "mm" in awkward.listdir("")
    assert awkward.listdir("include") == ("ignored.h",)
    assert awkward.listdir("mm/deep") == ("er",)
    assert awkward.listdir("mm/one.c") == ()
    assert awkward.listdir("nowhere") == ()
    assert awkward.listdir("../") == ()
    assert ".git" not in awkward.listdir("")


@pytest.mark.parametrize("kind", ["directory", "git"])
def test_a_link_is_followed_inside_and_not_outside(kind: str, tmp_path: Path) -> None:
    write_files(tmp_path, {"secret.c": b"PageOdd\n"})
    root = write_files(tmp_path / "tree", {"mm/one.c": b"one\n", "mm/sub/two.c": b"two\n"})
    (root / "in.c").symlink_to("mm/one.c")
    (root / "indir").symlink_to("mm/sub")
    (root / "out.c").symlink_to("../secret.c")
    (root / "absolute.c").symlink_to(tmp_path / "secret.c")
    (root / "outdir").symlink_to("..")
    (root / "self.c").symlink_to("self.c")
    (root / "dangling.c").symlink_to("mm/none.c")
    tree: Tree = DirectoryTree(str(root))
    if kind == "git":
        tree = GitTree(str(root), commit_files(root, {}))

    assert tree.read("in.c") == b"one\n"
    assert tree.read("indir/two.c") == b"two\n"
    for path in ("out.c", "absolute.c", "outdir/secret.c", "self.c", "dangling.c", "self.c/x"):
        assert tree.read(path) is None
    assert tree.read("mm/one.c") == b"one\n"


def test_a_directory_is_searched_once_for_a_word() -> None:
    asked: list[tuple[str, ...]] = []

    def search(words: Collection[str], folders: Folders) -> Hits:
        asked.append((*folders, *sorted(words)))
        return {"x.c": frozenset(words) & {"a", "b"}}

    memory = WordMemory(search)
    memory.search(["a"])
    hits = memory.search(["a", "b", "c"])
    memory.search(["c", "b"])

    assert hits == {"x.c": frozenset({"a", "b"})}
    assert asked == [("a",), ("b", "c")]


def test_two_overlays_search_their_base_once(tmp_path: Path) -> None:
    base = DirectoryTree(str(write_files(tmp_path, {"a.c": b"PageOdd\n", "b.c": b"PageOdd\n"})))
    before, after = Overlay(base, {"a.c": b"PageEven\n"}), Overlay(base, {"a.c": None})
    first = before.search(["PageOdd", "PageEven"])
    write_files(tmp_path, {"late.c": b"PageOdd\n"})

    assert first == {"a.c": frozenset({"PageEven"}), "b.c": frozenset({"PageOdd"})}
    assert after.search(["PageOdd", "PageEven"]) == {"b.c": frozenset({"PageOdd"})}


def test_overlays_do_not_pile_up() -> None:
    base = MemoryTree({"a.c": "1\n"})
    tree = Overlay(Overlay(base, {"a.c": b"2\n", "b.c": b"x\n"}), {"b.c": None})

    assert tree.base is base
    assert tree.files == {"a.c": b"2\n", "b.c": None}
    assert (tree.read("a.c"), tree.read("b.c"), tree.name) == (b"2\n", None, base.name)


def test_a_revision_is_read_whatever_is_checked_out(tmp_path: Path) -> None:
    first = commit_files(tmp_path, {"mm/a.c": b"PageOdd\n"}, "first")
    commit_files(tmp_path, {"mm/a.c": b"PageEven\n"}, "second")
    git(tmp_path, "tag", "-a", "-m", "tag", "v1", first)
    tree = open_tree(str(tmp_path), "v1")

    assert tree.name == "v1"
    assert tree.read("mm/a.c") == b"PageOdd\n"
    assert tree.search(WORDS) == {"mm/a.c": frozenset({"PageOdd"})}
    assert open_tree(str(tmp_path), None).read("mm/a.c") == b"PageEven\n"


def test_a_directory_inside_a_repository_is_a_tree_of_its_own(tmp_path: Path) -> None:
    commit_files(tmp_path, {"linux/mm/a.c": b"PageOdd\n", "x.c": b"PageOdd\n"})
    tree = open_tree(str(tmp_path / "linux"), "HEAD")

    assert tree.read("mm/a.c") == b"PageOdd\n"
    assert tree.read("x.c") is None
    assert tree.listdir("") == ("mm",)
    assert tree.search(WORDS) == {"mm/a.c": frozenset({"PageOdd"})}


def test_many_files_are_read_in_any_order(tmp_path: Path) -> None:
    files = {f"f{n}.c": b"x" * n * 1000 for n in range(30)}
    tree = GitTree(str(tmp_path), commit_files(tmp_path, files))

    for path in [*reversed(files), "none.c", *files]:
        assert tree.read(path) == files.get(path)


@pytest.mark.parametrize(
    ("revision", "says"),
    [
        ("v9.9", "no such revision: v9.9"),
        ("--help", "no such revision: --help"),
        ("HEAD:one.c", "no such revision"),
        ("", "--git: expected a revision of the tree's repository, found ''"),
        ("HEAD\nHEAD", "not the name of a revision"),
    ],
)
def test_no_such_revision_is_said(tmp_path: Path, revision: str, says: str) -> None:
    commit_files(tmp_path, {"one.c": b"\n"})

    with pytest.raises(AnalyzerError, match=says):
        open_tree(str(tmp_path), revision)


def test_no_such_tree_is_said(tmp_path: Path) -> None:
    file = tmp_path / "x.c"
    file.write_bytes(b"")

    with pytest.raises(AnalyzerError, match="no such tree"):
        open_tree(str(tmp_path / "nowhere"), None)
    with pytest.raises(AnalyzerError, match="not a tree but a file"):
        open_tree(str(file), None)
    with pytest.raises(AnalyzerError, match="not a git repository"):
        open_tree(str(tmp_path), "HEAD")
    with pytest.raises(AnalyzerError, match="no such tree"):
        open_tree("a\0b", None)


def test_no_tree_named_is_the_directory_at_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write_files(tmp_path, {"mm/a.c": b"PageOdd\n"}))

    assert open_tree(None, None).read("mm/a.c") == b"PageOdd\n"


def test_a_huge_file_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with (tmp_path / "huge.c").open("wb") as huge:
        huge.truncate((64 << 20) + 1)
    (tmp_path / "small.c").write_text("int a;\n")
    (tmp_path / "smaller.c").write_text("int;\n")
    monkeypatch.setattr("analyzer.tree.git.LARGEST", 5)
    tree = DirectoryTree(str(tmp_path))
    (tmp_path / "repo").mkdir()
    files = {"small.c": b"int a;\n", "smaller.c": b"int;\n"}
    revision = GitTree(str(tmp_path / "repo"), commit_files(tmp_path / "repo", files))

    assert [None, b"int a;\n"] == [tree.read(p) for p in ("huge.c", "small.c")]
    assert [None, b"int;\n"] == [revision.read(p) for p in ("small.c", "smaller.c")]
