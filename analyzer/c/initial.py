"""Lower braced initialisers to assignments of members and elements."""

from __future__ import annotations

from analyzer.c.body import Body
from analyzer.c.ir import Const, Expr, Field, Index, Opaque
from analyzer.c.parser import Syntax


def fill(b: Body, target: Expr, node: Syntax, *, is_array: bool) -> None:
    """Assign a place from an initializer list: all of it first, then what the list names."""
    items = node.children
    zero = not items or (len(items) == 1 and b.text(items[0]) == "0")
    # What a list of named members leaves out is zero; which member another item fills is not known.
    named = not is_array and all(item.kind == "initializer_pair" for item in items)
    b.assign(target, Const(0) if zero or named else Opaque("{...}", frozenset()), node)
    if not zero:
        _members(b, target, node, is_array)


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


def _next(position: Expr) -> Expr:
    return Const(position.value + 1) if isinstance(position, Const) else position


def _place(b: Body, place: Expr, value: Syntax) -> None:
    if value.kind == "initializer_list":
        fill(b, place, value, is_array=False)
    else:
        b.assign(place, b.value(value), value)
