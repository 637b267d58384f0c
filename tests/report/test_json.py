"""Reports for programs must be what the schema says."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from analyzer.findings import Finding, Result, Step
from analyzer.report import json as module
from analyzer.report.view import View
from analyzer.select import Selected, Selection, select

from .results import (
    BIRTH,
    EVERYTHING,
    FINDING,
    FIXED,
    HAZARD,
    REMARK,
    RESULT,
    SET,
    STANDING,
    selected,
)

VALIDATOR = jsonschema.Draft202012Validator(module.read_schema())


def render(selected: Selected) -> str:
    """Render a selection."""
    return module.render(View(selected=selected))


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(module.read_schema())


@pytest.mark.parametrize("finding", [FINDING, REMARK, FIXED, STANDING, HAZARD])
def test_every_kind_of_finding_is_valid(finding: Finding) -> None:
    report = json.loads(render(selected(replace(finding, fix="--- a\n"))))

    VALIDATOR.validate(report)
    assert [finding.function] == [f["function"] for f in report["findings"]]


def test_empty_and_full_results_are_valid() -> None:
    bare = replace(RESULT, migrations=(replace(RESULT.migrations[0], cause=None),))
    for result in (Result(tree="linux"), RESULT, bare):
        VALIDATOR.validate(json.loads(render(select(result, EVERYTHING))))


def test_the_schema_refuses_what_is_not_in_it() -> None:
    report = json.loads(render(selected(FINDING)))
    report["findings"][0]["extra"] = 1
    report["summary"].pop("gaps")

    assert 2 == len(list(VALIDATOR.iter_errors(report)))


def test_a_trace_holds_the_states_that_the_page_shows() -> None:
    states = [Step(BIRTH, "f", "it is made", "Reserved", "Offline"), Step(SET, "g", "it is set")]
    report = json.loads(render(selected(replace(FINDING, trace=tuple(states)))))

    VALIDATOR.validate(report)
    assert [("Reserved", "Offline"), (None, None)] == [
        (step["before"], step["after"]) for step in report["findings"][0]["trace"]
    ]


def test_the_finding_holds_what_the_terminal_shows() -> None:
    finding = json.loads(render(selected(FINDING)))["findings"][0]

    assert ("error", "introduced", 2) == (
        finding["severity"], finding["status"], finding["introduced_by"],
    )  # fmt: skip
    assert {"file": "mm/init.c", "line": 5, "function": "init_range", "patch": 2} == finding[
        "cause"
    ]
    assert [5, 6] == [step["line"] for step in finding["trace"]]


@pytest.mark.parametrize(
    ("finding", "stage"), [(FINDING, 2), (HAZARD, 1), (FIXED, 0), (STANDING, 1)]
)
def test_the_finding_says_in_which_tree_its_lines_count(finding: Finding, stage: int) -> None:
    written = json.loads(render(selected(finding)))["findings"][0]

    assert stage == written["lines_after_patch"]


def test_the_summary_counts_open_findings_and_all_standing_ones() -> None:
    summary = json.loads(render(select(RESULT, Selection())))["summary"]

    assert {
        "error": 1,
        "warning": 0,
        "note": 1,
        "pre_existing": 1,
        "suppressed": 0,
        "known": 0,
        "files_read": 3,
        "functions": 4,
        "gaps": 1,
    } == summary


def test_the_output_is_ascii() -> None:
    hostile = replace(FINDING, message="\x1b[2J\u202eé\udce9")

    report = render(selected(hostile))

    assert report.isascii()
    assert "\x1b" not in report
    assert hostile.message == json.loads(report)["findings"][0]["message"]
