"""Render workflow commands, which GitHub turns into annotations of a pull request."""

from __future__ import annotations

from collections import Counter

from analyzer.base import Severity
from analyzer.findings import Finding
from analyzer.report import words
from analyzer.report.anchor import placed
from analyzer.report.plain import harmless, plain
from analyzer.report.view import View
from analyzer.select import is_open

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
#: GitHub shows no more annotations of a level than this in one step.
_MOST = 10


def render(view: View) -> str:
    """Return a command for each shown finding, at most ten a level, and a line for the rest.

    A partial result says so in a command of its own.
    """
    room = Counter(dict.fromkeys(_LEVELS.values(), _MOST))
    left: Counter[str] = Counter()
    lines = []
    if partial := words.partial_at(view.selected.result):
        room["warning"] -= 1
        at = f"file={_property(partial[0])},line=1,title=partial"
        lines.append(f"::warning {at}::{_escaped(plain(partial[1]))}")
    for finding in view.selected.shown:
        level = _LEVELS[finding.severity] if is_open(finding) else "notice"
        if room[level]:
            room[level] -= 1
            lines.append(_command(finding, view, level))
        else:
            left[level] += 1
    if left:
        # No annotation of its own: the levels that it speaks of are full.
        more = words.listed([words.counted(left[x], x) for x in _LEVELS.values() if left[x]])
        lines.append(f"offlint: {more} more; GitHub shows {_MOST} of a level")
    return "".join(f"{line}\n" for line in lines)


def _command(finding: Finding, view: View, level: str) -> str:
    at = placed(finding, view)
    span = at.span
    properties = {"file": span.file, "line": str(span.line), "endLine": str(span.end_line)}
    if span.line == span.end_line and span.column < span.end_column:
        # Columns of a span over several lines are refused.
        properties |= {"col": str(span.column), "endColumn": str(span.end_column)}
    properties["title"] = finding.rule
    given = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{level} {given}::{_message(finding, at.message, view)}"


def _message(finding: Finding, message: str, view: View) -> str:
    """Return the message, the cause and the trace as lines, as one escaped line."""
    lines = [message + words.remark(finding)]
    if (cause := words.elsewhere(finding)) is not None:
        lines.append(f"cause: {words.place(cause, view.selected.result)}")
    lines.extend(f"{n}. {words.step(step)}" for n, step in enumerate(finding.trace, 1))
    return "%0A".join(_escaped(plain(line)) for line in lines)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(harmless(text)).replace(":", "%3A").replace(",", "%2C")
