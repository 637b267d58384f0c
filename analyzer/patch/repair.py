"""Repair a copy from an archive that lost its blanks, with the help of the tree."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.base import AnalyzerError
from analyzer.patch.align import Step, align, squeeze, starts_near
from analyzer.patch.indent import Indenter
from analyzer.patch.paths import pair_paths
from analyzer.patch.sections import Numbered, RawHunk, Section, find_sections, quote
from analyzer.patch.splice import split_lines
from analyzer.tree.api import Tree

#: Lines of the file above a hunk that tell how its first line is indented.
_LEAD = 30


@dataclass(frozen=True, slots=True)
class Repaired:
    """The text of a patch with its hunks restored; a restored line has its neighbour's number."""

    lines: tuple[Numbered, ...]
    note: str


def is_damaged(lines: Sequence[Numbered]) -> bool:
    """Say whether hardly a line of the hunks starts with a blank, although context should."""
    blank = bare = 0
    in_hunk = False
    for _, text in lines:
        if _is_head(text):
            in_hunk = text.startswith(b"@@ -")
        elif in_hunk:
            # Of context that lost its own blank alone, comments still start with one.
            blank += text.startswith(b" ") and not text.startswith(b" *")
            bare += bool(text) and text[:1] not in b" +-\\"
    return bare > 0 and blank * 10 <= bare


def repair(lines: Sequence[Numbered], name: str, tree: Tree) -> Repaired:
    """Return the text with every hunk as it must have been.

    Context and removed lines come from the tree, added lines are indented as their neighbours are.
    Raise AnalyzerError that names the hunk that cannot be aligned with the tree.
    """
    sections = find_sections(lines, name, _read_body)
    if not any(section.hunks for section in sections):
        raise AnalyzerError(f"{name}: a damaged copy without a hunk that can be told apart")
    keep = any(text.startswith((b"+\t", b"+  ")) for _, text in lines)
    last = [hunk.line for section in sections for hunk in section.hunks][-1]
    bodies: dict[int, tuple[Numbered, ...]] = {}
    covered: set[int] = set()
    touched = 0
    for section in sections:
        for hunk, (body, used) in _repair_section(section, name, tree, last, keep=keep):
            bodies[hunk.line] = body
            covered.update(number for number, _ in hunk.lines[:used])
            given = [text for _, text in hunk.lines[:used]]
            touched += sum(text not in given for _, text in body)
    out: list[Numbered] = []
    for number, text in lines:
        if number not in covered:
            out.append((number, text))
        out.extend(bodies.get(number, ()))
    note = (
        f"{name}: a damaged copy (its leading blanks are lost): {touched} lines in {len(bodies)} "
        "hunks repaired from the tree"
    )
    return Repaired(tuple(out), note)


def _is_head(text: bytes) -> bool:
    return text.startswith((b"@@ -", b"diff --git ", b"--- a/", b"+++ b/"))


def _read_body(lines: Sequence[Numbered], start: int, head: RawHunk) -> tuple[RawHunk, int]:
    """Take all lines up to the next head."""
    at = start
    while at < len(lines):
        text = lines[at][1]
        if text.startswith((b"@@ -", b"diff --git ")):
            break
        following = lines[at + 1][1] if at + 1 < len(lines) else b""
        if text.startswith(b"--- ") and following.startswith(b"+++ "):
            break
        at += 1
    hunk = RawHunk(
        line=head.line,
        before_start=head.before_start,
        before_lines=head.before_lines,
        after_start=head.after_start,
        after_lines=head.after_lines,
        section=head.section,
        lines=tuple(lines[start:at]),
    )
    return hunk, at


def _repair_section(
    section: Section, name: str, tree: Tree, last: int, *, keep: bool
) -> list[tuple[RawHunk, tuple[tuple[Numbered, ...], int]]]:
    """Return each hunk of a file with its body restored and how many damaged lines that took."""
    path, after = pair_paths(section, name, lambda path: tree.read(path) is not None)
    data = b"" if path is None else tree.read(path)
    if data is None:
        raise AnalyzerError(
            f"{name}:{section.line}: a damaged copy, and {path}, which could repair it, is not in "
            f"{tree.name}"
        )
    file = [line.rstrip(b"\n") for line in split_lines(data)]
    squeezed = [squeeze(line) for line in file]
    found = []
    drift = first = 0
    for index, hunk in enumerate(section.hunks, 1):
        raw = [squeeze(text) for _, text in hunk.lines]
        said = hunk.before_start - (1 if hunk.before_lines else 0)
        sizes = (hunk.before_lines, hunk.after_lines)
        best: tuple[int, int, Sequence[Step]] | None = None
        for start in starts_near(said + drift, len(file) + 1):
            if start < first:
                continue
            aligned = align(raw, squeezed, start, sizes, last=hunk.line == last)
            if aligned is not None and (best is None or aligned[0] < best[0]):
                best = (aligned[0], start, aligned[1])
            if best is not None and best[0] == 0:
                break
        if best is None:
            raise AnalyzerError(_refusal(hunk, index, str(path or after), name, tree))
        _, start, steps = best
        drift, first = start - said, start + hunk.before_lines
        found.append((hunk, _restore(hunk, steps, file, start, keep=keep)))
    return found


def _refusal(hunk: RawHunk, index: int, path: str, name: str, tree: Tree) -> str:
    first = next((text for _, text in hunk.lines if text and text[:1] not in b"+-"), b"")
    shown = f", which starts with {quote(first)}," if first else ""
    return (
        f"{name}:{hunk.line}: a damaged copy, and hunk {index} of {path}{shown} cannot be aligned "
        f"with {tree.name}; name the tree that the patch was made for, or get the intact mail"
    )


def _restore(
    hunk: RawHunk, steps: Sequence[Step], file: Sequence[bytes], start: int, *, keep: bool
) -> tuple[tuple[Numbered, ...], int]:
    """Return the lines of a hunk with their markers and blanks; keep those of added lines or not.

    Blank lines that the archive put in at the end belong to the hunk.
    """
    indenter = Indenter()
    for line in file[max(start - _LEAD, 0) : start]:
        indenter.follow(line)
    out: list[Numbered] = []
    number, used = hunk.line, 0
    for step in steps:
        if step.raw is not None:
            number, used = hunk.lines[step.raw][0], step.raw + 1
        if step.at is not None:
            line = file[step.at]
            out.append((number, step.role.encode() + line))
            if step.role == " ":
                indenter.follow(line)
        elif step.raw is not None:
            text = hunk.lines[step.raw][1]
            if step.role == "+" and not keep:
                text = b"+" + indenter.place(text[1:].strip())
            out.append((number, text))
    if not any(text.strip() for _, text in hunk.lines[used:]):
        used = len(hunk.lines)
    return tuple(out), used
