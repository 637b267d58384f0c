"""Open the trees that a command looks at: one, or the two around a patch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.base import Pair
from analyzer.cli.output import say

if TYPE_CHECKING:
    from analyzer.request import Input
    from analyzer.tree import Tree


def open_trees(
    patch: str | None, folder: str | None, revision: str | None, stdin: Input, *, quiet: bool
) -> tuple[Pair[Tree], tuple[str, ...]]:
    """Return the trees before and after a patch or series, and the files that it changes.

    Without a patch both are the one tree. Remarks on the patch go to stderr.
    """
    from analyzer.request import open_request
    from analyzer.tree import open_tree

    if patch is None:
        tree = open_tree(folder, revision)
        return Pair(tree, tree), ()
    request = open_request(patch, folder, revision, None, stdin)
    if not quiet:
        for note in (*request.series.notes, *(n for p in request.series.patches for n in p.notes)):
            say(note)
    return request.trees, request.files
