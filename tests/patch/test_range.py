"""Hold the reading of commits to what git says of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.base import AnalyzerError
from analyzer.patch import ChangeKind, apply_patch, is_range, read_range
from analyzer.tree import GitTree, Tree

from ..tree.sources import commit_files, git


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    commit_files(tmp_path, {"mm/a.c": b"one\ntwo\nthree\n", "mm/b.c": b"b\n" * 20}, "start")
    git(tmp_path, "tag", "start")
    commit_files(tmp_path, {"mm/a.c": b"one\ntwo!\nthree\n"}, "mm/a: be loud\n\nFor a reason.")
    git(tmp_path, "mv", "mm/b.c", "mm/c.c")
    commit_files(
        tmp_path, {"mm/d.c": b"new", "mm/l.png": b"\0\1"}, "mm: move b\n\n--- a/x\n+++ b/x"
    )
    git(tmp_path, "tag", "end")
    return tmp_path


def test_a_range_is_a_series_from_old_to_new(repo: Path) -> None:
    series = read_range(str(repo), "start..end")

    assert [patch.subject for patch in series.patches] == ["mm/a: be loud", "mm: move b"]
    assert [patch.index for patch in series.patches] == [1, 2]
    assert [(f.path, f.kind) for f in series.patches[1].files] == [
        ("mm/c.c", ChangeKind.RENAMED),
        ("mm/d.c", ChangeKind.ADDED),
        ("mm/l.png", ChangeKind.BINARY),
    ]


def test_applied_to_its_start_a_range_gives_its_end(repo: Path) -> None:
    tree: Tree = GitTree(str(repo), "start")
    for patch in read_range(str(repo), "start..end").patches:
        tree = apply_patch(tree, patch).tree
    end = GitTree(str(repo), "end")

    for path in ("mm/a.c", "mm/b.c", "mm/c.c", "mm/d.c"):
        assert tree.read(path) == end.read(path)


def test_a_side_left_out_is_the_head(repo: Path) -> None:
    assert len(read_range(str(repo), "start..").patches) == 2
    with pytest.raises(AnalyzerError, match="no commits in this range"):
        read_range(str(repo), "..start")


def test_the_settings_of_the_user_change_nothing(
    repo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = read_range(str(repo), "start..end")
    (tmp_path / "config").write_text(
        "[diff]\n\tnoprefix = true\n\trenames = false\n\tcontext = 1\n\texternal = false\n"
        "\tmnemonicPrefix = true\n\twsErrorHighlight = all\n\torderFile = /dev/null\n"
        "[color]\n\tui = always\n\tdiff = always\n"
        "[log]\n\tshowSignature = true\n\tdecorate = true\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))

    assert read_range(str(repo), "start..end") == expected


def test_a_merge_is_left_out_with_a_note(repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", "side", "start")
    commit_files(repo, {"mm/e.c": b"e\n"}, "mm: e")
    git(repo, "merge", "-q", "--no-ff", "-m", "merge", "end")
    series = read_range(str(repo), "end..side")

    assert [patch.subject for patch in series.patches] == ["mm: e"]
    assert series.notes == ("end..side: 1 merge commit left out",)


def test_a_range_of_merges_alone_is_empty(repo: Path) -> None:
    git(repo, "checkout", "-q", "start")
    git(repo, "merge", "-q", "--no-ff", "-m", "merge", "end")
    series = read_range(str(repo), "end..HEAD")

    assert ((), ("end..HEAD: 1 merge commit left out",)) == (series.patches, series.notes)


def test_a_subject_beyond_ascii_and_an_empty_commit_are_read(repo: Path) -> None:
    commit_files(repo, {}, "mm: größer")
    (patch,) = read_range(str(repo), "end..HEAD").patches

    assert (patch.subject, patch.files) == ("mm: größer", ())


@pytest.mark.parametrize(
    ("revisions", "says"),
    [
        ("start", "not a range of commits"),
        ("start...end", "not a range of commits"),
        ("nowhere..end", "no such revision: nowhere"),
        ("--output=x..end", "no such revision: --output=x"),
        ("start..--all", "no such revision: --all"),
        ("start..start", "no commits in this range"),
        ("start..a\nb", "not the name of a revision"),
    ],
)
def test_what_is_no_range_is_said(repo: Path, revisions: str, says: str) -> None:
    with pytest.raises(AnalyzerError, match=says):
        read_range(str(repo), revisions)
    assert not (repo / "x").exists()


def test_a_directory_without_git_is_said(tmp_path: Path) -> None:
    with pytest.raises(AnalyzerError, match="not a git repository"):
        read_range(str(tmp_path), "a..b")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a..b", True),
        ("v6.1..", True),
        ("..b", True),
        ("a", False),
        ("..", False),
        ("../x.patch", False),
        ("a/../x.patch", False),
        ("a...b", False),
        ("-", False),
    ],
)
def test_a_range_is_told_from_a_file_name(text: str, expected: bool) -> None:
    assert is_range(text) is expected


def test_a_range_in_which_a_shallow_clone_is_cut_off_is_refused(repo: Path, tmp_path: Path) -> None:
    git(tmp_path, "clone", "--quiet", "--depth=1", "--branch=end", f"file://{repo}", "clone")
    clone = tmp_path / "clone"
    git(clone, "fetch", "--quiet", "--depth=1", "origin", "tag", "start")

    with pytest.raises(AnalyzerError, match=r"start\.\.end: this clone's history is cut off at"):
        read_range(str(clone), "start..end")
    with pytest.raises(AnalyzerError, match="no such revision: end~; this clone is shallow"):
        read_range(str(clone), "end~..end")
    git(clone, "fetch", "--quiet", "--unshallow")
    assert 2 == len(read_range(str(clone), "start..end").patches)
    with pytest.raises(AnalyzerError, match=r"no such revision: start~$"):
        read_range(str(clone), "start~..end")


def test_what_git_says_against_a_repository_stands_on_one_line(
    repo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")

    with pytest.raises(AnalyzerError, match=r"^.*dubious ownership.*--add safe\.directory.*$"):
        read_range(str(repo), "start..end")


def test_a_first_commit_is_no_cut(repo: Path) -> None:
    git(repo, "checkout", "--quiet", "--orphan", "other")
    commit_files(repo, {"mm/e.c": b"e"}, "another start")

    assert ["another start"] == [p.subject for p in read_range(str(repo), "start..other").patches]
