"""Render findings one a line, as checkpatch --terse --showfile does."""

from __future__ import annotations

from analyzer.findings import Finding, Status
from analyzer.report.plain import plain
from analyzer.select import Selected, is_hazard


def render(selected: Selected) -> str:
    """Return a line for each shown finding, and nothing where there is none."""
    return "".join(f"{_line(f)}\n" for f in selected.shown)


def _line(finding: Finding) -> str:
    kind = "NOTE" if is_hazard(finding) or not _is_new(finding) else finding.severity.upper()
    rule = finding.rule.upper().replace("-", "_")
    text = f"{finding.file}:{finding.span.line}: {kind}:{rule}: {finding.message}"
    return plain(text + _remark(finding))


def _is_new(finding: Finding) -> bool:
    return finding.status is Status.INTRODUCED


def _remark(finding: Finding) -> str:
    """Say what keeps a finding from being an open problem."""
    if is_hazard(finding):
        return f" (from patch {finding.introduced_by} until patch {finding.fixed_by} mends it)"
    return "" if _is_new(finding) else f" ({finding.status})"
