"""Say that a patch does the same with every page, of what that is known, and of what it is not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher

from analyzer.base import Gap, Pair
from analyzer.c.unit import Unit, scan_unit
from analyzer.checks.contracts import is_same
from analyzer.comparison.compare import Sides
from analyzer.idle.edits import edits_of
from analyzer.pages.machine import TYPE, called
from analyzer.program.program import Program
from analyzer.tree import is_source

#: What looks like an accessor of a page's state, or like one of its bits.
_ACCESSOR = re.compile(
    r"\b(?:_*(?:Test)?(?:Set|Clear)?Page[A-Z]\w*|_*folio_(?:test|set|clear)_\w+|PG(?:TY)?_\w+)\b"
)


def why_same(sides: Sides, changed: Iterable[str]) -> str:
    """Return in words that nothing is seen to move; "" where something does, or it is not known.

    Of what is not tracked nothing is known: a patch that has to do with another type or flag, or
    changes what operations do, does not get it.
    """
    before, after = sides.behaviours.before, sides.behaviours.after
    lawful = before.space == after.space and before.types_forgotten == after.types_forgotten
    if not lawful or not after.is_whole or not is_same(sides):
        return ""
    followed, paths = _followed(sides), tuple(changed)
    if any(w not in followed for path in paths for w in _accessors(path, sides)):
        return ""
    if any(unreached(sides, paths)):
        return ""
    facts = sides.facts
    *most, last = (f"Page{label}" for label in dict.fromkeys((*facts.types, *facts.flags)))
    tracked = f"{', '.join(most)} or {last}" if most else last
    return f"no change seen in what is {tracked}"


def brought_by(sides: Sides) -> tuple[str, ...]:
    """Return the titles of the tracked types and flags that only the tree after has."""
    known, found = (
        {op.label for op in b.space.operations.values()}
        for b in (sides.behaviours.before, sides.behaviours.after)
    )
    tracked = {*sides.facts.types, *sides.facts.flags}
    return tuple(sorted((found - known) & tracked)) if known else ()


def unfollowed(sides: Sides, changed: Iterable[str]) -> Iterator[Gap]:
    """Admit where lines that differ set or clear a type of pages that is not tracked.

    Their pages are taken for pages of some other type, wherever they go.
    """
    spaces = sides.behaviours.map(lambda b: b.space)
    labels = {
        op.name: op.label
        for space in (spaces.before, spaces.after)
        for op in space.operations.values()
        if op.dimension == TYPE and not op.is_test and op.label not in sides.facts.types
    }
    for path in changed:
        unit = _unit(sides.programs.after, path)
        for name, lines in _edited(path, sides):
            at = next((d.span.line for d in unit.definitions.get(name, ())), 0)
            words = (w for line in lines for w in _ACCESSOR.findall(line))
            for label in dict.fromkeys(labels[w] for w in words if w in labels):
                detail = f"what is Page{label} is not followed: no migration describes it"
                yield Gap("type", path, at, name, detail)


def unreached(sides: Sides, changed: Iterable[str]) -> Iterator[Gap]:
    """Admit where functions that no page is seen to come to do something else to pages now."""
    before, after = sides.behaviours.before, sides.behaviours.after
    reached, followed = before.reached | after.reached, _followed(sides)
    operations = {**before.space.operations, **after.space.operations}
    for path in changed:
        unit = _unit(sides.programs.after, path)
        for name, lines in _edited(path, sides):
            if not name or (path, name) in reached:
                continue
            words = [w for line in lines for w in _ACCESSOR.findall(line) if w in followed]
            at = next((d.span.line for d in unit.definitions.get(name, ())), 0)
            for label, dimension in dict.fromkeys(
                (op.label, op.dimension) for w in words if not (op := operations[w]).is_test
            ):
                if sides.is_changed((path, name), dimension):
                    detail = f"what it does to {called(label)} is not followed"
                    yield Gap("reach", path, at, name, detail)


def _followed(sides: Sides) -> frozenset[str]:
    """Return the accessors of the types and flags that are tracked."""
    facts = sides.facts
    return frozenset(
        op.name
        for op in sides.behaviours.after.space.operations.values()
        if (op.label in facts.types if op.dimension == TYPE else op.dimension in facts.flags)
    )


def _accessors(path: str, sides: Sides) -> Iterator[str]:
    """Yield what looks like an accessor in the lines of a file that differ."""
    for _, lines in _edited(path, sides):
        for line in lines:
            yield from _ACCESSOR.findall(line)


def _edited(path: str, sides: Sides) -> Iterator[tuple[str, Iterable[str]]]:
    """Yield the functions of a file that differ with the lines that do; around them, "" last."""
    if is_source(path):
        units = sides.programs.map(lambda program: _unit(program, path))
        edits = edits_of(units)
        for name in sorted(edits.functions):
            yield name, _apart(units, name)
        yield "", edits.lines


def _unit(program: Program, path: str) -> Unit:
    return program.unit(path) if program.has(path) else scan_unit(path, b"")


def _lines(unit: Unit, name: str) -> list[str]:
    return [
        line.strip()
        for d in unit.definitions.get(name, ())
        for line in unit.code[d.span.start : d.span.end].decode("latin-1").split("\n")
    ]


def _apart(units: Pair[Unit], name: str) -> Iterator[str]:
    """Yield the lines of a function on either side that the other one lacks, or has elsewhere."""
    sides = units.map(lambda unit: _lines(unit, name))
    matcher = SequenceMatcher(None, sides.before, sides.after, autojunk=False)
    for tag, i, j, m, n in matcher.get_opcodes():
        if tag != "equal":
            yield from (*sides.before[i:j], *sides.after[m:n])
