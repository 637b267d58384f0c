"""Say that a patch does the same with every page, of what that is known, and of what it is not."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from difflib import SequenceMatcher
from typing import NamedTuple

from analyzer.base import Gap, Pair
from analyzer.c.unit import Unit, scan_unit
from analyzer.checks.contracts import is_same
from analyzer.comparison.compare import Sides
from analyzer.idle.edits import edits_of
from analyzer.pages.facts import load_facts
from analyzer.pages.machine import TYPE, called
from analyzer.program.program import Program
from analyzer.tree import is_source

#: What looks like an accessor of a page's state, or like one of its bits.
_ACCESSOR = re.compile(
    r"\b(?:_*(?:Test)?(?:Set|Clear)?Page[A-Z]\w*|_*folio_(?:test|set|clear)_\w+|PG(?:TY)?_\w+)\b"
)


class Edit(NamedTuple):
    """What looks like accessors in the lines of a function that differ; name is empty around them.

    line is where the function begins in the tree after, from 1; 0 where it has none.
    """

    path: str
    name: str
    line: int
    words: tuple[str, ...]


def edited(sides: Sides, changed: Iterable[str]) -> tuple[Edit, ...]:
    """Return what differs in files, function by function."""
    return tuple(edit for path in changed if is_source(path) for edit in _edited(path, sides))


def why_same(sides: Sides, edits: Iterable[Edit]) -> str:
    """Return in words that nothing is seen to move; "" where something does, or it is not known.

    Of what is not tracked nothing is known: a patch that has to do with another type or flag, or
    changes what operations do, does not get it.
    """
    before, after = sides.behaviours.before, sides.behaviours.after
    lawful = before.space == after.space and before.types_forgotten == after.types_forgotten
    if not lawful or not after.is_whole or not is_same(sides):
        return ""
    followed, edits = _followed(sides), tuple(edits)
    if any(w not in followed for edit in edits for w in edit.words):
        return ""
    if any(unreached(sides, edits)) or any(unlisted(sides)):
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


def unfollowed(sides: Sides, edits: Iterable[Edit]) -> Iterator[Gap]:
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
    for path, name, line, words in edits:
        for label in dict.fromkeys(labels[w] for w in words if w in labels):
            detail = f"what is Page{label} is not followed: no migration describes it"
            yield Gap("type", path, line, name, detail)


def unreached(sides: Sides, edits: Iterable[Edit]) -> Iterator[Gap]:
    """Admit where functions that no page is seen to come to do something else to pages now.

    Of a type that is followed for this patch alone, where no page is seen to come to what differs.
    """
    before, after = sides.behaviours.before, sides.behaviours.after
    reached, followed = before.reached | after.reached, _followed(sides)
    own, met = _followed_always(sides), _met(sides)
    for path, name, line, words in edits:
        if not name:
            continue
        ops = [after.space.operations[w] for w in words if w in followed]
        if (path, name) in reached:
            ops = [op for op in ops if op.label not in own and (path, name, op.name) not in met]
        for label, dimension in dict.fromkeys(
            (op.label, op.dimension) for op in ops if not op.is_test
        ):
            if sides.is_changed((path, name), dimension):
                detail = f"what it does to {called(label)} is not followed"
                yield Gap("reach", path, line, name, detail)


def _followed_always(sides: Sides) -> frozenset[str]:
    """Return the types and flags that are followed whatever a patch sets or clears."""
    facts = load_facts()
    described = (label for d in sides.described for label in (*d.types, *d.flags))
    return frozenset((*facts.types, *facts.flags, *described, *brought_by(sides)))


def _met(sides: Sides) -> frozenset[tuple[str, str, str]]:
    """Return the functions, each with an operation in it that a page is seen to come to."""
    both = (sides.behaviours.before, sides.behaviours.after)
    return frozenset((*o.id, o.operation) for b in both for o in b.observations)


def unlisted(sides: Sides) -> Iterator[Gap]:
    """Admit where pages change on a list now, so that who takes them off knows nothing of them."""
    before, after = sides.behaviours.before, sides.behaviours.after
    for place, (path, name) in sorted(after.altered.items()):
        known = any(page.types != before.space.every for page in before.lists.get(place, ()))
        if known and place not in before.altered:
            line = sides.programs.after.unit(path).definitions[name][0].span.line
            held = place.rpartition("#")[2]
            detail = f"pages that it puts on {held} change there; who takes them is not followed"
            yield Gap("list", path, line, name, detail)


def _followed(sides: Sides) -> frozenset[str]:
    """Return the accessors of the types and flags that are tracked."""
    facts = sides.facts
    return frozenset(
        op.name
        for op in sides.behaviours.after.space.operations.values()
        if (op.label in facts.types if op.dimension == TYPE else op.dimension in facts.flags)
    )


def _edited(path: str, sides: Sides) -> Iterator[Edit]:
    """Yield the functions of a file that differ; what differs around them last."""
    units = sides.programs.map(lambda program: _unit(program, path))
    edits = edits_of(units)
    for name in sorted(edits.functions):
        line = next((d.span.line for d in units.after.definitions.get(name, ())), 0)
        yield Edit(path, name, line, _accessors(_apart(units, name)))
    yield Edit(path, "", 0, _accessors(edits.lines))


def _accessors(lines: Iterable[str]) -> tuple[str, ...]:
    """Return what looks like an accessor in lines."""
    return tuple(w for line in lines for w in _ACCESSOR.findall(line))


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
