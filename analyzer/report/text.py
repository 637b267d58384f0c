"""Render a result for people at a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from analyzer.base import Gap, Severity, Span
from analyzer.findings import Cause, Finding, Migration, Result, Status, Step
from analyzer.report.excerpt import excerpt, source_line
from analyzer.report.paint import Paint, painter
from analyzer.report.plain import harmless, plain, wrap
from analyzer.select import Selected, is_hazard

#: (path, patch) -> the file as it is after that patch of the series; 0 is the tree before it.
Read = Callable[[str, int], bytes | None]

_HEADINGS = {
    Status.FIXED: "Fixed by the patch:",
    Status.PRE_EXISTING: "There before, and not the patch's doing:",
}


def render(selected: Selected, read: Read, *, width: int = 80, colour: bool = False) -> str:
    """Return the report: how pages start now, each finding with source and trace, a verdict."""
    paint = painter(colour=colour)
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
    """Say in a sentence how a population starts now."""
    text = f"{migration.population}: {migration.before} -> {migration.after}"
    if migration.exceptions:
        text += f", except {', '.join(migration.exceptions)}"
    if migration.cause is not None:
        text += f"; caused by {_place_of(migration.cause, result)}"
    return [paint(line, "title") for line in wrap(plain(text), width, rest="    ")]


def _place_of(cause: Cause, result: Result) -> str:
    """Write a cause as `function() (file:line, patch 2 of 3)`, the patch only in a series."""
    place = f"{cause.span.file}:{cause.span.line}"
    if cause.patch is not None and len(result.patches) > 1:
        place += f", patch {cause.patch} of {len(result.patches)}"
    return f"{cause.function}() ({place})" if cause.function else place


def _finding(finding: Finding, result: Result, read: Read, width: int, paint: Paint) -> list[str]:
    style = "hazard" if is_hazard(finding) else str(finding.severity)
    label = f"{style}[{finding.rule}]"
    lines = wrap(f"{label}: {plain(finding.message)}", width, rest="    ")
    title = lines[0].removeprefix(label)
    out = [paint(label, style) + paint(title, "title"), *(paint(x, "title") for x in lines[1:])]
    out.append(paint("  --> ", "gutter") + _where(finding.span, finding.function))
    stage = stage_of(finding)
    source = read(finding.span.file, stage)
    if source is not None:
        out.extend(excerpt(source, finding.span, width=width, style=style, paint=paint))
    if result.patches and len(result.patches) > 1:
        out.extend(wrap(_charge(finding), width, first="  patch: ", rest="         "))
    if finding.cause is not None and finding.cause.span != finding.span:
        out.extend(_cause(finding.cause, result, read, stage, width, paint))
    if finding.trace:
        out.append("  trace:")
        for n, step in enumerate(finding.trace, 1):
            text = plain(f"{_stand(step)}: {step.message}")
            out.extend(wrap(text, width, first=f"    {n}. ", rest="       "))
    if finding.fix is not None:
        out.append("  fix:")
        out.extend(f"    {harmless(line.expandtabs())}" for line in finding.fix.splitlines())
    return out


def _stand(step: Step) -> str:
    """Return where a step stands; the function only where the message does not begin with it."""
    at = f"{step.span.file}:{step.span.line}"
    known = not step.function or step.message.startswith(f"{step.function}()")
    return at if known else f"{at} {step.function}()"


def stage_of(finding: Finding) -> int:
    """Return the patch after which a finding's lines count: 0 is the tree before the series."""
    if finding.status is Status.FIXED:
        return (finding.fixed_by or 1) - 1
    return finding.introduced_by or 1


def _where(span: Span, function: str) -> str:
    at = f"{span.file}:{span.line}:{span.column}"
    return plain(f"{at} in {function}()" if function else at)


def _charge(finding: Finding) -> str:
    if is_hazard(finding):
        return (
            f"introduced by patch {finding.introduced_by}, mended by patch {finding.fixed_by}; "
            "a bisection can stop between them"
        )
    if finding.status is Status.FIXED:
        return f"fixed by patch {finding.fixed_by}"
    if finding.status is Status.PRE_EXISTING:
        return "none of the series"
    return f"introduced by patch {finding.introduced_by}"


def _cause(
    cause: Cause, result: Result, read: Read, stage: int, width: int, paint: Paint
) -> list[str]:
    text = plain(_place_of(cause, result))
    out = wrap(text, width, first="  cause: ", rest="         ")
    source = read(cause.span.file, stage)
    line = source_line(source, cause.span.line, width - 12) if source is not None else ""
    return [*out, f"         {paint('| ' + line, 'faint')}"] if line else out


def _gaps(gaps: tuple[Gap, ...], width: int, paint: Paint) -> Iterator[str]:
    yield paint("Not understood, so nothing is said of it:", "title")
    for gap in gaps:
        at = f"{gap.file}:{gap.line}" if gap.line else gap.file
        where = f"{at} in {gap.function}()" if gap.function else at
        yield from wrap(plain(f"{gap.kind}: {where}: {gap.detail}"), width, first="  ", rest="    ")


def _verdict(selected: Selected, width: int, paint: Paint) -> list[str]:
    """Sum up in a sentence: what was found, what is not shown, where the tool is blind."""
    parts = [_counted(selected.count(s), s) for s in Severity if selected.count(s)]
    hazards = sum(is_hazard(f) for f in selected.shown)
    if hazards:
        parts.append(f"{_counted(hazards, 'mistake')} that the series mends later")
    style = "title" if parts else "good"
    if parts:
        text = f"{_listed(parts)}."
    else:
        text = "Nothing to show." if selected.shown else "Nothing stale found."
    out = [paint(line, style) for line in wrap(text + _unsaid(selected), width)]
    if selected.shown:
        hint = f"What a rule means and how to mend it: offlint explain {selected.shown[0].rule}"
        return [*wrap(hint, width), *out]
    return out


def _unsaid(selected: Selected) -> str:
    """Say what is counted and not listed, and how to see it."""
    unsaid = []
    if selected.hidden:
        unsaid.append(f"not shown: {', '.join(f'{n} {why}' for why, n in selected.hidden)}")
    gaps = len(selected.result.gaps)
    if gaps:
        unsaid.append(f"blind in {_counted(gaps, 'place')}")
    if not unsaid:
        return ""
    text = "; ".join(unsaid)
    return f" {text[:1].upper()}{text[1:]}{' (see --all)' if selected.is_cut else ''}."


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"
