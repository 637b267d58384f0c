"""Render an audit as JSON, version 1; `audit.schema.json` beside this module describes it."""

from __future__ import annotations

from importlib.resources import files
from json import dumps, loads
from typing import Any

from analyzer import __version__
from analyzer.sites import Audit, Site

#: A JSON object on its way to the encoder.
Object = dict[str, Any]


def render(audit: Audit) -> str:
    """Return the audit as one JSON object; all of it is ASCII, so nothing steers a terminal."""
    return dumps(_report(audit), indent=2, ensure_ascii=True) + "\n"


def read_schema() -> Object:
    """Return the JSON Schema of the reports."""
    text = files("analyzer.report").joinpath("audit.schema.json").read_text("utf-8")
    schema: Object = loads(text)
    return schema


def _report(audit: Audit) -> Object:
    return {
        "version": 1,
        "tool": {"name": "offlint", "version": __version__},
        "tree": {"name": audit.tree},
        "patch": audit.patch,
        "migration": {
            "name": audit.migration,
            "title": audit.title,
            "is_in": audit.is_in,
            "moves": [
                {
                    "population": m.population,
                    "before": m.before,
                    "after": m.after,
                    "starts": m.starts,
                }
                for m in audit.moves
            ],
        },
        "sites": [_site(s) for s in audit.sites],
        "counts": audit.counts,
        "stopped": audit.stopped,
        "words": {"all": audit.words, **dict(audit.others)},
        "gaps": [
            {
                "kind": g.kind,
                "file": g.file,
                "line": g.line,
                "function": g.function,
                "detail": g.detail,
            }
            for g in audit.gaps
        ],
    }


def _site(site: Site) -> Object:
    return {
        "file": site.file,
        "line": site.line,
        "column": site.span.column,
        "function": site.function,
        "operation": site.operation,
        "verb": site.verb,
        "verdict": str(site.verdict),
        "reason": site.reason,
        "populations": list(site.populations),
        "ways": None if site.ways is None else {"before": site.ways[0], "after": site.ways[1]},
        "delta": None if site.delta is None else str(site.delta),
        "absent": site.absent,
        "pasted": site.pasted,
        "history": [{"patch": n, "verdict": str(verdict)} for n, verdict in site.history],
    }
