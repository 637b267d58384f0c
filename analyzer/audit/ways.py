"""Run a function for one page in a given state and see where it ends up and what it does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from analyzer.audit.defs import Place, reaching
from analyzer.audit.names import Names
from analyzer.c import ir
from analyzer.flow.shape import names_in, shape_of
from analyzer.pages.facts import Facts
from analyzer.pages.machine import TYPE, Operation, Space, Verb

#: More path states than this are not explored: the answer is then that it is not known.
_MOST = 3000


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
class Ways:
    """Everything that can happen to a page in one state; told holds the tests that were true."""

    all: frozenset[Way]
    told: frozenset[str]


@dataclass(frozen=True, slots=True)
class World:
    """What a tree's calls mean for a page."""

    space: Space
    facts: Facts
    names: Names
    pure: frozenset[str]


Env = frozenset[tuple[str, int]]


def ways_of(
    variant: ir.Variant,
    at: Place,
    page: ir.Expr,
    held: Held,
    values: Mapping[str, int],
    world: World,
) -> Ways | None:
    """Return what happens from where the page comes into the function; None where it is too much.

    Tests of the page are answered by its state and by the values that are known of its population;
    all other conditions go both ways.
    """
    same = same_page(variant, page, world.facts)
    starts = starts_of(variant, at, page)
    walk = _Walk(variant, same, dict(values), world, renewals=frozenset(starts))
    for start in starts:
        if not walk.explore(start, held):
            return None
    return Ways(frozenset(walk.ways), frozenset(walk.told))


def same_page(variant: ir.Variant, page: ir.Expr, facts: Facts) -> frozenset[str]:
    """Return the variables that name the page, in whatever form."""
    linked: list[set[str]] = []
    for block in variant.blocks:
        for step in block.instructions:
            match step:
                case ir.Assign(ir.Name(id), ir.Name(other)):
                    linked.append({id, other})
                case ir.Call(result, ir.Name(callee), args) if callee in facts.identities:
                    linked.append({result.id, *(n for a in args[:1] for n in names_in(a))})
    same = set(names_in(page))
    changed = True
    while changed:
        before = len(same)
        for names in linked:
            if names & same:
                same |= names
        changed = len(same) > before
    return frozenset(same)


def starts_of(variant: ir.Variant, at: Place, page: ir.Expr) -> tuple[Place, ...]:
    """Return the places where the page comes into the body on the way to a use."""
    found: dict[Place, None] = {}
    for name in names_in(page):
        for reached in reaching(variant, name, at):
            place = reached.place
            found.setdefault(place if reached.step is None else Place(place.block, place.index + 1))
    return tuple(found) or (Place(0, 0),)


@dataclass
class _Walk:
    variant: ir.Variant
    same: frozenset[str]
    values: dict[str, int]
    world: World
    ways: set[Way] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    renewals: frozenset[Place] = frozenset()

    def explore(self, start: Place, held: Held) -> bool:
        """Follow every path from a place; tell whether it came to an end."""
        live = shape_of(self.variant).live
        todo: list[tuple[Place, Env, Held]] = [(start, frozenset(), held)]
        seen = set(todo)
        while todo:
            if len(seen) > _MOST:
                return False
            place, env, now = todo.pop()
            for after in self._block(place, env, now):
                block, env_after, held_after = after
                kept = frozenset(x for x in env_after if x[0] in live[block])
                state = (Place(block, 0), kept, held_after)
                if state not in seen:
                    seen.add(state)
                    todo.append(state)
        return True

    def _block(self, place: Place, env: Env, held: Held) -> Iterator[tuple[int, Env, Held]]:
        block = self.variant.blocks[place.block]
        known = dict(env)
        for n in range(place.index, len(block.instructions)):
            step = block.instructions[n]
            if Place(place.block, n + 1) in self.renewals:  # the page is another one from here on
                self.ways.add(Way("goes on", "to the next page"))
                return
            after = self._step(step, known, held)
            if after is None:
                return
            held = after
        match block.end:
            case ir.Jump(target):
                yield target, frozenset(known.items()), held
            case ir.Branch(cond, then, orelse):
                yield from self._branch(cond, then, orelse, known, held)
            case ir.Return(value):
                text = "" if value is None else self._text(value, known)
                self.ways.add(Way("returns", text))
            case ir.Stop():
                self.ways.add(Way("fails", ""))

    def _branch(
        self, cond: ir.Expr, then: int, orelse: int, known: dict[str, int], held: Held
    ) -> Iterator[tuple[int, Env, Held]]:
        value = self._value(cond, known)
        if value is None or value != 0:
            yield then, self._learnt(cond, known, truth=True), held
        if value is None or value == 0:
            yield orelse, self._learnt(cond, known, truth=False), held

    def _learnt(self, cond: ir.Expr, known: dict[str, int], *, truth: bool) -> Env:
        """Return what is known behind a branch: the same variable tested again goes the same way."""
        match cond:
            case ir.Name(id) if not truth:
                return frozenset({**known, id: 0}.items())
            case ir.Unary("!", ir.Name(id)) if truth:
                return frozenset({**known, id: 0}.items())
        return frozenset(known.items())

    def _step(self, step: ir.Instruction, known: dict[str, int], held: Held) -> Held | None:
        """Do one step; None where the path ends."""
        match step:
            case ir.Assign(ir.Name(id), value):
                self._put(known, id, self._value(value, known))
            case ir.Assign(target, value):
                self.ways.add(Way("stores", f"{_spell(target)} = {self._text(value, known)}"))
            case ir.Call():
                return self._call(step, known, held)
            case ir.Iterate(result, _, args):
                known.pop(result.id, None)
                for a in args:
                    for name in names_in(a):
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
        mine = any(set(names_in(a)) & self.same for a in call.args)
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
        if name in self.world.names and mine and self.world.names[name].verb != "names":
            self.ways.add(Way("calls", f"{name}() on a page that is {spell(held)}"))
            return held
        if name in self.world.pure or name in self.world.facts.identities:
            return held
        if op is not None and op.is_test:
            return held
        args = ", ".join(self._text(a, known) for a in call.args)
        self.ways.add(Way("calls", f"{_spell(call.callee)}({args})"))
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
                value = self._value(operand, known)
                return None if value is None else int(not value)
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
        return _spell(e) if value is None else str(value)


def spell(held: Held) -> str:
    """Say a state in words."""
    words = [*([held.type] if held.type else []), *sorted(held.flags)]
    return ", ".join(words) or "neither"


def _spell(e: ir.Expr) -> str:
    match e:
        case ir.Const(value):
            return str(value)
        case ir.Text(value):
            return f'"{value}"'
        case ir.Name(id):
            return "..." if id.startswith("%") else id
        case ir.Field(base, name, arrow):
            return f"{_spell(base)}{'->' if arrow else '.'}{name}"
        case ir.Index(base, index):
            return f"{_spell(base)}[{_spell(index)}]"
        case ir.Unary(op, operand):
            return f"{op}{_spell(operand)}"
        case ir.Binary(op, left, right):
            return f"{_spell(left)} {op} {_spell(right)}"
        case ir.Cast(_, operand):
            return _spell(operand)
    return "..."
