"""Open the tree that the user named."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from analyzer.base import AnalyzerError
from analyzer.tree.api import Tree
from analyzer.tree.directory import DirectoryTree
from analyzer.tree.git import GitTree


def open_tree(path: str | None, revision: str | None) -> Tree:
    """Return the tree in a directory (None: here), as it is or at a git revision.

    Raises AnalyzerError where there is no such directory, repository or revision.
    """
    root = "." if path is None else path
    if not root:
        raise AnalyzerError("--tree: expected a directory that holds kernel sources, found ''")
    if revision == "":
        raise AnalyzerError("--git: expected a revision of the tree's repository, found ''")
    try:
        mode = Path(root).stat().st_mode
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise AnalyzerError(
            f"{root}: no such tree; name a directory that holds kernel sources"
        ) from error
    except OSError as error:
        raise AnalyzerError(f"{root}: cannot be read: {error.strerror}") from error
    if not stat.S_ISDIR(mode):
        raise AnalyzerError(f"{root}: not a tree but a file; name the directory of the sources")
    if revision is not None:
        return GitTree(root, revision)
    if not os.access(root, os.R_OK | os.X_OK):
        raise AnalyzerError(f"{root}: cannot be read; check the permissions of the directory")
    return DirectoryTree(root)
