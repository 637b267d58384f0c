"""Colour text for terminals, and choose the signs that it is drawn with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_CODES = {
    "error": "1;31",
    "warning": "1;33",
    "note": "1;36",
    "hazard": "1;35",
    "title": "1",
    "gutter": "34",
    "faint": "2",
    "good": "1;32",
    "add": "32",
    "del": "31",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """The signs that a report is drawn with; all_letters tells whether sources may show theirs."""

    bar: str  # beside lines of source
    side: str  # beside lines that are marked as a whole
    corner: str  # before the place of a finding
    caret: str
    cut: str  # where a long line was cut
    to: str  # from a state to another
    all_letters: bool = True


#: For pipes and files: a structure that every tool reads, whatever letters the sources hold.
PLAIN = Glyphs(bar="|", side=">", corner="-->", caret="^", cut="...", to="->")
#: For terminals that show UTF-8.
LINES = Glyphs(bar="│", side="┃", corner="╭▸", caret="━", cut="…", to="→")
#: For terminals that show nothing but ASCII.
ASCII = Glyphs(bar="|", side=">", corner="-->", caret="^", cut="...", to="->", all_letters=False)

#: (text, style) -> text
Paint = Callable[[str, str], str]


def painter(*, colour: bool) -> Paint:
    """Return a function that wraps text in the escape codes of a style, or leaves it alone."""
    return _paint if colour else _leave


def _paint(text: str, style: str) -> str:
    return f"\x1b[{_CODES[style]}m{text}\x1b[0m" if text else text


def _leave(text: str, _style: str) -> str:
    return text
