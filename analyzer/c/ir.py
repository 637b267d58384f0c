"""Define the intermediate form of C: side-effect-free expressions in a control-flow graph."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from analyzer.base import Gap, Span

# Expressions have no side effects: calls, assignments, ++/--, `?:`, `&&`, `||`, `,` and
# statement expressions have been hoisted into instructions and branches by lowering.


@dataclass(frozen=True, slots=True)
class Const:
    """An integer or character constant; NULL is Const(0)."""

    value: int


@dataclass(frozen=True, slots=True)
class Text:
    """A string literal."""

    value: str


@dataclass(frozen=True, slots=True)
class Name:
    """A variable, parameter, enumerator, macro constant, function or temporary (`%1`, `%2` ...).

    `IS_ENABLED(CONFIG_X)` is Name("CONFIG_X").
    """

    id: str


@dataclass(frozen=True, slots=True)
class Field:
    """`base.name` or, with arrow, `base->name`."""

    base: Expr
    name: str
    arrow: bool


@dataclass(frozen=True, slots=True)
class Index:
    """`base[index]`."""

    base: Expr
    index: Expr


@dataclass(frozen=True, slots=True)
class Unary:
    """`!x`, `-x`, `~x`, `*x`, `&x`."""

    op: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Binary:
    """Arithmetic, bitwise, shift or comparison; never `&&`, `||` or `,`."""

    op: str
    left: Expr
    right: Expr


@dataclass(frozen=True, slots=True)
class Cast:
    """`(type)operand`."""

    type: str
    operand: Expr


@dataclass(frozen=True, slots=True)
class Opaque:
    """An expression whose value is unknown; names holds the identifiers in it."""

    text: str
    names: frozenset[str]


Expr = Const | Text | Name | Field | Index | Unary | Binary | Cast | Opaque


@dataclass(frozen=True, slots=True)
class Assign:
    """`target = value`; target is a Name, Field, Index or Unary("*")."""

    target: Expr
    value: Expr
    span: Span


@dataclass(frozen=True, slots=True)
class Call:
    """A call; result is the temporary that holds its value (always given).

    callee is a Name for a direct call and any other expression for a call through a pointer:
    `(*fp)(x)` has callee Unary("*", Name("fp")), `ops->f(x)` has Field(...).
    Type arguments of macros (`list_entry(p, struct page, lru)`) appear as Name("page").
    """

    result: Name
    callee: Expr
    args: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Iterate:
    """One step of an iterator macro: result is true while there is an element.

    Stands in the header block of a loop, once; the macro's cursor and head are among args.
    """

    result: Name
    macro: str
    args: tuple[Expr, ...]
    span: Span


@dataclass(frozen=True, slots=True)
class Check:
    """Stands on the path on which an assertion macro failed; a Stop follows where it is fatal.

    condition is the source text of the macro's condition (true means failure).
    """

    macro: str
    fatal: bool
    condition: str
    span: Span


@dataclass(frozen=True, slots=True)
class Havoc:
    """Something was not understood here: the named variables may hold anything afterwards."""

    names: frozenset[str]
    span: Span


Instruction = Assign | Call | Iterate | Check | Havoc


@dataclass(frozen=True, slots=True)
class Jump:
    """Go on at a block."""

    target: int


@dataclass(frozen=True, slots=True)
class Branch:
    """Go to then where cond is not zero, else to orelse."""

    cond: Expr
    then: int
    orelse: int
    span: Span


@dataclass(frozen=True, slots=True)
class Return:
    """Leave the function; value is None for `return;` and for the end of the body."""

    value: Expr | None
    span: Span


@dataclass(frozen=True, slots=True)
class Stop:
    """No path goes on (BUG(), a fatal assertion, a function that does not return)."""

    span: Span


Terminator = Jump | Branch | Return | Stop


@dataclass(frozen=True, slots=True)
class Block:
    """Instructions in order, then exactly one terminator. Blocks are named by their index."""

    instructions: tuple[Instruction, ...]
    end: Terminator


@dataclass(frozen=True, slots=True)
class Loop:
    """A loop: its header block, all its blocks (header included), the names it assigns.

    The condition is evaluated in the header (for `do`, the header is the first block of the body).
    The update of a `for` belongs to blocks. assigns holds local names whose value the loop changes
    (assignment, ++, --, address passed out).
    """

    header: int
    blocks: frozenset[int]
    assigns: frozenset[str]
    kind: str  # "for", "while", "do", "iterator" or "goto"


#: What must hold of the configuration: ("CONFIG_ZONE_DEVICE", True), ...
Conditions = tuple[tuple[str, bool], ...]


@dataclass(frozen=True, slots=True)
class Param:
    """A parameter; type is its source text without the name, `struct page *` for example."""

    name: str
    type: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Variant:
    """One way to compile a function's body: entry is block 0."""

    conditions: Conditions
    blocks: tuple[Block, ...]
    loops: tuple[Loop, ...]
    locals: Mapping[str, str]  # name -> type text; parameters are not repeated

    @property
    def steps(self) -> Iterator[Instruction]:
        """Yield the instructions of all blocks, block by block."""
        for block in self.blocks:
            yield from block.instructions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Function:
    """A lowered function definition."""

    name: str
    path: str
    span: Span
    static: bool
    returns: str
    params: tuple[Param, ...]
    conditions: Conditions  # of the definition itself (enclosing #if at file scope)
    variants: tuple[Variant, ...]
    gaps: tuple[Gap, ...]


@dataclass(frozen=True, slots=True)
class Signature:
    """What the head of a definition says."""

    returns: str
    params: tuple[Param, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """Where a function is defined, found without parsing.

    span covers header and body; body is the byte offset of the opening brace.
    """

    name: str
    path: str
    span: Span
    body: int
    static: bool
    conditions: Conditions


def successors(end: Terminator) -> tuple[int, ...]:
    """Return the blocks that a terminator leads to."""
    match end:
        case Jump(target):
            return (target,)
        case Branch(_, then, orelse):
            return (then, orelse)
    return ()


def reached(blocks: Sequence[Block], starts: Iterable[int], shut: Collection[int] = ()) -> set[int]:
    """Return the blocks to which ways lead from some, these among them, without passing others."""
    seen = set(starts)
    todo = list(seen)
    while todo:
        for to in successors(blocks[todo.pop()].end):
            if to not in seen and to not in shut:
                seen.add(to)
                todo.append(to)
    return seen
