"""Render rows as a table in plain text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Table: TypeAlias = list[tuple[str, ...]]


def render(table: Sequence[tuple[str, ...]]) -> str:
    """Return rows with their cells in columns; the last column is as wide as it likes."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True)).rstrip()
        for cells in table
    )
