"""Tell which files a patch only gives another name, and lay a tree out by these names.

Findings and functions are known by their files. A tree in which the files of the other one have
other names could not be compared with it: all that they hold would be gone, and new.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from analyzer.base import Pair
from analyzer.patch.model import ChangeKind, Patch
from analyzer.tree.api import Tree
from analyzer.tree.overlay import Overlay


def moved_files(patch: Patch, trees: Pair[Tree], changed: Iterable[str]) -> Mapping[str, str]:
    """Return the C files that a patch renames: name before -> name after.

    Besides what it calls a rename that is a file that goes where the same text comes. Headers keep
    their names: other files find them by these.
    """
    gone, new = {}, {}
    for path in changed:
        before, after = trees.before.read(path), trees.after.read(path)
        if path.endswith(".c") and before and after is None:
            gone[path] = before
        elif path.endswith(".c") and after and before is None:
            new[path] = after
    moved = {
        change.before: change.after
        for change in patch.files
        if change.kind is ChangeKind.RENAMED and change.before in gone and change.after in new
    }
    for path, text in gone.items():
        alike = [p for p in new if new[p] == text and p not in moved.values()]
        if path not in moved and alike:
            moved[path] = alike[0]
    return moved


def moved_on(moved: Mapping[str, str], later: Mapping[str, str]) -> Mapping[str, str]:
    """Return what files are called in the end that are renamed once, and then perhaps again."""
    ends = {name: later.get(new, new) for name, new in moved.items()}
    own = {name: new for name, new in later.items() if name not in moved.values()}
    return {name: new for name, new in (own | ends).items() if name != new}


def with_moved(tree: Tree, moved: Mapping[str, str]) -> Tree:
    """Return a tree in which files that it has are called otherwise."""
    files: dict[str, bytes | None] = {}
    for name, new in moved.items():
        if (text := tree.read(name)) is not None and tree.read(new) is None:
            files |= {name: None, new: text}
    return Overlay(tree, files) if files else tree
