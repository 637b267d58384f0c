"""Spoil the finished change, and rewrite it harmlessly: name the first, pass over the second."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest

from analyzer.base import Severity
from analyzer.findings import Finding
from analyzer.pipeline import check
from analyzer.program.cache import Cache
from analyzer.tree import Tree

from .cases import introduced, spell
from .edits import Change
from .harmless import HARMLESS, Harmless
from .mutations import MUTATIONS
from .places import Mutation
from .trees import TOUCHED, difference, edited

pytestmark = pytest.mark.kernel

Row = Callable[[str, tuple[str, ...]], None]
Run = Callable[[tuple[Change, ...]], tuple[Finding, ...]]


@pytest.fixture(scope="session")
def run(befores: Mapping[str, Tree], afters: Mapping[str, Tree]) -> Run:
    """Return what the tool finds in the change with edits folded in, at warning or above."""
    seen: dict[tuple[Change, ...], tuple[Finding, ...]] = {}
    cache = Cache()

    def found(edits: tuple[Change, ...]) -> tuple[Finding, ...]:
        if edits not in seen:
            series = difference(befores["strict"], edited(afters["strict"], edits, TOUCHED))
            result = check(series, befores["strict"], cache=cache)
            assert result.functions > 0, "the tool has looked at nothing"
            seen[edits] = tuple(introduced(result, Severity.WARNING))
        return seen[edits]

    return found


def judge(mutation: Mutation, found: tuple[Finding, ...]) -> str:
    """Return MISSING where the place is not named by a fitting rule, NOISE where another one is."""
    named = any(f.function in mutation.places and f.rule in mutation.rules for f in found)
    noise = any(f.function not in mutation.places for f in found)
    return " ".join(word for word, holds in (("MISSING", not named), ("NOISE", noise)) if holds)


def _cells(verdict: str, name: str, wanted: str, found: tuple[Finding, ...]) -> tuple[str, ...]:
    return (verdict, name, wanted, "; ".join(map(spell, found)) or "-")


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.name.replace(" ", "-"))
def test_mutation_is_judged_as_declared(mutation: Mutation, run: Run, row: Row) -> None:
    found = run(mutation.edits)

    verdict = judge(mutation, found)
    row("mutations", _cells(verdict or "ok", mutation.name, "|".join(mutation.places), found))
    assert mutation.verdict == verdict, [spell(f) for f in found]


def test_four_of_five_mutations_are_named_where_they_stand(run: Run, row: Row) -> None:
    right = [m for m in MUTATIONS if not judge(m, run(m.edits))]

    row("mutations", ("total", f"{len(right)} of {len(MUTATIONS)} right", "", ""))
    assert len(right) >= 0.8 * len(MUTATIONS)


@pytest.mark.parametrize("edit", HARMLESS, ids=lambda e: e.name.replace(" ", "-"))
def test_harmless_edit_is_passed_over(edit: Harmless, run: Run, row: Row) -> None:
    found = run(edit.edits)

    row("harmless edits", _cells("NOISE" if found else "ok", edit.name, "", found))
    assert found == ()
