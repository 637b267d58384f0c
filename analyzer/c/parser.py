"""Turn prepared text into a plain syntax tree; the only importer of tree-sitter."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

import tree_sitter
import tree_sitter_c

#: A body is parsed behind this head, so that it is a function whatever precedes it.
_HEAD = b"void f()"

#: Nodes whose inside nobody asks for.
_LEAVES = frozenset(
    "string_literal char_literal struct_specifier union_specifier enum_specifier type_descriptor "
    "parameter_list sizeof_expression offsetof_expression alignof_expression type_definition "
    "gnu_asm_clobber_list system_lib_string".split()
)
MISSING = "MISSING"
ERROR = "ERROR"


class Syntax(NamedTuple):
    """A node: offsets are those of the file; children are named nodes and those with a field."""

    kind: str
    start: int
    end: int
    field: str | None
    broken: bool  # it is an error or holds one
    children: tuple[Syntax, ...]

    def child(self, field: str) -> Syntax | None:
        """Return the first child in a field; None where the node has none."""
        for c in self.children:
            if c.field == field:
                return c
        return None

    def named(self, kind: str) -> Iterator[Syntax]:
        """Yield the children of a kind."""
        return (c for c in self.children if c.kind == kind)


def parse_body(text: bytes, offset: int) -> Syntax | None:
    """Parse the text of a body, braces included, that stands at an offset of its file.

    None where it cannot be read as one block.
    """
    tree = _parser().parse(_HEAD + text)
    for node in tree.root_node.named_children:
        if node.type == "function_definition" and node.start_byte == 0:
            body = node.child_by_field_name("body")
            if body is not None and body.end_byte - len(_HEAD) >= len(text.rstrip()):
                return _convert(body.walk(), offset - len(_HEAD))
    return None


def parse_declarations(text: bytes, offset: int) -> tuple[Syntax, ...]:
    """Parse file-scope text that stands at an offset of its file."""
    root = _parser().parse(text).root_node
    return tuple(_convert(node.walk(), offset) for node in root.named_children)


def _convert(cursor: tree_sitter.TreeCursor, offset: int) -> Syntax:
    node = cursor.node
    assert node is not None, "tree-sitter: a cursor stands on a node"
    kind = MISSING if node.is_missing else node.type
    field = cursor.field_name
    children: list[Syntax] = []
    if kind not in _LEAVES and cursor.goto_first_child():
        while True:
            inner = cursor.node
            assert inner is not None, "tree-sitter: a cursor stands on a node"
            if inner.is_named or inner.is_missing or cursor.field_name is not None:
                children.append(_convert(cursor, offset))
            if not cursor.goto_next_sibling():
                break
        cursor.goto_parent()
    return Syntax(
        kind,
        node.start_byte + offset,
        node.end_byte + offset,
        field,
        node.has_error,
        tuple(children),
    )


@cache
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(tree_sitter.Language(tree_sitter_c.language()))
