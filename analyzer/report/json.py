"""Render a result as JSON, version 1; `schema.json` beside this module describes it."""

from __future__ import annotations

from dataclasses import asdict
from importlib.resources import files
from json import dumps, loads
from typing import Any

from analyzer import __version__
from analyzer.base import Gap, Severity
from analyzer.findings import Cause, ContractChange, Finding, Migration, Status, Step
from analyzer.report.view import View
from analyzer.select import Selected

#: A JSON object on its way to the encoder.
Object = dict[str, Any]


def render(view: View) -> str:
    """Return the report as one JSON object; all of it is ASCII, so nothing steers a terminal."""
    return dumps(_report(view.selected), indent=2, ensure_ascii=True) + "\n"


def read_schema() -> Object:
    """Return the JSON Schema of the reports."""
    schema: Object = loads(files("analyzer.report").joinpath("schema.json").read_text("utf-8"))
    return schema


def _report(selected: Selected) -> Object:
    result = selected.result
    return {
        "version": 1,
        "tool": {"name": "offlint", "version": __version__},
        "tree": {"name": result.tree},
        "patches": [
            {"index": p.index, "subject": p.subject, "message_id": p.message_id}
            for p in result.patches
        ],
        "migrations": [_migration(m) for m in result.migrations],
        "unmoved": result.unmoved or None,
        "brought": list(result.brought),
        "treated": [
            {"population": t.population, "contracts": [_contract(c) for c in t.contracts]}
            for t in result.treated
        ],
        "left_out": [asdict(x) for x in result.left_out],
        "unjudged": list(result.unjudged),
        "stopped": result.stopped or None,
        "findings": [_finding(f) for f in selected.shown],
        "gaps": [_gap(g) for g in result.gaps],
        "summary": {
            **{str(s): selected.count(s) for s in Severity},
            "pre_existing": sum(f.status is Status.PRE_EXISTING for f in result.findings),
            "suppressed": result.suppressed,
            "known": result.known,
            "files_read": result.files_read,
            "functions": result.functions,
            "gaps": len(result.gaps),
        },
    }


def _migration(migration: Migration) -> Object:
    cause = migration.cause
    return {
        "name": migration.name,
        "population": migration.population,
        "before": migration.before,
        "after": migration.after,
        "cause": None
        if cause is None
        else {**_at(cause), "patch": cause.patch, "hunk": cause.hunk},
        "exceptions": list(migration.exceptions),
        "contracts": [_contract(c) for c in migration.contracts],
    }


def _contract(change: ContractChange) -> Object:
    return {
        "file": change.span.file,
        "line": change.span.line,
        "function": change.function,
        "gained": list(change.gained),
        "lost": list(change.lost),
        "own": change.own,
    }


def _finding(f: Finding) -> Object:
    return {
        "rule": f.rule,
        "severity": str(f.severity),
        "confidence": str(f.confidence),
        "status": str(f.status),
        "introduced_by": f.introduced_by,
        "fixed_by": f.fixed_by,
        "lines_after_patch": f.stage,
        "file": f.file,
        "line": f.span.line,
        "column": f.span.column,
        "end_line": f.span.end_line,
        "end_column": f.span.end_column,
        "function": f.function,
        "operation": f.operation,
        "message": f.message,
        "cause": None if f.cause is None else {**_at(f.cause), "patch": f.cause.patch},
        "trace": [_step(s) for s in f.trace],
        "fix": None if f.fix is None else {"diff": f.fix},
        "fingerprint": f.fingerprint,
    }


def _step(step: Step) -> Object:
    return {
        **_at(step),
        "message": step.message,
        "before": step.before or None,
        "after": step.after or None,
    }


def _at(place: Cause | Step) -> Object:
    return {"file": place.span.file, "line": place.span.line, "function": place.function}


def _gap(gap: Gap) -> Object:
    return {
        "kind": gap.kind,
        "file": gap.file,
        "line": gap.line,
        "function": gap.function,
        "detail": gap.detail,
    }
