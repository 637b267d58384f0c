"""Lower expressions to values; what has a side effect becomes an instruction before them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from analyzer.c.asm import lower_asm
from analyzer.c.body import Body, uncommented
from analyzer.c.calls import (
    assertion_of,
    is_cast,
    is_type_name,
    lower_assertion,
    lower_call,
)
from analyzer.c.heads import plain_type
from analyzer.c.initial import fill
from analyzer.c.ir import (
    Binary,
    Branch,
    Cast,
    Const,
    Expr,
    Field,
    Index,
    Name,
    Opaque,
    Text,
    Unary,
)
from analyzer.c.literals import character, integer, string
from analyzer.c.parser import Syntax
from analyzer.c.prepare import ASM_WORDS

_HOLE = re.compile(rb"[A-Za-z_]\w*")
_SHORT_CIRCUIT = ("&&", "||")


def lower_value(b: Body, node: Syntax) -> Expr:
    """Return the value of an expression."""
    if node.kind == "identifier":
        return Name(b.resolve(b.text(node)))
    lower = _VALUES.get(node.kind)
    return b.opaque(node) if lower is None else lower(b, node)


def lower_effect(b: Body, node: Syntax) -> None:
    """Lower an expression for its side effects."""
    match node.kind:
        case "update_expression":
            _update(b, node, wanted=False)
        case "comma_expression":
            for part in node.children:
                b.effect(part)
        case "conditional_expression":
            _conditional_effect(b, node)
        case "binary_expression" if _operator(b, node) in _SHORT_CIRCUIT:
            _short_circuit_effect(b, node)
        case "parenthesized_expression":
            inner = _inner(node)
            if inner is not None and inner.kind == "compound_statement":
                b.statement(inner)
            elif inner is not None:
                b.effect(inner)
        case "call_expression" if assertion_of(b, node) is not None:
            join = b.graph.block()
            lower_assertion(b, node, join, join)
            b.graph.place(join)
        case "cast_expression" | "unary_expression":
            operand = node.child("value") or node.child("argument")
            if operand is not None:
                b.effect(operand)
        case _:
            b.value(node)


def _operator(b: Body, node: Syntax) -> str:
    found = node.child("operator")
    return "" if found is None else b.text(found)


def _inner(node: Syntax) -> Syntax | None:
    return node.children[0] if node.children else None


def _conditional_effect(b: Body, node: Syntax) -> None:
    condition = node.child("condition")
    then, orelse, join = b.graph.block(), b.graph.block(), b.graph.block()
    if condition is not None:
        b.branch(condition, then, orelse)
    for block, field in ((then, "consequence"), (orelse, "alternative")):
        b.graph.place(block)
        arm = node.child(field)
        if arm is not None:
            b.effect(arm)
        b.jump(join)
    b.graph.place(join)


def _short_circuit_effect(b: Body, node: Syntax) -> None:
    left, right = node.child("left"), node.child("right")
    assert left is not None, "grammar: an operator has two operands"
    assert right is not None, "grammar: an operator has two operands"
    more, join = b.graph.block(), b.graph.block()
    targets = (more, join) if _operator(b, node) == "&&" else (join, more)
    b.branch(left, *targets)
    b.graph.place(more)
    b.effect(right)
    b.graph.place(join)


def _truth(b: Body, node: Syntax) -> Expr:
    """Materialise a condition as 0 or 1."""
    result = b.temporary()
    yes, no, join = b.graph.block(), b.graph.block(), b.graph.block()
    b.branch(node, yes, no)
    for block, value in ((yes, 1), (no, 0)):
        b.graph.place(block)
        b.assign(result, Const(value), node)
        b.jump(join)
    b.graph.place(join)
    return result


def _number(b: Body, node: Syntax) -> Expr:
    hole = _HOLE.match(b.unit.text, node.start)
    if hole is None:
        value = integer(b.text(node))
        return b.opaque(node) if value is None else Const(value)
    if hole.group() in ASM_WORDS:
        lower_asm(b, node)
        return Const(0)
    # The arguments of offsetof() and the like are types; nothing in them is evaluated.
    end = closing_parenthesis(b.unit.code, hole.end())
    return Opaque(" ".join(b.unit.source(node.start, end).split()), frozenset())


def closing_parenthesis(code: bytes, at: int) -> int:
    """Return the offset behind the argument list that starts at or after an offset."""
    depth = 0
    for m in re.compile(rb"[()]").finditer(code, at):
        depth += 1 if m.group() == b"(" else -1
        if depth <= 0:
            return m.end()
    return at


def _zero(_body: Body, _node: Syntax) -> Expr:
    return Const(0)


def _one(_body: Body, _node: Syntax) -> Expr:
    return Const(1)


def _character(b: Body, node: Syntax) -> Expr:
    value = character(b.text(node))
    return b.opaque(node) if value is None else Const(value)


def _string(b: Body, node: Syntax) -> Expr:
    return Text(string(b.plain(node)))


def _parenthesized(b: Body, node: Syntax) -> Expr:
    inner = _inner(node)
    if inner is None:
        return b.opaque(node)
    return b.block_value(inner) if inner.kind == "compound_statement" else b.value(inner)


def _field(b: Body, node: Syntax) -> Expr:
    base, name = node.child("argument"), node.child("field")
    if base is None or name is None:
        return b.opaque(node)
    arrow = _operator(b, node) == "->"
    match b.value(base):
        case Unary("&", operand) if arrow:
            return Field(operand, b.text(name), False)
        case Unary("*", operand) if not arrow:
            return Field(operand, b.text(name), True)
        case value:
            return Field(value, b.text(name), arrow)


def _subscript(b: Body, node: Syntax) -> Expr:
    base, index = node.child("argument"), node.child("index")
    if base is None or index is None:
        return b.opaque(node)
    value = b.value(base)
    return Index(value, b.value(index))


def _pointer(b: Body, node: Syntax) -> Expr:
    operand = node.child("argument")
    if operand is None or b.unit.text.startswith(b"&&", node.start):
        return b.opaque(node)
    operator = _operator(b, node)
    match operator, b.value(operand):
        case ("&", Unary("*", inner)) | ("*", Unary("&", inner)):
            return inner
        case _, value:
            return Unary(operator, value)


def _unary(b: Body, node: Syntax) -> Expr:
    operand = node.child("argument")
    operator = _operator(b, node)
    if operand is None:
        return b.opaque(node)
    match operator, b.value(operand):
        case "-", Const(value):
            return Const(-value)
        case "+", value:
            return value
        case _, value:
            return Unary(operator, value)


def _binary(b: Body, node: Syntax) -> Expr:
    left, right = node.child("left"), node.child("right")
    operator = _operator(b, node)
    if left is None or right is None:
        return b.opaque(node)
    if operator in _SHORT_CIRCUIT:
        return _truth(b, node)
    if left.kind == "parenthesized_expression" and operator in "+-*&":
        inner = _inner(left)
        if inner is not None and inner.kind == "identifier" and is_type_name(b, b.text(inner)):
            operand = b.value(right)  # the grammar cannot tell `(u64)-1` from a difference
            signed = _signed(operator, operand)
            return Cast(b.text(inner), signed)
    if operator in ("==", "!=") and right.kind in ("true", "false"):
        return _as_flag(b.value(left), is_it=(operator == "==") is (right.kind == "true"))
    value = b.value(left)
    return Binary(operator, value, b.value(right))


def _as_flag(value: Expr, *, is_it: bool) -> Expr:
    """Return what `== true` asks of a flag: whoever leaves it out means the same."""
    return value if is_it else Unary("!", value)


def _signed(operator: str, operand: Expr) -> Expr:
    match operator, operand:
        case "-", Const(value):
            return Const(-value)
        case "+", _:
            return operand
    return Unary(operator, operand)


def _assignment(b: Body, node: Syntax) -> Expr:
    left, right = node.child("left"), node.child("right")
    if left is None or right is None:
        return b.opaque(node)
    target = lower_target(b, left)
    operator = _operator(b, node)
    if right.kind == "initializer_list":
        fill(b, target, right, kind="")
        return target
    value = b.value(right)
    b.assign(target, value if operator == "=" else Binary(operator[:-1], target, value), node)
    return target


def lower_target(b: Body, node: Syntax) -> Expr:
    """Return what an assignment writes; any value that is no place is taken for an address."""
    match b.value(node):
        case Name() | Field() | Index() | Unary("*") as target:
            return target
        case Cast(_, Name() | Field() | Index() | Unary("*") as target):
            return target
        case other:
            return Unary("*", other)


def _update(b: Body, node: Syntax, *, wanted: bool = True) -> Expr:
    operand, operator = node.child("argument"), node.child("operator")
    if operand is None or operator is None:
        return b.opaque(node)
    target = lower_target(b, operand)
    value: Expr = target
    if wanted and operator.start > operand.start:
        value = b.temporary()
        b.assign(value, target, node)
    b.assign(target, Binary(b.text(operator)[:1], target, Const(1)), node)
    return value


def _cast(b: Body, node: Syntax) -> Expr:
    operand = node.child("value")
    if operand is None:
        return b.opaque(node)
    value = b.value(operand)
    # Preparation spells some types as `int`: the text between the parentheses tells which.
    spelled = uncommented(b.unit, node.start, operand.start).strip()[1:-1]
    spelled = plain_type(spelled) if "__" in spelled else " ".join(spelled.split())
    return value if spelled == "void" else Cast(spelled, value)


def _conditional(b: Body, node: Syntax) -> Expr:
    condition, alternative = node.child("condition"), node.child("alternative")
    if condition is None or alternative is None:
        return b.opaque(node)
    result = b.temporary()
    then, orelse, join = b.graph.block(), b.graph.block(), b.graph.block()
    consequence = node.child("consequence")
    if consequence is None:  # a ?: b
        b.assign(result, b.value(condition), node)
        b.graph.end(Branch(result, join, orelse, b.span(condition)))
    else:
        b.branch(condition, then, orelse)
        b.graph.place(then)
        b.assign(result, b.value(consequence), consequence)
        b.jump(join)
    b.graph.place(orelse)
    b.assign(result, b.value(alternative), alternative)
    b.graph.place(join)
    return result


def _comma(b: Body, node: Syntax) -> Expr:
    for part in node.children[:-1]:
        b.effect(part)
    return b.value(node.children[-1])


def _compound_literal(b: Body, node: Syntax) -> Expr:
    kind, value = node.child("type"), node.child("value")
    result = b.temporary()
    if value is not None:
        fill(b, result, value, kind=b.plain(kind) if kind is not None else "")
    return result


def _call(b: Body, node: Syntax) -> Expr:
    if is_cast(b, node):
        function, arguments = node.children[0], node.children[1]
        operands = [b.value(a) for a in arguments.children]
        return Cast(b.text(function)[1:-1].strip(), operands[-1]) if operands else b.opaque(node)
    return lower_call(b, node, _truth)


def _unevaluated(b: Body, node: Syntax) -> Expr:
    return Opaque(b.plain(node), frozenset())


def _extension(b: Body, node: Syntax) -> Expr:
    inner = _inner(node)
    return b.opaque(node) if inner is None else b.value(inner)


_VALUES: Mapping[str, Callable[[Body, Syntax], Expr]] = {
    "number_literal": _number,
    "char_literal": _character,
    "string_literal": _string,
    "concatenated_string": _string,
    "null": _zero,
    "true": _one,
    "false": _zero,
    "parenthesized_expression": _parenthesized,
    "field_expression": _field,
    "subscript_expression": _subscript,
    "pointer_expression": _pointer,
    "unary_expression": _unary,
    "binary_expression": _binary,
    "assignment_expression": _assignment,
    "update_expression": _update,
    "cast_expression": _cast,
    "conditional_expression": _conditional,
    "comma_expression": _comma,
    "compound_literal_expression": _compound_literal,
    "call_expression": _call,
    "sizeof_expression": _unevaluated,
    "offsetof_expression": _unevaluated,
    "alignof_expression": _unevaluated,
    "extension_expression": _extension,
    "compound_statement": Body.block_value,
}
