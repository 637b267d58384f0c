"""Read and apply the real mails of the corpus; skipped where the corpus is not at hand."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.base import AnalyzerError
from analyzer.patch import ChangeKind, Patch, Series, apply_patch, read_series, reverse_patch
from analyzer.tree import Overlay, Tree

from ..kernel.trees import corpus, open_kernel

#: Everything in the corpus, and whether it is undone rather than applied on 6.12.
INTACT = {
    "seed/6.12-bit-page-types.patch": False,
    "seed/6.12-strict-page-types.patch": False,
    "seed/6.12-change.patch": True,
    "seed/6.12-to-before.patch": False,
    "seed/6.12-to-v1-base.patch": False,
    "history/B02-vmw-balloon-double-clear-2019.mbox": True,
    "history/B20-hugetlb-double-set-2024.mbox": True,
    "history/T10-hv-cosmetic.mbox": True,
    "history/T16-snapshot-kerneldoc.mbox": False,
    "history/T19-memtrace-gfp-zero.mbox": False,
    "history/T22-nr-balloon-pages-1.mbox": False,
    "history/T22-nr-balloon-pages-2.mbox": False,
    "history/T27-hv-debug-show.mbox": False,
}
POSTED = ("v1-0.mbox", "v1-1.mbox", "v1-2.mbox", "v1-3.mbox")


def _read(path: str, tree: Tree | None = None) -> Series:
    return read_series((corpus() / path).read_bytes(), path, tree)


@pytest.mark.parametrize("path", INTACT)
def test_a_patch_of_the_corpus_is_read_without_complaint(path: str) -> None:
    series = _read(path)
    text = (corpus() / path).read_bytes()
    (patch,) = series.patches

    assert sum(len(file.hunks) for file in patch.files) == text.count(b"\n@@ -")
    assert len(patch.files) == text.count(b"\n+++ ")
    assert {file.kind for file in patch.files} == {ChangeKind.MODIFIED}
    assert patch.notes == ()
    if path.startswith("history/"):
        assert patch.subject
        assert "@" in patch.message_id
        for hunk in (hunk for file in patch.files for hunk in file.hunks):
            assert text.split(b"\n")[hunk.line - 1].startswith(b"@@ -")


@pytest.mark.parametrize("order", [POSTED, POSTED[::-1]])
def test_the_posted_thread_is_a_series_of_three(order: tuple[str, ...]) -> None:
    thread = b"".join((corpus() / "seed" / name).read_bytes() for name in order)
    series = read_series(thread, "v1.mbox", None)

    assert [patch.tag for patch in series.patches] == [f"[PATCH v1 {n}/3]" for n in (1, 2, 3)]
    assert [len(patch.files) for patch in series.patches] == [5, 7, 5]
    assert series.notes == ()


def test_the_cover_letter_alone_is_no_patch() -> None:
    with pytest.raises(AnalyzerError, match="found 1 cover letter without a diff"):
        _read("seed/v1-0.mbox")


@pytest.fixture(scope="module")
def kernel() -> Tree:
    return open_kernel()


def _first(path: str, tree: Tree) -> Patch:
    return _read(path, tree).patches[0]


@pytest.fixture(scope="module")
def after_first(kernel: Tree) -> Tree:
    """Return the tree on which the second patch of the posted series applies."""
    base = apply_patch(kernel, _first("seed/6.12-to-v1-base.patch", kernel)).tree
    return apply_patch(base, _first("seed/v1-1.mbox", base)).tree


@pytest.mark.kernel
def test_the_damaged_copy_gives_what_the_intact_mail_gives(after_first: Tree) -> None:
    intact = _first("seed/v1-2.mbox", after_first)
    copy = _first("seed/v1-2-archive-copy.txt", after_first)
    trees = [apply_patch(after_first, patch).tree for patch in (intact, copy)]

    assert [file.path for file in copy.files] == [file.path for file in intact.files]
    for path in (file.path for file in intact.files):
        one, other = (tree.read(path) for tree in trees)
        assert one is not None
        assert other is not None
        assert b"".join(other.split()) == b"".join(one.split())
    (note,) = copy.notes
    assert "lines in 14 hunks repaired" in note


@pytest.mark.kernel
def test_the_damaged_copy_on_another_tree_names_the_hunk(kernel: Tree) -> None:
    with pytest.raises(AnalyzerError, match=r"hunk \d+ of \S+, .* cannot be aligned with"):
        _read("seed/v1-2-archive-copy.txt", kernel)


@pytest.mark.kernel
@pytest.mark.parametrize("path", INTACT)
def test_a_patch_gives_the_bytes_that_gnu_patch_gives(
    path: str, kernel: Tree, tmp_path: Path
) -> None:
    _compare(path, kernel, tmp_path, undo=INTACT[path])


@pytest.mark.kernel
def test_the_posted_series_gives_the_bytes_that_gnu_patch_gives(
    kernel: Tree, tmp_path: Path
) -> None:
    tree = apply_patch(kernel, _first("seed/6.12-to-v1-base.patch", kernel)).tree
    for name in POSTED[1:]:
        tree = _compare(f"seed/{name}", tree, tmp_path / name, undo=False)


@pytest.mark.kernel
@pytest.mark.parametrize("path", INTACT)
def test_what_is_in_the_tree_is_recognised(path: str, kernel: Tree) -> None:
    patch = _first(path, kernel)
    wanted = reverse_patch(patch) if INTACT[path] else patch
    after = apply_patch(kernel, wanted).tree

    assert apply_patch(after, wanted).already_applied
    assert not apply_patch(kernel, wanted).already_applied


def _compare(path: str, tree: Tree, folder: Path, *, undo: bool) -> Tree:
    """Apply a patch here and by GNU patch to copies of its files; return the tree."""
    if not shutil.which("patch"):
        pytest.skip("GNU patch is not installed")
    patch = _first(path, tree)
    applied = apply_patch(tree, reverse_patch(patch) if undo else patch)
    assert isinstance(applied.tree, Overlay)
    names = sorted({name for file in patch.files for name in _names(file.before, file.after)})
    for name in names:
        data = tree.read(name)
        assert data is not None
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    subprocess.run(
        ["patch", "-p1", "-f", "-s", "--no-backup-if-mismatch", *(["-R"] if undo else [])],
        cwd=folder,
        input=(corpus() / path).read_bytes(),
        check=True,
    )

    assert [name for name in names if applied.tree.read(name) != (folder / name).read_bytes()] == []
    return applied.tree


def _names(*paths: str | None) -> Iterator[str]:
    return (path for path in paths if path is not None)
