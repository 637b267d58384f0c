"""Check many patches."""

from __future__ import annotations

import sys
import threading
from collections import Counter
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analyzer.base import Severity
from analyzer.budget import OutOfBudgetError
from analyzer.cli.bounds import bounded, count
from analyzer.cli.guard import Guard
from analyzer.cli.output import DEFECT, EXHAUSTED, FOUND, OK, USAGE, put, say

if TYPE_CHECKING:
    from analyzer.sweep import Job, Swept

_SEVERITIES = click.Choice([str(s) for s in reversed(Severity)])


class _Fate(StrEnum):
    """Say what came out of a patch, in the words of the last line."""

    FAILED = "with findings"
    PASSED = "with findings below --fail-on"
    CUT = "judged in part"
    CLEAN = "clean"
    UNCHECKED = "not checked"


@click.command(short_help="Check many patches.")
@click.argument("patches", metavar="REV..REV | DIR")
@click.option("--tree", metavar="DIR", default=".", help="The kernel tree. [default: .]")
@click.option("--git", "revision", metavar="REV", help="For DIR: read the tree at this revision.")
@click.option("--jobs", type=count, metavar="N", help="Processes.  [default: one a processor]")
@click.option("--scheduler", metavar="ADDRESS", help="Use the Dask cluster of this scheduler.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json: one object a line.",
)
@click.option(
    "--level", type=_SEVERITIES, default=None, help="Show nothing below.  [default: warning]"
)
@click.option(
    "--fail-on",
    type=click.Choice([*_SEVERITIES.choices, "never"]),
    default=None,
    help="Exit 1 for new findings from this severity on.  [default: warning]",
)
@click.option("--quiet", is_flag=True, help="No progress on stderr.")
@click.option("--no-cache", is_flag=True, help="Neither use nor fill the cache.")
@bounded("each patch")
@click.pass_context
def sweep(
    context: click.Context,
    patches: str,
    *,
    tree: str,
    revision: str | None,
    jobs: int | None,
    scheduler: str | None,
    form: str,
    level: str | None,
    fail_on: str | None,
    quiet: bool,
    no_cache: bool,
    timeout: float | None,
    memory: int | None,
) -> None:
    """Check each commit of a range, or each file of a directory, by itself.

    Every patch is checked on the tree that it was made for: a commit on its
    parent, a file on the tree as it is or at --git. Merges, commits that touch
    no code and cover letters are left out, and so is what a file `series` of the
    directory does not name. What could not be checked is listed, too.

    Exit status: 1 where a patch has findings, else the highest with which
    check would have ended for one that could not be checked, else 0.
    """
    from analyzer.parallel import usable_cores
    from analyzer.progress import Progress
    from analyzer.sweep import jobs_of, sweep_on
    from analyzer.sweep import sweep as sweep_here
    from analyzer.tree import open_tree

    if not tree or scheduler is None:  # else it is the workers' to find; here each would complain
        open_tree(tree, revision)
    where = str(Path(tree).absolute())
    work, notes = jobs_of(
        patches,
        where,
        revision,
        level=level,
        fail_on=fail_on,
        timeout=timeout,
        memory=memory,
        cache=not no_cache,
    )
    for note in () if quiet else notes:
        say(note)
    swept = (
        sweep_here(work, jobs or usable_cores(), held)
        if scheduler is None
        else sweep_on(scheduler, work, held)
    )
    fates: Counter[_Fate] = Counter()
    worst = OK
    with closing(swept), Progress(sys.stderr, enabled=not quiet) as progress:
        progress("sweep", 0.0)
        for n, one in enumerate(swept, 1):
            progress(f"sweep {n}/{len(work)}", n / len(work))
            fates[_fate(one)] += 1
            worst = max(worst, _status(one))
            with progress.aside():
                put(_json(one) if form == "json" else _text(one), None)
    if form == "text":
        amounts = ", ".join(f"{fates[f]} {f}" for f in _Fate if fates[f])
        what = f"{len(work)} patch{'es' if len(work) > 1 else ''}: {amounts}"
        put(f"{what if work else 'No commit there touches code'}.\n", None)
    context.exit(FOUND if fates[_Fate.FAILED] else worst)


def held(job: Job) -> Swept:
    """Check one patch, and hold the worker's process to what the patch may cost."""
    from analyzer.settings import bounds
    from analyzer.sweep import Swept, Trouble, run_job

    ours = threading.current_thread() is threading.main_thread()  # a process of no other program
    try:
        with Guard(*bounds(job.timeout, job.memory), enabled=ours) as guard:
            return run_job(job, guard.allow)
    except (OutOfBudgetError, MemoryError) as error:
        why = str(error) or "out of memory"
        return Swept(name=job.name, problem=why, trouble=Trouble.BUDGET)


def _fate(one: Swept) -> _Fate:
    if one.problem:
        return _Fate.UNCHECKED
    if one.failed:
        return _Fate.FAILED
    if one.cut:
        return _Fate.CUT
    return _Fate.PASSED if any(one.counts.values()) else _Fate.CLEAN


def _status(one: Swept) -> int:
    """Return how a check ends that has the problem of a patch."""
    from analyzer.sweep import Trouble

    statuses = {Trouble.INPUT: USAGE, Trouble.BUDGET: EXHAUSTED, Trouble.DEFECT: DEFECT}
    return OK if one.trouble is None else statuses[one.trouble]


def _text(one: Swept) -> str:
    """Return what is said of one patch: nothing of a clean one."""
    from analyzer.report.plain import harmless, plain

    head = plain(f"{one.name} {one.subject}").rstrip()
    if one.problem:
        return f"{head}\n  not checked: {harmless(one.problem.partition(chr(10))[0])}\n"
    lines = [*one.lines.splitlines(), *([f"judged in part: {harmless(one.cut)}"] * bool(one.cut))]
    return f"{head}\n" + "".join(f"  {x}\n" for x in lines) if lines else ""


def _json(one: Swept) -> str:
    from json import dumps, loads

    report = loads(one.report) if one.report else None
    return dumps({"name": one.name, "problem": one.problem or None, "report": report}) + "\n"
