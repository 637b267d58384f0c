"""Put hunks that have a place into the lines of a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from analyzer.patch.locate import Place
from analyzer.patch.model import Hunk


@dataclass(frozen=True, slots=True, kw_only=True)
class Spliced:
    """A file with hunks put in; lines count from 1, removed ones before and added ones after.

    spans holds, for each hunk that was put in, the lines it covers before and after.
    """

    data: bytes
    removed: tuple[range, ...]
    added: tuple[range, ...]
    spans: tuple[tuple[range, range], ...]


def split_lines(data: bytes) -> list[bytes]:
    """Split at line feeds alone, newlines kept."""
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def splice(lines: Sequence[bytes], placed: Sequence[tuple[Hunk, Place]]) -> Spliced:
    """Return the file with the hunks put where their places say; places are in order.

    Context stays as the file has it, also where fuzz left it out of account. A hunk may begin in
    the context at the end of the one before.
    """
    out: list[bytes] = []
    done = 0  # lines of the file that are in out, or dropped
    removed: list[int] = []
    added: list[int] = []
    spans = []
    for hunk, place in placed:
        at = place.start
        start = at + len(out) - done
        for line in hunk.lines:
            if line.kind != " ":
                out.extend(lines[done:at])
                done = at
            if line.kind == "+":
                out.append(line.content)
                added.append(len(out))
                continue
            at = min(at + 1, len(lines))
            if line.kind == "-":
                removed.append(at)
                done = at
        end = at + len(out) - done
        spans.append((range(place.start + 1, at + 1), range(start + 1, end + 1)))
    out.extend(lines[done:])
    return Spliced(
        data=b"".join(out), removed=_runs(removed), added=_runs(added), spans=tuple(spans)
    )


def _runs(numbers: Sequence[int]) -> tuple[range, ...]:
    """Join numbers that follow each other into ranges."""
    runs: list[range] = []
    for number in numbers:
        if runs and runs[-1].stop == number:
            runs[-1] = range(runs[-1].start, number + 1)
        else:
            runs.append(range(number, number + 1))
    return tuple(runs)
