"""Lower statements to blocks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping

from analyzer.c.body import HOLE, Body
from analyzer.c.calls import arguments, declarer_of
from analyzer.c.declarations import lower_declaration
from analyzer.c.ir import Binary, Branch, Call, Expr, Opaque, Return
from analyzer.c.loops import (
    branch_readable,
    lower_do,
    lower_for,
    lower_while,
    macro_arguments,
)
from analyzer.c.parser import ERROR, MISSING, Syntax

_NAME = re.compile(rb"[A-Za-z_]\w*")
#: Statements whose parts are looked at one by one when something in them cannot be read.
_STRUCTURED = frozenset(
    (
        "compound_statement",
        "if_statement",
        "else_clause",
        "for_statement",
        "while_statement",
        "do_statement",
        "switch_statement",
        "case_statement",
        "labeled_statement",
    )
)
_NO_CODE = frozenset(("type_definition", "struct_specifier", "union_specifier", "enum_specifier"))


def lower_statement(b: Body, node: Syntax) -> None:
    """Lower one statement into the current block and what follows it."""
    if node.broken:
        if node.kind not in _STRUCTURED:
            _lower_broken(b, node)
            return
        for part in node.children:
            if part.kind == ERROR and node.kind != "compound_statement":
                b.lose(part)
    lower = _STATEMENTS.get(node.kind)
    if lower is not None:
        lower(b, node)
    elif node.kind not in _NO_CODE:
        b.lose(node)


def _lower_broken(b: Body, node: Syntax) -> None:
    b.lose(node)
    if node.kind == "expression_statement":
        parts = [c for c in node.children if c.kind != MISSING]
        if len(parts) == 1 and not parts[0].broken:  # only its semicolon is missing
            b.effect(parts[0])
    elif node.kind == "return_statement":
        b.graph.end(Return(b.opaque(node), b.span(node)))


def block_value(b: Body, node: Syntax) -> Expr:
    """Lower the block of a statement expression; its last expression is the value."""
    b.scopes.append({})
    *before, last = node.children or (None,)
    for part in before:
        if part is not None:
            b.statement(part)
    value: Expr = Opaque("({ })", frozenset())
    if last is None:
        pass
    elif last.kind == "expression_statement" and last.children and not last.broken:
        value = b.value(last.children[0])
    else:
        b.statement(last)
    b.scopes.pop()
    return value


def _compound(b: Body, node: Syntax) -> None:
    b.scopes.append({})
    for part in node.children:
        b.statement(part)
    b.scopes.pop()


def _expression(b: Body, node: Syntax) -> None:
    if b.inner is not None and b.plain(node).rstrip("; ") == HOLE:
        b.inner()
        return
    for part in node.children:
        declarer = declarer_of(b, part) if part.kind == "call_expression" else None
        if declarer is not None:
            for n, argument in enumerate(arguments(part)):
                if n == declarer.name:
                    b.declare(b.text(argument), declarer.type)
                else:
                    b.effect(argument)
        else:
            b.effect(part)


def _if(b: Body, node: Syntax) -> None:
    condition, then = node.child("condition"), node.child("consequence")
    if not b.unit.text.startswith(b"if", node.start):
        _scoped(b, node)
        return
    alternative = node.child("alternative")
    yes, join = b.graph.block(), b.graph.block()
    no = join if alternative is None else b.graph.block()
    branch_readable(b, condition, node, yes, no)
    b.graph.place(yes)
    if then is not None:
        b.statement(then)
    b.jump(join)
    if alternative is not None:
        b.graph.place(no)
        b.statement(alternative)
    b.graph.place(join)


def _else(b: Body, node: Syntax) -> None:
    for part in node.children:
        if part.kind != ERROR:
            b.statement(part)


def _scoped(b: Body, node: Syntax) -> None:
    """Lower a block that runs once under a guard; it is a loop to `break` and `continue`."""
    name = _NAME.match(b.unit.text, node.start)
    assert name is not None, "preparation wrote `if` over a macro's name"
    condition, body = node.child("condition"), node.child("consequence")
    args = tuple(b.value(a) for a in macro_arguments(condition))
    callee = Opaque(name.group().decode("latin-1"), frozenset())
    b.emit(Call(b.temporary(), callee, args, b.span(condition or node)))
    leave = b.graph.block()
    b.breaks.append(leave)
    b.continues.append(leave)
    if body is not None:
        b.statement(body)
    b.breaks.pop()
    b.continues.pop()
    b.graph.place(leave)


def _switch(b: Body, node: Syntax) -> None:
    condition, body = node.child("condition"), node.child("body")
    if condition is None or body is None or condition.broken:
        b.lose(node)
        return
    value = b.value(condition)
    leave = b.graph.block()
    default = leave
    for case in _cases(body):
        b.cases[case.start] = block = b.graph.block()
        chosen = case.child("value")
        if chosen is None:
            default = block
        else:
            _compare(b, value, chosen, block)
    b.jump(default)
    b.breaks.append(leave)
    b.statement(body)
    b.breaks.pop()
    b.graph.place(leave)


def _cases(node: Syntax) -> Iterator[Syntax]:
    for part in node.children:
        if part.kind == "case_statement":
            yield part
        if part.kind != "switch_statement":
            yield from _cases(part)


def _compare(b: Body, value: Expr, case: Syntax, block: int) -> None:
    """Branch to a case's block; `low ... high` was spelled as `low || high`."""
    on = b.graph.block()
    operator, span = case.child("operator"), b.span(case)
    if operator is not None and b.unit.text.startswith(b"...", operator.start):
        low, high = case.child("left"), case.child("right")
        assert low is not None, "grammar: an operator has two operands"
        assert high is not None, "grammar: an operator has two operands"
        above = b.graph.block()
        b.graph.end(Branch(Binary(">=", value, b.value(low)), above, on, span))
        b.graph.place(above)
        b.graph.end(Branch(Binary("<=", value, b.value(high)), block, on, span))
    else:
        b.graph.end(Branch(Binary("==", value, b.value(case)), block, on, span))
    b.graph.place(on)


def _case(b: Body, node: Syntax) -> None:
    block = b.cases.get(node.start)
    if block is not None:
        b.graph.place(block)
    for part in node.children:
        if part.field != "value":
            b.statement(part)


def _label(b: Body, node: Syntax) -> None:
    name = node.child("label")
    if name is not None:
        block = b.label(b.text(name))
        if not b.graph.is_placed(block):
            b.graph.place(block)
    for part in node.children:
        is_empty = part.start == part.end  # a label may end a block
        if part.field != "label" and not is_empty:
            b.statement(part)


def _goto(b: Body, node: Syntax) -> None:
    name = node.child("label")
    if name is not None:
        b.jump(b.label(b.text(name)))


def _return(b: Body, node: Syntax) -> None:
    value = b.value(node.children[0]) if node.children else None
    b.graph.end(Return(value, b.span(node)))


def _break(b: Body, node: Syntax) -> None:
    if b.breaks:
        b.jump(b.breaks[-1])
    else:
        b.lose(node, "nothing to leave:")


def _continue(b: Body, node: Syntax) -> None:
    if b.continues:
        b.jump(b.continues[-1])
    else:
        b.lose(node, "no loop:")


def _attributed(b: Body, node: Syntax) -> None:
    for part in node.children:
        if part.kind != "attribute_declaration":
            b.statement(part)


_STATEMENTS: Mapping[str, Callable[[Body, Syntax], None]] = {
    "compound_statement": _compound,
    "expression_statement": _expression,
    "declaration": lower_declaration,
    "if_statement": _if,
    "else_clause": _else,
    "for_statement": lower_for,
    "while_statement": lower_while,
    "do_statement": lower_do,
    "switch_statement": _switch,
    "case_statement": _case,
    "labeled_statement": _label,
    "goto_statement": _goto,
    "return_statement": _return,
    "break_statement": _break,
    "continue_statement": _continue,
    "attributed_statement": _attributed,
}
