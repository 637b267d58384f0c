"""Walk one path of a function for one page in a given state, and note what happens to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from analyzer.c import ir
from analyzer.flow.shape import names_in
from analyzer.pages.facts import Facts
from analyzer.pages.machine import TYPE, Operation, Space, Verb
from analyzer.ways.defs import Place


@dataclass(frozen=True, slots=True)
class Held:
    """The state that a page is in: the flags it has, and its type (empty for none)."""

    flags: frozenset[str]
    type: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Way:
    """One thing that happens: "returns", "calls", "writes", "stores", "fails", "goes on"."""

    kind: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind} {self.what}".strip()


@dataclass(frozen=True, slots=True)
class Path:
    """What happens to a page on one path; told holds the tests that were true of it."""

    ways: frozenset[Way]
    told: frozenset[str]


@dataclass(frozen=True, slots=True)
class World:
    """What a tree's calls mean for a page."""

    space: Space
    facts: Facts
    touching: frozenset[str]  # further calls that read or write a flag that moves
    pure: frozenset[str]


#: What was decided of conditions that do not depend on the page.
Choices = Mapping[str, bool]


class UndecidedError(Exception):
    """A condition was met that nothing decides yet."""

    def __init__(self, condition: str) -> None:
        super().__init__(condition)
        self.condition = condition


@dataclass(frozen=True)
class Body:
    """A variant, what names the page in it, and where the page becomes another."""

    variant: ir.Variant
    same: frozenset[str]
    renewals: frozenset[Place]
    telling: frozenset[str]  # variables whose value is returned, stored or passed on
    meanings: Mapping[str, str]  # what a temporary stands for
    # An expression is written many times over; it is told by its identity, as the body holds it.
    _names: dict[int, frozenset[str]] = field(default_factory=dict)
    _texts: dict[object, str] = field(default_factory=dict)

    def names_of(self, e: ir.Expr) -> frozenset[str]:
        """Return the names in an expression."""
        found = self._names.get(id(e))
        if found is None:
            found = self._names[id(e)] = frozenset(names_in(e))
        return found

    def names_page(self, call: ir.Call) -> bool:
        """Tell whether a call is passed the page."""
        return any(self.names_of(a) & self.same for a in call.args)

    def text_of(self, e: ir.Expr, known: Mapping[str, int]) -> str:
        """Write an expression, with known numbers put in."""
        told = tuple((n, known[n]) for n in sorted(self.names_of(e)) if n in known)
        key = (id(e), told)
        found = self._texts.get(key)
        if found is None:
            found = self._texts[key] = spell_expression(e, self.meanings, known)
        return found


@dataclass
class Walk:
    """Walk one path through a body with every condition decided."""

    body: Body
    values: dict[str, int]
    world: World
    choices: Choices
    ways: set[Way] = field(default_factory=set)
    told: set[str] = field(default_factory=set)

    def go(self, start: Place, held: Held) -> Path:
        """Follow the path from a place to its end."""
        known: dict[str, int] = {}
        seen: set[object] = set()
        place: Place | None = start
        while place is not None:
            state = (place, frozenset(known.items()), held)
            if state in seen:
                self.ways.add(Way("goes on", "in the loop"))
                break
            seen.add(state)
            place, held = self._block(place, known, held)
        return Path(frozenset(self.ways), frozenset(self.told))

    def _block(self, place: Place, known: dict[str, int], held: Held) -> tuple[Place | None, Held]:
        block = self.body.variant.blocks[place.block]
        for n in range(place.index, len(block.instructions)):
            step = block.instructions[n]
            if Place(place.block, n + 1) in self.body.renewals:  # from here on it is another page
                self.ways.add(Way("goes on", "to the next page"))
                return None, held
            after = self._step(step, known, held)
            if after is None:
                return None, held
            held = after
        match block.end:
            case ir.Jump(target):
                return Place(target, 0), held
            case ir.Branch(cond, then, orelse):
                return Place(then if self._decide(cond, known) else orelse, 0), held
            case ir.Return(value):
                text = "" if value is None else self._text(value, known)
                self.ways.add(Way("returns", text))
            case ir.Stop():
                self.ways.add(Way("fails", "for good"))
        return None, held

    def _decide(self, cond: ir.Expr, known: dict[str, int]) -> bool:
        """Return which way a branch goes; what depends on nothing known is a choice."""
        match cond:
            case ir.Unary("!", operand):
                return not self._decide(operand, known)
            case ir.Cast(_, operand):
                return self._decide(operand, known)
        value = self._value(cond, known)
        if value is not None:
            return value != 0
        key = self.body.text_of(cond, known)
        turned = isinstance(cond, ir.Binary) and cond.op == "!="
        if turned:  # the same condition as with ==, told the other way round
            key = key.replace(" != ", " == ", 1)
        if key not in self.choices:
            raise UndecidedError(key)
        return self.choices[key] is not turned

    def _step(self, step: ir.Instruction, known: dict[str, int], held: Held) -> Held | None:
        """Do one step; None where the path ends."""
        match step:
            case ir.Assign(ir.Name(id), value):
                number = self._value(value, known)
                if number is None and id in self.body.telling and not _is_call(value):
                    self.ways.add(Way("computes", f"{id} = {self._text(value, known)}"))
                self._put(known, id, number)
            case ir.Assign(target, value):
                self.ways.add(
                    Way("stores", f"{self._text(target, known)} = {self._text(value, known)}")
                )
            case ir.Call():
                return self._call(step, known, held)
            case ir.Iterate(result, _, args):
                known.pop(result.id, None)
                for a in args:
                    for name in self.body.names_of(a):
                        known.pop(name, None)
            case ir.Check(macro, _, condition):
                self.ways.add(Way("fails", f"{macro}({condition})"))
            case ir.Havoc(names):
                for name in names:
                    known.pop(name, None)
        return held

    def _put(self, known: dict[str, int], name: str, value: int | None) -> None:
        if value is None:
            known.pop(name, None)
        else:
            known[name] = value

    def _call(self, call: ir.Call, known: dict[str, int], held: Held) -> Held | None:
        name = call.callee.id if isinstance(call.callee, ir.Name) else ""
        op = self.world.space.operations.get(name)
        mine = self.body.names_page(call)
        for a in call.args:  # what is passed out may be written
            if isinstance(a, ir.Unary) and a.op == "&":
                for other in names_in(a):
                    known.pop(other, None)
        if op is not None and mine:
            return self._operate(op, call, known, held)
        if name in self.values and (mine or not call.args):
            known[call.result.id] = self.values[name]
            return held
        known.pop(call.result.id, None)
        if mine and name in self.world.touching:
            self.ways.add(Way("calls", f"{name}() on a page that is {spell(held)}"))
            return held
        if name in self.world.pure or name in self.world.facts.identities:
            return held
        if op is not None and op.is_test:
            return held
        args = ", ".join(self._text(a, known) for a in call.args)
        self.ways.add(Way("calls", f"{self._text(call.callee, known)}({args})"))
        return held

    def _operate(
        self, op: Operation, call: ir.Call, known: dict[str, int], held: Held
    ) -> Held | None:
        """Apply an accessor to the page."""
        if op.verb is Verb.TEST:
            has = held.type == op.label if op.dimension == TYPE else op.label in held.flags
            known[call.result.id] = int(has)
            if has:
                self.told.add(op.name)
            return held
        known.pop(call.result.id, None)
        if op.dimension == TYPE:
            return self._retype(op, held)
        flags = held.flags - {op.label} if op.verb is Verb.CLEAR else held.flags | {op.label}
        if op.verb in (Verb.TEST_SET, Verb.TEST_CLEAR):
            known[call.result.id] = int(op.label in held.flags)
            flags = held.flags - {op.label} if op.verb is Verb.TEST_CLEAR else flags
        if flags != held.flags:
            self.ways.add(Way("writes", f"{op.label} by {op.name}()"))
        return Held(flags, held.type)

    def _retype(self, op: Operation, held: Held) -> Held | None:
        space = self.world.space
        names = ["" if n == "no type" else n for n in space.names]
        if held.type not in names or not op.steps:
            self.ways.add(Way("calls", f"{op.name}()"))
            return held
        to = op.steps[names.index(held.type)]
        if to is None:
            self.ways.add(Way("fails", f"in {op.name}()"))
            return None
        if names[to] != held.type:
            self.ways.add(Way("writes", f"{op.label} by {op.name}()"))
        return Held(held.flags, names[to])

    # -- values ------------------------------------------------------------------------------

    def _value(self, e: ir.Expr, known: Mapping[str, int]) -> int | None:
        match e:
            case ir.Const(value):
                return value
            case ir.Name(id):
                if id in ("true", "false", "NULL"):
                    return int(id == "true")
                return known.get(id)
            case ir.Cast(_, operand):
                return self._value(operand, known)
            case ir.Unary("!", operand):
                held = self._value(operand, known)
                return None if held is None else int(not held)
            case ir.Binary("==" | "!=" as op, left, right):
                one, other = self._value(left, known), self._value(right, known)
                if one is None or other is None:
                    return None
                return int((one == other) == (op == "=="))
            case ir.Binary("&", left, right):
                one, other = self._value(left, known), self._value(right, known)
                if one == 0 or other == 0:
                    return 0
                return None if one is None or other is None else one & other
            case ir.Binary("|", left, right):
                one, other = self._value(left, known), self._value(right, known)
                return None if one is None or other is None else one | other
        return None

    def _text(self, e: ir.Expr, known: Mapping[str, int]) -> str:
        value = self._value(e, known)
        return self.body.text_of(e, known) if value is None else str(value)


def spell(held: Held) -> str:
    """Say a state in words."""
    words = [*([held.type] if held.type else []), *sorted(held.flags)]
    return ", ".join(words) or "neither"


def _is_call(e: ir.Expr) -> bool:
    """Tell whether a value is what a call has just given, or another name of something."""
    return isinstance(e, ir.Name)


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
