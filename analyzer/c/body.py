"""Keep what lowering one function's body needs to remember."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from analyzer.base import Gap, Span
from analyzer.c.blank import blank_comments
from analyzer.c.graph import Graph
from analyzer.c.ir import Assign, Expr, Havoc, Instruction, Jump, Name, Opaque
from analyzer.c.own import NOTHING, Own
from analyzer.c.parser import Syntax
from analyzer.c.unit import KEYWORDS, Unit

_VARIABLE = re.compile(rb"(?<![\w.>])[A-Za-z_]\w*(?!\w|\s*\()")


@dataclass(frozen=True, slots=True)
class Rules:
    """How the kinds of syntax are lowered; they recur into each other through the body."""

    value: Callable[[Body, Syntax], Expr]
    effect: Callable[[Body, Syntax], None]
    branch: Callable[[Body, Syntax, int, int], None]
    statement: Callable[[Body, Syntax], None]
    block_value: Callable[[Body, Syntax], Expr]


#: Stands for the body of a loop in what its head is expanded to.
HOLE = "__body__"


@dataclass(slots=True)
class Body:
    """The state of lowering one variant of one function."""

    unit: Unit
    function: str
    rules: Rules
    own: Own = NOTHING  # names that mean something else here
    at: Span | None = None  # of the call whose expansion is lowered; unit then is its text
    graph: Graph = field(default_factory=Graph)
    gaps: list[Gap] = field(default_factory=list)
    params: Mapping[str, str] = field(default_factory=dict)  # name -> type
    locals: dict[str, str] = field(default_factory=dict)
    scopes: list[dict[str, str]] = field(default_factory=lambda: [{}])  # name -> unique name
    targets: frozenset[str] = frozenset()  # all labels of the function
    labels: dict[str, int] = field(default_factory=dict)
    breaks: list[int] = field(default_factory=list)
    continues: list[int] = field(default_factory=list)
    cases: dict[int, int] = field(default_factory=dict)  # offset of a case -> its block
    inner: Callable[[], None] | None = None  # lowers the body of the loop whose head is expanded
    temporaries: int = 0

    # Recursion into the rules.

    def value(self, node: Syntax) -> Expr:
        """Lower an expression to a value without side effects."""
        return self.rules.value(self, node)

    def effect(self, node: Syntax) -> None:
        """Lower an expression whose value nobody wants."""
        self.rules.effect(self, node)

    def branch(self, node: Syntax, then: int, orelse: int) -> None:
        """Lower a condition; the current block is ended."""
        self.rules.branch(self, node, then, orelse)

    def statement(self, node: Syntax) -> None:
        """Lower a statement."""
        self.rules.statement(self, node)

    def block_value(self, node: Syntax) -> Expr:
        """Lower a statement expression's block to its value."""
        return self.rules.block_value(self, node)

    # Text.

    def text(self, node: Syntax) -> str:
        """Return the original text of a node."""
        return self.unit.source(node.start, node.end)

    def plain(self, node: Syntax) -> str:
        """Return the text of a node without comments, in one line."""
        return " ".join(uncommented(self.unit, node.start, node.end).split())

    def span(self, node: Syntax) -> Span:
        """Return the span of a node."""
        return self.at or self.unit.span(node.start, node.end)

    def names(self, start: int, end: int) -> frozenset[str]:
        """Return the identifiers in a stretch that name neither a member nor a called function."""
        found = set(_VARIABLE.findall(self.unit.code, start, end)) - KEYWORDS
        return frozenset(self.resolve(w.decode("latin-1")) for w in found)

    def opaque(self, node: Syntax) -> Opaque:
        """Return an expression that is not taken apart."""
        return Opaque(self.plain(node), self.names(node.start, node.end))

    # Variables.

    def temporary(self) -> Name:
        """Return a new temporary."""
        self.temporaries += 1
        return Name(f"%{self.temporaries}")

    def declare(self, name: str, kind: str) -> Name:
        """Declare a variable in the innermost scope; one that hides another is renamed."""
        unique, n = name, 1
        hides = any(name in scope for scope in self.scopes[:-1])
        while (hides and n == 1) or self.locals.get(unique, kind) != kind:
            n += 1
            unique = f"{name}~{n}"
            hides = False
        self.scopes[-1][name] = unique
        self.locals[unique] = kind
        return Name(unique)

    def resolve(self, name: str) -> str:
        """Return the unique name of a variable, or the name itself where it is no local one."""
        for scope in reversed(self.scopes):
            if name in scope:
                return scope[name]
        return name

    def is_local(self, name: str) -> bool:
        """Tell whether a parameter or local variable of that name is visible."""
        return any(name in scope for scope in self.scopes)

    def type_of(self, name: str) -> str | None:
        """Return the type of a parameter or local variable; None where none is visible."""
        if not self.is_local(name):
            return None
        unique = self.resolve(name)
        return self.locals.get(unique, self.params.get(unique, ""))

    # The graph.

    def emit(self, instruction: Instruction) -> None:
        """Append an instruction."""
        self.graph.emit(instruction)

    def assign(self, target: Expr, value: Expr, node: Syntax) -> None:
        """Append an assignment."""
        self.graph.emit(Assign(target, value, self.span(node)))

    def jump(self, block: int) -> None:
        """End the current block with a jump."""
        self.graph.end(Jump(block))

    def label(self, name: str) -> int:
        """Return the block of a label, which may come later."""
        if name not in self.labels:
            self.labels[name] = self.graph.block()
        return self.labels[name]

    # What is not understood.

    def gap(self, kind: str, node: Syntax, detail: str) -> None:
        """Count something that was not understood."""
        line = self.span(node).line
        self.gaps.append(Gap(kind, self.unit.path, line, self.function, detail))

    def lose(self, node: Syntax, why: str = "cannot read") -> None:
        """Give up a piece of code: a gap, and its variables may hold anything."""
        excerpt = self.plain(node)
        if len(excerpt) > 60:
            excerpt = excerpt[:57] + "..."
        self.gap("syntax", node, f"{why} `{excerpt}`")
        self.havoc(node.start, node.end, node)

    def havoc(self, start: int, end: int, node: Syntax) -> None:
        """Forget the local variables that a stretch names."""
        names = frozenset(n for n in self.names(start, end) if n in self.locals or self.is_local(n))
        if names:
            self.emit(Havoc(names, self.span(node)))


def uncommented(unit: Unit, start: int, end: int) -> str:
    """Return original text with its comments blanked and its strings kept."""
    return blank_comments(unit.text[start:end]).decode("latin-1")
