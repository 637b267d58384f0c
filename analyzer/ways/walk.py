"""Walk one path of a function for one page in a given state, and note what happens to it."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from analyzer.c import ir
from analyzer.pages.facts import Facts
from analyzer.pages.machine import TYPE, Operation, Space, Verb
from analyzer.program.defs import Place
from analyzer.program.shape import names_in
from analyzer.ways.body import Body, Done
from analyzer.ways.naming import stands_for
from analyzer.ways.state import PRINTS, Held, Path, Way, spell


def no_function(_name: str) -> ir.Function | None:
    """Return None: nothing is known of the file at hand."""
    return None


@dataclass(frozen=True, slots=True)
class World:
    """What a tree's calls mean for a page."""

    space: Space
    facts: Facts
    touching: frozenset[str]  # further calls that read or write a flag that moves
    pure: frozenset[str]
    typed: frozenset[str] = frozenset()  # calls that tell whether the page has any type
    printing: frozenset[str] = frozenset()  # calls that tell a reader something and do no more
    #: A static function of the file at hand, by its name; None where there is none of the kind.
    small: Callable[[str], ir.Function | None] = no_function

    @property
    def quiet(self) -> frozenset[str]:
        """Return the calls of which it does not matter what they are passed."""
        return self.pure | self.printing


#: What was decided of conditions that do not depend on the page.
Choices = Mapping[str, bool]

_COMPARED: Mapping[str, Callable[[int, int], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class UndecidedError(Exception):
    """A condition was met that nothing decides yet."""

    def __init__(self, condition: str) -> None:
        super().__init__(condition)
        self.condition = condition


@dataclass
class Walk:
    """A walk along one path through a body; it stops where nothing decides a condition.

    There it can be forked, and goes on with the condition decided either way.
    """

    body: Body
    values: Mapping[str, int]
    world: World
    place: Place | None  # None where the path has ended
    held: Held
    instead: tuple[int, Held] | None = None  # the test at an offset is answered for this state
    at_end: bool = False  # all of the block but its end was done
    strange: frozenset[str] = frozenset()  # names that have become those of another page
    known: dict[str, int] = field(default_factory=dict)
    seen: set[object] = field(default_factory=set)
    ways: set[Way] = field(default_factory=set)
    told: set[str] = field(default_factory=set)

    def fork(self) -> Walk:
        """Return another walk that has come the same way."""
        return replace(
            self,
            known=dict(self.known),
            seen=set(self.seen),
            ways=set(self.ways),
            told=set(self.told),
        )

    @property
    def path(self) -> Path:
        """Return what has happened."""
        return Path(frozenset(self.ways), frozenset(self.told))

    def go(self, choices: Choices) -> str | None:
        """Follow the path to its end; return the condition that the choices do not decide."""
        while self.place is not None:
            if not self.at_end:
                state = (self.place, frozenset(self.known.items()), self.held, self.strange)
                if state in self.seen:
                    self.ways.add(Way("goes on", "in the loop"))
                    self.place = None
                    break
                self.seen.add(state)
                if not self._steps(self.place):
                    self.place = None
                    break
                self.at_end = True
            try:
                self.place = self._leave(self.body.variant.blocks[self.place.block].end, choices)
            except UndecidedError as undecided:
                return undecided.condition
            self.at_end = False
        return None

    def _steps(self, place: Place) -> bool:
        """Do what a block does; tell whether the path reaches its end.

        It does the same wherever the same is known of what is named in it: paths are many, and
        blocks are few.
        """
        names = self.body.names_in_block(place.block)
        known = frozenset(k for k in self.known.items() if k[0] in names)
        key = (place, self.held, known, self.strange & names)
        done = self.body.done.get(key)
        if done is None:
            aside = replace(self, known=dict(self.known), ways=set(), told=set())
            reaches = aside._do(place)
            changes = {n: aside.known.get(n) for n in names}
            changes = {n: v for n, v in changes.items() if v != self.known.get(n)}
            strange = aside.strange & names
            done = Done(reaches, aside.held, aside.ways, aside.told, changes, strange)
            self.body.done[key] = done
        for name, value in done.known.items():
            self._put(self.known, name, value)
        self.ways |= done.ways
        self.told |= done.told
        self.strange = (self.strange - names) | done.strange
        self.held = done.held
        return done.reaches

    def _do(self, place: Place) -> bool:
        """Do the steps of a block one by one."""
        steps = self.body.variant.blocks[place.block].instructions
        for n in range(place.index, len(steps)):
            if Place(place.block, n + 1) in self.body.renewals:  # from here on it is another page
                self.ways.add(Way("goes on", "to the next page"))
                return False
            after = self._step(steps[n], self.known, self.held)
            self._rename(steps[n])
            if after is None:
                return False
            self.held = after
        return True

    def _leave(self, end: ir.Terminator, choices: Choices) -> Place | None:
        """Return where a block leads to; None where the path ends."""
        match end:
            case ir.Jump(target):
                return Place(target, 0)
            case ir.Branch(cond, then, orelse):
                return Place(then if self._decide(cond, choices) else orelse, 0)
            case ir.Return(value):
                text = "" if value is None else self._text(value, self.known)
                self.ways.add(Way("returns", text))
            case ir.Stop():
                self.ways.add(Way("fails", "for good"))
        return None

    def _decide(self, cond: ir.Expr, choices: Choices) -> bool:
        """Return which way a branch goes; what depends on nothing known is a choice."""
        names = self.body.names_of(cond)
        key = (id(cond), frozenset(k for k in self.known.items() if k[0] in names))
        asked = self.body.asked.get(key)
        if asked is None:
            asked = self.body.asked[key] = self._condition(cond)
        value, text, turned = asked
        if value is None:
            if text not in choices:
                raise UndecidedError(text)
            value = choices[text]
        return value is not turned

    def _condition(self, cond: ir.Expr) -> tuple[bool | None, str, bool]:
        """Return whether a condition holds, or else its text; and whether it is turned round."""
        match cond:
            case ir.Unary("!", operand):
                value, text, turned = self._condition(operand)
                return value, text, not turned
            case ir.Cast(_, operand):
                return self._condition(operand)
        number = self._value(cond, self.known)
        if number is not None:
            return number != 0, "", False
        text = self.body.text_of(cond, self.known)
        turned = isinstance(cond, ir.Binary) and cond.op == "!="
        if turned:  # the same condition as with ==, told the other way round
            text = text.replace(" != ", " == ", 1)
        return None, text, turned

    def _step(self, step: ir.Instruction, known: dict[str, int], held: Held) -> Held | None:
        """Do one step; None where the path ends."""
        match step:
            case ir.Assign(ir.Name(id), value):
                number = self._value(value, known)
                if not (id.startswith("%") or id in self.body.own):
                    self.ways.add(Way("stores", f"{id} = {self._text(value, known)}"))
                elif number is None and id in self.body.telling and not _is_call(value):
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

    def _rename(self, step: ir.Instruction) -> None:
        """Note which names name the page after a step, and which do no more."""
        match step:
            case ir.Assign(ir.Name(id), value):
                self._named(id, is_page=self._is_page(value))
            case ir.Call(result, callee, args):
                for a in args:
                    if isinstance(a, ir.Unary) and isinstance(a.operand, ir.Name) and a.op == "&":
                        self._named(a.operand.id, is_page=False)  # it may be given another
                name = callee.id if isinstance(callee, ir.Name) else ""
                named = stands_for(name, args, self.world.facts)
                self._named(result.id, is_page=named is not None and self._is_page(named))
            case ir.Iterate(_, _, args):
                for name in {n for a in args for n in self.body.names_of(a)}:
                    self._named(name, is_page=False)
            case ir.Havoc(names):
                self.strange |= names & self.body.forming

    def _named(self, name: str, *, is_page: bool) -> None:
        if is_page:
            self.strange -= {name}
        elif name in self.body.forming:
            self.strange |= {name}

    def _is_page(self, e: ir.Expr) -> bool:
        return self.body.is_page(e, lambda part: self._value(part, self.known), self.strange)

    def _put(self, known: dict[str, int], name: str, value: int | None) -> None:
        if value is None:
            known.pop(name, None)
        else:
            known[name] = value

    def _call(self, call: ir.Call, known: dict[str, int], held: Held) -> Held | None:
        name = call.callee.id if isinstance(call.callee, ir.Name) else ""
        op = self.world.space.operations.get(name)
        pages = [n for n, a in enumerate(call.args) if self._is_page(a)]
        mine = bool(pages)
        for a in call.args:  # what is passed out may be written
            if isinstance(a, ir.Unary) and a.op == "&":
                for other in names_in(a):
                    known.pop(other, None)
        if op is not None and mine:
            return self._operate(op, call, known, held)
        made = self.world.facts.resets.get(name, len(call.args))
        if made in pages:
            held = Held(frozenset())  # made anew: what it came with is gone
        if mine and name in self.world.typed:
            known[call.result.id] = int(held.type != "")
            return held
        if name in self.values and (mine or not call.args):
            known[call.result.id] = self.values[name]
            return held
        known.pop(call.result.id, None)
        plain = len(pages) == 1 and isinstance(call.args[pages[0]], ir.Name)
        answer = self.body.answer(name, pages[0], held) if plain else None
        if answer is not None:
            known[call.result.id] = answer[0]
            self.told |= answer[1]
            return held
        if mine and name in self.world.touching:
            self.ways.add(Way("calls", f"{name}() on a page that is {spell(held)}"))
            return held
        if name in self.world.pure or name in self.world.facts.identities:
            return held
        if op is not None and op.is_test:
            return held
        args = ", ".join(self._text(a, known) for a in call.args)
        kind = PRINTS if name in self.world.printing else "calls"
        self.ways.add(Way(kind, f"{self._text(call.callee, known)}({args})"))
        return held

    def _operate(
        self, op: Operation, call: ir.Call, known: dict[str, int], held: Held
    ) -> Held | None:
        """Apply an accessor to the page."""
        if op.verb is Verb.TEST:
            told = held
            if self.instead is not None and self.instead[0] == call.span.start:
                told = self.instead[1]
            has = told.type == op.label if op.dimension == TYPE else op.label in told.flags
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
            case ir.Binary("==" | "!=" | "<" | "<=" | ">" | ">=" as op, left, right):
                one, other = self._value(left, known), self._value(right, known)
                return None if one is None or other is None else int(_COMPARED[op](one, other))
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


def _is_call(e: ir.Expr) -> bool:
    """Tell whether a value is what a call has just given, or another name of something."""
    return isinstance(e, ir.Name)
