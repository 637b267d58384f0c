"""Tell which files a patch only gives another name, and lay a tree out by these names.

Findings and functions are known by their files. A tree in which the files of the other one have
other names could not be compared with it: all that they hold would be gone, and new.
"""

from __future__ import annotations

import os
import posixpath
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from analyzer.base import Pair
from analyzer.patch.model import ChangeKind, Patch
from analyzer.tree.api import Tree, only_c
from analyzer.tree.overlay import Overlay

#: So many of the bytes of the larger file are those of the other one; as git takes it.
_ALIKE = 0.5
#: So many lines are compared, of files that have gone with those that have come; where there are
#: more, only the same text tells.
_COMPARED = 5_000_000

Texts = Mapping[str, bytes]


def moved_files(patch: Patch, trees: Pair[Tree], changed: Iterable[str]) -> Mapping[str, str]:
    """Return the C files that a patch renames: name before -> name after.

    Besides what it calls a rename that is a file that goes where much the same text comes.
    """
    gone, new = {}, {}
    for path in only_c(changed):
        before, after = trees.before.read(path), trees.after.read(path)
        if before and after is None:
            gone[path] = before
        elif after and before is None:
            new[path] = after
    moved = {
        change.before: change.after
        for change in patch.files
        if change.kind is ChangeKind.RENAMED
        and change.before in gone
        and change.after in new
        and _suffix(change.before) == _suffix(change.after)
    }
    for path, name in (*_same(gone, new), *_alike(gone, new)):
        if path not in moved and name not in moved.values():
            moved[path] = name
    return moved


def _same(gone: Texts, new: Texts) -> Iterator[tuple[str, str]]:
    for path, text in gone.items():
        yield from ((path, n) for n in new if new[n] == text and _suffix(n) == _suffix(path))


def _alike(gone: Texts, new: Texts) -> Iterator[tuple[str, str]]:
    """Yield the names of files whose texts are alike, those first that are most so."""
    if not gone or not new:
        return
    if len(new) * sum(text.count(b"\n") for text in gone.values()) > _COMPARED:
        return
    texts = {**gone, **new}
    lines = {path: Counter(text.splitlines()) for path, text in texts.items()}
    size = {path: len(text) for path, text in texts.items()}
    found = []
    for path in gone:
        for name in new:
            larger = max(size[path], size[name])
            if _suffix(path) != _suffix(name) or min(size[path], size[name]) < larger * _ALIKE:
                continue
            one, other = lines[path], lines[name]
            shared = one.keys() & other.keys()
            alike = sum((len(line) + 1) * min(one[line], other[line]) for line in shared) / larger
            if alike >= _ALIKE:
                found.append((-alike, path, name))
    yield from ((path, name) for _, path, name in sorted(found))


def _suffix(path: str) -> str:
    return posixpath.splitext(path)[1]


def moved_on(moved: Mapping[str, str], later: Mapping[str, str]) -> Mapping[str, str]:
    """Return what files are called in the end that are renamed once, and then perhaps again."""
    ends = {name: later.get(new, new) for name, new in moved.items()}
    own = {name: new for name, new in later.items() if name not in moved.values()}
    return {name: new for name, new in (own | ends).items() if name != new}


def with_moved(tree: Tree, moved: Mapping[str, str]) -> Tree:
    """Return a tree in which files that it has are called otherwise.

    Who includes a header by its old name finds it there still.
    """
    files: dict[str, bytes | None] = {}
    for name, new in moved.items():
        if (text := tree.read(name)) is not None and tree.read(new) is None:
            way = posixpath.relpath(new, posixpath.dirname(name) or ".")
            pointer = os.fsencode(f'#include "{way}"\n')
            files |= {name: pointer if name.endswith(".h") else None}
            files |= {new: text}
    return Overlay(tree, files) if files else tree
