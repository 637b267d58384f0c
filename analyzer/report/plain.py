"""Make text from patches and sources safe and narrow enough for a terminal."""

from __future__ import annotations

import textwrap
import unicodedata

#: Control, format (bidirectional, zero-width), surrogate, private, unassigned, line separators.
_UNSAFE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
#: Stands for one unsafe character where columns must not move.
BLOT = "\ufffd"


def is_safe(character: str) -> bool:
    """Tell whether a character can go to a terminal without steering it."""
    if character.isascii():
        return character.isprintable()
    return unicodedata.category(character) not in _UNSAFE


def harmless(text: str) -> str:
    """Return text with whatever steers a terminal spelled out, line ends and tabs included."""
    return "".join(c if is_safe(c) else _spelled(c) for c in text)


def tabbed(text: str) -> str:
    """Return harmless text that keeps its tabs, as code does."""
    return "\t".join(harmless(part) for part in text.split("\t"))


def plain(text: str) -> str:
    """Return harmless text on one line, with runs of blanks joined."""
    return harmless(" ".join(text.split()))


def wrap(text: str, width: int, *, first: str = "", rest: str = "") -> list[str]:
    """Break text at blanks into lines of a width, the first and the others indented by prefixes.

    A word that is longer than a line, a path say, stays whole.
    """
    return textwrap.wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=rest,
        break_long_words=False,
        break_on_hyphens=False,
    )


def columns(character: str) -> int:
    """Return how many columns a character takes."""
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _spelled(character: str) -> str:
    code = ord(character)
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"
