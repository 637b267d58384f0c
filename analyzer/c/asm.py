"""Read the operands of inline assembly from its text."""

from __future__ import annotations

import re

from analyzer.c.body import Body
from analyzer.c.heads import split_arguments
from analyzer.c.ir import Branch, Havoc, Opaque
from analyzer.c.parser import Syntax

_PARENTHESIS = re.compile(rb"[()\[\]:]")
_GOTO = re.compile(rb"[^(]*\bgoto\b|[^(]*goto")
_LABEL = re.compile(r"[A-Za-z_]\w*")


def lower_asm(b: Body, node: Syntax) -> None:
    """Forget what assembly writes, and branch to the labels it may jump to."""
    code, start = b.unit.code, node.start
    sections = _sections(code, start)
    if len(sections) > 1:
        written = b.names(*sections[1])
        if written:
            b.emit(Havoc(written, b.span(node)))
    if len(sections) > 4 and _GOTO.match(code, start):
        for label in split_arguments(code[slice(*sections[4])].decode("latin-1")):
            if _LABEL.fullmatch(label):
                on = b.graph.block()
                condition = Opaque("asm goto", frozenset())
                b.graph.end(Branch(condition, b.label(label), on, b.span(node)))
                b.graph.place(on)


def _sections(code: bytes, start: int) -> list[tuple[int, int]]:
    """Return the stretches between the colons: template, outputs, inputs, clobbers, labels."""
    found: list[tuple[int, int]] = []
    depth, begin = 0, code.find(b"(", start) + 1
    for m in _PARENTHESIS.finditer(code, begin):
        if m.group() in b"([":
            depth += 1
        elif m.group() in b")]":
            depth -= 1
        elif depth == 0:
            found.append((begin, m.start()))
            begin = m.end()
        if depth < 0:
            found.append((begin, m.start()))
            break
    return found
