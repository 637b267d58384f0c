"""Find where hunks go in a file: offsets and fuzz as GNU patch finds them, else as git does."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import takewhile

from analyzer.patch.model import Hunk


@dataclass(frozen=True, slots=True)
class Place:
    """Where a hunk goes: the index of its first line, and how far that is from what it says."""

    start: int  # from 0, in the file before the patch
    offset: int  # lines further down than the hunk's head says
    fuzz: int  # context lines that were left out of account at either end


def place_hunks(
    lines: Sequence[bytes], hunks: Sequence[Hunk], max_fuzz: int
) -> tuple[Place | None, ...]:
    """Return a place for each hunk, None where there is none.

    A hunk is looked for where its head says, moved by the offset of the hunk before it, then
    nearest first; only if it is nowhere, with one more context line left out at either end. Less
    context at one end means that the file ends there, as long as no other place fits.
    """
    places: list[Place | None] = []
    frozen = drift = 0
    for hunk in hunks:
        place = _place(lines, hunk, frozen, drift, max_fuzz)
        places.append(place)
        if place is not None:
            drift = place.offset
            frozen = place.start + _up_to_last_change(hunk)
    return tuple(places)


def context_around(hunk: Hunk) -> tuple[int, int]:
    """Count the context lines before the first and after the last change."""
    kinds = [line.kind for line in hunk.lines]
    leading = len(list(takewhile(lambda kind: kind == " ", kinds)))
    trailing = len(list(takewhile(lambda kind: kind == " ", reversed(kinds))))
    return leading, trailing


def said_start(hunk: Hunk) -> int:
    """Return the index at which a hunk's head places it."""
    # With no lines on this side the head names the line that the hunk comes after.
    return hunk.before_start if hunk.before_lines == 0 else hunk.before_start - 1


def _up_to_last_change(hunk: Hunk) -> int:
    return len(hunk.before) - context_around(hunk)[1] if hunk.before else 0


def _place(
    lines: Sequence[bytes], hunk: Hunk, frozen: int, drift: int, max_fuzz: int
) -> Place | None:
    pattern = hunk.before
    leading, trailing = context_around(hunk)
    guess = said_start(hunk) + drift
    if not pattern:
        return Place(guess, drift, 0) if frozen <= guess <= len(lines) else None
    context = max(leading, trailing)
    for fuzz in range(min(max_fuzz, context) + 1):
        # The end with less context is where the file ends: it gives way last.
        head, tail = fuzz + leading - context, fuzz + trailing - context
        start = _search(lines, pattern, guess, frozen, head, tail, is_first=hunk.before_start <= 1)
        if start is not None:
            return Place(start, start - said_start(hunk), fuzz)
    if min(leading, trailing) == 0:
        return None
    # Context up to the ends of a function, as `git diff -W` has it, says nothing of the file's.
    start = _search(lines, pattern, guess, frozen, 0, 0, is_first=False)
    return None if start is None else Place(start, start - said_start(hunk), 0)


def _search(
    lines: Sequence[bytes],
    pattern: Sequence[bytes],
    guess: int,
    frozen: int,
    head: int,
    tail: int,
    *,
    is_first: bool,
) -> int | None:
    """Return the nearest start at which the pattern less head and tail fits."""
    if head < 0 and is_first:  # less context before than after: only the top of the file
        whole = tail >= 0 or len(pattern) == len(lines)
        fits = whole and frozen == 0 and _fits(lines, pattern, 0, 0, max(tail, 0))
        return 0 if fits else None
    if tail < 0:  # less context after than before: only the end of the file
        start = len(lines) - len(pattern)
        fits = start >= frozen and _fits(lines, pattern, start, max(head, 0), 0)
        return start if fits else None
    head, last = max(head, 0), len(lines) - (len(pattern) - tail)
    if frozen > last:
        return None
    if head >= len(pattern) - tail:  # nothing is left that could differ
        return min(max(guess, frozen), last)
    places = _places_of(pattern[head], lines, frozen + head, last + head)
    starts = sorted((at - head for at in places), key=lambda at: (abs(at - guess), at < guess))
    return next((at for at in starts if _fits(lines, pattern, at, head, tail)), None)


def _places_of(line: bytes, lines: Sequence[bytes], first: int, last: int) -> Iterator[int]:
    """Yield where a line stands, from first to last."""
    at = first - 1
    with contextlib.suppress(ValueError):
        while True:
            at = lines.index(line, at + 1, last + 1)
            yield at


def _fits(
    lines: Sequence[bytes], pattern: Sequence[bytes], start: int, head: int, tail: int
) -> bool:
    end = len(pattern) - tail
    if start + end > len(lines):
        return False
    at = start + head
    return head >= end or (
        lines[at] == pattern[head] and tuple(lines[at : start + end]) == tuple(pattern[head:end])
    )


#: What a line consists of that stands anywhere and tells no place from another.
_ANYWHERE = b" \t\r\n{}()*/;"
#: Beyond this many lines of the file times lines of the hunk no guess is made.
MAX_LINES_TO_GUESS = 2_000_000


def best_guess(lines: Sequence[bytes], hunk: Hunk) -> int | None:
    """Return where most lines of a hunk that fits nowhere are found; None where none is.

    Blank lines and those of brackets count only between places that are as good without them.
    """
    pattern = hunk.before
    if len(lines) * len(pattern) > MAX_LINES_TO_GUESS:
        return None

    weights = [len(pattern) + 1 if line.strip(_ANYWHERE) else 1 for line in pattern]

    def score(start: int) -> tuple[int, int]:
        there = zip(lines[start : start + len(pattern)], pattern, weights, strict=False)
        return sum(w for found, line, w in there if found == line), -abs(start - said)

    said = said_start(hunk)
    best = max(range(len(lines)), key=score, default=None)
    return None if best is None or score(best)[0] <= len(pattern) else best


def has_other_blanks(lines: Sequence[bytes], hunk: Hunk) -> bool:
    """Tell whether the file has each line of a hunk, brackets aside, with other blanks in it."""
    there = {b"".join(line.split()) for line in lines}
    words = [b"".join(line.split()) for line in hunk.before if line.strip(_ANYWHERE)]
    return bool(words) and all(line in there for line in words)
