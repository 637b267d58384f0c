"""Read the expectations that stand in fixture sources and compare them with what was found.

The notes, all behind `//~` at the end of a line of C (several may follow each other):

    //~ rule                     a finding on this line
    //~^ rule                    a finding one line up for each ^
    //~fn rule                   a finding anywhere in the function that this line defines
    //~[strict,bits] rule        only under these laws; CONFIG_X and !CONFIG_X for configurations
    //~ rule|rule                either rule is a fair name for the mistake
    //~ rule(error): "words"     with this severity, and with these words in the message
    //~ MISSING rule             a known miss: fails as soon as the tool finds it
    //~ NOISE rule               a known false alarm: fails as soon as it is gone
    //~ GAP kind                 the tool must admit that it did not understand

`//=` is kept free for probes of the state at a line. Where no note stands, nothing may be found.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from analyzer.base import Gap
from analyzer.findings import Finding

_ANY = re.compile(r"[ \t]*//[~=].*$")
_NOTE = re.compile(
    r"~(?P<up>\^*)(?P<fn>fn)?(?:\[(?P<when>[^\]]*)\])?\s+"
    r"(?:(?P<kind>MISSING|NOISE|GAP)\s+)?"
    r"(?P<rules>[a-z][a-z-]*(?:\|[a-z][a-z-]*)*)"
    r"(?:\((?P<severity>error|warning|note)\))?"
    r"(?::\s*\"(?P<words>[^\"]*)\")?\s*"
)
_DEFINED = re.compile(r"(\w+)\s*\(")


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One expectation: what must (or is known to) be reported, and where."""

    file: str
    line: int
    kind: str  # "EXPECT", "MISSING", "NOISE" or "GAP"
    rules: tuple[str, ...]
    function: str = ""  # set where any line of this function will do
    severity: str = ""
    words: str = ""
    when: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Say the note as it would be written."""
        kind = "" if self.kind == "EXPECT" else f"{self.kind} "
        severity = f"({self.severity})" if self.severity else ""
        words = f': "{self.words}"' if self.words else ""
        place = f" anywhere in {self.function}()" if self.function else ""
        return f"{kind}{'|'.join(self.rules)}{severity}{words}{place}"


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One difference between what a line expects and what was found there."""

    file: str
    line: int
    expected: str
    found: str


def strip_notes(text: str, *, keep: int = 0) -> str:
    """Return the text without notes, line for line; the first keep columns of a line stay."""
    return "\n".join(line[:keep] + _ANY.sub("", line[keep:]) for line in text.split("\n"))


def parse_notes(file: str, text: str) -> tuple[Note, ...]:
    """Return the notes of a source in order; raise ValueError for one that cannot be read."""
    return tuple(
        note
        for number, line in enumerate(text.split("\n"), 1)
        if "//~" in line
        for note in _notes_of_line(file, number, line)
    )


def _notes_of_line(file: str, number: int, line: str) -> Iterator[Note]:
    source, *notes = line.split("//")
    for written in notes:
        match = _NOTE.fullmatch(written)
        if match is None:
            raise ValueError(f"{file}:{number}: cannot read the note //{written}")
        defined = _DEFINED.search(source) if match["fn"] else None
        if match["fn"] and defined is None:
            raise ValueError(f"{file}:{number}: //~fn stands beside no function")
        yield Note(
            file=file,
            line=number - len(match["up"]),
            kind=match["kind"] or "EXPECT",
            rules=tuple(match["rules"].split("|")),
            function=defined[1] if defined is not None else "",
            severity=match["severity"] or "",
            words=match["words"] or "",
            when=tuple(w.strip() for w in (match["when"] or "").split(",") if w.strip()),
        )


def applies(note: Note, law: str, config: Mapping[str, bool]) -> bool:
    """Tell whether a note counts under a law and a configuration."""
    laws = [w for w in note.when if "CONFIG_" not in w]
    symbols = [w for w in note.when if "CONFIG_" in w]
    held = all(config.get(w.lstrip("!"), w[0] != "!") is (w[0] != "!") for w in symbols)
    return held and (not laws or law in laws)


def matches(note: Note, finding: Finding) -> bool:
    """Tell whether a finding is what a note asks for."""
    span = finding.span
    placed = (
        finding.function == note.function
        if note.function
        else span.line <= note.line <= max(span.line, span.end_line)
    )
    return (
        placed
        and finding.file == note.file
        and finding.rule in note.rules
        and note.severity in ("", finding.severity.value)
        and note.words in finding.message
    )


def compare(
    notes: Sequence[Note], findings: Collection[Finding], gaps: Collection[Gap]
) -> tuple[Problem, ...]:
    """Return every difference between the notes that apply and what the tool said, sorted."""
    problems = []
    for note in notes:
        hits = [f for f in findings if matches(note, f)]
        if note.kind == "GAP":
            if not any(_is_admitted(note, gap) for gap in gaps):
                problems.append(Problem(note.file, note.line, str(note), "no such gap"))
        elif note.kind == "MISSING":
            problems += [_wrong(f, f"{note}: found now, make it a plain note") for f in hits]
        elif not hits:
            stale = "; the false alarm is gone, drop the note" if note.kind == "NOISE" else ""
            problems.append(Problem(note.file, note.line, f"{note}{stale}", "nothing"))
    claimed = [n for n in notes if n.kind != "GAP"]
    problems += [_wrong(f, "nothing") for f in findings if not any(matches(n, f) for n in claimed)]
    admitted = [n for n in notes if n.kind == "GAP"]
    problems += [
        Problem(g.file, g.line, "no gap", f"gap {g.kind} in {g.function}(): {g.detail}")
        for g in gaps
        if g.kind == "syntax" and not any(_is_admitted(n, g) for n in admitted)
    ]
    return tuple(sorted(set(problems)))


def _is_admitted(note: Note, gap: Gap) -> bool:
    placed = gap.function == note.function if note.function else gap.line == note.line
    return gap.file == note.file and gap.kind in note.rules and placed


def _wrong(finding: Finding, expected: str) -> Problem:
    found = f"{finding.severity}[{finding.rule}] in {finding.function}(): {finding.message}"
    return Problem(finding.file, finding.span.line, expected, found)


def render(problems: Sequence[Problem], sources: Mapping[str, str]) -> str:
    """Lay the problems out by line, each with its source, what was expected and what was found."""
    out = []
    for problem in problems:
        lines = strip_notes(sources.get(problem.file, "")).split("\n")
        source = lines[problem.line - 1].strip() if 0 < problem.line <= len(lines) else ""
        out.append(f"{problem.file}:{problem.line}: {source}")
        out.append(f"    expected: {problem.expected}")
        out.append(f"    found:    {problem.found}")
    return "\n".join(out)
