"""Read patches from mails, diffs, damaged copies and git ranges, and apply them in memory."""

from analyzer.patch.apply import Applied, ChangedLines, Placement, Rejected, apply_patch
from analyzer.patch.model import (
    ChangeKind,
    FileChange,
    Hunk,
    HunkLine,
    Patch,
    Series,
    reverse_patch,
)
from analyzer.patch.range import is_range, read_range
from analyzer.patch.read import read_series

__all__ = [
    "Applied",
    "ChangeKind",
    "ChangedLines",
    "FileChange",
    "Hunk",
    "HunkLine",
    "Patch",
    "Placement",
    "Rejected",
    "Series",
    "apply_patch",
    "is_range",
    "read_range",
    "read_series",
    "reverse_patch",
]
