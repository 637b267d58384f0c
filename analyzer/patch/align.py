"""Align a hunk that lost its blanks with the file it was made for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

#: What a line of a damaged hunk turned out to be. "\\" is the remark about a missing newline.
Role = Literal[" ", "-", "+", "\\"]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the hunk as it was: its role, the damaged line and the line of the file.

    raw is None for a blank line that vanished; at is None where the file has no such line.
    """

    role: Role
    raw: int | None
    at: int | None


@dataclass(frozen=True, slots=True)
class _Path:
    """A reading of the lines so far, newest step first; shared between readings."""

    cost: int
    step: Step | None
    rest: _Path | None

    def steps(self) -> tuple[Step, ...]:
        found = []
        path: _Path | None = self
        while path is not None:
            if path.step is not None:
                found.append(path.step)
            path = path.rest
        return tuple(reversed(found))


#: (lines of the file used, lines of the result made) -> the cheapest reading that gets there
_Front = dict[tuple[int, int], _Path]


def squeeze(line: bytes) -> bytes:
    """Return a line without any blanks."""
    return b"".join(line.split())


def starts_near(guess: int, count: int) -> Iterator[int]:
    """List the places to try: the guess, then nearest first, from 0 to count - 1."""
    guess = min(max(guess, 0), max(count - 1, 0))
    yield from (guess,) if count else ()
    for distance in range(1, count):
        if guess + distance < count:
            yield guess + distance
        if guess - distance >= 0:
            yield guess - distance


def align(
    raw: Sequence[bytes], file: Sequence[bytes], start: int, sizes: tuple[int, int], *, last: bool
) -> tuple[int, tuple[Step, ...]] | None:
    """Return how the damaged lines read if the hunk starts at this line of the file, or None.

    The number tells how far-fetched the reading is: how many blank lines came or went.
    raw and file are squeezed; sizes are the line counts in the hunk's head, before and after. What
    follows the complete hunk must be blank, unless this is the last hunk of the input.
    """
    front: _Front = {(0, 0): _Path(0, None, None)}
    best: tuple[int, _Path] | None = None
    for at in range(len(raw) + 1):
        _restore_blanks(front, file, start, sizes)
        done = front.get(sizes)
        if done is not None and (last or not any(raw[at:])):
            cost = done.cost + _left_over(raw, at)
            best = (cost, done) if best is None or cost < best[0] else best
        if at == len(raw) or not front:
            break
        front = _advance(front, raw[at], at, file, start, sizes)
    return None if best is None else (best[0], best[1].steps())


def _left_over(raw: Sequence[bytes], start: int) -> int:
    """Count the lines that are left; a signature and what follows it do not belong to the hunk."""
    count = 0
    for text in raw[start:]:
        if text == b"--":
            break
        count += bool(text)
    return count


def _restore_blanks(
    front: _Front, file: Sequence[bytes], start: int, sizes: tuple[int, int]
) -> None:
    """Allow for blank lines of the file that are not in the damaged text."""
    pending = sorted(front)
    while pending:
        used, made = pending.pop(0)
        path = front[used, made]
        at = start + used
        if used < sizes[0] and made < sizes[1] and at < len(file) and not file[at]:
            step = Step(" ", None, at)
            if _offer(front, (used + 1, made + 1), _Path(path.cost + 2, step, path)):
                pending.append((used + 1, made + 1))


def _advance(
    front: _Front,
    text: bytes,
    index: int,
    file: Sequence[bytes],
    start: int,
    sizes: tuple[int, int],
) -> _Front:
    """Read one more damaged line in every way it can be read."""
    following: _Front = {}
    for (used, made), path in front.items():
        at = start + used
        has_line = used < sizes[0] and at < len(file)
        if has_line and made < sizes[1] and file[at] == text:
            # A context line may itself start with + or -, but seldom does.
            cost = path.cost + (1 if text[:1] in (b"+", b"-") else 0)
            _offer(following, (used + 1, made + 1), _Path(cost, Step(" ", index, at), path))
        if has_line and text[:1] == b"-" and file[at] == text[1:]:
            _offer(following, (used + 1, made), _Path(path.cost, Step("-", index, at), path))
        if text[:1] == b"+" and made < sizes[1]:
            _offer(following, (used, made + 1), _Path(path.cost, Step("+", index, None), path))
        if text[:1] == b"\\":
            _offer(following, (used, made), _Path(path.cost, Step("\\", index, None), path))
        if not text:  # a blank line that the archive put in
            _offer(following, (used, made), _Path(path.cost + 1, None, path))
    return following


def _offer(front: _Front, state: tuple[int, int], path: _Path) -> bool:
    """Keep the cheaper of two readings that come to the same."""
    known = front.get(state)
    if known is not None and known.cost <= path.cost:
        return False
    front[state] = path
    return True
