"""Render an audit for people at a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from analyzer.report import words
from analyzer.report.paint import Paint, painter
from analyzer.report.plain import plain, wrap
from analyzer.report.words import counted
from analyzer.sites import Audit, Delta, Site, Verdict

_STYLES = {
    Verdict.AFFECTED: "error",
    Verdict.UNDECIDED: "warning",
    Verdict.MIGRATED: "good",
    Verdict.UNAFFECTED: "faint",
}
_HEADINGS = {
    Verdict.AFFECTED: "Affected: something else happens now, and nobody has seen to it",
    Verdict.UNDECIDED: "Undecided, with what is missing",
    Verdict.MIGRATED: "Migrated: goes by the state that the pages have now",
    Verdict.UNAFFECTED: "Unaffected, with the reason",
}


def render(audit: Audit, *, width: int = 80, colour: bool = False) -> str:
    """Return what moves, each use under its verdict, and the counts."""
    paint = painter(colour=colour)
    blocks = [list(_head(audit, width, paint))]
    for verdict in _HEADINGS:
        sites = [s for s in audit.sites if s.verdict is verdict]
        if sites:
            heading = wrap(_HEADINGS[verdict], width)
            blocks.append([paint(line, "title") for line in heading])
            times = Counter((s, s.line) for s in sites)  # a line may say the same again
            for (site, _), n in times.items():
                blocks[-1] += _site(site, n, width, paint)
    blocks.append(list(_sum(audit, width, paint)))
    return "\n\n".join("\n".join(block) for block in blocks) + "\n"


def _head(audit: Audit, width: int, paint: Paint) -> Iterator[str]:
    title = f"{audit.migration}: {audit.title}"
    yield from (paint(line, "title") for line in wrap(plain(title), width, rest="    "))
    for move in audit.moves:
        yield from wrap(plain(words.start(move)), width, first="  ", rest="    ")
    if audit.patch:
        yield from wrap(plain(f"patch: {audit.patch}"), width, first="  ", rest="    ")


def _site(site: Site, times: int, width: int, paint: Paint) -> Iterator[str]:
    where = f"{site.file}:{site.line}"
    if site.function:
        where += f" {site.function}()"
    what = f"{site.operation} {_deed(site)}"
    if times > 1:
        what += f", {counted(times, 'use')}"
    style = _STYLES[site.verdict]
    lines = wrap(plain(f"{where}: {what}"), width, first="  ", rest="      ")
    yield paint(lines[0], style)
    yield from (paint(line, style) for line in lines[1:])
    yield from wrap(plain(site.reason), width, first="      ", rest="      ")
    if text := words.history(site):
        yield from wrap(text, width, first="      ", rest="      ")
    if site.ways is not None:
        for name, way in zip(("before", "now"), site.ways, strict=True):
            yield from wrap(plain(way), width, first=f"      {name:>6}: ", rest="              ")


def _deed(site: Site) -> str:
    deed = f"({site.verb})" if not site.pasted else f"({site.verb}; put together by a macro)"
    if site.delta in (Delta.ADDED, Delta.REMOVED):
        deed += f" [{site.delta} by the patch]"
    elif site.absent:
        deed = "[missing]"
    return deed


def _sum(audit: Audit, width: int, paint: Paint) -> Iterator[str]:
    counts = audit.counts
    parts = [f"{counts[v]} {v}" for v in Verdict]
    text = f"{counted(counts['uses'], 'use')}: {', '.join(parts)}."
    if counts["absent"]:
        text += f" {counts['absent']} more that the patch takes away or that are missing."
    yield from (paint(line, "title") for line in wrap(text, width))
    others = ", ".join(f"{n} in a {kind}" for kind, n in audit.others)
    listed = counts["uses"] + sum(n for _, n in audit.others)
    left = audit.words - listed
    uses = counted(audit.words - sum(n for _, n in audit.others), "use")
    text = f"{counted(audit.words, 'word')}: {', '.join(filter(None, (uses, others)))}"
    if left:
        text += f"; {left} of the uses are out of the patch's reach"
    yield from wrap(f"{text}.", width)
    if text := words.late(audit):
        yield from (paint(line, "warning") for line in wrap(text, width))
    if audit.gaps:
        yield from wrap(
            f"Blind in {counted(len(audit.gaps), 'place')} while pages were followed.", width
        )
