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
    lines = (*_partial(view), *(_line(f, view) for f in view.selected.shown))
    return "".join(f"{line}\n" for line in lines)


def _partial(view: View) -> tuple[str, ...]:
    left = words.partial_at(view.selected.result)
    return (plain(f"./{left[0]}:1:0-0: WARNING: {left[1]} (partial)"),) if left else ()


def _line(finding: Finding, view: View) -> str:
    at = placed(finding, view)
    span = at.span
    columns = f"{span.column - 1}-{span.end_column - 1}"
    kind = finding.severity.upper() if is_open(finding) else "NOTE"
    message = f"{kind}: {at.message} ({finding.rule}){words.remark(finding)}"
    return plain(f"./{span.file}:{span.line}:{columns}: {message}")
