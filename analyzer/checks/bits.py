"""Find names of page flags that are used as a bit although they are a page type now."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from analyzer.c.unit import Unit
from analyzer.checks.habits import having
from analyzer.compare import Sides
from analyzer.findings import Cause, Finding, Step
from analyzer.flow.program import Program
from analyzer.migrations import Forbidden, Obligation
from analyzer.pages.laws import HEADER
from analyzer.rules import Rule


def find_bits(sides: Sides, rules: Mapping[str, Rule]) -> tuple[Finding, ...]:
    """Return uses of a bit's name that a migration forbids, where they or the migration are new."""
    rule, found = rules["stale-test"], []
    for migration in sides.described:
        has = having(migration, sides)
        if not has.after:
            continue
        for obligation in migration.obligations:
            if obligation.must_not is Forbidden.USE_AS_BIT:
                known = _keys(sides.programs.before, obligation) if has.before else frozenset()
                found += [
                    _finding(rule, unit, name, m, obligation)
                    for unit, name, m in _uses(sides.programs.after, obligation)
                    if (unit.path, name, m[0]) not in known
                ]
    return tuple(found)


def _keys(program: Program, obligation: Obligation) -> frozenset[tuple[str, str, bytes]]:
    return frozenset((unit.path, name, m[0]) for unit, name, m in _uses(program, obligation))


def _uses(program: Program, obligation: Obligation) -> Iterator[tuple[Unit, str, re.Match[bytes]]]:
    """Yield where a bit's name is passed to a bit operation, shifted by or made a mask of."""
    word = f"PG_{obligation.what.lower()}"
    use = re.compile(
        rf"(?:\b_*(?:test|set|clear|change)(?:_and_\w+)?_bit\s*\(|\bBIT\s*\(|<<)\s*({word})\b".encode()
    )
    for path in program.paths:
        if path == HEADER:
            continue
        unit = program.unit(path)
        for m in use.finditer(unit.flat):
            inside = program.enclosing(path, m.start())
            yield unit, inside.name if inside is not None else "", m


def _finding(
    rule: Rule, unit: Unit, name: str, m: re.Match[bytes], obligation: Obligation
) -> Finding:
    word = m[1].decode()
    span = unit.span(m.start(1), m.end(1))
    where = f"{name}() uses" if name else "a macro or table uses"
    return Finding(
        rule=rule.id,
        function=name,
        file=unit.path,
        operation=" ".join(m[0].decode("latin-1").split()),
        span=span,
        severity=rule.severity,
        confidence=rule.confidence,
        message=f"{where} {word} as a bit: {obligation.text}",
        cause=Cause(span, name),
        trace=(Step(span, name, f"{word} is no bit of page->flags"),),
    )
