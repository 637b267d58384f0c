"""Read a JSON report back into a result."""

from __future__ import annotations

from json import JSONDecodeError, loads
from pathlib import Path
from typing import Any

from analyzer.base import AnalyzerError, Confidence, Gap, Severity, Span
from analyzer.findings import (
    Cause,
    Finding,
    LeftOut,
    Migration,
    PatchInfo,
    Result,
    Status,
    Step,
)
from analyzer.report.json import Object, read_schema
from analyzer.select import is_open

_HINT = "a report is what `offlint check --format json` writes"


def open_findings(result: Result) -> tuple[Finding, ...]:
    """Return what may be told to others: new, and not mended by a later patch of the series."""
    return tuple(f for f in result.findings if is_open(f))


def read_report(path: Path) -> Result:
    """Return the result that a file holds; byte offsets of its spans are 0.

    Raise AnalyzerError where the file is no report of version 1.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AnalyzerError(f"{path}: cannot read the report: {error.strerror}") from error
    return parse_report(data, str(path))


def parse_report(data: bytes, name: str) -> Result:
    """Return the result that the text of a report holds."""
    try:
        report = loads(data)
    except (JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise AnalyzerError(f"{name}: not JSON ({error}); {_HINT}") from error
    version = report.get("version") if isinstance(report, dict) else None
    if version != 1:
        raise AnalyzerError(f"{name}: version: found {version!r}, expected 1; {_HINT}")
    _validate(report, name)
    return Result(
        tree=report["tree"]["name"],
        patches=tuple(PatchInfo(**p) for p in report["patches"]),
        migrations=tuple(_migration(m) for m in report["migrations"]),
        findings=tuple(_finding(f) for f in report["findings"]),
        gaps=tuple(Gap(**g) for g in report["gaps"]),
        left_out=tuple(LeftOut(**x) for x in report["left_out"]),
        unjudged=tuple(report.get("unjudged", ())),
        stopped=report.get("stopped") or "",
        suppressed=report["summary"]["suppressed"],
        files_read=report["summary"]["files_read"],
        functions=report["summary"]["functions"],
    )


def _validate(report: Object, name: str) -> None:
    from jsonschema.validators import Draft202012Validator

    for error in Draft202012Validator(read_schema()).iter_errors(report):
        where = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in error.path)
        raise AnalyzerError(f"{name}: {where.lstrip('.') or 'report'}: {error.message}; {_HINT}")


def _migration(m: Object) -> Migration:
    return Migration(
        name=m["name"],
        population=m["population"],
        before=m["before"],
        after=m["after"],
        cause=_cause(m["cause"]),
        exceptions=tuple(m["exceptions"]),
    )


def _finding(f: Object) -> Finding:
    return Finding(
        rule=f["rule"],
        function=f["function"],
        file=f["file"],
        operation=f["operation"],
        span=Span(f["file"], 0, 0, f["line"], f["column"], f["end_line"], f["end_column"]),
        severity=Severity(f["severity"]),
        confidence=Confidence(f["confidence"]),
        message=f["message"],
        status=Status(f["status"]),
        introduced_by=f["introduced_by"],
        fixed_by=f["fixed_by"],
        cause=_cause(f["cause"]),
        trace=tuple(
            Step(_span(s), s["function"], s["message"], s.get("before") or "", s.get("after") or "")
            for s in f["trace"]
        ),
        fix=f["fix"]["diff"] if f["fix"] else None,
        fingerprint=f["fingerprint"],
    )


def _cause(cause: Any) -> Cause | None:
    return cause and Cause(_span(cause), cause["function"], cause.get("patch"))


def _span(place: Object) -> Span:
    return Span.of_line(place["file"], place["line"])
