"""Remember what others find out about a tree, beside it, without knowing what that is."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Memo(Generic[K, V]):
    """Name what somebody remembers: each of these is a dictionary of its own in `Memos`."""


class Memos:
    """Hold dictionaries for whoever asks with a memo of theirs."""

    def __init__(self) -> None:
        self._held: dict[Memo[Any, Any], dict[Any, Any]] = {}

    def of(self, memo: Memo[K, V]) -> dict[K, V]:
        """Return the dictionary of a memo."""
        return self._held.setdefault(memo, {})

    def copy(self) -> Memos:
        """Return memos of their own that hold the same."""
        other = Memos()
        other._held = {memo: dict(found) for memo, found in self._held.items()}
        return other
