"""Tell where a function is likely defined: by the text of a file, and by how near two files are."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from analyzer.c.ir import Conditions
from analyzer.c.unit import Unit

_TYPE = re.compile(rb"[A-Za-z_][^\n;={}]*(?<=\W)")
_OPENING = re.compile(rb"\s*\(")
#: A folder whose name means itself to whatever searches below it.
_PLAIN = re.compile(r"\w[\w./+-]*")
#: The functions of a driver are in its folder and below; so many names lead there.
_LEVELS = 2
#: More conditions than this are not held against each other.
_MANY = 12


def may_define(text: bytes, name: bytes) -> bool:
    """Tell whether a name stands where the head of a definition has it, between a type and `(`."""
    at = text.find(name)
    while at >= 0:
        before = text[text.rfind(b"\n", 0, at) + 1 : at]
        if _TYPE.fullmatch(before) and _OPENING.match(text, at + len(name)):
            return True
        at = text.find(name, at + 1)
    return False


def folders_near(paths: Iterable[str], shared: Sequence[str]) -> tuple[str, ...]:
    """Return the folders that are likely to define what some files call; none for all there are.

    shared are those that define what any file may call.
    """
    own = {"/".join(path.split("/")[:-1][:_LEVELS]) for path in paths}
    if not shared or not all(map(_PLAIN.fullmatch, own)):
        return ()
    return (*shared, *sorted(f for f in own if f.split("/")[0] not in shared))


def macros_of(unit: Unit, name: bytes) -> Iterable[Conditions]:
    """Return for each definition of a macro under which configuration it counts."""
    define = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+" + name + rb"\b", re.MULTILINE)
    return (unit.conditions.at(m.start()) for m in define.finditer(unit.code))


def covers(conditions: Collection[Conditions]) -> bool:
    """Tell whether every configuration meets one of some conditions."""
    if () in conditions or not conditions or len(conditions) > _MANY:
        return () in conditions
    symbol = min(conditions)[0][0]
    return all(
        covers(
            {
                tuple(c for c in met if c[0] != symbol)
                for met in conditions
                if (symbol, not value) not in met
            }
        )
        for value in (True, False)
    )


def distance(one: str, other: str) -> int:
    """Count the folders between two files: the nearer definition is the likelier one."""
    a, b = one.split("/"), other.split("/")
    shared = 0
    while shared < min(len(a), len(b)) and a[shared] == b[shared]:
        shared += 1
    return len(a) + len(b) - 2 * shared
