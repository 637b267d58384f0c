"""Colour text for terminals."""

from __future__ import annotations

from collections.abc import Callable

_CODES = {
    "error": "1;31",
    "warning": "1;33",
    "note": "1;36",
    "hazard": "1;35",
    "title": "1",
    "gutter": "34",
    "faint": "2",
    "good": "1;32",
}

#: (text, style) -> text
Paint = Callable[[str, str], str]


def painter(*, colour: bool) -> Paint:
    """Return a function that wraps text in the escape codes of a style, or leaves it alone."""
    return _paint if colour else _leave


def _paint(text: str, style: str) -> str:
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if text else text


def _leave(text: str, _style: str) -> str:
    return text
