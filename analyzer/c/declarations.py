"""Lower local declarations."""

from __future__ import annotations

import re

from analyzer.c.body import Body
from analyzer.c.facts import macros, words
from analyzer.c.initial import fill
from analyzer.c.parser import Syntax

_WRAPPERS = frozenset(
    ("pointer_declarator", "array_declarator", "parenthesized_declarator", "attributed_declarator",
     "function_declarator", "init_declarator")
)  # fmt: skip
_CLEANUP = re.compile(r"\b(__\w+)\s*\(\s*\w+\s*\)")
_BLANKS = re.compile(r"\s+")


def lower_declaration(b: Body, node: Syntax) -> None:
    """Declare variables and assign what initialises them; a static one keeps its value."""
    base_type = node.child("type")
    if base_type is not None and base_type.kind == "macro_type_specifier":
        b.lose(node, "no type, no call:")
        return
    declarators = [c for c in node.children if c.field == "declarator"]
    end = declarators[0].start if declarators else node.end
    base = _spelled(b.unit.source(node.start, end))
    static = base.startswith("static ") or " static " in base
    for declarator in declarators:
        found = _unwrap(b, declarator)
        if found is None:
            continue
        name, suffix = found
        value = declarator.child("value") if declarator.kind == "init_declarator" else None
        spelled = f"{base} {suffix}".strip()
        if value is None:
            b.declare(name, spelled)
        elif value.kind == "initializer_list":
            variable = b.declare(name, spelled)
            if not static:
                fill(b, variable, value, kind=spelled)
        else:
            # The initialiser is lowered after the name is declared: C sees it there already.
            variable = b.declare(name, spelled)
            if not static:
                b.assign(variable, b.value(value), declarator)
        if spelled in macros().cleaned:
            _leave_scope(b, declarator, node, value)


def _leave_scope(b: Body, declarator: Syntax, node: Syntax, value: Syntax | None) -> None:
    """Admit that what is done at the end of its scope to what a variable names is not followed.

    Whoever named it before may go on with it; what a call has returned is known here alone.
    """
    end = value.start if value is not None else node.end
    found = _CLEANUP.search(b.unit.source(declarator.start, end))
    if found is None or found.group(1) not in macros().cleanups:
        return
    b.gap("syntax", declarator, f"does not follow what `{found.group()}` does in the end")
    if value is not None and value.kind != "call_expression":
        b.havoc(declarator.start, value.start, declarator)


def _unwrap(b: Body, node: Syntax) -> tuple[str, str] | None:
    """Return a declarator's name and what it adds to the type; None for a prototype."""
    stars, arrays, function, pointed = "", "", False, False
    while node.kind in _WRAPPERS:
        inner = node.child("declarator") or next(
            (c for c in node.children if c.kind in _WRAPPERS or c.kind == "identifier"), None
        )
        if inner is None:
            return None
        match node.kind:
            case "pointer_declarator":
                stars += "*"
                pointed = pointed or function
            case "array_declarator":
                arrays += "[]"
            case "function_declarator":
                function = True
        node = inner
    if node.kind != "identifier" or (function and not pointed):
        return None
    suffix = "(*)()" if function else f"{stars} {arrays}".strip()
    return b.text(node), suffix


def _spelled(text: str) -> str:
    known = words()
    text = re.sub(r"/\*.*?\*/|//[^\n]*", " ", text, flags=re.S)
    kept = (w for w in _BLANKS.split(text) if w and w not in known.annotations)
    return " ".join(kept)
