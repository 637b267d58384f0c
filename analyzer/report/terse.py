"""Render findings one a line, as checkpatch --terse --showfile does."""

from __future__ import annotations

from analyzer.findings import Finding
from analyzer.report import words
from analyzer.report.anchor import placed
from analyzer.report.plain import plain
from analyzer.report.view import View
from analyzer.select import is_open


def render(view: View) -> str:
    """Return a line for each shown finding, and nothing where there is none."""
    return "".join(f"{_line(f, view)}\n" for f in view.selected.shown)


def _line(finding: Finding, view: View) -> str:
    at = placed(finding, view)
    kind = finding.severity.upper() if is_open(finding) else "NOTE"
    text = f"{at.span.file}:{at.span.line}: {kind}:{words.label(finding.rule)}: {at.message}"
    return plain(text + words.remark(finding))
