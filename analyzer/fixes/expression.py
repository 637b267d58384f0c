"""Judge and combine the texts of C expressions."""

from __future__ import annotations

import re
from functools import cache

from analyzer.pages.facts import load_facts

_CALL = re.compile(r"([A-Za-z_]\w*)\s*\(")
_CHANGES = re.compile(r"\+\+|--|(?<![=!<>])=(?!=)")
_TEST = re.compile(r"(?:folio_test_\w+|Page[A-Z]\w*)\Z")
_WORD = re.compile(r"[A-Za-z_]\w*\Z")
_LOOSE = re.compile(r"\|\||\?|(?<![=!<>])=(?!=)|,")
#: What looks like a call and is none, or only looks at its argument.
_HARMLESS = frozenset({"sizeof", "likely", "unlikely", "IS_ENABLED", "READ_ONCE", "page_private"})


def is_pure(text: str) -> bool:
    """Tell whether an expression may be evaluated once more, or not at all.

    It calls nothing but tests of a page and conversions of one, and changes no variable.
    """
    if _CHANGES.search(text):
        return False
    return all(name in _known() or _TEST.match(name) for name in _CALL.findall(text))


@cache
def _known() -> frozenset[str]:
    facts = load_facts()
    return frozenset(facts.identities) | facts.index_of | _HARMLESS


def negation(parenthesised: str) -> bytes | None:
    """Return the opposite of a condition in parentheses, without them."""
    inside = parenthesised[1:-1].strip()
    if inside.startswith("!") and _is_operand(inside[1:]):
        return inside[1:].encode()
    if _is_operand(inside):
        return f"!{inside}".encode()
    return f"!({inside})".encode()


def conjunction(parenthesised: str, other: str) -> bytes:
    """Return a condition in parentheses and another one, joined, without parentheses."""
    inside = parenthesised[1:-1].strip()
    one = f"({inside})" if _LOOSE.search(inside) else inside
    two = f"({other})" if _LOOSE.search(other) else other
    return f"{one} && {two}".encode()


def _is_operand(text: str) -> bool:
    """Tell whether a text is a name or one call: `!` may stand before it."""
    if _WORD.match(text):
        return True
    call = _CALL.match(text)
    if call is None or not text.endswith(")"):
        return False
    depth = 0
    for at in range(call.end() - 1, len(text)):
        depth += {"(": 1, ")": -1}.get(text[at], 0)
        if depth == 0:
            return at == len(text) - 1
    return False
