"""Place findings where a consumer can show them: at the site, or inside the diff."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from analyzer.base import Span
from analyzer.findings import Finding
from analyzer.report.view import Anchor, View


@dataclass(frozen=True, slots=True)
class Placed:
    """Where a finding is shown, and what is said there."""

    span: Span
    message: str


def placed(finding: Finding, view: View) -> Placed:
    """Return the place for a finding; at a hunk the message names the place to mend.

    A site that the patch itself changes is inside the diff already and stays. Without a cause
    there is no hunk.
    """
    cause = finding.cause
    if view.anchor is Anchor.SITE or cause is None:
        return Placed(finding.span, finding.message)
    if _holds(view.changed(finding.file, finding.stage), finding.span.line):
        return Placed(finding.span, finding.message)
    patch = cause.patch or finding.stage
    span = _inside(cause.span, view.changed(cause.span.file, patch))
    site = f"{finding.file}:{finding.span.line}"
    return Placed(span, f"this makes {site} stale: {finding.message}")


def _holds(ranges: Sequence[range], line: int) -> bool:
    return any(line in r for r in ranges)


def _inside(span: Span, changed: Sequence[range]) -> Span:
    """Return a span that lies in changed lines: itself, or the start of the nearest change."""
    if not changed or _holds(changed, span.line):
        return span
    nearest = min(
        (line for r in changed for line in (r.start, r.stop - 1)), key=lambda n: abs(n - span.line)
    )
    return replace(span, line=nearest, column=1, end_line=nearest, end_column=1)
