"""Render the Reviewdog Diagnostic Format: one JSON object."""

from __future__ import annotations

from json import dumps
from typing import Any

from analyzer.base import Severity, Span
from analyzer.findings import Finding
from analyzer.report import words
from analyzer.report.anchor import placed
from analyzer.report.plain import plain
from analyzer.report.replace import Replacement, replacements
from analyzer.report.view import View
from analyzer.select import is_open

#: A JSON object on its way to the encoder.
Object = dict[str, Any]

_SEVERITIES = {Severity.ERROR: "ERROR", Severity.WARNING: "WARNING", Severity.NOTE: "INFO"}


def render(view: View) -> str:
    """Return the report as one JSON object; columns count bytes from 1, as reviewdog's do."""
    source = {"name": "offlint"}
    return dumps({"source": source, "diagnostics": diagnostics(view)}, indent=2) + "\n"


def diagnostics(view: View) -> list[Object]:
    """Return a diagnostic for each shown finding, and first one for a partial result."""
    return [*_partial(view), *(_diagnostic(f, view) for f in view.selected.shown)]


def _partial(view: View) -> list[Object]:
    left = words.partial_at(view.selected.result)
    if left is None:
        return []
    path, text = left
    location = _location(Span.of_line(path, 1))
    code = {"value": "partial"}
    return [{"message": plain(text), "location": location, "severity": "WARNING", "code": code}]


def _diagnostic(finding: Finding, view: View) -> Object:
    at = placed(finding, view)
    out: Object = {
        "message": plain(at.message + words.remark(finding)),
        "location": _location(at.span),
        "severity": _SEVERITIES[finding.severity] if is_open(finding) else "INFO",
        "code": {"value": finding.rule},
    }
    # A suggestion replaces lines of the diagnostic's own file.
    fixes = replacements(finding.fix) if finding.fix is not None else ()
    if fixes and all(fix.file == at.span.file for fix in fixes):
        out["suggestions"] = [_suggestion(fix) for fix in fixes]
    if finding.trace:
        out["related_locations"] = [
            {"message": plain(step.message), "location": _location(step.span)}
            for step in finding.trace
        ]
    return out


def _location(span: Span) -> Object:
    start = {"line": span.line, "column": span.column}
    end = {"line": span.end_line, "column": span.end_column}
    return {"path": plain(span.file), "range": {"start": start, "end": end}}


def _suggestion(fix: Replacement) -> Object:
    start, end = {"line": fix.first, "column": 1}, {"line": fix.end, "column": 1}
    return {"range": {"start": start, "end": end}, "text": fix.text}
