"""Prepare what the web page shows: findings with source and trace, migrations, audit, gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analyzer.base import Severity, Span
from analyzer.findings import Finding, Migration, Result, Status, Step
from analyzer.report import words
from analyzer.report.diagram import Diagram, draw
from analyzer.report.view import View
from analyzer.rules import Rule
from analyzer.select import is_hazard, is_open
from analyzer.sites import Site

_BEFORE, _AFTER, _MOST = 4, 3, 14  # lines around a span, and of a long one
#: In which order verdicts are of interest; others follow by name.
_VERDICTS = ("affected", "undecided", "migrated", "unaffected")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of source: what comes before a mark, the mark, and the rest."""

    number: int
    head: str
    mark: str
    tail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One step of a trace, with the line of source that stands there."""

    step: Step
    place: str
    code: str
    is_cause: bool
    is_site: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """One finding as the page shows it; kind is a severity, or what keeps it from being open."""

    id: str
    finding: Finding
    kind: str
    place: str
    lines: tuple[Line, ...]
    cause: str
    charge: str
    stops: tuple[Stop, ...]
    fix: tuple[str, ...]
    rule: Rule | None

    def shade(self, line: str) -> str:
        """Return how a line of the fix is shown: `add`, `del` or nothing."""
        if line.startswith(("--- ", "+++ ")):
            return ""
        return {"+": "add", "-": "del"}.get(line[:1], "")


@dataclass(frozen=True, slots=True)
class Move:
    """One migration, its picture and its words."""

    migration: Migration
    diagram: Diagram
    contracts: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Everything that the template shows."""

    title: str
    headline: str
    asides: tuple[str, ...]
    mood: str  # "good", or the gravest severity that is open
    moves: tuple[Move, ...]
    cards: tuple[Card, ...]
    kinds: tuple[tuple[str, int], ...]
    sites: tuple[Site, ...]
    verdicts: tuple[tuple[str, int], ...]


def prepare(view: View) -> Page:
    """Return what the page shows of a view; it computes nothing that the view does not hold."""
    selected = view.selected
    cards = tuple(_card(n, f, view) for n, f in enumerate(selected.shown, 1))
    verdicts = _counts((str(s.verdict) for s in view.sites), _VERDICTS)
    ranks = {verdict: rank for rank, (verdict, _) in enumerate(verdicts)}
    subjects = [p.subject for p in selected.result.patches if p.subject]
    return Page(
        title=_title(subjects, selected.result),
        headline=_headline(view, verdicts),
        asides=tuple(filter(None, (words.unsaid(selected), *view.remarks))),
        mood=_mood(selected.open, verdicts, words.reservation(selected.result)),
        moves=tuple(_move(m, view) for m in selected.result.migrations),
        cards=cards,
        kinds=_counts((c.kind for c in cards), ("error", "warning", "note", "hazard")),
        sites=tuple(sorted(view.sites, key=lambda s: ranks[str(s.verdict)])),
        verdicts=verdicts,
    )


def _title(subjects: Sequence[str], result: Result) -> str:
    """Return what the patches are called: the first one by its subject; without one, the tree."""
    if not subjects:
        return result.tree
    more = len(result.patches) - 1
    rest = f", and {more} more {'patch' if more == 1 else 'patches'}" if more else ""
    return f"{subjects[0]}{rest}"


def _headline(view: View, verdicts: Sequence[tuple[str, int]]) -> str:
    """Return the verdict of a check; of an audit alone, how many uses got which verdict."""
    if verdicts and not view.selected.result.patches:
        return words.listed([f"{n} {verdict}" for verdict, n in verdicts])
    return words.verdict(view.selected).removesuffix(".")


def _mood(found: Iterable[Finding], verdicts: Sequence[tuple[str, int]], doubt: str) -> str:
    worst = max((f.severity.rank for f in found), default=-1)
    if worst < 0:
        told = dict(verdicts)
        if "affected" in told:
            return "error"
        return "warning" if "undecided" in told or doubt else "good"
    return next(str(s) for s in Severity if s.rank == worst)


def _counts(values: Iterable[str], first: Sequence[str]) -> tuple[tuple[str, int], ...]:
    counts = Counter(values)
    order = [*(v for v in first if counts[v]), *sorted(v for v in counts if v not in first)]
    return tuple((v, counts[v]) for v in order)


def _card(n: int, finding: Finding, view: View) -> Card:
    stage, result = finding.stage, view.selected.result
    source = view.read(finding.file, stage)
    cause = words.elsewhere(finding)
    return Card(
        id=f"finding-{n}",
        finding=finding,
        kind=_kind(finding),
        place=f"{finding.file}:{finding.span.line}",
        lines=excerpt(source, finding.shown) if source is not None else (),
        cause=words.place(cause, result) if cause is not None else "",
        charge=words.charge(finding) if len(result.patches) > 1 else "",
        stops=tuple(_stop(step, finding, view) for step in finding.trace),
        fix=tuple(finding.fix.splitlines()) if finding.fix is not None else (),
        rule=view.rules.get(finding.rule),
    )


def _kind(finding: Finding) -> str:
    if is_open(finding):
        return str(finding.severity)
    return "hazard" if is_hazard(finding) else str(finding.status)


def _stop(step: Step, finding: Finding, view: View) -> Stop:
    cause = finding.cause
    return Stop(
        step=step,
        place=f"{step.span.file}:{step.span.line}",
        code=_code(view.read(step.span.file, finding.stage), step.span.line),
        is_cause=cause is not None and cause.span == step.span,
        is_site=step.span == finding.span,
    )


def _code(source: bytes | None, line: int) -> str:
    lines = source.split(b"\n") if source is not None else []
    return _text(lines[line - 1].strip()) if line <= len(lines) else ""


def excerpt(source: bytes, span: Span) -> tuple[Line, ...]:
    """Return the lines around a span, what it covers marked; none where there is no such line."""
    lines = source.split(b"\n")
    if not 1 <= span.line <= len(lines):
        return ()
    last = min(max(span.end_line, span.line), len(lines), span.line + _MOST - 1)
    first = max(span.line - _BEFORE, 1)
    end = min(last + _AFTER, len(lines) - (not lines[-1]))
    return tuple(_marked(n, lines[n - 1], span) for n in range(first, max(end, last) + 1))


def _marked(number: int, line: bytes, span: Span) -> Line:
    if not span.is_on(number):
        return Line(number, _text(line), "", "")
    indent = len(line) - len(line.lstrip())
    start = span.column - 1 if number == span.line else indent
    end = span.end_column - 1 if number == span.end_line else len(line)
    return Line(number, _text(line[:start]), _text(line[start:end]), _text(line[end:]))


def _text(code: bytes) -> str:
    return code.rstrip(b"\r").decode("utf-8", "replace")


def _move(migration: Migration, view: View) -> Move:
    result = view.selected.result
    cause = migration.cause
    diagram = draw(
        migration.before,
        migration.after,
        by=f"{cause.function}()" if cause is not None and cause.function else "",
        at=f"{cause.span.file}:{cause.span.line}" if cause is not None else "",
        exceptions=len(migration.exceptions),
        label=words.migration(migration, result),
    )
    told = sorted(migration.contracts, key=lambda c: not c.own)
    return Move(migration, diagram, tuple(words.contract(c) for c in told))


def is_quiet(finding: Finding) -> bool:
    """Tell whether a finding was there before or is gone, so that it is shown closed."""
    return finding.status is not Status.INTRODUCED
