"""Say findings in Markdown, such that nothing in a patch can steer the page."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from analyzer import __version__
from analyzer.base import Severity
from analyzer.findings import Finding, Migration, Result
from analyzer.report import words
from analyzer.report.plain import plain

_MARKUP = re.compile(r"[\\`*\[\]<>~|&]|(?<![^\W_])_|_(?![^\W_])")
_CALL = re.compile(r"\b[A-Za-z_]\w*\([\w, ]*\)")
#: GitHub takes 65536 characters in one comment; the marker has to fit in as well.
_MOST = 65_000
_ZERO = "\u200b"  # keeps a name from being notified, a number and an address from being linked
_LINKED = re.compile(r"@|(?<=#)(?=\d)|(?<=:)(?=//)|(?<=www)(?=\.)")


def md(text: str) -> str:
    """Return text that Markdown shows as it is, calls of functions as code."""
    held = plain(text)
    out, at = [], 0
    for call in _CALL.finditer(held):
        out += [_escaped(held[at : call.start()]), code(call[0])]
        at = call.end()
    return "".join((*out, _escaped(held[at:])))


def _escaped(text: str) -> str:
    escaped = _MARKUP.sub(lambda m: "\\" + m[0], text)
    return _LINKED.sub(lambda m: m[0] + _ZERO, escaped)


def code(text: str) -> str:
    """Return text as a code span, whatever backticks it holds."""
    held = plain(text)
    fence = "`" * (max((len(run) for run in re.findall("`+", held)), default=0) + 1)
    blank = " " if held.startswith("`") or held.endswith("`") else ""
    return f"{fence}{blank}{held}{blank}{fence}"


def comment(finding: Finding) -> str:
    """Return the comment on one finding."""
    where = f"{finding.file}:{finding.span.line}"
    lines = [
        f"**{finding.severity}: {finding.rule}**: {md(finding.message)}",
        "",
        f"In {code(finding.function + '()')}, {code(where)}: {code(finding.operation)}",
    ]
    if finding.cause is not None:
        cause = finding.cause
        patch = f", patch {cause.patch} of the series" if cause.patch else ""
        lines += ["", f"Cause: {code(cause.function + '()')} in {code(cause.span.file)}{patch}"]
    if finding.trace:
        lines += ["", "How it gets there:", ""]
        lines += [
            f"{n}. {code(f'{s.span.file}:{s.span.line}')} {md(s.message)}"
            for n, s in enumerate(finding.trace, 1)
        ]
    lines += ["", f"What it means: `offlint explain {finding.rule}` (offlint {__version__})"]
    return "\n".join(lines)


def summary(result: Result, apart: Sequence[Finding], inline: int | None) -> str:
    """Return the one comment on the whole; apart are the findings that have no place.

    inline counts the others, and is None where nobody knows yet.
    """
    lines = [f"### offlint: {counted(apart, inline or 0)}"] if inline is not None else []
    lines += [f"- {_migration(m)}" for m in result.migrations]
    if inline:
        lines += ["", f"Comments of their own where the change is: {inline}."]
    if apart:
        lines += ["", "Outside the change, and so listed here:"]
    last = []
    for doubt in words.doubts(result):
        last += ["", f"{words.sentence(md(doubt))}."]
    if result.gaps:
        blind = words.counted(len(result.gaps), "place")
        last += ["", f"Blind in {blind}: what could not be read is not judged."]
    return "\n".join((*lines, *_fitting(apart, _MOST - len("\n".join((*lines, *last)))), *last))


def _fitting(apart: Sequence[Finding], room: int) -> Iterator[str]:
    """Yield the lines of as many comments as there is room for, and how many are left out."""
    for n, finding in enumerate(apart):
        text = comment(finding)
        room -= len(text) + 2
        if room < 0:
            yield ""
            yield f"Too long for one comment: `offlint check` shows {counted(apart[n:])} more."
            return
        yield ""
        yield text


def counted(findings: Sequence[Finding], more: int = 0) -> str:
    """Return how many findings there are, in words."""
    number = len(findings) + more
    return f"{number or 'no'} finding{'' if number == 1 else 's'}"


def brief(findings: Iterable[Finding]) -> str:
    """Return one line for a patch: how many of each severity, and the first of them."""
    held = sorted(findings, key=lambda f: -f.severity.rank)
    if not held:
        return "nothing new"
    counts = [(sum(f.severity is s for f in held), s) for s in Severity]
    amounts = ", ".join(f"{n} {s}{'s' if n > 1 else ''}" for n, s in counts if n)
    return plain(f"{amounts}; {held[0].file}: {held[0].message}")


def _migration(m: Migration) -> str:
    unless = f", except {', '.join(m.exceptions)}" if m.exceptions else ""
    cause = f"; caused by {code(m.cause.function + '()')}" if m.cause else ""
    return f"{md(m.population)}: {md(m.before)} -> {md(m.after + unless)}{cause}"
