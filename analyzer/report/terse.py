"""Render findings one a line, as checkpatch --terse --showfile does."""

from __future__ import annotations

from analyzer.findings import Finding
from analyzer.report import words
from analyzer.report.anchor import placed
from analyzer.report.plain import plain
from analyzer.report.view import View
from analyzer.select import is_open


def render(view: View) -> str:
    """Return a line for each shown finding, and nothing where there is none.

    A partial result says so in a line of its own.
    """
    return "".join(
        f"{x}\n" for x in (*_partial(view), *(_line(f, view) for f in view.selected.shown))
    )


def _partial(view: View) -> tuple[str, ...]:
    left = words.partial_at(view.selected.result)
    return (plain(f"{left[0]}:1: WARNING:PARTIAL: {left[1]}"),) if left else ()


def _line(finding: Finding, view: View) -> str:
    at = placed(finding, view)
    kind = finding.severity.upper() if is_open(finding) else "NOTE"
    text = f"{at.span.file}:{at.span.line}: {kind}:{words.label(finding.rule)}: {at.message}"
    return plain(text + words.remark(finding))
