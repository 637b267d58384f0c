"""Tell by its text whether a file may define a function, and how near two files are."""

from __future__ import annotations

import re

_TYPE = re.compile(rb"[A-Za-z_][^\n;={}]*(?<=\W)")
_OPENING = re.compile(rb"\s*\(")


def may_define(text: bytes, name: bytes) -> bool:
    """Tell whether a name stands where the head of a definition has it, between a type and `(`."""
    at = text.find(name)
    while at >= 0:
        before = text[text.rfind(b"\n", 0, at) + 1 : at]
        if _TYPE.fullmatch(before) and _OPENING.match(text, at + len(name)):
            return True
        at = text.find(name, at + 1)
    return False


def distance(one: str, other: str) -> int:
    """Count the folders between two files: the nearer definition is the likelier one."""
    a, b = one.split("/"), other.split("/")
    shared = 0
    while shared < min(len(a), len(b)) and a[shared] == b[shared]:
        shared += 1
    return len(a) + len(b) - 2 * shared
