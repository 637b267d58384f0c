"""Time offlint on a real tree beside the tools that people have; print a table.

Run as `python -m bench.contest TREE CORPUS` with `tests` on the path, or through pytest. The quick
ones take turns, so that a busy machine is unfair to all of them alike; those that need more than a
minute run once.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .entrants import Entrant, Uses, entrants, index_tree
from .truth import true_uses

PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: seconds by the clock and of all processors, memory of the largest process in MB."""

    seconds: float
    cpu: float
    peak: float


@dataclass(frozen=True, slots=True)
class Score:
    """What an entrant found: true uses, and places that are none; None where it lists no uses."""

    samples: tuple[Sample, ...]
    found: int | None
    false: int


@dataclass(frozen=True, slots=True)
class Contest:
    """The scores by name, and how many true uses there are."""

    scores: Mapping[str, Score] = field(repr=False)
    uses: int

    def seconds(self, name: str) -> float:
        """Return the median of an entrant's seconds."""
        return statistics.median(s.seconds for s in self.scores[name].samples)

    def ratio(self, name: str, other: str) -> float:
        """Return the median over the rounds of one's seconds by the other's in the same round."""
        pairs = zip(self.scores[name].samples, self.scores[other].samples, strict=False)
        return statistics.median(a.seconds / b.seconds for a, b in pairs)

    def effort(self, name: str, other: str) -> float:
        """Return the median of the same ratios of processor seconds: what a busy machine leaves."""
        pairs = zip(self.scores[name].samples, self.scores[other].samples, strict=False)
        return statistics.median(a.cpu / b.cpu for a, b in pairs)

    def peak(self, name: str) -> float:
        """Return the most memory that an entrant's largest process took, in MB."""
        return max(s.peak for s in self.scores[name].samples)

    def render(self, ours: Sequence[str]) -> str:
        """Return the scores as a table, with the ratios of ours to everybody."""
        heads = "".join(f"{name.removeprefix('offlint ') + ' by it':>13}" for name in ours)
        lines = [f"{'':24}{'median s':>9}{'cpu s':>8}{'peak MB':>9}{heads}{'found':>9}{'false':>7}"]
        for name, score in self.scores.items():
            cpu = statistics.median(s.cpu for s in score.samples)
            ratios = "".join(f"{self.ratio(one, name):13.2f}" for one in ours)
            found = "-" if score.found is None else f"{score.found}/{self.uses}"
            false = "-" if score.found is None else str(score.false)
            lines.append(
                f"{name:24}{self.seconds(name):9.2f}{cpu:8.2f}{self.peak(name):9.0f}{ratios}"
                f"{found:>9}{false:>7}"
            )
        return "\n".join(lines)


def run_once(entrant: Entrant, output: Path) -> Sample:
    """Run an entrant as a process of its own; fail where it did not do its work."""
    started = time.perf_counter()
    with output.open("wb") as stream:
        process = subprocess.Popen(
            entrant.command,
            cwd=entrant.cwd,
            env={**os.environ, **entrant.environment},
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in entrant.statuses, f"{entrant.name}: {process.returncode}"
    return Sample(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def hold(tree: Path, corpus: Path, build: Path, rounds: int) -> Contest:
    """Run the quick ones in turn after a round that does not count, and the slow ones once."""
    build.mkdir(parents=True, exist_ok=True)
    everybody = entrants(tree, corpus, build, index_tree(tree, build))
    truth = true_uses(tree)
    samples: dict[str, list[Sample]] = {one.name: [] for one in everybody}
    for lap in range(rounds + 1):
        for one in everybody:
            if not one.slow or lap == rounds:
                sample = run_once(one, build / f"{one.name}.out")
                if lap > 0:
                    samples[one.name].append(sample)
    return Contest(
        {
            one.name: _score(one.uses, build / f"{one.name}.out", tuple(samples[one.name]), truth)
            for one in everybody
        },
        len(truth),
    )


def _score(
    uses: Callable[[bytes], Uses] | None, output: Path, samples: tuple[Sample, ...], truth: Uses
) -> Score:
    if uses is None:
        return Score(samples, None, 0)
    found = uses(output.read_bytes())
    return Score(samples, len(found & truth), len(found - truth))


if __name__ == "__main__":
    _tree, _corpus = (Path(argument).resolve() for argument in sys.argv[1:3])
    _contest = hold(_tree, _corpus, PROJECT / "build" / "bench", rounds=3)
    sys.stdout.write(_contest.render(("offlint check", "offlint audit")) + "\n")
