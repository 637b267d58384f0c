"""Hold a small tree in memory."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from analyzer.tree.api import Folders, Hits, is_below, is_source
from analyzer.tree.words import scan_texts


class MemoryTree:
    """A tree made of texts, for fixtures and tests."""

    def __init__(self, files: Mapping[str, str | bytes], name: str = "memory") -> None:
        """Take paths and texts."""
        self._files = {
            path: text.encode() if isinstance(text, str) else text
            for path, text in sorted(files.items())
        }
        self._name = name

    @property
    def name(self) -> str:
        """Name the tree as its maker did."""
        return self._name

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None."""
        return self._files.get(path)

    def search(self, words: Iterable[str], folders: Folders = ()) -> Hits:
        """Return the C files that hold one of the words."""
        paths = (p for p in self._files if is_source(p) and is_below(p, folders))
        return scan_texts(((path, self._files[path]) for path in paths), words)

    def listdir(self, path: str) -> tuple[str, ...]:
        """Return the names in a directory of the tree."""
        return names_below(self._files, path)


def names_below(paths: Collection[str], folder: str) -> tuple[str, ...]:
    """Return the first names that paths have below a folder, sorted."""
    prefix = f"{folder}/" if folder else ""
    rest = (path[len(prefix) :] for path in paths if path.startswith(prefix))
    return tuple(sorted({name.split("/", 1)[0] for name in rest if name}))
