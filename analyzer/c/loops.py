"""Lower loops, and the kernel's macros that head a loop."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from analyzer.c.body import Body
from analyzer.c.expansion import expanded_head
from analyzer.c.facts import iterator_cursors, iterator_range
from analyzer.c.graph import root
from analyzer.c.ir import Assign, Binary, Branch, Const, Expr, Iterate, Unary
from analyzer.c.parser import ERROR, MISSING, Syntax

_WORD_BEFORE = re.compile(rb"([A-Za-z_]\w*)\s*\Z")
_NAME = re.compile(rb"[A-Za-z_]\w*")


def branch_readable(
    b: Body, condition: Syntax | None, node: Syntax, then: int, orelse: int
) -> None:
    """Branch on a condition; one that cannot be read goes both ways."""
    if condition is not None and not condition.broken:
        b.branch(condition, then, orelse)
        return
    if condition is not None:
        b.lose(condition)
    b.graph.end(Branch(b.opaque(condition or node), then, orelse, b.span(condition or node)))


def macro_arguments(condition: Syntax | None) -> Iterator[Syntax]:
    """Yield the arguments of a macro that was spelled as the condition of `while` or `if`."""
    for part in condition.children if condition is not None else ():
        if part.kind == "comma_expression":
            yield from macro_arguments(part)
        elif part.kind not in (ERROR, MISSING):
            yield part


def lower_while(b: Body, node: Syntax) -> None:
    """Lower `while`, and the iterator macros that were spelled so."""
    name = _NAME.match(b.unit.text, node.start)
    condition = node.child("condition")
    end = condition.end if condition is not None else node.start
    if name is not None and expanded_head(b, node, name.group().decode("latin-1"), end):
        return
    counted = _counted(name, condition)
    if counted is not None:
        _lower_range(b, node, *counted)
        return
    header, body, leave = b.graph.block(), b.graph.block(), b.graph.block()
    mark = b.graph.mark
    cursors: tuple[str, ...] = ()
    b.graph.place(header)
    ends = None
    if name is None or name.group() == b"while":
        kind = "while"
        if condition is not None and b.plain(condition).strip("() ") in ("1", "true"):
            ends = _exit_test(b, node)
        if ends is not None:
            branch_readable(b, ends, node, leave, body)
        else:
            branch_readable(b, condition, node, body, leave)
    else:
        kind = "iterator"
        cursors = _iterate(b, name.group().decode("latin-1"), condition, node.start, body, leave)
    b.graph.place(body)
    _run(b, node, leave, header, tested=ends is not None)
    b.jump(header)
    b.graph.loop(header, mark, kind, cursors)
    b.graph.place(leave)


def _counted(
    name: re.Match[bytes] | None, condition: Syntax | None
) -> tuple[Syntax, Syntax, Syntax] | None:
    """Return what a macro counts, from where and up to where; None for any other loop."""
    positions = iterator_range(name.group().decode("latin-1")) if name is not None else None
    if positions is None or condition is None or condition.broken:
        return None
    arguments = tuple(macro_arguments(condition))
    if max(positions) >= len(arguments):
        return None
    cursor, first, end = (arguments[n] for n in positions)
    return (cursor, first, end) if cursor.kind == "identifier" else None


def _lower_range(b: Body, node: Syntax, cursor: Syntax, first: Syntax, end: Syntax) -> None:
    """Lower a macro that counts a variable from a number up to another one."""
    span = b.at or b.unit.span(cursor.start, end.end)
    counted = b.value(cursor)
    b.emit(Assign(counted, b.value(first), span))

    def test(body: int, leave: int) -> None:
        b.graph.end(Branch(Binary("<", counted, b.value(end)), body, leave, span))

    def update() -> None:
        b.emit(Assign(counted, Binary("+", counted, Const(1)), span))

    _lower_steps(b, node, test, update)


def _lower_steps(
    b: Body,
    node: Syntax,
    test: Callable[[int, int], None],
    update: Callable[[], None],
    *,
    tested: bool = False,
) -> None:
    """Lower a loop whose update is the target of `continue`."""
    header, body, step, leave = (b.graph.block() for _ in range(4))
    mark = b.graph.mark
    b.graph.place(header)
    test(body, leave)
    b.graph.place(body)
    _run(b, node, leave, step, tested=tested)
    b.graph.place(step)
    update()
    b.jump(header)
    b.graph.loop(header, mark, "for")
    b.graph.place(leave)


def _iterate(
    b: Body, macro: str, condition: Syntax | None, start: int, body: int, leave: int
) -> tuple[str, ...]:
    """Write an iterator's step; return the variables that the macro may assign."""
    if condition is not None and condition.broken:
        b.lose(condition)
    end = start + len(macro) if condition is None else condition.end
    span = b.at or b.unit.span(start, end)
    args = tuple(b.value(a) for a in macro_arguments(condition))
    result = b.temporary()
    b.emit(Iterate(result, macro, args, span))
    b.graph.end(Branch(result, body, leave, span))
    return _cursors(macro, args)


def _cursors(macro: str, args: Sequence[Expr]) -> tuple[str, ...]:
    positions = iterator_cursors(macro)
    chosen = args if positions is None else [args[n] for n in positions if n < len(args)]
    places = (a.operand if isinstance(a, Unary) and a.op == "&" else a for a in chosen)
    return tuple(root(p) for p in places if not isinstance(p, Unary))


def lower_for(b: Body, node: Syntax) -> None:
    """Lower `for`."""
    b.scopes.append({})
    initializer, condition, update = (
        node.child("initializer"), node.child("condition"), node.child("update")
    )  # fmt: skip
    if initializer is not None:
        if initializer.broken:
            b.lose(initializer)
        elif initializer.kind == "declaration":
            b.statement(initializer)
        else:
            b.effect(initializer)

    ends = _exit_test(b, node) if condition is None else None

    def test(body: int, leave: int) -> None:
        if ends is not None:
            branch_readable(b, ends, node, leave, body)
        elif condition is None:
            b.jump(body)
        else:
            branch_readable(b, condition, node, body, leave)

    def advance() -> None:
        if update is not None and not update.broken:
            b.effect(update)
        elif update is not None:
            b.lose(update)

    _lower_steps(b, node, test, advance, tested=ends is not None)
    b.scopes.pop()


def lower_do(b: Body, node: Syntax) -> None:
    """Lower `do`; one whose condition is literally false is no loop."""
    condition = node.child("condition")
    header, test, leave = b.graph.block(), b.graph.block(), b.graph.block()
    mark = b.graph.mark
    b.graph.place(header)
    _run(b, node, leave, test)
    b.graph.place(test)
    if condition is not None and b.plain(condition).strip("() ") in ("0", "false"):
        b.graph.place(leave)
        return
    cursors: tuple[str, ...] = ()
    word = _WORD_BEFORE.search(b.unit.code, node.start, condition.start if condition else node.end)
    if word is None or word[1] == b"while":
        branch_readable(b, condition, node, header, leave)
    else:
        cursors = _iterate(b, word[1].decode("latin-1"), condition, word.start(1), header, leave)
    b.graph.loop(header, mark, "do", cursors)
    b.graph.place(leave)


def _exit_test(b: Body, node: Syntax) -> Syntax | None:
    """Return the condition of `if (...) break;` with which a loop's body begins, if it does.

    Where nothing else ends the loop that is its condition, the other way round.
    """
    body = node.child("body")
    first = body.children[0] if body is not None and body.children else None
    if first is None or body is None or body.kind != "compound_statement" or first.broken:
        return None
    if first.kind != "if_statement" or not b.unit.text.startswith(b"if", first.start):
        return None
    then = first.child("consequence")
    if then is not None and then.kind == "compound_statement" and len(then.children) == 1:
        then = then.children[0]
    ends = then is not None and then.kind == "break_statement"
    return first.child("condition") if ends and first.child("alternative") is None else None


def _run(b: Body, node: Syntax, leave: int, again: int, *, tested: bool = False) -> None:
    """Lower a loop's body between the targets of `break` and `continue`.

    tested: without what it begins with, which has been lowered as the loop's condition.
    """
    body = node.child("body")
    b.breaks.append(leave)
    b.continues.append(again)
    if tested and body is not None:
        b.scopes.append({})
        for part in body.children[1:]:
            b.statement(part)
        b.scopes.pop()
    elif body is not None:
        b.statement(body)
    b.breaks.pop()
    b.continues.pop()
