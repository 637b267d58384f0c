"""Read `#if` conditions: what must hold of the configuration for a piece of text to count."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from analyzer.c.blank import Directive
from analyzer.c.ir import Conditions

_DEFINED = re.compile(r"defined\s*\(?\s*(\w+)\s*\)?\Z")
_ENABLED = re.compile(r"IS_(?:ENABLED|BUILTIN|REACHABLE|MODULE)\s*\(\s*(\w+)\s*\)\Z")
_INTEGER = re.compile(r"(0[xX][0-9a-fA-F]+|\d+)[uUlL]*\Z")
#: What is longer or nested deeper than any hand writes it is not taken apart.
_LONGEST, _DEEPEST = 4096, 40
#: So many open groups, and arms before the one at hand, count. The C standard asks for 63.
_LEVELS = 64
OPENING = frozenset({"if", "ifdef", "ifndef"})
ARMS = frozenset({"elif", "elifdef", "elifndef", "else"})


@dataclass(frozen=True, slots=True)
class Symbol:
    """A configuration symbol, or the text of an expression that is not taken apart."""

    name: str


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    operand: Test


@dataclass(frozen=True, slots=True)
class All:
    """Conjunction; empty is true."""

    operands: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Some:
    """Disjunction; empty is false."""

    operands: tuple[Test, ...]


Test = Symbol | Not | All | Some
TRUE, FALSE = All(()), Some(())


def parse_test(directive: Directive) -> Test:
    """Return the condition of one `#if`, `#ifdef`, `#ifndef`, `#elif` or `#else` line."""
    words = directive.argument.split()
    match directive.keyword:
        case "else":
            return TRUE
        case "ifdef" | "elifdef":
            return Symbol(words[0]) if words else FALSE
        case "ifndef" | "elifndef":
            return Not(Symbol(words[0])) if words else TRUE
    return _expression(directive.argument)


def _expression(text: str, depth: int = 0) -> Test:
    text = text.strip()
    if depth > _DEEPEST or len(text) > _LONGEST:
        return Symbol(" ".join(text.split()))
    for operator, combine in (("||", Some), ("&&", All)):
        parts = _split(text, operator)
        if len(parts) > 1:
            return combine(tuple(_expression(p, depth + 1) for p in parts))
    if text.startswith("!") and not text.startswith("!="):
        rest = text[1:].strip()
        if re.match(r"\w+\s*(\(\s*\w*\s*\))?\Z", rest) or _is_wrapped(rest):
            return Not(_expression(rest, depth + 1))
    if _is_wrapped(text):
        return _expression(text[1:-1], depth + 1)
    integer = _INTEGER.match(text)
    if integer:
        return TRUE if integer[1].strip("0xX") else FALSE
    named = _DEFINED.match(text) or _ENABLED.match(text)
    return Symbol(named[1] if named else " ".join(text.split()))


def _split(text: str, operator: str) -> list[str]:
    """Split at an operator of two characters outside parentheses."""
    parts, depth, begin, at = [], 0, 0, 0
    while at < len(text):
        depth += (text[at] == "(") - (text[at] == ")")
        if depth == 0 and text.startswith(operator, at):
            parts.append(text[begin:at])
            begin = at = at + 2
            continue
        at += 1
    return [*parts, text[begin:]]


def _is_wrapped(text: str) -> bool:
    """Tell whether one pair of parentheses encloses the whole text."""
    if not (text.startswith("(") and text.endswith(")")):
        return False
    depth = 0
    for at, char in enumerate(text):
        depth += (char == "(") - (char == ")")
        if depth == 0:
            return at == len(text) - 1
    return False


def holds(test: Test, known: Mapping[str, bool]) -> bool | None:
    """Evaluate a condition; None where what is known does not decide it."""
    match test:
        case Symbol(name):
            return known.get(name)
        case Not(operand):
            held = holds(operand, known)
            return None if held is None else not held
        case All(operands) | Some(operands):
            absorbing = isinstance(test, Some)
            values = [holds(o, known) for o in operands]
            if absorbing in values:
                return absorbing
            return None if None in values else not absorbing
    raise AssertionError("Test is a closed union")


def symbols(test: Test) -> Iterator[str]:
    """Yield the symbols of a condition in textual order."""
    match test:
        case Symbol(name):
            yield name
        case Not(operand):
            yield from symbols(operand)
        case All(operands) | Some(operands):
            for o in operands:
                yield from symbols(o)


def implied(test: Test, value: bool = True) -> Iterator[tuple[str, bool]]:
    """Yield what follows for single symbols from a condition having a value."""
    match test:
        case Symbol(name):
            yield name, value
        case Not(operand):
            yield from implied(operand, not value)
        case All(operands) | Some(operands):
            if isinstance(test, All) == value or len(operands) == 1:
                for o in operands:
                    yield from implied(o, value)


@dataclass(frozen=True, slots=True)
class ConditionMap:
    """What holds of the configuration at each offset of a file."""

    offsets: tuple[int, ...]
    conditions: tuple[Conditions, ...]
    dead: tuple[bool, ...]  # an arm of `#if 0`

    def at(self, offset: int) -> Conditions:
        """Return the CONFIG symbols that are decided at an offset, outermost first."""
        return self.conditions[bisect_right(self.offsets, offset) - 1]

    def is_dead(self, offset: int) -> bool:
        """Tell whether no configuration compiles the text at an offset."""
        return self.dead[bisect_right(self.offsets, offset) - 1]


def map_conditions(lines: Sequence[Directive]) -> ConditionMap:
    """Follow the conditional directives of a file."""
    offsets: list[int] = [0]
    conditions: list[Conditions] = [()]
    dead = [False]
    groups: list[_Group] = []  # that are open
    for line in lines:
        if line.keyword in OPENING:
            groups.append(_Group.of([parse_test(line)], groups[:_LEVELS]))
        elif line.keyword in ARMS and groups:
            arms = groups.pop().arms
            arms.append(parse_test(line))
            groups.append(_Group.of(arms, groups[:_LEVELS]))
        elif line.keyword == "endif" and groups:
            groups.pop()
        else:
            continue
        innermost = groups[min(len(groups), _LEVELS) - 1] if groups else _OUTSIDE
        offsets.append(line.start)
        dead.append(innermost.dead)
        conditions.append(innermost.decided)
    return ConditionMap(tuple(offsets), tuple(conditions), tuple(dead))


@dataclass(frozen=True, slots=True)
class _Group:
    """An open `#if`: the tests of its arms so far, and what holds in the last one of them."""

    arms: list[Test]
    dead: bool
    decided: Conditions

    @classmethod
    def of(cls, arms: list[Test], around: Sequence[_Group]) -> _Group:
        """Return a group inside others, of which the last one knows what holds in all of them."""
        outer = around[-1] if around else _OUTSIDE
        held = All((*map(Not, arms[-_LEVELS:-1]), arms[-1]))
        own = (c for c in implied(held) if c[0].startswith("CONFIG_"))
        decided = tuple(dict.fromkeys((*outer.decided, *own)))
        return cls(arms, outer.dead or holds(held, {}) is False, decided)


_OUTSIDE = _Group([], dead=False, decided=())
