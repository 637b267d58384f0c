"""Find what there is to edit in a function, by tree-sitter, and edit it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

import tree_sitter
import tree_sitter_c


@dataclass(frozen=True, slots=True)
class Site:
    """A node of a function: its text stands at start to end, in bytes of the file."""

    function: str
    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Edit:
    """Put text in the place of start to end."""

    start: int
    end: int
    text: str


def applied(text: str, *edits: Edit) -> str:
    """Return a text with edits made, which do not overlap."""
    data = text.encode()
    for e in sorted(edits, key=lambda e: e.start, reverse=True):
        data = data[: e.start] + e.text.encode() + data[e.end :]
    return data.decode()


@cache
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_c.language()))


@cache
def function(text: str, name: str) -> tree_sitter.Node:
    """Return the definition of a function; its text is cut out by its column-0 brace."""
    head = re.search(rf"^[A-Za-z][^;{{}}\n]*\b{name}\([^;{{]*\)\s*\{{", text, re.M)
    assert head, f"{name}: no definition"
    start = len(text[: head.start()].encode())
    end = len(text[: text.index("\n}\n", head.end()) + 3].encode())
    data = text.encode()
    # What stands around it is blanked, so that offsets are those of the file.
    blank = re.sub(rb"[^\n]", b" ", data[:start]) + data[start:end].replace(b"__meminit", b" " * 9)
    (node,) = [
        n
        for n in _parser().parse(blank).root_node.named_children
        if n.type == "function_definition"
    ]
    return node


def nodes(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    """Yield a node and all below it, in order."""
    yield node
    for child in node.children:
        yield from nodes(child)


def statements(text: str, name: str) -> Iterator[Site]:
    """Yield the expression statements of a function."""
    for n in nodes(function(text, name)):
        if n.type == "expression_statement" and n.text is not None:
            yield Site(name, n.type, n.text.decode(), n.start_byte, n.end_byte)


def in_block(text: str, name: str) -> Iterator[Site]:
    """Yield the expression statements that stand in a block, where a further one may stand."""
    for n in nodes(function(text, name)):
        if n.type == "compound_statement":
            for c in n.named_children:
                if c.type == "expression_statement" and c.text is not None:
                    yield Site(name, c.type, c.text.decode(), c.start_byte, c.end_byte)


def branches(text: str, name: str) -> Iterator[tree_sitter.Node]:
    """Yield the if statements of a function."""
    return (n for n in nodes(function(text, name)) if n.type == "if_statement")


def locals_of(text: str, name: str) -> tuple[str, ...]:
    """Return the names of a function's parameters and variables."""
    found: dict[str, None] = {}
    for n in nodes(function(text, name)):
        if n.type in ("parameter_declaration", "declaration"):
            for d in n.children_by_field_name("declarator"):
                while (inner := d.child_by_field_name("declarator")) is not None:
                    d = inner
                if d.type == "identifier" and d.text is not None:
                    found[d.text.decode()] = None
    return tuple(found)


def renamed(text: str, name: str, old: str, new: str) -> str:
    """Return the text with a local of a function renamed; fields and labels keep their names."""
    edits = [
        Edit(n.start_byte, n.end_byte, new)
        for n in nodes(function(text, name))
        if n.type == "identifier" and n.text == old.encode()
    ]
    return applied(text, *edits)


def declared(text: str, name: str) -> dict[str, str]:
    """Return the parameters and plain variables of a function, each with its type."""
    found: dict[str, str] = {}
    for n in nodes(function(text, name)):
        if n.type in ("parameter_declaration", "declaration"):
            first = n.child_by_field_name("declarator")
            for d in n.children_by_field_name("declarator"):
                stars = 0
                while (inner := d.child_by_field_name("declarator")) is not None:
                    stars, d = stars + (d.type == "pointer_declarator"), inner
                if d.type == "identifier" and d.text is not None and first is not None:
                    base = text.encode()[n.start_byte : first.start_byte].decode()
                    found[d.text.decode()] = f"{' '.join(base.split())} {'*' * stars}"
    return found


def neighbours(text: str, name: str) -> Iterator[Site]:
    """Yield two statements at a time that stand one behind the other in a block."""
    data = text.encode()
    for n in nodes(function(text, name)):
        if n.type == "compound_statement":
            for one, other in pairwise(n.named_children):
                if {one.type, other.type} <= {"expression_statement", "if_statement"}:
                    start, end = one.start_byte, other.end_byte
                    yield Site(name, n.type, data[start:end].decode(), start, end)
