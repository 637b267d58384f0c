"""Choose `#if` arms: one text for each way to compile a stretch of code that matters."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from analyzer.c.blank import Directive, blank_ranges
from analyzer.c.conditionals import ARMS, OPENING, Test, holds, parse_test, symbols
from analyzer.c.ir import Conditions
from analyzer.c.unit import Unit

#: A decision tree with more leaves than this many times the bound is not walked to its end.
_PATIENCE = 8
_SOLID = re.compile(rb"\S")
#: With more groups, arms or symbols than this no tree is walked: only its two extreme leaves count.
_MOST = 64


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of an `#if` group: its own test (not that of the arms before), its text."""

    test: Test
    start: int
    end: int
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The arms between an `#if` and its `#endif`."""

    arms: tuple[Arm, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """A stretch of code with one arm of each group kept, and what must hold for that."""

    conditions: Conditions
    text: bytes


@dataclass(frozen=True, slots=True)
class Choices:
    """All choices, or the two extreme ones where there are more than the bound."""

    choices: tuple[Choice, ...]
    complete: bool


def choose(
    unit: Unit, start: int, end: int, known: Mapping[str, bool], *, max_variants: int
) -> Choices:
    """Return the distinct texts of a stretch of a file under consistent configurations.

    The texts have the stretch's length: preprocessor lines and other arms are blanked. A
    condition that does not change the text is left out.
    """
    lines = _within(unit.directives, start, end)
    if not lines:
        return Choices((Choice((), unit.code[start:end]),), True)
    groups, foreign = _groups(lines, end)
    blanks = [(line.start - start, line.end - start) for line in lines]
    blanks += [(a - start, b - start) for a, b in foreign]
    code = blank_ranges(unit.code[start:end], blanks)
    matters = _solid_arms(groups, code, start)
    leaves: list[_Leaf] = []
    if _is_walkable(lines):
        leaves += islice(_leaves(groups, dict(known), True), max_variants * _PATIENCE + 1)
    merged = _merged(leaves, known, matters)
    complete = 0 < len(leaves) <= max_variants * _PATIENCE and len(merged) <= max_variants
    if not complete:
        extremes = [_extreme(groups, known, prefer=value) for value in (True, False)]
        merged = _merged(extremes, known, matters)
    return Choices(
        tuple(
            Choice(conditions, blank_ranges(code, ((a - start, b - start) for a, b in dropped)))
            for dropped, conditions in merged.items()
        ),
        complete,
    )


def _within(lines: Sequence[Directive], start: int, end: int) -> Sequence[Directive]:
    first = bisect_left(lines, start, key=lambda d: d.start)
    return lines[first : bisect_left(lines, end, key=lambda d: d.start)]


def _groups(
    lines: Sequence[Directive], end: int
) -> tuple[tuple[Group, ...], tuple[tuple[int, int], ...]]:
    """Nest conditional lines; also return arms of a group that was open before the first line."""
    top: list[Group] = []
    foreign: list[tuple[int, int]] = []
    open_arms: list[list[Arm]] = []
    tests: list[tuple[Test, int, list[Group]]] = []  # of the arm that is open at each level
    foreign_from = -1

    def close(at: int) -> None:
        test, begin, inner = tests.pop()
        open_arms[-1].append(Arm(test, begin, at, tuple(inner)))

    for line in lines:
        if line.keyword in OPENING:
            open_arms.append([])
            tests.append((parse_test(line), line.end, []))
        elif line.keyword in ARMS:
            if tests:
                close(line.start)
                tests.append((parse_test(line), line.end, []))
            elif foreign_from < 0:
                foreign_from = line.end
        elif line.keyword == "endif":
            if tests:
                close(line.start)
                group = Group(tuple(open_arms.pop()))
                (tests[-1][2] if tests else top).append(group)
            elif foreign_from >= 0:
                foreign.append((foreign_from, line.start))
                foreign_from = -1
    while tests:
        close(end)
        group = Group(tuple(open_arms.pop()))
        (tests[-1][2] if tests else top).append(group)
    return tuple(top), tuple(foreign)


@dataclass(frozen=True, slots=True)
class _Leaf:
    known: Mapping[str, bool]  # in the order of decision
    dropped: tuple[tuple[int, int], ...]


def _is_walkable(lines: Sequence[Directive]) -> bool:
    """Tell whether the decision tree is one that a hand may have written."""
    tests = [parse_test(line) for line in lines if line.keyword in OPENING | ARMS]
    return len(tests) <= _MOST and len({s for t in tests for s in symbols(t)}) <= _MOST


def _extreme(groups: Sequence[Group], known: Mapping[str, bool], *, prefer: bool) -> _Leaf:
    """Return the leaf in which every symbol that is asked for has the same value."""
    decided = dict(known)
    dropped: list[tuple[int, int]] = []
    todo = list(reversed(groups))
    while todo:
        group = todo.pop()
        kept = next((arm for arm in group.arms if _forced(arm.test, decided, prefer)), None)
        dropped += [(arm.start, arm.end) for arm in group.arms if arm is not kept]
        if kept is not None:
            todo += reversed(kept.groups)
    return _Leaf(decided, tuple(dropped))


def _forced(test: Test, decided: dict[str, bool], prefer: bool) -> bool:
    """Decide a test, giving a value to as many symbols as that takes."""
    for symbol in (*symbols(test), ""):
        held = holds(test, decided)
        if held is not None:
            return held
        decided.setdefault(symbol, prefer)
    raise AssertionError("a test whose symbols all have values holds or does not")


def _leaves(groups: Sequence[Group], known: Mapping[str, bool], prefer: bool) -> Iterator[_Leaf]:
    """Walk the decision tree of symbols; each leaf decides every group it meets."""
    if not groups:
        yield _Leaf(known, ())
        return
    group, rest = groups[0], groups[1:]
    for at, arm in enumerate(group.arms):
        held = holds(arm.test, known)
        if held is None:
            symbol = next(s for s in symbols(arm.test) if s not in known)
            for value in (prefer, not prefer):
                yield from _leaves(groups, {**known, symbol: value}, prefer)
            return
        if held:
            others = [(a.start, a.end) for n, a in enumerate(group.arms) if n != at]
            for leaf in _leaves((*arm.groups, *rest), known, prefer):
                yield _Leaf(leaf.known, (*others, *leaf.dropped))
            return
    nothing = [(a.start, a.end) for a in group.arms]
    for leaf in _leaves(rest, known, prefer):
        yield _Leaf(leaf.known, (*nothing, *leaf.dropped))


def _solid_arms(groups: Sequence[Group], code: bytes, start: int) -> frozenset[tuple[int, int]]:
    """Return the arms that have any text."""
    found: set[tuple[int, int]] = set()
    todo = list(groups)
    while todo:
        for arm in todo.pop().arms:
            todo += arm.groups
            if _SOLID.search(code, arm.start - start, arm.end - start):
                found.add((arm.start, arm.end))
    return frozenset(found)


def _merged(
    leaves: Sequence[_Leaf], fixed: Mapping[str, bool], matters: frozenset[tuple[int, int]]
) -> Mapping[tuple[tuple[int, int], ...], Conditions]:
    """Join leaves with the same text; only conditions that all of them share remain."""
    merged: dict[tuple[tuple[int, int], ...], Conditions] = {}
    for leaf in leaves:
        decided = tuple((s, v) for s, v in leaf.known.items() if s not in fixed)
        key = tuple(sorted(matters.intersection(leaf.dropped)))
        if key in merged:
            decided = tuple(c for c in merged[key] if c in decided)
        merged[key] = decided
    return merged
