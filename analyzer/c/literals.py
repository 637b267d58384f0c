"""Read C literals: integers, characters, strings."""

from __future__ import annotations

import re

_INTEGER = re.compile(r"(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+)([uUlLzZ]*)\Z")
_QUOTED = re.compile(r'"((?:\\.|[^"\\])*)"', re.S)
_ESCAPE = re.compile(r"\\(x[0-9a-fA-F]+|[0-7]{1,3}|.)", re.S)
_ESCAPES = {"n": 10, "t": 9, "r": 13, "0": 0, "a": 7, "b": 8, "f": 12, "v": 11, "e": 27}


def integer(text: str) -> int | None:
    """Return the value of an integer literal with its suffix; None where it is none."""
    text = text.strip()
    if text.startswith("-"):  # the grammar takes a sign that touches the digits with them
        value = integer(text[1:])
        return None if value is None else -value
    m = _INTEGER.match(text)
    if m is None:
        return None
    digits = m[1]
    if digits[:2] in ("0x", "0X"):
        return int(digits, 16)
    if digits[:2] in ("0b", "0B"):
        return int(digits, 2)
    if digits.startswith("0"):
        return int(digits, 8) if not set(digits) & {"8", "9"} else None
    return int(digits)


def character(text: str) -> int | None:
    """Return the value of a character literal; None where it has not one character."""
    inner = text.strip().lstrip("LuU8")[1:-1]
    if inner.startswith("\\"):
        value = _escaped(inner[1:])
        return value if _ESCAPE.fullmatch(inner) else None
    return ord(inner) if len(inner) == 1 else None


def _escaped(code: str) -> int:
    if code[:1] == "x" and len(code) > 1:
        return int(code[1:], 16)
    if code[:1].isdigit() and set(code) <= set("01234567"):
        return int(code, 8)
    return _ESCAPES.get(code, ord(code[0]) if code else 0)


def string(text: str) -> str:
    """Return the text of adjoining string literals; macros between them are left out."""
    parts = _QUOTED.findall(text)
    return "".join(_ESCAPE.sub(lambda m: chr(_escaped(m[1]) & 0x10FFF), p) for p in parts)
