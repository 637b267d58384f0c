"""Find what a source file keeps to itself: static objects, and structures of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator

from analyzer.c.unit import Unit

#: Declarations begin in the first column, as functions do; what is indented is inside of one.
_STATIC = re.compile(rb"^static\s+([^;={}]*?[\w\])])\s*(?=[;={])", re.MULTILINE)
_MACRO = re.compile(rb"(?:[a-z_]+\s+)*[A-Z]\w*\s*\(([^()]*)\)")
_NAME = re.compile(rb"(\w+)\s*(?:\[[^\]]*\]\s*)*(?:__\w+\s*(?:\([^()]*\)\s*)?)*\Z")
_TAG = re.compile(rb"^(?:static\s+)?(?:struct|union)\s+(\w+)\s*\{", re.MULTILINE)


def private_names(unit: Unit) -> frozenset[str]:
    """Return the variables and tags of a source file that mean nothing to other files.

    What a header declares is shared by all who include it.
    """
    if unit.path.endswith(".h"):
        return frozenset()
    tags = (m[1] for m in _TAG.finditer(unit.flat))
    return frozenset(name.decode("latin-1") for name in (*_objects(unit.flat), *tags))


def _objects(code: bytes) -> Iterator[bytes]:
    for m in _STATIC.finditer(code):
        declared = m[1]
        if (macro := _MACRO.fullmatch(declared)) is not None:
            # LIST_HEAD(name), DEFINE_PER_CPU(type, name): which one is the name does not matter.
            yield from (part.strip() for part in macro[1].split(b","))
        elif not (b"(" in declared and declared.endswith(b")")):  # no function
            for part in declared.split(b","):
                if (name := _NAME.search(part)) is not None:
                    yield name[1]
