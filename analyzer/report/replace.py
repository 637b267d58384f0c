"""Read the diff of a fix as replacements of lines, which is how forges want it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from json import loads

_HUNK = re.compile(r"@@ -(\d+)(?:,(\d+))? \+\d+(?:,(\d+))? @@")


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """Lines from `first` up to `end`, exclusive, of a file become a text; both count from 1.

    Where first equals end nothing is taken away, and the text goes before that line.
    """

    file: str
    first: int
    end: int
    text: str


def replacements(diff: str) -> tuple[Replacement, ...]:
    """Return what a unified diff replaces, in its order; lines count before the diff."""
    lines = diff.split("\n")
    found: list[Replacement] = []
    file, at = "", 0
    while at < len(lines):
        text = lines[at]
        at += 1
        if text.startswith("+++ "):
            name = text[4:].split("\t")[0].strip()
            # A name is quoted as JSON quotes it.
            file = (loads(name) if name.startswith('"') else name).removeprefix("b/")
        elif hunk := _HUNK.match(text):
            body = _body(lines, at, int(hunk[2] or 1), int(hunk[3] or 1))
            at += len(body)
            # A hunk without lines before stands behind the line that it names.
            found.extend(_changes(file, int(hunk[1]) + (hunk[2] == "0"), body))
    return tuple(found)


def _body(lines: Sequence[str], start: int, before: int, after: int) -> Sequence[str]:
    """Return as many lines of a hunk as its head counts."""
    at = start
    while at < len(lines) and (before > 0 or after > 0):
        kind = lines[at][:1]
        before -= kind in ("-", " ", "")
        after -= kind in ("+", " ", "")
        at += 1
    return lines[start:at]


def _changes(file: str, line: int, body: Sequence[str]) -> Iterator[Replacement]:
    told = (text for text in body if not text.startswith("\\"))  # a remark about the line above
    for is_change, run in groupby(told, key=lambda text: text.startswith(("+", "-"))):
        texts = list(run)
        gone = sum(not text.startswith("+") for text in texts)
        if is_change:
            new = "".join(f"{text[1:]}\n" for text in texts if text.startswith("+"))
            yield Replacement(file=file, first=line, end=line + gone, text=new)
        line += gone
