"""Render an Org mode list of things to do, as coccicheck's org mode prints it."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.base import Severity, Span
from analyzer.findings import Finding
from analyzer.report import words
from analyzer.report.anchor import placed
from analyzer.report.plain import harmless, plain
from analyzer.report.view import View
from analyzer.select import is_open

_FACES = {Severity.ERROR: "ovl-face1", Severity.WARNING: "ovl-face2", Severity.NOTE: "ovl-face3"}


def render(view: View) -> str:
    """Return an entry for each shown finding, its trace as a list of links beneath it."""
    entries = (line for f in view.selected.shown for line in _entry(f, view))
    return "".join(f"{line}\n" for line in (*_partial(view), *entries))


def _partial(view: View) -> tuple[str, ...]:
    left = words.partial_at(view.selected.result)
    if left is None:
        return ()
    path, text = left
    link = _link(Span.of_line(path, 1), _FACES[Severity.WARNING], f"WARNING: {text}")
    return (f"* TODO {link}",)


def _entry(finding: Finding, view: View) -> Iterator[str]:
    at = placed(finding, view)
    todo = "TODO" if is_open(finding) else "DONE"
    kind = finding.severity.upper()
    text = f"{kind}: {at.message} ({finding.rule}){words.remark(finding)}"
    yield f"* {todo} {_link(at.span, _FACES[finding.severity], text)}"
    for n, step in enumerate(finding.trace, 1):
        yield f"  {n}. {_link(step.span, _FACES[Severity.NOTE], words.step(step))}"


def _link(span: Span, face: str, text: str) -> str:
    target = (
        f"view:{_target(span.file)}::face={face}::linb={span.line}"
        f"::colb={span.column - 1}::cole={span.end_column - 1}"
    )
    return f"[[{target}][{_bracketless(plain(text))}]]"


def _target(path: str) -> str:
    """Return a path that cannot end its link or begin a field of it."""
    spelled = {"%": "%25", "[": "%5B", "]": "%5D", "\\": "%5C"}
    text = "".join(spelled.get(c, c) for c in harmless(path))
    return text.replace("::", "%3A%3A")


def _bracketless(text: str) -> str:
    """Return a text that cannot end its link; coccinelle's scripts spell brackets so."""
    return text.replace("[", "@(").replace("]", ")")
