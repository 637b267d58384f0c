"""Say what a source tree can do, whatever it is made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

#: File names that a word search looks into end in one of these.
SOURCE_SUFFIXES = (".c", ".h", ".S")

#: Path of a file -> which of the words looked for occur in it.
Hits = Mapping[str, frozenset[str]]

#: Directories below which to look, without the last slash.
Folders = tuple[str, ...]

#: How to read and search a tree, for those who need no more of one.
Read = Callable[[str], bytes | None]
Search = Callable[[Iterable[str], Folders], Hits]


class Tree(Protocol):
    """Hold the files of one state of a source tree; paths are relative, with forward slashes."""

    @property
    def name(self) -> str:
        """Name the tree as the user named it."""
        ...

    def read(self, path: str) -> bytes | None:
        """Return a file's bytes, or None where the tree has no regular file, or a huge one."""
        ...

    def search(self, words: Iterable[str], folders: Folders = ()) -> Hits:
        """Return the C files in which a word occurs as a whole word, comments included.

        folders limits that to what lies below one of them; none is the whole tree.
        """
        ...

    def listdir(self, path: str) -> tuple[str, ...]:
        """Return the sorted names in a directory; none where it is not one. "" is the top."""
        ...


def why_unread(tree: Tree, path: str) -> str:
    """Say why a tree gives no text for a path."""
    folder, _, name = path.rpartition("/")
    if name not in tree.listdir(folder):
        return "no such file in the tree"
    return "cannot be read: no permission, too large, or no regular file"


def is_inside(path: str) -> bool:
    """Say whether a path is relative, normal and cannot name anything outside a tree."""
    if not path or "\0" in path or path.startswith("/"):
        return False
    return all(part not in ("", ".", "..") for part in path.split("/"))


def is_below(path: str, folders: Folders) -> bool:
    """Say whether a path lies below one of some folders; below none of none is everywhere."""
    return not folders or path.startswith(tuple(f"{folder}/" for folder in folders))


def is_c(path: str) -> bool:
    """Say whether a file of this name is read as C."""
    return path.endswith((".c", ".h"))


def only_c(paths: Iterable[str]) -> tuple[str, ...]:
    """Return those of some files that are read as C."""
    return tuple(filter(is_c, paths))


def is_source(path: str) -> bool:
    """Say whether a word search looks into a file of this name."""
    return path.endswith(SOURCE_SUFFIXES)
