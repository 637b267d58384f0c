"""Find the kernel tree and the corpus, and derive the trees of the answer key in memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

from analyzer.findings import Result
from analyzer.patch.apply import apply_patch
from analyzer.patch.model import Series, reverse_patch
from analyzer.patch.read import read_series
from analyzer.pipeline import check
from analyzer.program.cache import Cache
from analyzer.tree import DirectoryTree, Overlay, Tree

from .edits import Change, edit_files, unified
from .pieces import PIECES

_PROJECT = Path(__file__).resolve().parents[2]

LAW_PATCHES: Mapping[str, tuple[str, ...]] = {
    "strict": ("6.12-strict-page-types.patch",),
    "bits": ("6.12-bit-page-types.patch",),
    "lenient": (),
}

#: What checks remember of each other: another test holds that it changes nothing of what is said.
_CACHE = Cache()

#: The files that the change touches.
TOUCHED = tuple(dict.fromkeys(p.file for p in PIECES))


def checked(series: Series, tree: Tree) -> Result:
    """Check a series, without doing again what another check has done."""
    return check(series, tree, cache=_CACHE)


def open_kernel() -> Tree:
    """Return the kernel tree that OFFLINT_TREE names, or skip."""
    return _open("OFFLINT_TREE", "linux-source-6.12")


def open_older() -> Tree:
    """Return the 6.1 tree that OFFLINT_TREE_6_1 names, or skip."""
    return _open("OFFLINT_TREE_6_1", "linux-source-6.1")


def _open(variable: str, release: str) -> Tree:
    root = Path(os.environ.get(variable, f"/usr/src/{release}"))
    if not (root / "mm" / "page_alloc.c").is_file():
        pytest.skip(f"{root} is not an unpacked kernel tree: set {variable} to {release}")
    return DirectoryTree(str(root))


def corpus() -> Path:
    """Return the folder with the seed and history patches, or skip."""
    shared = Path(os.environ.get("OFFLINT_SHARED", _PROJECT.parent / "shared"))
    if not (shared / "corpus" / "seed" / "6.12-change.patch").is_file():
        pytest.skip(f"{shared} holds no corpus: set OFFLINT_SHARED to the folder that does")
    return shared / "corpus"


def patched(tree: Tree, patches: Iterable[Path]) -> Tree:
    """Return a tree with the patches of some files applied, in order."""
    for path in patches:
        tree = patched_with(tree, path.read_bytes())
    return tree


def patched_with(tree: Tree, data: bytes) -> Tree:
    """Return a tree with the patches in the data applied."""
    for patch in read_series(data, "patch", tree).patches:
        tree = apply_patch(tree, patch).tree
    return tree


def unpatched(tree: Tree, path: Path) -> Tree:
    """Return a tree with the patches of a file undone."""
    for patch in reversed(read_series(path.read_bytes(), path.name, None).patches):
        tree = apply_patch(tree, reverse_patch(patch)).tree
    return tree


def read_texts(tree: Tree, paths: Iterable[str]) -> dict[str, str]:
    """Return the texts of some files of a tree."""
    texts = {}
    for path in paths:
        data = tree.read(path)
        assert data is not None, f"{path}: not in {tree.name}"
        texts[path] = data.decode()
    return texts


def overlaid(tree: Tree, texts: Mapping[str, str]) -> Tree:
    """Return a tree with some files replaced."""
    return Overlay(tree, {path: text.encode() for path, text in texts.items()})


def difference(before: Tree, after: Mapping[str, str]) -> Series:
    """Return the series that gives some files of a tree new texts; no patches where none does."""
    data = unified(read_texts(before, after), after)
    return read_series(data, "difference", before) if data else Series(patches=(), notes=())


def edited(tree: Tree, changes: Iterable[Change], also: Iterable[str] = ()) -> dict[str, str]:
    """Return the texts of the files that changes touch, changed, and of some files as they are."""
    changes = tuple(changes)
    paths = dict.fromkeys((*also, *(c.path for c in changes)))
    return edit_files(read_texts(tree, paths), changes)
