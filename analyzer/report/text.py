"""Render a result for people at a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.base import Gap, Span
from analyzer.findings import Cause, Finding, Migration, Result, Status
from analyzer.report import words
from analyzer.report.excerpt import excerpt, source_line
from analyzer.report.paint import Paint, painter
from analyzer.report.plain import harmless, plain, wrap
from analyzer.report.view import Read, View
from analyzer.select import Selected, is_hazard

#: So many functions are told of whose contract changed.
_MOST_CONTRACTS = 8
_HEADINGS = {
    Status.FIXED: "Fixed by the patch:",
    Status.PRE_EXISTING: "There before, and not the patch's doing:",
}


def render(view: View) -> str:
    """Return the report: how pages start now, each finding with source and trace, a verdict."""
    selected, read, width = view.selected, view.read, view.width
    paint = painter(colour=view.colour)
    blocks = [[_migration(m, selected.result, width, paint)] for m in selected.result.migrations]
    status = Status.INTRODUCED
    for finding in selected.shown:
        if finding.status is not status:
            status = finding.status
            blocks.append([[paint(_HEADINGS[status], "title")]])
        blocks.append([_finding(finding, selected.result, read, width, paint)])
    if selected.gaps:
        blocks.append([list(_gaps(selected.gaps, width, paint))])
    blocks.append([_verdict(selected, width, paint)])
    return "\n\n".join("\n".join(line for part in b for line in part) for b in blocks) + "\n"


def _migration(migration: Migration, result: Result, width: int, paint: Paint) -> list[str]:
    """Say how a population starts now, and which functions treat it differently since."""
    name = "" if migration.name == "derived" else f" [{migration.name}]"
    text = plain(f"{words.migration(migration, result)}{name}")
    lines = [paint(line, "title") for line in wrap(text, width, rest="    ")]
    told = [c for c in migration.contracts if c.own]
    for change in told[:_MOST_CONTRACTS]:
        lines.extend(wrap(plain(words.contract(change)), width, first="  ", rest="      "))
    if len(told) > _MOST_CONTRACTS:
        more = words.counted(len(told) - _MOST_CONTRACTS, "more function")
        lines.append(f"  and {more}, listed in the JSON report")
    return lines


def _finding(finding: Finding, result: Result, read: Read, width: int, paint: Paint) -> list[str]:
    style = "hazard" if is_hazard(finding) else str(finding.severity)
    label = f"{style}[{finding.rule}]"
    lines = wrap(f"{label}: {plain(finding.message)}", width, rest="    ")
    title = lines[0].removeprefix(label)
    out = [paint(label, style) + paint(title, "title"), *(paint(x, "title") for x in lines[1:])]
    out.append(paint("  --> ", "gutter") + _where(finding.span, finding.function))
    stage = words.stage(finding)
    source = read(finding.span.file, stage)
    if source is not None:
        out.extend(excerpt(source, finding.span, width=width, style=style, paint=paint))
    if result.patches and len(result.patches) > 1:
        out.extend(wrap(words.charge(finding), width, first="  patch: ", rest="         "))
    if finding.cause is not None and finding.cause.span != finding.span:
        out.extend(_cause(finding.cause, result, read, stage, width, paint))
    if finding.trace:
        out.append("  trace:")
        for n, step in enumerate(finding.trace, 1):
            text = plain(words.step(step))
            out.extend(wrap(text, width, first=f"    {n}. ", rest="       "))
    if finding.fix is not None:
        out.append("  fix:")
        out.extend(f"    {harmless(line.expandtabs())}" for line in finding.fix.splitlines())
    return out


def _where(span: Span, function: str) -> str:
    at = f"{span.file}:{span.line}:{span.column}"
    return plain(f"{at} in {function}()" if function else at)


def _cause(
    cause: Cause, result: Result, read: Read, stage: int, width: int, paint: Paint
) -> list[str]:
    text = plain(words.place(cause, result))
    out = wrap(text, width, first="  cause: ", rest="         ")
    source = read(cause.span.file, stage)
    line = source_line(source, cause.span.line, width - 12) if source is not None else ""
    return [*out, f"         {paint('| ' + line, 'faint')}"] if line else out


def _gaps(gaps: tuple[Gap, ...], width: int, paint: Paint) -> Iterator[str]:
    yield paint("Not understood, so nothing is said of it:", "title")
    for gap in gaps:
        text = plain(f"{gap.kind}: {words.gap_place(gap)}: {gap.detail}")
        yield from wrap(text, width, first="  ", rest="    ")


def _verdict(selected: Selected, width: int, paint: Paint) -> list[str]:
    """Sum up in a sentence: what was found, what is not shown, where the tool is blind."""
    style = "title" if words.found(selected) else "good"
    text = f"{words.verdict(selected)} {words.unsaid(selected)}"
    out = [paint(line, style) for line in wrap(text, width)]
    if selected.shown:
        hint = f"What a rule means and how to mend it: offlint explain {selected.shown[0].rule}"
        return [*wrap(hint, width), *out]
    return out
