"""An audit that is stopped gives what it has by then, and says of the rest that it has no more."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import count

import jsonschema
import pytest
from fixture.harness import common_files, unified

from analyzer.auditing import audit
from analyzer.budget import Budget, OutOfBudgetError
from analyzer.flow.run import Limits
from analyzer.patch.model import Series
from analyzer.patch.read import read_series
from analyzer.report.audit_json import read_schema, render
from analyzer.report.audit_text import render as render_text
from analyzer.sites import Audit, Site, Verdict
from analyzer.tree import MemoryTree

from .trees import MIGRATION

BEFORE, AFTER = (common_files("strict", base) for base in ("before", "after"))


def tree(base: str) -> MemoryTree:
    return MemoryTree(dict(AFTER if base == "after" else BEFORE))


def series() -> Series:
    return read_series(unified(BEFORE, AFTER).encode(), "change.patch", tree("before"))


def stopped(looks: int, base: str, change: Series | None) -> Audit:
    """Audit until somebody has looked at the budget so often."""
    looked = count()
    budget = Budget(interrupted=lambda: next(looked) >= looks, every=1)
    return audit(tree(base), MIGRATION, change, budget=budget)


def looks_of(base: str, change: Series | None) -> int:
    """Return how often the budget is looked at when nobody stops the audit."""
    looked = count()
    audit(
        tree(base),
        MIGRATION,
        change,
        budget=Budget(interrupted=lambda: next(looked) < 0, every=1),
    )
    return next(looked)


def uses(result: Audit) -> list[tuple[str, int, str]]:
    return [(s.file, s.span.start, s.operation) for s in result.sites if not s.absent]


def is_late(site: Site) -> bool:
    return site.verdict is Verdict.UNDECIDED and site.reason.startswith("interrupted: ")


@pytest.mark.slow  # as many audits as there are moments
@pytest.mark.parametrize("base", ["after", "before"])
def test_audit_stopped_at_any_moment_says_of_each_use_the_truth_or_that_it_has_none(
    base: str,
) -> None:
    whole = audit(tree(base), MIGRATION)
    known = {(s.file, s.span.start): s.verdict for s in whole.sites}
    all_looks = looks_of(base, None)
    late = []
    for looks in range(0, all_looks, max(all_looks // 40, 1)):
        part = stopped(looks, base, None)

        assert uses(whole) == uses(part)
        for s in part.sites:
            assert is_late(s) or known[s.file, s.span.start] is s.verdict
        assert "interrupted" == part.stopped
        assert any(g.kind == "budget" and g.detail.startswith("interrupted") for g in part.gaps)
        counts = part.counts
        assert counts["uses"] == sum(counts[v] for v in Verdict)
        late.append(sum(map(is_late, part.sites)))

    assert len(uses(whole)) == late[0]
    assert late[-1] < late[0]


def test_audit_stopped_while_it_judges_keeps_the_verdicts_it_has() -> None:
    part = stopped(looks_of("after", None) - 3, "after", None)

    assert 0 < sum(map(is_late, part.sites)) < len(part.sites)


@pytest.mark.slow
def test_audit_of_a_patch_stopped_while_it_judges_keeps_the_verdicts_it_has() -> None:
    part = stopped(looks_of("before", series()) - 3, "before", series())

    assert 0 < sum(map(is_late, part.sites)) < len(part.sites)


def test_audit_of_a_patch_stopped_while_it_reads_has_nothing_to_say() -> None:
    with pytest.raises(OutOfBudgetError):
        stopped(0, "before", series())


def test_reports_say_that_the_audit_was_stopped() -> None:
    part = stopped(looks_of("after", None) - 3, "after", None)
    report = json.loads(render(part))

    jsonschema.validate(report, read_schema())
    assert "interrupted" == report["stopped"]
    assert "In part, interrupted:" in render_text(part)


def test_whole_audit_was_not_stopped() -> None:
    whole = audit(tree("after"), MIGRATION)

    assert "" == whole.stopped
    assert "In part" not in render_text(whole)


def test_what_took_too_many_steps_is_not_called_out_of_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    *others, _ = Limits.__init__.__defaults__ or ()
    monkeypatch.setattr(Limits.__init__, "__defaults__", (*others, 60))

    part = audit(tree("after"), MIGRATION, series_back())

    assert "too many steps" == part.stopped
    assert not any("out of time" in f"{s.reason}" for s in part.sites)


def test_audit_that_has_judged_every_use_is_not_called_a_part() -> None:
    whole = replace(audit(tree("after"), MIGRATION), stopped="too many steps")

    assert "In part" not in render_text(whole)


def series_back() -> Series:
    return read_series(unified(AFTER, BEFORE).encode(), "change.patch", tree("after"))
