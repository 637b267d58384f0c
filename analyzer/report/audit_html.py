"""Render an audit as an HTML table, to be put into a page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape

from analyzer.report.plain import plain
from analyzer.sites import Audit, Site, Verdict

#: Between the parts of a path and of a name.
_WITHIN = re.compile(r"(?<=[^\W_][/_])(?=[^\W_])")

_HEADS = ("Place", "Function", "Use", "Verdict", "Reason")


def render(audit: Audit) -> str:
    """Return one `<table>`; the verdict is also the class of the row."""
    return "\n".join(_lines(audit)) + "\n"


def _lines(audit: Audit) -> Iterator[str]:
    counts = audit.counts
    total = ", ".join(f"{counts[v]} {v}" for v in Verdict)
    yield '<table class="offlint-audit">'
    absent = f"; {counts['absent']} more, taken away or missing" if counts["absent"] else ""
    yield f"<caption>{_text(audit.title)}: {counts['uses']} uses, {total}{absent}</caption>"
    heads = "".join(f'<th scope="col">{head}</th>' for head in _HEADS)
    yield f"<thead><tr>{heads}</tr></thead>"
    yield "<tbody>"
    for site in audit.sites:
        cells = "".join(f"<td>{cell}</td>" for cell in _cells(site))
        yield f'<tr class="{site.verdict}">{cells}</tr>'
    yield "</tbody>"
    yield "</table>"


def _cells(site: Site) -> Iterator[str]:
    yield _code(f"{site.file}:{site.line}")
    yield _code(site.function) if site.function else ""
    change = "" if site.delta in (None, "kept") else f" <em>{site.delta}</em>"
    yield f"{_code(site.operation)} {site.verb}{change}"
    yield str(site.verdict)
    ways = ""
    if site.ways is not None:
        before, after = site.ways
        ways = f"<br>before: {_soft(before)}<br>now: {_soft(after)}"
    history = ", ".join(f"{verdict} after patch {n}" for n, verdict in site.history)
    yield _soft(site.reason) + (f"<br>{history}" if history else "") + ways


def _code(text: str) -> str:
    return f"<code>{_soft(text)}</code>"


def _soft(text: str) -> str:
    """Return a text whose paths and names may go on in the next line: no page is so wide."""
    return _WITHIN.sub("<wbr>", _text(text))


def _text(text: str) -> str:
    return escape(plain(text))
