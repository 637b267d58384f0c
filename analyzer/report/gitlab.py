"""Render a GitLab Code Quality report."""

from __future__ import annotations

import hashlib
from collections import Counter
from json import dumps

from analyzer.base import Severity
from analyzer.report import words
from analyzer.report.anchor import placed
from analyzer.report.plain import plain
from analyzer.report.view import View
from analyzer.select import is_open

_SEVERITIES = {Severity.ERROR: "critical", Severity.WARNING: "major", Severity.NOTE: "minor"}


def render(view: View) -> str:
    """Return a JSON array with an entry for each shown finding; what is no open problem is `info`.

    GitLab drops all but one entry of a fingerprint, so that the second finding of the same
    problem gets one of its own.
    """
    seen: Counter[str] = Counter()
    entries = []
    for finding in view.selected.shown:
        at = placed(finding, view)
        seen[finding.fingerprint] += 1
        entries.append(
            {
                "description": plain(at.message + words.remark(finding)),
                "check_name": finding.rule,
                "fingerprint": _numbered(finding.fingerprint, seen[finding.fingerprint]),
                "severity": _SEVERITIES[finding.severity] if is_open(finding) else "info",
                "location": {
                    "path": plain(at.span.file.removeprefix("./")),
                    "lines": {"begin": at.span.line},
                },
            }
        )
    return dumps(entries, indent=2) + "\n"


def _numbered(fingerprint: str, n: int) -> str:
    """Return the fingerprint of the nth finding that has it."""
    if n == 1:
        return fingerprint
    return hashlib.blake2b(f"{fingerprint}\0{n}".encode(), digest_size=16).hexdigest()
