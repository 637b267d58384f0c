"""Render the Reviewdog Diagnostic Format: a JSON object a line."""

from __future__ import annotations

from json import dumps

from analyzer.report.rdjson import diagnostics
from analyzer.report.view import View


def render(view: View) -> str:
    """Return a line for each shown finding, and nothing where there is none."""
    return "".join(f"{dumps({**d, 'source': {'name': 'offlint'}})}\n" for d in diagnostics(view))
