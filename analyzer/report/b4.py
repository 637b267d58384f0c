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
    details.extend((*_partial(selected), *_blindness(selected)))
    check = {
        "tool": "offlint",
        "status": status(selected),
        "summary": _summary(selected),
        "url": "",
        "details": dumps(details) if details else "",
    }
    return dumps([check], indent=2) + "\n"


def status(selected: Selected) -> str:
    """Return `fail` where an open error is shown, `warn` for a warning, `pass` otherwise.

    What was not judged as a whole does not pass.
    """
    worst = max((f.severity.rank for f in selected.open), default=0)
    return ("pass", "warn", "fail")[max(worst, not selected.result.is_whole)]


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


def _partial(selected: Selected) -> list[dict[str, str]]:
    left = words.partial_at(selected.result)
    text = plain(f"{left[0]}: {left[1]}") if left else ""
    row = {"status": "warn", "context": "partial", "state": "partial", "description": text}
    return [row] if left else []


def _blindness(selected: Selected) -> list[dict[str, str]]:
    gaps = selected.result.gaps
    if not gaps:
        return []
    text = f"blind in {words.counted(len(gaps), 'place')}; the first: {words.gap(gaps[0])}"
    return [{"status": "pass", "context": "gaps", "state": "gap", "description": plain(text)}]
