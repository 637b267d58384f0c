"""Define a page's sources, and the place in a body at which they are asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.pages.provenance import UNKNOWN
from analyzer.program.defs import Place
from analyzer.program.shape import names_in, shape_of

#: The kinds that leave open which page it is.
_OPEN = frozenset((UNKNOWN, "walker", "mapped", "any", "listed"))


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Where a page comes from: the kind, and in words what says so (or what is missing).

    is_page tells whether a pointer to the page was at hand there, and not a mere number.
    """

    kind: str
    why: str
    is_page: bool = True

    @property
    def tells(self) -> bool:
        """Tell whether the kind says which pages they are."""
        return self.kind not in _OPEN

    @property
    def is_open(self) -> bool:
        """Tell whether nothing is known of where it comes from."""
        return self.kind in (UNKNOWN, "walker")


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a variant of a function, and how the page is asked for there.

    depth says how many calls are still followed; walked, whether a loop counts through what names
    the page; is_page, whether that is a pointer to it and not a number.
    """

    function: ir.Function
    variant: ir.Variant
    place: Place
    depth: int
    walked: bool = False
    is_page: bool = True

    @property
    def id(self) -> FunctionId:
        """Return the function as (path, name)."""
        return (self.function.path, self.function.name)

    @property
    def number(self) -> Spot:
        """Return the spot with the page asked for by a number or an address."""
        return replace(self, is_page=False)

    @property
    def deeper(self) -> Spot:
        """Return the spot with one call fewer to follow."""
        return replace(self, depth=self.depth - 1)

    def at(self, place: Place) -> Spot:
        """Return another place of the same body."""
        return replace(self, place=place)

    def inside(self, function: ir.Function, variant: ir.Variant, place: Place) -> Spot:
        """Return a place of another body, one call away."""
        return replace(self, function=function, variant=variant, place=place, depth=self.depth - 1)

    def counted(self, *parts: ir.Expr) -> Spot:
        """Return the spot, walked where a loop counts through one of the parts."""
        names = {n for e in parts for n in names_in(e)}
        walked = any(names & advanced for advanced in shape_of(self.variant).advanced)
        return replace(self, walked=self.walked or walked)

    def unknown(self, why: str) -> frozenset[Source]:
        """Return the source of which nothing is known; of a number that is walked, that it is."""
        kind = "walker" if self.walked and not self.is_page else UNKNOWN
        return frozenset((Source(kind, why, self.is_page),))

    def told(self, kind: str, why: str) -> frozenset[Source]:
        """Return one source."""
        return frozenset((Source(kind, why, self.is_page),))

    def is_local(self, id: str) -> bool:
        """Tell whether a name is a parameter, local variable or temporary."""
        return id.startswith("%") or bool(self.type_of(id)) or id in self.variant.locals

    def is_param(self, id: str) -> bool:
        """Tell whether a name is a parameter."""
        return any(p.name == id for p in self.function.params)

    def type_of(self, id: str) -> str:
        """Return the declared type of a local variable."""
        for p in self.function.params:
            if p.name == id:
                return p.type
        return self.variant.locals.get(id, "")

    @property
    def types(self) -> tuple[str, ...]:
        """Return the types of all that is declared in the function."""
        return (*(p.type for p in self.function.params), *self.variant.locals.values())


def is_amount(e: ir.Expr) -> bool:
    """Tell whether an expression is a mere number: a constant, or named as one."""
    match e:
        case ir.Const():
            return True
        case ir.Name(id):
            return id.isupper() and not id.startswith("%")
        case ir.Binary(_, left, right):
            return is_amount(left) and is_amount(right)
        case ir.Cast(_, operand) | ir.Unary(_, operand):
            return is_amount(operand)
    return False


def text_of(e: ir.Expr) -> str:
    """Write an expression for a reader."""
    match e:
        case ir.Name(id):
            return "it" if id.startswith("%") else id
        case ir.Field(base, name, arrow):
            return f"{text_of(base)}{'->' if arrow else '.'}{name}"
        case ir.Unary(op, operand):
            return f"{op}{text_of(operand)}"
        case ir.Index(base, _):
            return f"{text_of(base)}[]"
        case ir.Cast(_, operand):
            return text_of(operand)
    return "a value"
