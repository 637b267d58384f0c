"""Lay patched files over a tree, in memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from analyzer.tree.api import Folders, Hits, Tree, is_below, is_source
from analyzer.tree.memory import names_below
from analyzer.tree.words import scan_texts


class Overlay:
    """A tree with some files replaced, added or (None) removed; the base is left as it is."""

    def __init__(self, base: Tree, files: Mapping[str, bytes | None]) -> None:
        """Take a base and what differs from it; overlays over overlays become one."""
        self._base: Tree = base
        self._files: dict[str, bytes | None] = dict(files)
        if isinstance(base, Overlay):
            self._base = base._base
            self._files = {**base._files, **files}

    @property
    def name(self) -> str:
        """Name the tree below."""
        return self._base.name

    @property
    def base(self) -> Tree:
        """Return the tree below."""
        return self._base

    @property
    def files(self) -> Mapping[str, bytes | None]:
        """Return what differs from the tree below; None is a file that is gone."""
        return dict(self._files)

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None."""
        return self._files[path] if path in self._files else self._base.read(path)

    def search(self, words: Iterable[str], folders: Folders = ()) -> Hits:
        """Return the C files that hold one of the words; the base is searched only once."""
        words = tuple(words)
        below = {
            path: found
            for path, found in self._base.search(words, folders).items()
            if path not in self._files
        }
        texts = (
            (path, data)
            for path, data in self._files.items()
            if data is not None and is_source(path) and is_below(path, folders)
        )
        hits = {**below, **scan_texts(texts, words)}
        return {path: hits[path] for path in sorted(hits)}

    def listdir(self, path: str) -> tuple[str, ...]:
        """Return the names in a directory of the tree."""
        present = {name for name, data in self._files.items() if data is not None}
        prefix = f"{path}/" if path else ""
        gone = {
            name[len(prefix) :]
            for name, data in self._files.items()
            if data is None and name.startswith(prefix)
        }
        below = set(self._base.listdir(path)) - gone
        return tuple(sorted(below.union(names_below(present, path))))
