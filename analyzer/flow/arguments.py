"""Split the text of a call into its arguments."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Argument:
    """The text of one argument of a call found in blanked code."""

    text: str
    path: str
    at: int


def split_arguments(code: bytes, at: int) -> tuple[str, ...]:
    """Split the arguments of a call at the offset behind its opening parenthesis."""
    depth, start, parts = 1, at, []
    for i in range(at, min(len(code), at + 4096)):
        c = code[i : i + 1]
        if c in b"([{":
            depth += 1
        elif c in b")]}":
            depth -= 1
            if depth == 0:
                parts.append(code[start:i])
                break
        elif c == b"," and depth == 1:
            parts.append(code[start:i])
            start = i + 1
    return tuple(b" ".join(p.split()).decode("latin-1") for p in parts)
