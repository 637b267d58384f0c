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

    A partial result says so in an entry of its own.
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
    return dumps([*_partial(view), *entries], indent=2) + "\n"


def _partial(view: View) -> list[dict[str, object]]:
    """Return the entry that says that a result is partial."""
    left = words.partial_at(view.selected.result)
    if left is None:
        return []
    path, text = left
    return [
        {
            "description": plain(text),
            "check_name": "partial",
            "fingerprint": _numbered(f"partial\0{path}", 2),
            "severity": "major",
            "location": {"path": plain(path.removeprefix("./")), "lines": {"begin": 1}},
        }
    ]


def _numbered(fingerprint: str, n: int) -> str:
    """Return the fingerprint of the nth finding that has it."""
    if n == 1:
        return fingerprint
    return hashlib.blake2b(f"{fingerprint}\0{n}".encode(), digest_size=16).hexdigest()
