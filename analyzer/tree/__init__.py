"""Give source trees one face: a directory, a git revision, texts in memory, a patched tree."""

from analyzer.tree.ahead import searching
from analyzer.tree.api import (
    Folders,
    Hits,
    Read,
    Search,
    Tree,
    is_c,
    is_inside,
    is_source,
    only_c,
    why_unread,
)
from analyzer.tree.directory import DirectoryTree
from analyzer.tree.git import GitTree
from analyzer.tree.memory import MemoryTree
from analyzer.tree.opening import open_tree
from analyzer.tree.overlay import Overlay

__all__ = [
    "DirectoryTree",
    "Folders",
    "GitTree",
    "Hits",
    "MemoryTree",
    "Overlay",
    "Read",
    "Search",
    "Tree",
    "is_c",
    "is_inside",
    "is_source",
    "only_c",
    "open_tree",
    "searching",
    "why_unread",
]
