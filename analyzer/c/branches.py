"""Lower conditions: short circuits, negations and assertions become branches."""

from __future__ import annotations

from analyzer.c.body import Body
from analyzer.c.calls import arguments, assertion_of, lower_assertion
from analyzer.c.facts import macros
from analyzer.c.ir import Branch, Const, Expr, Unary
from analyzer.c.parser import Syntax


def lower_branch(b: Body, node: Syntax, then: int, orelse: int) -> None:
    """End the current block: go to then where the condition is not zero, else to orelse."""
    inner = node.children[0] if node.children else None
    operator = node.child("operator")
    spelled = b.text(operator) if operator is not None else ""
    match node.kind, spelled:
        case "parenthesized_expression", _ if inner and inner.kind != "compound_statement":
            return b.branch(inner, then, orelse)
        case "unary_expression", "!":
            argument = node.child("argument")
            if argument is not None:
                return b.branch(argument, orelse, then)
        case "binary_expression", "&&" | "||":
            return _short_circuit(b, node, spelled, then, orelse)
        case "comma_expression", _:
            for part in node.children[:-1]:
                b.effect(part)
            return b.branch(node.children[-1], then, orelse)
        case "conditional_expression", _ if node.child("consequence") is not None:
            return _conditional(b, node, then, orelse)
        case "call_expression", _:
            name = b.text(node.children[0])
            if name in macros().transparent:
                given = arguments(node)
                position = macros().transparent[name]
                if position < len(given):
                    return b.branch(given[position], then, orelse)
            if assertion_of(b, node) is not None:
                return lower_assertion(b, node, then, orelse)
    return branch_on(b, b.value(node), node, then, orelse)


def branch_on(b: Body, value: Expr, node: Syntax, then: int, orelse: int) -> None:
    """Branch on a value that is lowered; what is known when compiling is a jump."""
    match value:
        case Const(known):
            b.jump(then if known else orelse)
        case Unary("!", operand):
            branch_on(b, operand, node, orelse, then)
        case _:
            b.graph.end(Branch(value, then, orelse, b.span(node)))


def _short_circuit(b: Body, node: Syntax, operator: str, then: int, orelse: int) -> None:
    left, right = node.child("left"), node.child("right")
    assert left is not None, "grammar: an operator has two operands"
    assert right is not None, "grammar: an operator has two operands"
    more = b.graph.block()
    if operator == "&&":
        b.branch(left, more, orelse)
    else:
        b.branch(left, then, more)
    b.graph.place(more)
    b.branch(right, then, orelse)


def _conditional(b: Body, node: Syntax, then: int, orelse: int) -> None:
    condition = node.child("condition")
    yes, no = b.graph.block(), b.graph.block()
    if condition is not None:
        b.branch(condition, yes, no)
    for block, field in ((yes, "consequence"), (no, "alternative")):
        b.graph.place(block)
        arm = node.child(field)
        if arm is not None:
            b.branch(arm, then, orelse)
