"""Find names of page flags that are used as a bit although they are a page type now."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from analyzer.c.unit import Unit
from analyzer.checks.habits import having
from analyzer.comparison.compare import Sides
from analyzer.findings import Cause, Finding, Step
from analyzer.migrations import Forbidden, Obligation
from analyzer.pages.laws import HEADER
from analyzer.program.arguments import split_arguments
from analyzer.program.program import Program
from analyzer.rules import Rule

#: The lower-case names of a flag.
Names = tuple[str, ...]


def find_bits(sides: Sides, rules: Mapping[str, Rule]) -> tuple[Finding, ...]:
    """Return uses of a bit's name that a migration forbids, where they or the migration are new."""
    rule, found = rules["stale-test"], []
    for migration in sides.described:
        has = having(migration, sides)
        if not has.after:
            continue
        for obligation in migration.obligations:
            if obligation.must_not is Forbidden.USE_AS_BIT:
                names = sides.behaviours.after.space.spellings(obligation.what)
                known = _keys(sides.programs.before, names) if has.before else frozenset()
                found += [
                    _finding(rule, unit, name, m, obligation)
                    for unit, name, m in _uses(sides.programs.after, names)
                    if (unit.path, name, m[0]) not in known
                ]
    return tuple(found)


def _keys(program: Program, names: Names) -> frozenset[tuple[str, str, bytes]]:
    return frozenset((unit.path, name, m[0]) for unit, name, m in _uses(program, names))


def _uses(program: Program, names: Names) -> Iterator[tuple[Unit, str, re.Match[bytes]]]:
    """Yield where a bit's name is passed to a bit operation, shifted by or made a mask of."""
    word = "|".join(f"PG_{name}" for name in names)
    use = re.compile(
        rf"(?:\b_*(?:test|set|clear|change)(?:_and_\w+)?_bit\s*\(|\bBIT\s*\(|<<)\s*({word})\b".encode()
    )
    for path in program.paths:
        if path == HEADER:
            continue
        unit = program.unit(path)
        shifted = re.compile(rf"\b(\w+)\s*\([^()]*?\b({word})\b[^()]*\)".encode())
        found = list(use.finditer(unit.code))  # in macros as well
        found += [m for m in shifted.finditer(unit.code) if _shifts_by(m, unit)]
        for m in found:
            inside = program.enclosing(path, m.start())
            yield unit, inside.name if inside is not None else "", m


def _shifts_by(call: re.Match[bytes], unit: Unit) -> bool:
    """Tell whether a function of the same file shifts by the parameter that a bit is passed as."""
    word = call[2].decode()
    arguments = split_arguments(call[0], call[0].index(b"(") + 1)
    for d in unit.definitions.get(call[1].decode("latin-1"), ()):
        head, body = unit.code[d.span.start : d.body], unit.code[d.body : d.span.end]
        names = split_arguments(head, head.index(b"(") + 1)
        for argument, parameter in zip(arguments, names, strict=False):
            name = parameter.rpartition(" ")[2].lstrip("*")
            if argument == word and re.search(rf"(?:<<|>>)\s*{name}\b".encode(), body):
                return True
    return False


def _finding(
    rule: Rule, unit: Unit, name: str, m: re.Match[bytes], obligation: Obligation
) -> Finding:
    group = m.re.groups  # the word stands last
    word = m[group].decode()
    span = unit.span(m.start(group), m.end(group))
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
