"""Turn prepared text into a plain syntax tree; the only importer of tree-sitter."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import tree_sitter
import tree_sitter_c

#: A body is parsed behind this head, so that it is a function whatever precedes it.
_HEAD = b"void f()"

#: Nodes whose inside nobody asks for.
_LEAVES = frozenset(
    (
        "string_literal",
        "char_literal",
        "struct_specifier",
        "union_specifier",
        "enum_specifier",
        "type_descriptor",
        "parameter_list",
        "sizeof_expression",
        "offsetof_expression",
        "alignof_expression",
        "type_definition",
        "identifier",
        "field_identifier",
        "statement_identifier",
        "type_identifier",
        "primitive_type",
        "number_literal",
        "type_qualifier",
        "storage_class_specifier",
        "break_statement",
        "continue_statement",
    )
)
#: Operators that C binds less tightly than a `++` behind their operand.
_PREFIXED = frozenset(("unary_expression", "cast_expression", "pointer_expression"))
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


def parse_body(text: bytes, offset: int) -> Syntax | None:
    """Parse the text of a body, braces included, that stands at an offset of its file.

    None where it cannot be read as one block.
    """
    tree = _parser().parse(_HEAD + text)
    for node in tree.root_node.named_children:
        if node.type == "function_definition" and node.start_byte == 0:
            body = node.child_by_field_name("body")
            if body is not None and body.end_byte - len(_HEAD) >= len(text.rstrip()):
                return _converted(body, offset - len(_HEAD))
    return None


def _converted(node: tree_sitter.Node, offset: int) -> Syntax:
    return _convert(node.walk(), node, None, offset, node.has_error)


def _convert(
    cursor: tree_sitter.TreeCursor,
    node: tree_sitter.Node,
    field: str | None,
    offset: int,
    check: bool,
) -> Syntax:
    """Convert the node that the cursor stands on; check: it may be or hold an error."""
    kind = MISSING if check and node.is_missing else node.type
    children: tuple[Syntax, ...] = ()
    check = check and node.has_error
    if kind not in _LEAVES and cursor.goto_first_child():
        kept: list[Syntax] = []
        while True:
            inner, inside = cursor.node, cursor.field_name
            assert inner is not None, "tree-sitter: a cursor stands on a node"
            if inside is not None or inner.is_named or (check and inner.is_missing):
                kept.append(_convert(cursor, inner, inside, offset, check))
            if not cursor.goto_next_sibling():
                break
        cursor.goto_parent()
        children = tuple(kept)
    made = Syntax(kind, node.start_byte + offset, node.end_byte + offset, field, check, children)
    return _bound_tighter(made) if kind == "update_expression" else made


def _bound_tighter(update: Syntax) -> Syntax:
    """Read `!x++` as `!(x++)`; the grammar reads `(!x)++`."""
    if len(update.children) != 2 or update.children[0].kind not in _PREFIXED:
        return update
    prefixed, operator = update.children
    operand = prefixed.children[-1]
    inner = update._replace(start=operand.start, field=operand.field, children=(operand, operator))
    mended = (
        *prefixed.children[:-1],
        _bound_tighter(inner._replace(children=(operand._replace(field="argument"), operator))),
    )
    return prefixed._replace(end=update.end, field=update.field, children=mended)


@cache
def _language() -> tree_sitter.Language:
    return tree_sitter.Language(tree_sitter_c.language())


@cache
def _parser() -> tree_sitter.Parser:
    return tree_sitter.Parser(_language())
