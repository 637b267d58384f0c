"""Render a result for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from analyzer.base import Gap
from analyzer.findings import Cause, ContractChange, Finding, Migration, Result, Status, Treatment
from analyzer.report import words
from analyzer.report.excerpt import excerpt, gutter_width, source_line
from analyzer.report.paint import LINES, Glyphs, Paint, painter
from analyzer.report.plain import harmless, plain, wrap
from analyzer.report.view import Read, View
from analyzer.select import Selected, is_hazard

#: So many functions are told of whose contract changed.
_MOST_CONTRACTS = 8
_HEADINGS = {
    Status.FIXED: "Fixed by the patch, told as if it were taken back:",
    Status.PRE_EXISTING: "There before, and not the patch's doing:",
}


@dataclass(frozen=True, slots=True)
class Pen:
    """How a report is drawn: how wide, in which colours, with which signs."""

    width: int
    paint: Paint
    glyphs: Glyphs


def render(view: View) -> str:
    """Return the report: how pages start now, each finding with source and trace, a verdict."""
    selected, read = view.selected, view.read
    pen = Pen(view.width, painter(colour=view.colour), view.glyphs)
    blocks = [[_partial(selected.result, pen)]] if selected.result.left_out else []
    blocks += [[_migration(m, selected.result, pen)] for m in selected.result.migrations]
    blocks += [[_treatment(t, pen)] for t in selected.result.treated]
    status = Status.INTRODUCED
    for finding in selected.shown:
        if finding.status is not status:
            status = finding.status
            blocks.append([[pen.paint(_HEADINGS[status], "title")]])
        blocks.append([_finding(finding, selected.result, read, pen)])
    if selected.gaps:
        blocks.append([list(_gaps(selected.gaps, pen))])
    blocks.append([_verdict(selected, pen)])
    return "\n\n".join("\n".join(line for part in b for line in part) for b in blocks) + "\n"


def _partial(result: Result, pen: Pen) -> list[str]:
    """Say first of all what of the patch the report does not speak of."""
    said = f"{words.sentence(words.partial(result))}:"
    out = _heading(said, pen)
    for hunk in result.left_out:
        text = plain(words.left_out(hunk, result))
        out.extend(wrap(text, pen.width, first="  ", rest="      "))
    return out


def _heading(text: str, pen: Pen) -> list[str]:
    return [pen.paint(line, "title") for line in wrap(text, pen.width, rest="    ")]


def _migration(migration: Migration, result: Result, pen: Pen) -> list[str]:
    """Say how a population starts now, and which functions treat it differently since."""
    name = "" if migration.name == "derived" else f" [{migration.name}]"
    text = plain(f"{words.migration(migration, result, to=pen.glyphs.to)}{name}")
    return [*_heading(text, pen), *_contracts([c for c in migration.contracts if c.own], pen)]


def _treatment(treated: Treatment, pen: Pen) -> list[str]:
    """Say which functions treat a population otherwise, though nothing is stale for it."""
    text = plain(words.treatment(treated))
    return [*_heading(text, pen), *_contracts(treated.contracts, pen)]


def _contracts(told: Sequence[ContractChange], pen: Pen) -> Iterator[str]:
    for change in told[:_MOST_CONTRACTS]:
        yield from wrap(plain(words.contract(change)), pen.width, first="  ", rest="      ")
    if len(told) > _MOST_CONTRACTS:
        more = words.counted(len(told) - _MOST_CONTRACTS, "more function")
        yield from wrap(f"and {more}, listed in the JSON report", pen.width, first="  ")


def _finding(finding: Finding, result: Result, read: Read, pen: Pen) -> list[str]:
    style = "hazard" if is_hazard(finding) else str(finding.severity)
    stage = finding.stage
    source = read(finding.span.file, stage)
    out = [*_title(finding, style, pen), *_place(finding, source, style, pen)]
    if result.patches and len(result.patches) > 1:
        out.extend(wrap(words.charge(finding), pen.width, first="  patch: ", rest="         "))
    if (cause := words.elsewhere(finding)) is not None:
        out.extend(_cause(cause, result, read, stage, pen))
    out.extend(_trace(finding, pen))
    if finding.fix is not None:
        out.append("  fix:")
        out.extend(_fix(finding.fix, pen))
    return out


def _title(finding: Finding, style: str, pen: Pen) -> list[str]:
    label = f"{style}[{finding.rule}]"
    lines = wrap(f"{label}: {plain(finding.message)}", pen.width, rest="    ")
    first = pen.paint(label, style) + pen.paint(lines[0].removeprefix(label), "title")
    return [first, *(pen.paint(line, "title") for line in lines[1:])]


def _place(finding: Finding, source: bytes | None, style: str, pen: Pen) -> list[str]:
    """Return where a finding stands, and the source around it."""
    span, shown = finding.span, finding.shown
    at = f"{span.file}:{span.line}:{span.column}"
    where = plain(f"{at} in {finding.function}()" if finding.function else at)
    lines = []
    if source is not None:
        lines = excerpt(
            source, shown, width=pen.width, style=style, paint=pen.paint, glyphs=pen.glyphs
        )
    # A drawn corner sits on the bar; an arrow stands where people and editors look for it.
    indent = gutter_width(source, shown) if source is not None and pen.glyphs is LINES else 2
    return [pen.paint(f"{' ' * indent}{pen.glyphs.corner} ", "gutter") + where, *lines]


def _cause(cause: Cause, result: Result, read: Read, stage: int, pen: Pen) -> list[str]:
    text = plain(words.place(cause, result))
    out = wrap(text, pen.width, first="  cause: ", rest="         ")
    source = read(cause.span.file, stage)
    if source is None:
        return out
    line = source_line(source, cause.span.line, pen.width - 12, pen.glyphs)
    bar = f"{pen.glyphs.bar} {line}"
    return [*out, f"         {pen.paint(bar, 'faint')}"] if line else out


def _trace(finding: Finding, pen: Pen) -> Iterator[str]:
    """Yield the steps with their numbers, and in which states the pages came before and now."""
    if not finding.trace:
        return
    yield "  trace:"
    for n, step in enumerate(finding.trace, 1):
        first, *rest = wrap(plain(words.step(step)), pen.width, first=f"    {n}. ", rest="       ")
        yield f"    {pen.paint(f'{n}.', 'gutter')}{first[4 + len(f'{n}.') :]}"
        yield from rest
    end = finding.trace[-1]
    if end.has_turned:
        text = f"before the patch such pages came there {end.before}, now {end.after}"
        yield from wrap(plain(text), pen.width, first="       ", rest="       ")


def _fix(diff: str, pen: Pen) -> Iterator[str]:
    for line in diff.splitlines():
        style = {"+": "add", "-": "del"}.get(line[:1], "")
        text = harmless(line.expandtabs())
        yield f"    {pen.paint(text, style) if style else text}"


def _gaps(gaps: tuple[Gap, ...], pen: Pen) -> Iterator[str]:
    yield pen.paint("Not understood, so nothing is said of it:", "title")
    for gap in gaps:
        text = plain(f"{gap.kind}: {words.gap(gap)}")
        yield from wrap(text, pen.width, first="  ", rest="    ")


def _verdict(selected: Selected, pen: Pen) -> list[str]:
    """Sum up in a sentence: what was found, what is not shown, where the tool is blind."""
    doubtful = words.found(selected) or words.reservation(selected.result)
    style = "title" if doubtful else "good"
    text = f"{words.verdict(selected)} {words.unsaid(selected)}"
    out = [pen.paint(line, style) for line in wrap(text, pen.width)]
    if selected.shown:
        hint = f"What a rule means and how to mend it: offlint explain {selected.shown[0].rule}"
        return [*wrap(hint, pen.width), *out]
    return out
