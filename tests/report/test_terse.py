"""Lines for scripts: one a finding, and none without."""

from __future__ import annotations

from dataclasses import replace

from analyzer.report import terse
from analyzer.report.view import View
from analyzer.select import Selected

from .results import FINDING, HAZARD, REMARK, STANDING, selected


def render(selected: Selected) -> str:
    """Render a selection."""
    return terse.render(View(selected=selected))


def test_a_line_is_checkpatchs() -> None:
    line = (
        "drivers/toy/toy.c:6: ERROR:DOUBLE_SET: "
        "keep_page() sets PageOffline on hotplugged pages that already have it\n"
    )

    assert line == render(selected(FINDING))


def test_no_findings_no_output() -> None:
    assert "" == render(selected())


def test_only_open_findings_are_errors() -> None:
    lines = render(selected(HAZARD, STANDING, REMARK)).splitlines()

    assert ["NOTE"] * 3 == [line.split(": ")[1].split(":")[0] for line in lines]
    assert any(line.endswith("(from patch 1 until patch 2 mends it)") for line in lines)
    assert any(line.endswith("(pre-existing)") for line in lines)


def test_a_finding_is_one_line_whatever_it_holds() -> None:
    odd = replace(FINDING, message="two\nlines \x1b[2J")

    assert "two lines \\x1b[2J\n" == render(selected(odd)).split("DOUBLE_SET: ")[1]
