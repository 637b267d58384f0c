"""Time a cold `offlint check` of the whole change beside spatch and ripgrep; print a table.

Run as `python -m bench.bench_check TREE CORPUS` with `tests` on the path, or through pytest.
The contenders take turns, so that a busy machine is unfair to all of them alike.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
#: The flag that the change takes away: what a reviewer would look for.
TOKEN = "PageReserved"
#: A token that only a few files hold; spatch at its best, shown but not held against it.
RARE_TOKEN = "__SetPageOffline"
#: Every word for the two flags, the floor under any search of the tree.
WORDS = (
    "PageReserved",
    "SetPageReserved",
    "ClearPageReserved",
    "__SetPageReserved",
    "__ClearPageReserved",
    "folio_test_reserved",
    "PageOffline",
    "__SetPageOffline",
    "__ClearPageOffline",
    "folio_test_offline",
)
TOOLS = ("git", "rg", "spatch")
#: The change in these tests is checked on a tree that has it, which is no less work.
OFFLINT, SPATCH, RARE, RIPGREP = "offlint check", "spatch", "spatch, rare token", "ripgrep"


@dataclass(frozen=True, slots=True)
class Contender:
    """A command, what it needs around it, and the exit statuses that mean it did its work."""

    name: str
    command: tuple[str, ...]
    cwd: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    statuses: frozenset[int] = frozenset({0})


@dataclass(frozen=True, slots=True)
class Sample:
    """One run: wall-clock seconds, and the memory of its largest process in MB."""

    seconds: float
    peak: float


def missing_tools() -> tuple[str, ...]:
    """Return the tools to compare with that this machine does not have."""
    return tuple(tool for tool in TOOLS if shutil.which(tool) is None)


def contenders(tree: Path, corpus: Path, build: Path) -> tuple[Contender, ...]:
    """Return what takes turns; makes the git index that `--use-gitgrep` needs where it is missing.

    The index lies in the build folder; the tree is only read.
    """
    git = {"GIT_DIR": str(index_tree(tree, build)), "GIT_WORK_TREE": str(tree)}
    check = ("check", str(corpus / "seed" / "6.12-change.patch"), "--tree", str(tree), "--no-cache")
    words = tuple(part for word in WORDS for part in ("-e", word))
    return (
        Contender(
            OFFLINT,
            (sys.executable, "-m", "analyzer", *check),
            PROJECT,
            statuses=frozenset({0, 1}),
        ),
        Contender(SPATCH, _spatch(TOKEN, tree, build), build, git),
        Contender(RARE, _spatch(RARE_TOKEN, tree, build), build, git),
        Contender(RIPGREP, ("rg", "-j2", "-uu", "-F", "-w", "-l", *words, "."), tree),
    )


def _spatch(token: str, tree: Path, build: Path) -> tuple[str, ...]:
    rule = build / f"{token}.cocci"
    rule.write_text(f"@r@\nexpression E;\n@@\n* {token}(E)\n")
    return ("spatch", "--sp-file", str(rule), "--dir", str(tree), "--use-gitgrep", "-j", "2")


def index_tree(tree: Path, build: Path) -> Path:
    """Return a git directory whose index holds every file of the tree; slow once."""
    build.mkdir(parents=True, exist_ok=True)
    directory, done = build / "git", build / "git.done"
    if done.is_file() and done.read_text() == str(tree):
        return directory
    done.unlink(missing_ok=True)
    shutil.rmtree(directory, ignore_errors=True)
    environment = {**os.environ, "GIT_DIR": str(directory), "GIT_WORK_TREE": str(tree)}
    for command in (("git", "init", "--quiet"), ("git", "add", "--all", "--force", ".")):
        subprocess.run(command, cwd=tree, env=environment, check=True, capture_output=True)
    done.write_text(str(tree))
    return directory


def run_once(contender: Contender) -> Sample:
    """Run a contender as a process of its own; fail where it did not do its work."""
    environment = {**os.environ, **contender.environment}
    started = time.perf_counter()
    process = subprocess.Popen(
        contender.command,
        cwd=contender.cwd,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode in contender.statuses, f"{contender.name}: {process.returncode}"
    return Sample(seconds, usage.ru_maxrss / 1024)


def take_turns(entrants: Sequence[Contender], rounds: int) -> dict[str, tuple[Sample, ...]]:
    """Run everybody once unmeasured, then in rounds; return the samples by name."""
    for entrant in entrants:
        run_once(entrant)
    laps = [{entrant.name: run_once(entrant) for entrant in entrants} for _ in range(rounds)]
    return {entrant.name: tuple(lap[entrant.name] for lap in laps) for entrant in entrants}


def median_seconds(samples: Sequence[Sample]) -> float:
    """Return the median of the wall-clock seconds."""
    return statistics.median(s.seconds for s in samples)


def median_ratio(ours: Sequence[Sample], theirs: Sequence[Sample]) -> float:
    """Return the median over the rounds of our seconds by theirs in the same round."""
    return statistics.median(a.seconds / b.seconds for a, b in zip(ours, theirs, strict=True))


def render(results: Mapping[str, Sequence[Sample]]) -> str:
    """Return the results as a table, with the ratios of offlint to everybody."""
    ours = results[OFFLINT]
    lines = [f"{'':20} {'median s':>9} {'fastest s':>9} {'peak MB':>8} {'offlint by it':>14}"]
    for name, samples in results.items():
        lines.append(
            f"{name:20} {median_seconds(samples):9.2f} {min(s.seconds for s in samples):9.2f} "
            f"{max(s.peak for s in samples):8.0f} {median_ratio(ours, samples):14.2f}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    _tree, _corpus = (Path(argument).resolve() for argument in sys.argv[1:3])
    _entrants = contenders(_tree, _corpus, PROJECT / "build" / "bench")
    sys.stdout.write(render(take_turns(_entrants, rounds=5)) + "\n")
