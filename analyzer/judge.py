"""Judge two trees that were analysed: what is new, what is gone, what was there before."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from analyzer.base import Gap
from analyzer.charge import charged
from analyzer.checks.births import derive_migrations
from analyzer.checks.bits import find_bits
from analyzer.checks.calls import find_calls
from analyzer.checks.comments import find_comments
from analyzer.checks.contracts import SAME, is_same
from analyzer.checks.naming import named
from analyzer.checks.states import find_states, standing
from analyzer.checks.tests import find_tests
from analyzer.checks.unreal import without_unreal
from analyzer.compare import Sides
from analyzer.findings import Finding, Migration, Status, order_of
from analyzer.migrations import Described
from analyzer.pages.facts import Facts
from analyzer.patch.model import Patch
from analyzer.rules import Rule, load_rules


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """What the comparison of two trees shows, and how much was read for it.

    unmoved says in words that nothing that pages go through behaves differently, or nothing.
    """

    findings: tuple[Finding, ...]
    moved: tuple[Migration, ...]
    unmoved: str
    facts: Facts
    gaps: tuple[Gap, ...]
    files: int
    functions: int

    def named(self, described: Iterable[Described], patch: Patch) -> tuple[Migration, ...]:
        """Return what has moved by the names of the described migrations, where one fits."""
        return named(self.moved, described, patch, self.facts)


def judge(sides: Sides, changed: Iterable[str]) -> Judged:
    """Return what is new, what is gone and what was there, and how populations start now."""
    rules = load_rules()
    files, functions = len(sides.programs.after.paths), sides.programs.after.count
    new = found_in(sides, changed, rules)
    gone = tuple(replace(f, status=Status.FIXED) for f in found_in(sides.swapped, changed, rules))
    moved = derive_migrations(sides)
    same = not moved and sides.behaviours.after.is_whole and is_same(sides)
    return Judged(
        findings=(*new, *gone, *standing(sides, rules)),
        moved=moved,
        unmoved=SAME if same else "",
        facts=sides.facts,
        gaps=(
            *sides.behaviours.after.gaps,
            *(g for g in sides.behaviours.before.gaps if g.kind == "budget"),
        ),
        files=files,
        functions=functions,
    )


def findings_of(sides: Sides, changed: Iterable[str]) -> tuple[Finding, ...]:
    """Return everything that is to be said of two trees that were analysed, in order."""
    return tuple(sorted(charged([], judge(sides, changed).findings, 1), key=order_of))


def found_in(
    sides: Sides, changed: Iterable[str], rules: Mapping[str, Rule]
) -> tuple[Finding, ...]:
    """Return what is wrong after and was not before."""
    real = without_unreal(sides)
    found = (
        *find_states(real, rules),
        *find_bits(sides, rules),
        *find_calls(sides.programs, changed, rules),
        *find_comments(sides, derive_migrations(sides), rules),
    )
    told = {(f.file, f.function) for f in found}  # what breaks says more than a test that turned
    return (*found, *(f for f in find_tests(real, rules) if (f.file, f.function) not in told))
