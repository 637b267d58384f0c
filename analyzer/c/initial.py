"""Lower braced initialisers to assignments of members and elements."""

from __future__ import annotations

from analyzer.c.body import Body
from analyzer.c.ir import Const, Expr, Field, Havoc, Index, Opaque
from analyzer.c.members import members
from analyzer.c.parser import Syntax


def fill(b: Body, target: Expr, node: Syntax, *, kind: str) -> None:
    """Assign a place of a type from an initializer list: all of it first, then what is listed."""
    items = node.children
    zero = not items or (len(items) == 1 and b.text(items[0]) == "0")
    is_array = kind.endswith("]")
    # What a list of members leaves out is zero, where it is known which member each item fills.
    named = not is_array and all(item.kind == "initializer_pair" for item in items)
    order = None if zero or named or is_array else _in_order(b, node, kind)
    known = zero or named or order is not None
    b.assign(target, Const(0) if known else Opaque("{...}", frozenset()), node)
    if order is not None:
        for name, item in order:
            _place(b, Field(target, name, False), item)
    elif not zero:
        _members(b, target, node, is_array)


def _in_order(b: Body, node: Syntax, kind: str) -> list[tuple[str, Syntax]] | None:
    """Return which member each item fills; None where that is not known."""
    found = members(b.unit, kind)
    if found is None or len(found) < len(node.children):
        return None
    pairs = [(name, whole, item) for (name, whole), item in zip(found, node.children, strict=False)]
    lists = ("initializer_list", "compound_literal_expression")
    if any(i.kind == "initializer_pair" or whole != (i.kind in lists) for _, whole, i in pairs):
        return None
    return [(name, item) for name, _, item in pairs]


def _members(b: Body, target: Expr, node: Syntax, is_array: bool) -> None:
    position: Expr = Const(-1)
    for item in node.children:
        if item.kind == "initializer_pair":
            place = target
            for designator in item.children:
                match designator.kind:
                    case "field_designator" if designator.children:
                        place = Field(place, b.text(designator.children[0]), False)
                    case "subscript_designator" if designator.children:
                        position = b.value(designator.children[0])
                        place = Index(place, position)
                    case "subscript_range_designator":
                        position = b.opaque(designator)
                        place = Index(place, position)
                    case "field_identifier":  # `name: value`
                        place = Field(place, b.text(designator), False)
            value = item.child("value")
            if value is not None:
                _place(b, place, value)
        elif is_array:
            position = _next(position)
            _place(b, Index(target, position), item)
        elif item.kind == "initializer_list":
            # Unsound: which member a bare inner list fills is not known here; the whole is opaque.
            _members(b, Index(target, Opaque("?", frozenset())), item, False)
        else:
            b.effect(item)
            _lose_pointers(b, item)


def _lose_pointers(b: Body, item: Syntax) -> None:
    """Give up what an item points to: it is not known which member holds it now."""
    names = b.names(item.start, item.end)
    held = frozenset(n for n in names if "*" in b.locals.get(n, b.params.get(n, "")))
    if held:
        b.gap("syntax", item, f"which member holds `{b.plain(item)}` is not known")
        b.emit(Havoc(held, b.span(item)))


def _next(position: Expr) -> Expr:
    return Const(position.value + 1) if isinstance(position, Const) else position


def _place(b: Body, place: Expr, value: Syntax) -> None:
    if value.kind == "initializer_list":
        fill(b, place, value, kind="")
    else:
        b.assign(place, b.value(value), value)
