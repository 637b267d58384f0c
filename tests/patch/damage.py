"""Damage a patch as a web archive does."""

from __future__ import annotations


def damaged(text: str, *, keep_blank_lines: bool = True) -> str:
    """Return a text without leading, trailing and repeated blanks."""
    lines = [_squeezed(line) for line in text.split("\n")]
    if not keep_blank_lines:
        lines = [line for line in lines if line] + [""]
    return "\n".join(lines)


def _squeezed(line: str) -> str:
    if line.startswith(("--- ", "+++ ", "diff ", "@@", "\\")):
        return line.rstrip()
    marker = line[:1] if line.startswith(("+", "-")) else ""
    blank = " " if marker and line[1:2] in (" ", "\t") else ""
    return (marker + blank + " ".join(line[len(marker) :].split())).rstrip()
