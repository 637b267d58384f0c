"""Rewrite C sources in ways that mean nothing: comments and blank lines, other local names."""

from __future__ import annotations

import re

from analyzer.c.lower import lower
from analyzer.c.unit import Unit, scan_unit

_STATEMENT = re.compile(r"^\t[^#\\]*;$")
_SUFFIX = "_renamed"


def add_comments(text: str) -> str:
    """Return the source with a comment and a blank line after every statement of a function."""
    out = []
    for line in text.split("\n"):
        out.append(line)
        if _STATEMENT.match(line):
            out += ["\t/* a remark that tells nothing */", ""]
    return "\n".join(out)


def add_blank_lines(text: str) -> str:
    """Return the source with blank lines at its head, so that every line moves."""
    return "\n" * 7 + text


def rename_locals(path: str, text: str) -> str:
    """Return the source with every parameter and local variable renamed."""
    unit = scan_unit(path, text.encode())
    spans = sorted(_named_spans(unit), key=lambda s: s[0], reverse=True)
    for start, end, names in spans:
        if names:
            text = text[:start] + _renamed(text[start:end], names) + text[end:]
    return text


def _named_spans(unit: Unit) -> list[tuple[int, int, frozenset[str]]]:
    out = []
    for definitions in unit.definitions.values():
        for definition in definitions:
            function = lower(unit, definition)
            names = {p.name for p in function.params}
            for variant in function.variants:
                names |= set(variant.locals)
            words = frozenset(n for n in names if n.isidentifier())
            out.append((definition.span.start, definition.span.end, words))
    return out


def _renamed(body: str, names: frozenset[str]) -> str:
    # A member after `.` or `->` and the tag of a struct are no locals.
    words = "|".join(sorted(map(re.escape, names), key=len, reverse=True))
    return re.sub(rf"(?<!\.)(?<!->)(?<!struct )\b(?:{words})\b", rf"\g<0>{_SUFFIX}", body)

