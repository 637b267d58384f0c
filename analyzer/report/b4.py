"""Render a verdict for b4's review screen: a JSON array with one check in it."""

from __future__ import annotations

from json import dumps

from analyzer.base import Severity
from analyzer.findings import Finding
from analyzer.report import words
from analyzer.report.anchor import placed
from analyzer.report.plain import plain
from analyzer.report.view import View
from analyzer.select import Selected, is_hazard, is_open

_STATUSES = {Severity.ERROR: "fail", Severity.WARNING: "warn", Severity.NOTE: "pass"}


def render(view: View) -> str:
    """Return one check: pass, warn or fail, with its findings and gaps as its details.

    b4 wants details as a string, and shows a JSON array in it entry by entry.
    """
    selected = view.selected
    details = [_detail(f, view) for f in selected.shown]
    details.extend(_blindness(selected))
    check = {
        "tool": "offlint",
        "status": status(selected),
        "summary": _summary(selected),
        "url": "",
        "details": dumps(details) if details else "",
    }
    return dumps([check], indent=2) + "\n"


def status(selected: Selected) -> str:
    """Return `fail` where an open error is shown, `warn` for a warning, `pass` otherwise."""
    worst = max((f.severity.rank for f in selected.open), default=0)
    return ("pass", "warn", "fail")[worst]


def _summary(selected: Selected) -> str:
    text = words.verdict(selected).removesuffix(".")
    moves = "; ".join(
        f"{m.population}: {m.before} -> {m.after}" for m in selected.result.migrations
    )
    return plain(f"{text} ({moves})" if moves else text)


def _detail(finding: Finding, view: View) -> dict[str, str]:
    at = placed(finding, view)
    text = f"{at.span.file}:{at.span.line}: {at.message}{words.remark(finding)}"
    return {
        "status": _STATUSES[finding.severity] if is_open(finding) else "pass",
        "context": finding.rule,
        "state": "hazard" if is_hazard(finding) else str(finding.severity),
        "description": plain(text),
    }


def _blindness(selected: Selected) -> list[dict[str, str]]:
    gaps = selected.result.gaps
    if not gaps:
        return []
    first = f"{words.gap_place(gaps[0])}: {gaps[0].detail}"
    text = f"blind in {words.counted(len(gaps), 'place')}; the first: {first}"
    return [{"status": "pass", "context": "gaps", "state": "gap", "description": plain(text)}]
