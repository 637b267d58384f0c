"""Render SARIF 2.1.0, within the limits that GitHub's code scanning sets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from json import dumps
from typing import Any
from urllib.parse import quote

from analyzer import __version__
from analyzer.base import Gap, Severity, Span
from analyzer.findings import Finding, Result, Status, Step
from analyzer.report import words
from analyzer.report.anchor import placed
from analyzer.report.plain import plain
from analyzer.report.replace import Replacement, replacements
from analyzer.report.view import View
from analyzer.rules import Rule
from analyzer.select import is_open

#: A JSON object on its way to the encoder.
Object = dict[str, Any]

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
_PROBLEMS = {
    Severity.ERROR: "error",
    Severity.WARNING: "warning",
    Severity.NOTE: "recommendation",
}
_BASELINES = {
    Status.INTRODUCED: "new",
    Status.PRE_EXISTING: "unchanged",
    Status.FIXED: "absent",
}
#: GitHub shows so many results of a run, the gravest; gaps are kept to as many.
_MOST_RESULTS, _MOST_GAPS = 5000, 1000


def render(view: View) -> str:
    """Return a log with one run; gaps are notifications of its invocation.

    A finding that the patch mends is `absent`, one that was there before `unchanged`, and one
    that a later patch mends a note that says so.
    """
    return dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [_run(view)]}, indent=2) + "\n"


def _run(view: View) -> Object:
    result = view.selected.result
    findings = sorted(view.selected.shown, key=lambda f: -f.severity.rank)[:_MOST_RESULTS]
    rules = [r for r in view.rules.values() if any(f.rule == r.id for f in findings)]
    order = [r.id for r in rules]
    seen: Counter[str] = Counter()
    results = []
    for finding in findings:
        seen[finding.fingerprint] += 1
        results.append(_result(finding, view, order, seen[finding.fingerprint]))
    left = len(view.selected.shown) - len(findings)
    return {
        "tool": {
            "driver": {
                "name": "offlint",
                "version": __version__,
                "semanticVersion": __version__,
                "rules": [_rule(r) for r in rules],
                "notifications": [{"id": kind} for kind in _kinds(result)],
            }
        },
        "automationDetails": {"id": "offlint/"},
        "originalUriBaseIds": {
            "SRCROOT": {"description": {"text": "The top of the kernel tree."}},
        },
        "invocations": [
            {
                "executionSuccessful": not result.stopped,
                "toolExecutionNotifications": list(_notifications(result, left)),
            }
        ],
        "columnKind": "unicodeCodePoints",
        "results": results,
    }


def _rule(rule: Rule) -> Object:
    summary = f"{rule.summary[:1].upper()}{rule.summary[1:]}."
    limits = "\n".join(f"- {limit}" for limit in rule.limits)
    code = f"```c\n{rule.stale}\n```\n\nMended:\n\n```c\n{rule.mended}\n```"
    return {
        "id": rule.id,
        "name": "".join(part.title() for part in rule.id.split("-")),
        "shortDescription": {"text": summary},
        "fullDescription": {"text": " ".join(rule.explanation)[:1000]},
        "help": {
            "text": rule.remedy,
            "markdown": f"{rule.remedy}\n\n{code}\n\nWhen the rule is wrong:\n\n{limits}",
        },
        "defaultConfiguration": {"level": _LEVELS[rule.severity]},
        "properties": {
            "precision": str(rule.confidence),
            "problem.severity": _PROBLEMS[rule.severity],
            "tags": ["mm", "page-state"],
        },
    }


def _result(finding: Finding, view: View, rules: Sequence[str], nth: int) -> Object:
    at = placed(finding, view)
    out: Object = {
        "ruleId": finding.rule,
        **({"ruleIndex": rules.index(finding.rule)} if finding.rule in rules else {}),
        "kind": "fail",
        "level": _LEVELS[finding.severity] if is_open(finding) else "note",
        "baselineState": _BASELINES[finding.status],
        "message": {"text": _message(finding, at.message, view)},
        "locations": [_location(at.span, view, finding.stage, finding.function)],
        "partialFingerprints": {
            "offlint/v1": finding.fingerprint,
            # GitHub matches alerts by this one; ours survives moved lines.
            "primaryLocationLineHash": f"{finding.fingerprint[:16]}:{nth}",
        },
        "properties": {"confidence": str(finding.confidence), "status": str(finding.status)},
    }
    related = list(_related(finding, at.span, view))
    if related:
        out["relatedLocations"] = related
    if finding.trace:
        out["codeFlows"] = [_flow(finding, view)]
    if finding.fix is not None and (fixes := replacements(finding.fix)):
        out["fixes"] = [_fix(fixes)]
    return out


def _message(finding: Finding, message: str, view: View) -> str:
    """Return the message with a link to the other end of the finding."""
    text = _unlinked(plain(message + words.remark(finding)))
    at = placed(finding, view)
    if (other := words.elsewhere(finding)) is None:
        return text
    if at.span != finding.span:
        return f"{text}; [the place to mend](1)"
    cause = _unlinked(plain(other.function)) or "a change"
    name = f"{cause}()" if other.function else cause
    return f"{text}; made stale by [{name}](1)"


def _unlinked(text: str) -> str:
    """Return a text in which nothing is taken for a link."""
    return text.replace("\\", "\\\\").replace("[", "\\[").replace("]", "\\]")


def _related(finding: Finding, shown: Span, view: View) -> Iterator[Object]:
    """Yield the other end: the cause, or the site where the finding is shown at its cause."""
    stage = finding.stage
    if (cause := words.elsewhere(finding)) is None:
        return
    if shown != finding.span:
        place = _location(finding.span, view, stage, finding.function)
        yield {**place, "id": 1, "message": {"text": "the place to mend"}}
    else:
        place = _location(cause.span, view, stage, cause.function)
        text = plain(f"the cause: {words.place(cause, view.selected.result)}")
        yield {**place, "id": 1, "message": {"text": text}}


def _flow(finding: Finding, view: View) -> Object:
    stage = finding.stage
    last = len(finding.trace)
    steps = [
        {
            "location": {
                **_location(step.span, view, stage, step.function),
                "message": {"text": _unlinked(plain(step.message))},
            },
            "executionOrder": n,
            "importance": "essential" if n in (1, last) else "important",
            **({"kinds": ["call"]} if step.is_call else {}),
            **_states(step),
        }
        for n, step in enumerate(finding.trace, 1)
    ]
    text = "how the new state comes to the site"
    return {"message": {"text": text}, "threadFlows": [{"locations": steps}]}


def _states(step: Step) -> Object:
    """Return what a page is at a step, before the patch and after it, where it is known."""
    known = {"page before the patch": step.before, "page after the patch": step.after}
    state = {what: {"text": plain(text)} for what, text in known.items() if text}
    return {"state": state} if state else {}


def _location(span: Span, view: View, stage: int, function: str) -> Object:
    out: Object = {
        "physicalLocation": {
            "artifactLocation": _artifact(span.file),
            "region": _region(span, view.read(span.file, stage)),
        }
    }
    if function:
        out["logicalLocations"] = [{"name": plain(function), "kind": "function"}]
    return out


def _artifact(path: str) -> Object:
    # A path with bytes that are not UTF-8 has surrogates for them.
    uri = quote(path.removeprefix("./"), errors="surrogateescape" if _escapes(path) else "replace")
    return {"uri": uri, "uriBaseId": "SRCROOT"}


def _escapes(path: str) -> bool:
    return all(not 0xD800 <= ord(c) <= 0xDFFF or 0xDC80 <= ord(c) <= 0xDCFF for c in path)


def _region(span: Span, source: bytes | None) -> Object:
    """Return a region; SARIF counts characters where spans count bytes."""
    lines = source.split(b"\n") if source is not None else []

    def column(line: int, bytes_: int) -> int:
        if line > len(lines):
            return bytes_
        return len(lines[line - 1][: bytes_ - 1].decode("utf-8", "surrogateescape")) + 1

    region: Object = {
        "startLine": span.line,
        "startColumn": column(span.line, span.column),
        "endLine": span.end_line,
        "endColumn": column(span.end_line, span.end_column),
    }
    if span.line <= len(lines):
        text = lines[span.line - 1].decode("utf-8", "replace").expandtabs()
        region["snippet"] = {"text": plain(text)[:500]}
    return region


def _fix(fixes: Sequence[Replacement]) -> Object:
    by_file = groupby(sorted(fixes, key=lambda fix: fix.file), key=lambda fix: fix.file)
    changes = [
        {"artifactLocation": _artifact(file), "replacements": [_replacement(f) for f in group]}
        for file, group in by_file
    ]
    return {"description": {"text": "mend it"}, "artifactChanges": changes}


def _replacement(fix: Replacement) -> Object:
    region = {
        "startLine": fix.first,
        "startColumn": 1,
        "endLine": fix.end,
        "endColumn": 1,
    }
    return {"deletedRegion": region, "insertedContent": {"text": fix.text}}


def _kinds(result: Result) -> list[str]:
    """Return the kinds of notifications that a result has."""
    return sorted({*(g.kind for g in result.gaps), *(["partial"] if result.left_out else [])})


def _notifications(result: Result, left: int) -> Iterator[Object]:
    if partial := words.partial_at(result):
        yield {
            "level": "warning",
            "descriptor": {"id": "partial"},
            "message": {"text": plain(partial[1])},
            "locations": [{"physicalLocation": {"artifactLocation": _artifact(partial[0])}}],
        }
    for gap in result.gaps[:_MOST_GAPS]:
        yield _gap(gap)
    more = ((len(result.gaps) - _MOST_GAPS, "gap"), (left, "finding"))
    for n, noun in more:
        if n > 0:
            text = f"{words.counted(n, noun)} more, left out"
            yield {"level": "warning", "message": {"text": text}}


def _gap(gap: Gap) -> Object:
    out: Object = {
        "level": "warning" if gap.kind == "budget" else "note",
        "descriptor": {"id": gap.kind},
        "message": {"text": plain(words.gap(gap))},
    }
    if gap.file:
        place: Object = {"artifactLocation": _artifact(gap.file)}
        if gap.line:
            place["region"] = {"startLine": gap.line}
        out["locations"] = [{"physicalLocation": place}]
    return out
