"""Many small faults in the real tree: those that trap are errors."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Mapping

import pytest
from kernel.tables import render

from analyzer.findings import Finding

from .conftest import Bench
from .faults import faults

pytestmark = pytest.mark.kernel

#: So many of the faults must be errors.
AIM = 0.95


def _names(finding: Finding, function: str) -> bool:
    """Tell whether a finding leads to a function: it, its cause, or a step on the way."""
    cause = finding.cause.function if finding.cause else ""
    return function in (finding.function, cause, *(s.function for s in finding.trace))


@pytest.mark.slow
def test_faults_that_must_trap_are_errors(bench: Bench, capsys: pytest.CaptureFixture[str]) -> None:
    right: Counter[str] = Counter()
    there: Counter[str] = Counter()
    every: Counter[str] = Counter()
    missed: dict[tuple[str, str], list[str]] = defaultdict(list)
    made = tuple(faults(bench.text))
    for fault in made:
        found = bench.errors(fault.path, fault.text)
        every[fault.kind] += 1
        right[fault.kind] += bool(found)
        there[fault.kind] += any(_names(f, fault.function) for f in found)
        if not found:
            missed[fault.kind, fault.function].append(fault.spelling)
    with capsys.disabled():
        sys.stdout.write(f"\n{_table(every, right, there, missed)}\n")

    assert len(made) >= 150
    assert sum(right.values()) >= AIM * len(made)


def _table(
    every: Mapping[str, int],
    right: Mapping[str, int],
    there: Mapping[str, int],
    missed: Mapping[tuple[str, str], list[str]],
) -> str:
    rows = [("faults", "all", "error", "leads to the place")]
    rows += [(k, str(every[k]), str(right[k]), str(there[k])) for k in sorted(every)]
    totals = (sum(counts.values()) for counts in (every, right, there))
    rows.append(("total", *map(str, totals)))
    lines = [f"missed: {kind} in {name}: {', '.join(s)}" for (kind, name), s in missed.items()]
    return "\n".join([render(rows), *lines])
