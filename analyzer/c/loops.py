"""Lower loops, and the kernel's macros that head a loop."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from analyzer.c.body import Body
from analyzer.c.expansion import expanded_head
from analyzer.c.facts import iterator_cursors, iterator_range
from analyzer.c.graph import root
from analyzer.c.ir import Assign, Binary, Branch, Const, Expr, Iterate, Unary
from analyzer.c.parser import ERROR, MISSING, Syntax

_WORD_BEFORE = re.compile(rb"([A-Za-z_]\w*)\s*\Z")
_NAME = re.compile(rb"[A-Za-z_]\w*")
#: What a loop steps, one way or another.
_STEPPED = re.compile(r"(\w+)\s*(?:\+\+|--|[-+]=)|(?:\+\+|--)\s*(\w+)|\b(\w+)\s*=[^=;]*\b\3\b")
_ALWAYS = frozenset({"1", "true"})
_ENDS = frozenset({"break_statement", "return_statement", "goto_statement"})


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
    word = "while" if name is None else name.group().decode("latin-1")
    if word == "while" and condition is not None and b.plain(condition).strip("() ") in _ALWAYS:
        ends = _exit_test(b, node)
        if ends is not None:
            _lower_steps(b, node, ends.branch(b, node), ends=ends)
            return
    header, body, leave = b.graph.block(), b.graph.block(), b.graph.block()
    mark = b.graph.mark
    cursors: tuple[str, ...] = ()
    b.graph.place(header)
    if word == "while":
        kind = "while"
        branch_readable(b, condition, node, body, leave)
    else:
        kind = "iterator"
        cursors = _iterate(b, word, condition, node.start, body, leave)
    b.graph.place(body)
    _run(b, node, leave, header)
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
    update: Callable[[], None] = lambda: None,
    *,
    ends: _Exit | None = None,
) -> None:
    """Lower a loop whose update is the target of `continue`; ends is how its body begins."""
    header, body, step, out, leave = (b.graph.block() for _ in range(5))
    mark = b.graph.mark
    b.graph.place(header)
    test(body, out)
    b.graph.place(body)
    _run(b, node, leave, step, ends)
    b.graph.place(step)
    update()
    b.jump(header)
    b.graph.loop(header, mark, "for")
    b.graph.place(out)
    if ends is not None and ends.last is not None:
        b.breaks.append(leave)
        b.statement(ends.last)
        b.breaks.pop()
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
            ends.branch(b, node)(body, leave)
        elif condition is None:
            b.jump(body)
        else:
            branch_readable(b, condition, node, body, leave)

    def advance() -> None:
        if update is not None and not update.broken:
            b.effect(update)
        elif update is not None:
            b.lose(update)

    _lower_steps(b, node, test, advance, ends=ends)
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


@dataclass(frozen=True, slots=True)
class _Exit:
    """The test with which the body of an endless loop begins, that of the loop therefore.

    stays tells which outcome goes on with the loop; then is what is done first in it, and last
    what is done on the way out, where that is more than a break.
    """

    condition: Syntax
    stays: bool
    then: Syntax | None
    last: Syntax | None

    def branch(self, b: Body, node: Syntax) -> Callable[[int, int], None]:
        """Return what branches, given the blocks of the body and of what is done on the way out."""

        def test(body: int, out: int) -> None:
            yes, no = (body, out) if self.stays else (out, body)
            branch_readable(b, self.condition, node, yes, no)

        return test


def _exit_test(b: Body, node: Syntax) -> _Exit | None:
    """Return the `if` with which a loop's body begins and that ends the loop, if it does."""
    body = node.child("body")
    first = body.children[0] if body is not None and body.children else None
    if first is None or body is None or body.kind != "compound_statement" or first.broken:
        return None
    if first.kind != "if_statement" or not b.unit.text.startswith(b"if", first.start):
        return None
    condition, then = first.child("condition"), first.child("consequence")
    alternative = first.child("alternative")
    other = alternative.children[-1] if alternative is not None and alternative.children else None
    if condition is None:
        return None
    for stays, way, rest in ((False, then, other), (True, other, then)):
        steps = _steps(way)
        if not steps or steps[-1].kind not in _ENDS:
            continue
        if len(steps) == 1 and steps[0].kind == "break_statement":
            return _Exit(condition, stays, rest, None)
        if _is_stepped(b, condition, node):
            return _Exit(condition, stays, rest, way)
    return None


def _steps(node: Syntax | None) -> Sequence[Syntax]:
    if node is None:
        return ()
    return node.children if node.kind == "compound_statement" else (node,)


def _is_stepped(b: Body, condition: Syntax, loop: Syntax) -> bool:
    """Tell whether a condition names what the loop steps: any other may end it for a reason."""
    text, asked = b.plain(loop), frozenset(re.findall(r"[A-Za-z_]\w*", b.plain(condition)))
    return any(asked & {m[1], m[2], m[3]} for m in _STEPPED.finditer(text))


def _run(b: Body, node: Syntax, leave: int, again: int, ends: _Exit | None = None) -> None:
    """Lower a loop's body between the targets of `break` and `continue`.

    Without the test with which it begins, where that has been lowered as the loop's condition.
    """
    body = node.child("body")
    b.breaks.append(leave)
    b.continues.append(again)
    if ends is not None and body is not None:
        b.scopes.append({})
        for part in (ends.then, *body.children[1:]):
            if part is not None:
                b.statement(part)
        b.scopes.pop()
    elif body is not None:
        b.statement(body)
    b.breaks.pop()
    b.continues.pop()
