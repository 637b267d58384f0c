"""Leave parts of the change out, under each law, and hold the tool to the answer key."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

import pytest

from analyzer.base import Severity
from analyzer.findings import Result
from analyzer.patch.model import Series
from analyzer.patch.read import read_series
from analyzer.pipeline import check
from analyzer.tree import Tree

from .cases import CASES, LAWS, Case, complaints, counts, introduced, spell_places
from .pieces import select

pytestmark = pytest.mark.kernel

Row = Callable[[str, tuple[str, ...]], None]


def series_of(case: Case, change: str, tree: Tree) -> Series:
    """Return the hunks that a case keeps; a series without patches where it keeps none."""
    if not case.kept:
        return Series(patches=(), notes=())
    return read_series(select(change, case.kept), case.name, tree)


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name.replace(" ", "-"))
def test_each_part_left_out_is_missed_where_it_belongs(
    case: Case,
    law: str,
    befores: Mapping[str, Tree],
    afters: Mapping[str, Tree],
    change: str,
    row: Row,
) -> None:
    tree = (afters if case.applied_before else befores)[law]
    series = series_of(case, change, tree)

    started = time.perf_counter()
    result = check(series, tree)
    seconds = time.perf_counter() - started

    problems = complaints(case, law, result)
    row("answer key", _cells(case, law, result, seconds, problems))
    assert not problems
    assert result.functions > 0 or not series.patches, "the tool has looked at nothing"


def _cells(
    case: Case, law: str, result: Result, seconds: float, problems: list[str]
) -> tuple[str, ...]:
    found = sorted({f.function for f in introduced(result) if counts(f, law)})
    notes = len([f for f in introduced(result) if f.severity is Severity.NOTE])
    return (
        "WRONG" if problems else "ok",
        law,
        case.name,
        f"{seconds:.2f} s",
        f"expected {spell_places(case.expected)}",
        f"found {', '.join(found) or '-'} ({notes} notes)",
    )


@pytest.mark.parametrize("law", LAWS)
def test_migration_is_derived_with_its_exception(
    law: str, befores: Mapping[str, Tree], change: str
) -> None:
    series = read_series(change.encode(), "change", befores[law])

    result = check(series, befores[law])

    moved = [m for m in result.migrations if (m.before, m.after) == ("Reserved", "Offline")]
    assert moved
    for migration in moved:
        assert migration.cause is not None
        assert migration.cause.function == "memmap_init_range"
        assert "ZONE_DEVICE" in " ".join(migration.exceptions)
