"""Open the trees that a command looks at: one, or the two around a patch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.base import Pair
from analyzer.cli.output import say

if TYPE_CHECKING:
    from analyzer.patch.model import Series
    from analyzer.request import Input
    from analyzer.tree import Tree


def open_base(
    patch: str | None, folder: str | None, revision: str | None, stdin: Input, *, quiet: bool
) -> tuple[Series | None, Tree]:
    """Return a patch or series, None where there is none, and the tree that it is for.

    Remarks on the patch go to stderr.
    """
    from analyzer.request import open_request
    from analyzer.tree import open_tree

    if patch is None:
        return None, open_tree(folder, revision)
    request = open_request((patch,), folder, revision, None, stdin)
    if not quiet:
        for note in (*request.series.notes, *(n for p in request.series.patches for n in p.notes)):
            say(note)
    return request.series, request.tree


def trees_around(series: Series | None, tree: Tree) -> tuple[Pair[Tree], tuple[str, ...]]:
    """Return the trees before and after a series, and the files that it changes."""
    from analyzer.request import Request

    if series is None:
        return Pair(tree, tree), ()
    request = Request(series, tree)
    return request.trees, request.files
