"""Render an audit as a web page."""

from __future__ import annotations

from analyzer.findings import Migration, Result
from analyzer.report import html, words
from analyzer.report.view import View
from analyzer.select import Selection, select
from analyzer.sites import Audit


def render(audit: Audit) -> str:
    """Return the page that a check makes, with the audit's table and no findings."""
    result = Result(
        tree=f"{audit.tree}, with {audit.patch}" if audit.patch else audit.tree,
        migrations=tuple(
            Migration(
                name=audit.migration,
                population=move.population,
                before=move.before,
                after=move.after,
                cause=None,
            )
            for move in audit.moves
        ),
        gaps=audit.gaps,
        files_read=audit.files_read,
    )
    remarks = (words.late(audit), *map(words.start, audit.moves))
    return html.render(
        View(
            selected=select(result, Selection(everything=True)),
            sites=audit.sites,
            remarks=tuple(filter(None, remarks)),
        )
    )
