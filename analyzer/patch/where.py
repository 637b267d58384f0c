"""Find the hunk of a patch that a place lies in."""

from __future__ import annotations

from analyzer.patch.model import Patch


def hunk_at(patch: Patch, path: str, line: int) -> int | None:
    """Return the number of the hunk that made a line of the tree after, from 1 in its file.

    Hunks may have been placed with an offset, which is nearly the same for all of a file: where
    no hunk holds the line, the nearest one that adds or removes something within a few lines
    counts. None is a line that the patch is far from.
    """
    for change in patch.files:
        if change.after != path:
            continue
        distances = [
            (max(h.after_start - line, line - (h.after_start + max(h.after_lines, 1) - 1), 0), n)
            for n, h in enumerate(change.hunks, 1)
        ]
        nearest = min(distances, default=(_NEAR + 1, 0))
        return nearest[1] if nearest[0] <= _NEAR else None
    return None


#: How far a hunk that was placed with an offset may seem to lie from a line that it made.
_NEAR = 60
