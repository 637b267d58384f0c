"""Hear what the source itself allows: comments `offlint: allow(RULE) reason`.

Such a comment counts for findings on its own line, on the line below it, and, where it stands
right above a function, in all of that function.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from analyzer.base import Span
from analyzer.findings import Finding, Result, Status
from analyzer.rules import load_rules
from analyzer.tree.api import is_c

if TYPE_CHECKING:
    from analyzer.c.unit import Unit

#: The rule that suppressions themselves can break.
RULE = "bad-suppression"

#: (path, patch) -> the file as it is after that patch of the series; 0 is the tree before it.
Read = Callable[[str, int], bytes | None]
#: (path, patch) -> the lines of the file that the patch changes, as they are after it.
Changed = Callable[[str, int], Sequence[range]]

#: File, rules and reason.
Key = tuple[str, tuple[str, ...], str]

_WORD = b"offlint:"
_ALLOW = re.compile(r"offlint:\s*allow\s*\(([^()]*)\)[ \t]*(.*)", re.DOTALL)
_EDGE = re.compile(r"^[ \t]*\*?[ \t]?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Suppression:
    """One comment that allows something. lines and functions say where it counts.

    problem says what is wrong with it in words, and is empty where nothing is.
    """

    span: Span
    rules: tuple[str, ...]
    reason: str
    lines: range
    functions: frozenset[str]
    problem: str

    @property
    def key(self) -> Key:
        """Return what makes it the same comment after it has moved."""
        return (self.span.file, self.rules, self.reason)

    def covers(self, finding: Finding) -> bool:
        """Tell whether a finding in this file is one that the comment allows."""
        if self.problem or finding.rule not in self.rules:
            return False
        at = finding.span
        return finding.function in self.functions or any(
            n in self.lines for n in {at.line, at.end_line}
        )


def suppressions(path: str, text: bytes) -> tuple[Suppression, ...]:
    """Return the suppressions of a file, in order; costs next to nothing where there is none."""
    if _WORD not in text or not is_c(path):
        return ()
    from analyzer.c.blank import comment_ranges
    from analyzer.c.unit import scan_unit

    unit = scan_unit(path, text)
    return tuple(
        _read(unit, start, end) for start, end in comment_ranges(text) if _WORD in text[start:end]
    )


def _read(unit: Unit, start: int, end: int) -> Suppression:
    text = unit.text[start:end].decode("utf-8", "replace")
    body = _EDGE.sub("", text.removeprefix("/*").removeprefix("//").removesuffix("*/"))
    m = _ALLOW.search(body)
    rules = tuple(r.strip() for r in m[1].split(",") if r.strip()) if m else ()
    reason = " ".join(m[2].partition("\n\n")[0].split()) if m else ""
    span = unit.span(start, end)
    return Suppression(
        span=span,
        rules=rules,
        reason=reason,
        lines=range(span.line, span.end_line + 2),
        functions=_below(unit, end),
        problem=_problem(rules, reason, well_formed=m is not None),
    )


def _problem(rules: tuple[str, ...], reason: str, *, well_formed: bool) -> str:
    if not well_formed or not rules:
        return "cannot be read: expected `offlint: allow(RULE) reason`"
    unknown = [r for r in rules if r not in load_rules()]
    if unknown:
        return f"names a rule that does not exist: {', '.join(unknown)}"
    return "" if reason else "gives no reason"


def _below(unit: Unit, end: int) -> frozenset[str]:
    """Return the functions whose definition follows a comment without a blank line."""
    found = set()
    for name, definitions in unit.definitions.items():
        for d in definitions:
            between = unit.text[end : d.span.start]
            above = d.span.start >= end and not unit.code[end : d.span.start].strip()
            if above and not re.search(rb"\n[ \t]*\n", between):
                found.add(name)
    return frozenset(found)


def suppress(result: Result, read: Read, changed: Changed, files: Iterable[str]) -> Result:
    """Return a result without what the source allows, which is counted, and with what is odd.

    files names those that the series changes. A suppression in one of them, or in one in which
    something is found, that has no reason, names an unknown rule or allows nothing is a finding
    itself: charged to the series where a patch of it wrote the comment, or mended what it allowed.
    """
    heard = _Heard(read)
    kept: list[Finding] = []
    used: set[Key] = set()
    idle: set[Key] = set()
    for finding in result.findings:
        gone = finding.status is Status.FIXED
        by = heard.allows(finding)
        if by is not None:
            (idle if gone else used).add(by.key)
        if gone or by is None:
            kept.append(finding)
    odd = [
        f
        for path in sorted({*files, *(f.file for f in result.findings)})
        for f in _odd(path, heard, changed, len(result.patches), used, idle - used)
    ]
    return replace(
        result,
        findings=(*kept, *odd),
        suppressed=result.suppressed + len(result.findings) - len(kept),
    )


class _Heard:
    """The suppressions of the files that were asked for, read once."""

    def __init__(self, read: Read) -> None:
        self._read = read
        self._known: dict[tuple[str, int], tuple[Suppression, ...]] = {}

    def of(self, path: str, patch: int) -> tuple[Suppression, ...]:
        """Return the suppressions of a file as it is after a patch."""
        if (path, patch) not in self._known:
            self._known[path, patch] = suppressions(path, self._read(path, patch) or b"")
        return self._known[path, patch]

    def allows(self, finding: Finding) -> Suppression | None:
        """Return the suppression that allows a finding, in the tree in which its lines count."""
        known = self.of(finding.file, finding.stage)
        return next((s for s in known if s.covers(finding)), None)


def _odd(
    path: str,
    heard: _Heard,
    changed: Changed,
    patches: int,
    used: set[Key],
    idle: set[Key],
) -> Iterator[Finding]:
    """Yield what is wrong with the suppressions of a file as the series leaves it."""
    wrote = {
        s.key: patch
        for patch in range(1, patches + 1)
        for s in heard.of(path, patch)
        if _within(s.span, changed(path, patch))
    }
    for s in heard.of(path, patches):
        patch = wrote.get(s.key, patches if s.key in idle else None)
        problem = s.problem
        if not problem and s.key not in used and patch is not None:
            problem = f"allows {', '.join(s.rules)}, and nothing is found there"
        if problem:
            yield replace(_finding(s, problem, patch), seen_after=patches)


def _finding(s: Suppression, problem: str, patch: int | None) -> Finding:
    rule = load_rules()[RULE]
    where = f"{min(s.functions)}()" if s.functions else f"line {s.span.line}"
    parts = (RULE, s.span.file, *s.rules, s.reason, problem)
    return Finding(
        rule=rule.id,
        function=min(s.functions, default=""),
        file=s.span.file,
        operation=f"allow({', '.join(s.rules)})",
        span=s.span,
        severity=rule.severity,
        confidence=rule.confidence,
        message=f"the suppression at {where} {problem}",
        status=Status.PRE_EXISTING if patch is None else Status.INTRODUCED,
        introduced_by=patch,
        fingerprint=hashlib.blake2b("\0".join(parts).encode(), digest_size=16).hexdigest(),
    )


def _within(span: Span, lines: Sequence[range]) -> bool:
    return any(span.line < r.stop and r.start <= span.end_line for r in lines)
