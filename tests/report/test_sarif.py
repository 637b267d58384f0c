"""SARIF must be valid, within GitHub's limits, and lead from the message to the cause."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings

from analyzer.base import Gap, Severity
from analyzer.findings import Finding, LeftOut, Status
from analyzer.report.sarif import render
from analyzer.report.view import Anchor, View
from analyzer.select import Selection, select

from .golden import VIEW
from .results import EVERYTHING, FINDING, FIXED, HAZARD, REMARK, RESULT, STANDING, read, selected
from .schemas import sarif
from .test_formats import views

FIX = """\
diff --git a/drivers/toy/toy.c b/drivers/toy/toy.c
--- a/drivers/toy/toy.c
+++ b/drivers/toy/toy.c
@@ -5,3 +5,4 @@
 {
-\t__SetPageOffline(page);
+\tif (!PageOffline(page))
+\t\t__SetPageOffline(page);
 \tlist_add(&page->lru, &kept);
"""


def run(view: View) -> dict[str, Any]:
    """Return the one run of a log that is valid."""
    log = json.loads(render(view))
    sarif().validate(log)
    (only,) = log["runs"]
    assert isinstance(only, dict)
    return only


def result(finding: Finding, **changes: Any) -> dict[str, Any]:
    """Return the result for one finding."""
    (only,) = run(replace(VIEW, selected=selected(finding), **changes))["results"]
    assert isinstance(only, dict)
    return only


def test_the_schema_refuses_what_is_not_sarif() -> None:
    log = json.loads(render(VIEW))
    log["runs"][0]["results"][0]["level"] = "grave"

    with pytest.raises(jsonschema.ValidationError):
        sarif().validate(log)


@given(views())
@settings(max_examples=25, deadline=None)
def test_whatever_is_found_the_log_is_valid(view: View) -> None:
    assert len(view.selected.shown) == len(run(view)["results"])


def test_nothing_found_is_a_valid_log_without_results() -> None:
    clean = View(selected=select(replace(RESULT, findings=(), gaps=()), Selection()))

    only = run(clean)
    assert [] == only["results"]
    assert only["invocations"][0]["executionSuccessful"]


@pytest.mark.parametrize(
    ("finding", "level", "baseline"),
    [
        (FINDING, "error", "new"),
        (REMARK, "note", "new"),
        (HAZARD, "note", "new"),
        (STANDING, "note", "unchanged"),
        (FIXED, "note", "absent"),
    ],
)
def test_levels_and_baseline_say_what_the_patch_did(
    finding: Finding, level: str, baseline: str
) -> None:
    only = result(finding)

    assert (level, baseline) == (only["level"], only["baselineState"])


def test_the_message_links_to_the_cause() -> None:
    only = result(FINDING)

    assert only["message"]["text"].endswith("; made stale by [init_range()](1)")
    (cause,) = only["relatedLocations"]
    assert (1, "mm/init.c", 5) == (cause["id"], *place(cause))


def test_at_the_hunk_the_message_links_to_the_site() -> None:
    only = result(FINDING, anchor=Anchor.HUNK)

    assert ("mm/init.c", 5) == place(only["locations"][0])
    assert only["message"]["text"].endswith("; [the place to mend](1)")
    assert ("drivers/toy/toy.c", 6) == place(only["relatedLocations"][0])


def place(location: dict[str, Any]) -> tuple[str, int]:
    """Return file and line of a location."""
    physical = location["physicalLocation"]
    return physical["artifactLocation"]["uri"], physical["region"]["startLine"]


def test_the_trace_is_a_code_flow() -> None:
    site = replace(FINDING.trace[1], before="Reserved", after="Offline")
    call = replace(FINDING.trace[0], is_call=True)

    (flow,) = result(replace(FINDING, trace=(call, site)))["codeFlows"]
    (thread,) = flow["threadFlows"]
    first, last = thread["locations"]
    assert [("mm/init.c", 5), ("drivers/toy/toy.c", 6)] == [
        place(x["location"]) for x in (first, last)
    ]
    assert ["call"] == first["kinds"]
    assert {"page before the patch": {"text": "Reserved"}} == {
        k: v for k, v in last["state"].items() if "before" in k
    }


def test_a_fix_replaces_whole_lines() -> None:
    (fix,) = result(replace(FINDING, fix=FIX))["fixes"]
    (change,) = fix["artifactChanges"]

    assert "drivers/toy/toy.c" == change["artifactLocation"]["uri"]
    assert [
        {
            "deletedRegion": {"startLine": 6, "startColumn": 1, "endLine": 7, "endColumn": 1},
            "insertedContent": {"text": "\tif (!PageOffline(page))\n\t\t__SetPageOffline(page);\n"},
        }
    ] == change["replacements"]


def test_gaps_are_notifications_of_declared_kinds() -> None:
    only = run(VIEW)

    (notification,) = only["invocations"][0]["toolExecutionNotifications"]
    assert "drivers/toy/odd.c:7 in odd(): an unbalanced brace" == notification["message"]["text"]
    declared = {n["id"] for n in only["tool"]["driver"]["notifications"]}
    assert {notification["descriptor"]["id"]} == declared


def test_twins_have_fingerprints_of_their_own_and_lines_do_not_matter() -> None:
    moved = replace(FINDING, span=replace(FINDING.span, line=7, end_line=7))

    def prints(*findings: Finding) -> list[str]:
        view = replace(VIEW, selected=selected(*findings))
        return [x["partialFingerprints"]["primaryLocationLineHash"] for x in run(view)["results"]]

    assert 2 == len(set(prints(FINDING, replace(FINDING, file="b.c"))))
    assert prints(FINDING) == prints(moved)


def test_columns_count_characters() -> None:
    source = read("drivers/toy/toy.c", 2)
    assert source is not None
    accented = source.replace(b"\t__Set", "/* é */ __Set".encode())
    span = replace(FINDING.span, column=10, end_column=32)

    only = result(replace(FINDING, span=span), read=lambda *_: accented)

    region = only["locations"][0]["physicalLocation"]["region"]
    assert (9, 31) == (region["startColumn"], region["endColumn"])


def test_github_gets_no_more_than_it_shows() -> None:
    many = tuple(replace(REMARK, function=f"f{n}") for n in range(5001))
    gaps = tuple(Gap("syntax", "a.c", n + 1, "", "x") for n in range(1002))
    view = View(selected=select(replace(RESULT, findings=(*many, FINDING), gaps=gaps), Selection()))

    only = json.loads(render(view))["runs"][0]
    texts = [n["message"]["text"] for n in only["invocations"][0]["toolExecutionNotifications"]]

    assert 5000 == len(only["results"])
    assert "error" == only["results"][0]["level"]
    assert ["2 gaps more, left out", "2 findings more, left out"] == texts[1000:]


def test_brackets_in_a_message_are_no_link() -> None:
    odd = replace(FINDING, message="zones[0](1) \\ odd")

    assert result(odd)["message"]["text"].startswith("zones\\[0\\](1) \\\\ odd;")


def test_paths_are_uris() -> None:
    odd = replace(FINDING, span=replace(FINDING.span, file="drivers/a b#?%.c"))

    location = result(odd)["locations"][0]

    assert "drivers/a%20b%23%3F%25.c" == place(location)[0]


def test_a_warning_is_a_warning() -> None:
    assert Status.INTRODUCED is FINDING.status
    assert "warning" == result(replace(FINDING, severity=Severity.WARNING))["level"]


def test_a_run_that_was_ended_is_no_success() -> None:
    gap = Gap("budget", "", 0, "", "out of time: nothing of patch 1 was judged")
    cut = replace(RESULT, findings=(), gaps=(gap,), unjudged=(1,), stopped="out of time")

    (invocation,) = run(replace(VIEW, selected=select(cut, EVERYTHING)))["invocations"]

    assert not invocation["executionSuccessful"]
    (told,) = invocation["toolExecutionNotifications"]
    assert ("warning", gap.detail) == (told["level"], told["message"]["text"])
    assert "locations" not in told
    assert run(VIEW)["invocations"][0]["executionSuccessful"]


def test_what_was_left_out_is_a_warning_of_a_declared_kind() -> None:
    left = LeftOut(patch=1, file="mm/init.c", hunk=1, line=9, reason="no line of it is in the file")
    only = run(replace(VIEW, selected=select(replace(RESULT, left_out=(left,)), EVERYTHING)))

    told = only["invocations"][0]["toolExecutionNotifications"][0]
    assert ("warning", {"id": "partial"}) == (told["level"], told["descriptor"])
    assert {"id": "partial"} in only["tool"]["driver"]["notifications"]
