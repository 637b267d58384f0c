"""Find the members of a structure in their order, for initialisers that do not name them."""

from __future__ import annotations

import re
from functools import lru_cache

from analyzer.c.unit import Unit

_TAG = re.compile(r"\b(struct|union)\b\s*(\w*)")
_NAME = re.compile(r"(\w+)\s*((?:\[[^\]]*\]\s*)*)$")


def members(unit: Unit, kind: str) -> tuple[tuple[str, bool], ...] | None:
    """Return the members of a type, each with whether it holds others; None where unknown.

    The type is spelled with its members, or by a tag that the file defines. Of a union it is the
    first one.
    """
    head, brace, body = kind.partition("{")
    tag = _TAG.search(head)
    if tag is None or "*" in head:
        return None
    found = _members(body.rpartition("}")[0]) if brace else _defined(unit, *tag.groups())
    return found[:1] if found is not None and tag.group(1) == "union" else found


@lru_cache(maxsize=512)
def _defined(unit: Unit, what: str, tag: str) -> tuple[tuple[str, bool], ...] | None:
    pattern = rf"\b{what}\s+{re.escape(tag)}\s*\{{([^{{}}]*)\}}".encode("latin-1")
    found = re.findall(pattern, unit.code)
    return _members(found[0].decode("latin-1")) if len(found) == 1 else None


def _members(text: str) -> tuple[tuple[str, bool], ...] | None:
    found = []
    for statement in filter(None, map(str.strip, text.split(";"))):
        if any(c in statement for c in "{}():#"):
            return None
        for declarator in statement.split(","):
            match = _NAME.search(declarator.strip())
            if match is None:
                return None
            whole = statement.startswith(("struct ", "union ")) and "*" not in declarator
            found.append((match.group(1), whole or bool(match.group(2))))
    return tuple(found)
