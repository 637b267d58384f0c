"""Know of a body what the walks through it ask again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from analyzer.c import ir
from analyzer.program.defs import Place
from analyzer.program.shape import names_in
from analyzer.ways.naming import Valued, page_key
from analyzer.ways.state import Held, Way

#: What a function answers for the page, by name, argument and the page's state.
Answering = Callable[[str, int, Held], tuple[int, frozenset[str]] | None]


@dataclass(frozen=True, slots=True)
class Done:
    """What a block does: whether a path reaches its end, and what is other there."""

    reaches: bool
    held: Held
    ways: set[Way]
    told: set[str]
    known: Mapping[str, int | None]  # the variables that change; None where nothing is known then
    strange: frozenset[str]  # of the names in the block, those that name the page no more


@dataclass(frozen=True)
class Body:
    """A variant, what names the page in it, and where the page becomes another."""

    variant: ir.Variant
    same: frozenset[str]  # keys of what names the page, see page_key()
    own: frozenset[str]  # parameters and local variables
    forming: frozenset[str]  # the names that stand in those keys
    renewals: frozenset[Place]
    telling: frozenset[str]  # variables whose value is returned, stored or passed on
    meanings: Mapping[str, str]  # what a temporary stands for
    answer: Answering
    # An expression is written many times over; it is told by its identity, as the body holds it.
    _names: dict[int, frozenset[str]] = field(default_factory=dict)
    _sorted: dict[int, tuple[str, ...]] = field(default_factory=dict)
    _texts: dict[object, str] = field(default_factory=dict)
    _blocks: dict[int, frozenset[str]] = field(default_factory=dict)
    #: What was found out on other paths: what a block does, and which way a condition goes.
    done: dict[object, Done] = field(default_factory=dict)
    asked: dict[object, tuple[bool | None, str, bool]] = field(default_factory=dict)

    def names_in_block(self, block: int) -> frozenset[str]:
        """Return the names in the instructions of a block."""
        found = self._blocks.get(block)
        if found is None:
            steps = self.variant.blocks[block].instructions
            found = self._blocks[block] = frozenset(n for s in steps for n in _named(s))
        return found

    def names_of(self, e: ir.Expr) -> frozenset[str]:
        """Return the names in an expression."""
        found = self._names.get(id(e))
        if found is None:
            found = self._names[id(e)] = frozenset(names_in(e))
        return found

    def is_page(self, e: ir.Expr, value: Valued, strange: frozenset[str]) -> bool:
        """Tell whether an expression names the page; strange names have become others'."""
        if isinstance(e, ir.Opaque):
            return not self.names_of(e).isdisjoint(self.same - strange)
        if not strange.isdisjoint(self.names_of(e)):
            return False
        return page_key(e, value) in self.same

    def text_of(self, e: ir.Expr, known: Mapping[str, int]) -> str:
        """Write an expression, with known numbers put in."""
        names = self._sorted.get(id(e))
        if names is None:
            names = self._sorted[id(e)] = tuple(sorted(self.names_of(e)))
        key = (id(e), *[(n, known[n]) for n in names if n in known])
        found = self._texts.get(key)
        if found is None:
            found = self._texts[key] = spell_expression(e, self.meanings, known)
        return found


def _named(step: ir.Instruction) -> Iterator[str]:
    """Yield the names in an instruction, those that it writes included."""
    match step:
        case ir.Assign(target, value):
            yield from names_in(target)
            yield from names_in(value)
        case ir.Call(result, callee, args):
            yield result.id
            yield from names_in(callee)
            for a in args:
                yield from names_in(a)
        case ir.Iterate(result, _, args):
            yield result.id
            for a in args:
                yield from names_in(a)
        case ir.Havoc(names):
            yield from names


def spell_expression(
    e: ir.Expr, meanings: Mapping[str, str], known: Mapping[str, int] | None = None
) -> str:
    """Write an expression, with temporaries spelled out and known numbers put in."""

    def part(inner: ir.Expr) -> str:
        return spell_expression(inner, meanings, known)

    match e:
        case ir.Const(value):
            return str(value)
        case ir.Text(value):
            return f'"{value}"'
        case ir.Name(id):
            if known and id in known:
                return str(known[id])
            return meanings.get(id, id)
        case ir.Field(base, name, arrow):
            return f"{part(base)}{'->' if arrow else '.'}{name}"
        case ir.Index(base, index):
            return f"{part(base)}[{part(index)}]"
        case ir.Unary(op, operand):
            return f"{op}{part(operand)}"
        case ir.Binary(op, left, right):
            return f"{part(left)} {op} {part(right)}"
        case ir.Cast(_, operand):
            return part(operand)
        case ir.Opaque(text, _):
            return text
    return "..."
