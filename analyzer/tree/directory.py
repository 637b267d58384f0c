"""Read a tree from a directory."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from analyzer.tree.api import Folders, Hits, is_inside
from analyzer.tree.files import read_regular
from analyzer.tree.search import search_directory
from analyzer.tree.words import WordMemory


class DirectoryTree:
    """A directory as it is now; what was read or searched once is remembered."""

    def __init__(self, root: str) -> None:
        """Take a directory that exists."""
        self._root = Path(root).resolve()
        self._name = root
        self._read: dict[str, bytes | None] = {}
        self._words = WordMemory(
            lambda words, folders: search_directory(str(self._root), words, folders)
        )

    @property
    def name(self) -> str:
        """Name the directory as the user did."""
        return self._name

    @property
    def root(self) -> str:
        """Return the directory's absolute path."""
        return str(self._root)

    @property
    def held(self) -> frozenset[str]:
        """Return the paths that were read already, and are not read again."""
        return frozenset(self._read)

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None; links are followed as long as they stay inside."""
        if path not in self._read:
            self._read[path] = self._read_file(path)
        return self._read[path]

    def search(self, words: Iterable[str], folders: Folders = ()) -> Hits:
        """Return the C files that hold one of the words."""
        return self._words.search(words, folders)

    def listdir(self, path: str) -> tuple[str, ...]:
        """Return the names in a directory of the tree, `.git` excepted."""
        real = self._resolve(path) if path else self._root
        try:
            names = {entry.name for entry in real.iterdir()} if real else set()
        except OSError:
            return ()
        return tuple(sorted(names - {".git"}))

    def _read_file(self, path: str) -> bytes | None:
        real = self._resolve(path)
        return None if real is None else read_regular(real)

    def _resolve(self, path: str) -> Path | None:
        """Return where a path really is, or None where that is outside the tree."""
        if not is_inside(path):
            return None
        try:
            real = (self._root / path).resolve()
        except (OSError, RuntimeError):  # a loop of links, a name that is too long
            return None
        return real if real.is_relative_to(self._root) else None
