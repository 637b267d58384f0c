"""Hold the one decision about what is shown to its word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from analyzer.base import Severity
from analyzer.findings import Finding
from analyzer.select import Selection, is_failure, select

from .report.results import FINDING, FIXED, HAZARD, REMARK, RESULT, STANDING


def test_only_what_the_patch_introduces_is_shown() -> None:
    shown = select(RESULT, Selection())

    assert (FINDING, REMARK, HAZARD) == shown.shown
    assert (("fixed", 1), ("pre-existing", 1)) == shown.hidden


def test_all_shows_every_finding_and_the_gaps() -> None:
    shown = select(RESULT, Selection(everything=True))

    assert set(RESULT.findings) == set(shown.shown)
    assert (RESULT.gaps, ()) == (shown.gaps, shown.hidden)


def test_new_findings_come_before_fixed_and_standing_ones() -> None:
    mixed = replace(RESULT, findings=(STANDING, FIXED, HAZARD, FINDING))

    shown = select(mixed, Selection(everything=True))

    assert ["keep_page", "between", "mended", "standing"] == [f.function for f in shown.shown]


@pytest.mark.parametrize(
    ("selection", "functions", "hidden"),
    [
        (Selection(level=Severity.WARNING), [FINDING], ("below --level warning", 2)),
        (Selection(rules=frozenset({"stale-comment"})), [REMARK], ("of other rules", 4)),
        (Selection(ignored=frozenset({"double-set"})), [REMARK], ("of other rules", 4)),
        (Selection(paths=("drivers/",)), [], ("in ignored paths", 5)),
        (Selection(paths=("*/t?y.c",)), [], ("in ignored paths", 5)),
        (Selection(paths=("drivers/toy",)), [], ("in ignored paths", 5)),
        (Selection(paths=("drivers/to",)), [FINDING, REMARK, HAZARD], ("fixed", 1)),
    ],
)
def test_what_is_not_asked_for_is_counted(
    selection: Selection, functions: list[Finding], hidden: tuple[str, int]
) -> None:
    shown = select(RESULT, selection)

    assert functions == list(shown.shown)
    assert hidden in shown.hidden


@pytest.mark.parametrize("severity", list(Severity))
@pytest.mark.parametrize("fail_on", [*Severity, None])
def test_a_run_fails_from_the_named_severity_on(
    severity: Severity, fail_on: Severity | None
) -> None:
    result = replace(RESULT, findings=(replace(FINDING, severity=severity),))

    failed = is_failure(result, Selection(), fail_on)

    assert (fail_on is not None and severity.rank >= fail_on.rank) == failed


@pytest.mark.parametrize("finding", [FIXED, STANDING, HAZARD])
def test_what_is_no_open_problem_does_not_fail(finding: Finding) -> None:
    result = replace(RESULT, findings=(finding,))

    assert not is_failure(result, Selection(everything=True), Severity.NOTE)


def test_hidden_findings_still_fail_unless_their_rule_is_ignored() -> None:
    result = replace(RESULT, findings=(REMARK,))

    assert is_failure(result, Selection(level=Severity.ERROR), Severity.NOTE)
    assert not is_failure(result, Selection(ignored=frozenset({REMARK.rule})), Severity.NOTE)


@pytest.mark.parametrize(
    ("selection", "cut"),
    [
        (Selection(), True),
        (Selection(everything=True), False),
        (Selection(everything=True, level=Severity.ERROR), False),
    ],
)
def test_all_is_offered_where_it_shows_more(selection: Selection, cut: bool) -> None:
    assert cut == select(RESULT, selection).is_cut
    assert not select(replace(RESULT, findings=(REMARK,), gaps=()), selection).is_cut


def test_ignored_path_fails_nothing() -> None:
    assert is_failure(RESULT, Selection(), Severity.WARNING)
    assert not is_failure(RESULT, Selection(paths=("drivers/",)), Severity.WARNING)


def test_what_was_accepted_before_is_counted() -> None:
    shown = select(replace(RESULT, suppressed=2, known=1), Selection(everything=True))

    assert (("in the baseline", 1), ("suppressed", 2)) == shown.hidden
