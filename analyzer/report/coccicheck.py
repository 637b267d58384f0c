"""Render lines as coccicheck's report mode prints them."""

from __future__ import annotations

from analyzer.findings import Finding
from analyzer.report import words
from analyzer.report.anchor import placed
from analyzer.report.plain import plain
from analyzer.report.view import View
from analyzer.select import is_open


def render(view: View) -> str:
    """Return a line for each shown finding; columns count from 0, as spatch counts them."""
    return "".join(f"{_line(f, view)}\n" for f in view.selected.shown)


def _line(finding: Finding, view: View) -> str:
    at = placed(finding, view)
    span = at.span
    columns = f"{span.column - 1}-{span.end_column - 1}"
    kind = finding.severity.upper() if is_open(finding) else "NOTE"
    message = f"{kind}: {at.message} ({finding.rule}){words.remark(finding)}"
    return plain(f"./{span.file}:{span.line}:{columns}: {message}")
