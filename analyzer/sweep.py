"""Check many patches: a map over patches, in processes of this machine or on a Dask cluster."""

from __future__ import annotations

import math
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from io import BytesIO
from itertools import islice
from multiprocessing import active_children, get_context, parent_process
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.base import AnalyzerError, Severity
from analyzer.budget import Budget
from analyzer.patch.mail import split_messages
from analyzer.patch.packed import unpacked
from analyzer.patch.range import is_range
from analyzer.patch.stack import patches_in
from analyzer.patch.thread import is_talk
from analyzer.select import Selection

if TYPE_CHECKING:
    from analyzer.request import Request

_CODE = ("*.[chS]",)
#: So many patches for each worker are under way or wait; a release is not queued at once.
_AHEAD = 4
#: Part of the time and memory at which the analysis of a patch ends by itself.
_GENTLY = 0.8
#: Notes of many patches are too many to read.
_LEVEL = Severity.WARNING


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One patch to check, complete in itself: another machine needs the tree and nothing else.

    patch holds the text of a patch or mailbox; where commits names a range it does not count.
    level, fail_on, timeout (seconds) and memory (MB) are what the user asked for; None leaves them
    to the tree's settings. cache tells whether to use and fill the cache of the machine.
    """

    name: str
    patch: bytes
    commits: str | None
    tree: str
    revision: str | None
    level: str | None = None
    fail_on: str | None = None
    timeout: float | None = None
    memory: int | None = None
    cache: bool = True


class Trouble(StrEnum):
    """What kind of problem keeps a patch from being checked."""

    INPUT = "input"  # it cannot be read or applied
    BUDGET = "budget"  # time or memory ran out, or the process died of it
    DEFECT = "defect"  # of offlint


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """What came out of one job: reports, or the problem that kept it from being checked."""

    name: str
    subject: str = ""
    lines: str = ""  # terse
    report: str = ""  # JSON
    counts: Mapping[Severity, int] = field(default_factory=dict)  # open findings that are shown
    failed: bool = False
    cut: str = ""  # the first of what was left out for lack of time or memory
    problem: str = ""
    trouble: Trouble | None = None  # of what kind the problem is, where there is one


#: What checks a job where a worker is: importable, for it is sent there by name.
Run = Callable[[Job], Swept]


def jobs_of(
    what: str,
    tree: str,
    revision: str | None,
    *,
    level: str | None = None,
    fail_on: str | None = None,
    timeout: float | None = None,
    memory: int | None = None,
    cache: bool = True,
) -> tuple[tuple[Job, ...], tuple[str, ...]]:
    """Return a job for each commit of a range that touches code or file of a directory, and notes.

    Commits are checked on their own parents; files on the tree, or on the revision that is named:
    those, in the order, that a file `series` among them names, where there is one. There is no job
    where no commit touches code, and none for a cover letter or a reply without a diff.
    Raise AnalyzerError where there is neither a commit nor a file.
    """
    if not what:
        raise AnalyzerError("expected a directory of patches or a range REV..REV, found ''")
    folder = Path(what)
    blank = Job(
        name="",
        patch=b"",
        commits=None,
        tree=tree,
        revision=revision,
        level=level,
        fail_on=fail_on,
        timeout=timeout,
        memory=memory,
        cache=cache,
    )
    try:
        is_folder = folder.is_dir()
        paths, notes = patches_in(folder) if is_folder else ((), ())
    except OSError as error:
        raise AnalyzerError(f"{what}: cannot read the patches: {error.strerror}") from error
    if is_folder:
        if not paths:
            raise AnalyzerError(f"{what}: no patches there: found a directory without files")
        files = {p.relative_to(folder).as_posix(): _bytes(p) for p in paths}
        patches = {n: data for n, data in files.items() if not _is_talk(data, n)}
        if talk := len(files) - len(patches):
            mails = "1 mail" if talk == 1 else f"{talk} mails"
            notes = (*notes, f"{what}: {mails} without a diff passed over: cover letters, replies")
        if not patches:
            raise AnalyzerError(
                f"{what}: no patches there: found nothing but cover letters, replies"
            )
        return tuple(replace(blank, name=n, patch=data) for n, data in patches.items()), notes
    if is_range(what):
        if revision is not None:
            raise AnalyzerError(
                f"--git {revision}: goes with a directory; the commits of a range are checked each "
                "on the one before it"
            )
        commits = _commits(tree, what)
        return tuple(replace(blank, name=c[:12], commits=f"{c}^..{c}") for c in commits), ()
    raise AnalyzerError(f"{what}: neither a directory of patches nor a range REV..REV")


def _is_talk(data: bytes, name: str) -> bool:
    """Say whether a file holds mails in which nobody would look for a patch."""
    try:
        return is_talk(split_messages(unpacked(data, name)))
    except AnalyzerError:  # checking it tells
        return False


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise AnalyzerError(f"{path}: cannot read the patch: {error.strerror}") from error


def _commits(repo: str, revisions: str) -> tuple[str, ...]:
    """Return the commits of a range that touch code, oldest first, without merges and roots."""
    from analyzer.patch.range import refuse_cut
    from analyzer.tree.git import run_git, shallow_hint

    before, _, after = revisions.partition("..")
    ends = f"{before or 'HEAD'}..{after or 'HEAD'}"

    def listed(options: Sequence[str], paths: Sequence[str] = ()) -> tuple[str, ...]:
        command = ["rev-list", *options, "--end-of-options", ends, "--", *paths]
        status, output, complaint = run_git(repo, command)
        if status:
            found = complaint.removeprefix("fatal: ")
            raise AnalyzerError(
                f"{repo}: no such range: {revisions}: git says {found}{shallow_hint(repo)}"
            )
        return tuple(output.decode("ascii").split())

    refuse_cut(repo, revisions, listed(["--max-parents=0"]))
    if not listed(["--max-count=1"]):
        raise AnalyzerError(f"{revisions}: no commits in this range")
    return listed(["--reverse", "--topo-order", "--no-merges", "--min-parents=1"], _CODE)


def unheld(seconds: float, memory: int) -> None:
    """Leave it to the analysis to keep to its bounds."""


def run_job(job: Job, hold: Callable[[float, int], object] = unheld) -> Swept:
    """Check one patch. What is wrong with the patch is its problem, not the sweep's.

    hold is told how many seconds and bytes the patch may take.
    """
    from analyzer.migrations import known_migrations
    from analyzer.pipeline import check
    from analyzer.recall import recall_check
    from analyzer.report import json, terse
    from analyzer.report.view import View
    from analyzer.select import is_failure, select
    from analyzer.settings import (
        bounds,
        failing,
        read_settings,
        settings_of,
        with_levels,
        with_settings,
    )
    from analyzer.store import opened
    from analyzer.suppress import suppress

    try:
        request = _request(job)
        settings = settings_of(request.trees.before)
        known_migrations(settings.migrations)  # or it is a mistake
        limits = bounds(job.timeout, job.memory, settings)
        hold(*limits)
        with opened(lambda _: None, wanted=job.cache) as store:
            result = recall_check(
                store,
                request.series,
                request.tree,
                {},
                lambda tree: check(
                    request.series,
                    tree,
                    # Read anew, so that the answer is known to depend on it.
                    migrations=known_migrations(
                        read_settings(tree.read, request.tree.name).migrations
                    ),
                    budgets=lambda: _budget(*limits),
                ),
            )
    except AnalyzerError as error:
        return Swept(name=job.name, problem=str(error), trouble=Trouble.INPUT)
    subject = result.patches[0].subject if result.patches else ""
    if result.stopped:
        return Swept(name=job.name, subject=subject, problem=result.stopped, trouble=Trouble.BUDGET)
    heard = suppress(result, request.read, request.changed, request.files)
    weighed = with_levels(heard, settings.levels)
    wish = Selection(level=Severity(job.level) if job.level else settings.level or _LEVEL)
    selection = with_settings(wish, settings, level=str(wish.level))
    selected = select(weighed, selection)
    view = View(selected=selected, read=request.read, changed=request.changed)
    return Swept(
        name=job.name,
        subject=subject,
        lines=terse.render(view),
        report=json.render(view),
        counts={s: selected.count(s) for s in Severity},
        cut=next((g.detail for g in result.gaps if g.kind == "budget"), ""),
        failed=is_failure(weighed, selection, failing(job.fail_on, settings)),
    )


def _budget(seconds: float, memory: int) -> Budget:
    """Return what a patch may cost until it ends by itself: most of what it may cost at all."""
    deadline = time.monotonic() + seconds * _GENTLY if seconds else math.inf
    return Budget(deadline, int(memory * _GENTLY))


def _request(job: Job) -> Request:
    from analyzer.patch.read import read_series
    from analyzer.request import Request, open_request
    from analyzer.tree import open_tree

    if job.commits is not None:
        return open_request((job.commits,), job.tree, None, None, BytesIO())
    tree = open_tree(job.tree, job.revision)
    return Request(read_series(job.patch, job.name, tree), tree)


def sweep(jobs: Sequence[Job], workers: int, run: Run = run_job) -> Generator[Swept, None, None]:
    """Yield what comes out of each job, in their order, from processes of this machine.

    A process that dies takes nothing along but its own patch.
    """
    done = 0
    while done < len(jobs):
        with _pool(workers) as pool:
            for job, future in _in_order(pool, jobs[done:], workers, run):
                if isinstance(future.exception(), BrokenProcessPool):
                    break
                done += 1
                yield _outcome(job, future)
            else:
                return
        # Nobody knows over which of the patches under way it died: one by one tells.
        for job in jobs[done : done + _AHEAD * workers]:
            with _pool(1) as pool:
                done += 1
                yield _outcome(job, pool.submit(run, job))


def sweep_on(address: str, jobs: Sequence[Job], run: Run = run_job) -> Generator[Swept, None, None]:
    """Yield the same from the workers of a Dask cluster. They need offlint and the tree.

    Raise AnalyzerError where there is no scheduler at the address.
    """
    with _cluster(address) as (pool, workers):
        for job, future in _in_order(pool, jobs, workers, run):
            yield _outcome(job, future)


@contextmanager
def _pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of processes; an interrupt is ours to hear, and ends them in the middle."""
    pool = ProcessPoolExecutor(
        workers,
        mp_context=get_context("spawn"),  # not forked: a thread may draw the progress meanwhile
        initializer=_attend,
    )
    try:
        yield pool
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        for process in active_children():
            process.kill()
        raise
    pool.shutdown()


def _attend() -> None:
    """Leave interrupts to the sweep, and do not outlive it, however it ends.

    Else whoever reads what it prints would wait for the workers of one that was killed, for ever.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_the_sweep, daemon=True).start()


def _end_with_the_sweep() -> None:
    sweeping = parent_process()
    assert sweeping is not None, "a worker was started by a sweep"
    sweeping.join()
    os._exit(1)


@contextmanager
def _cluster(address: str) -> Iterator[tuple[Executor, int]]:
    try:
        from distributed import Client
    except ImportError as error:
        raise AnalyzerError(
            "--scheduler needs Dask: install it with pip install 'offlint[sweep]'"
        ) from error
    try:
        client = Client(address, timeout=10, set_as_default=False)
    except (OSError, ValueError, TimeoutError) as error:
        raise AnalyzerError(f"--scheduler {address}: no scheduler there: {error}") from error
    with client:
        yield client.get_executor(retries=1), max(1, sum(client.nthreads().values()))


def _in_order(
    pool: Executor, jobs: Sequence[Job], workers: int, run: Run
) -> Iterator[tuple[Job, Future[Swept]]]:
    """Yield jobs with their finished futures; a few jobs more than there are workers wait."""
    waiting = iter(jobs)
    held = deque((j, pool.submit(run, j)) for j in islice(waiting, _AHEAD * workers))
    while held:
        job, future = held.popleft()
        future.exception()  # waits
        yield job, future
        held.extend((j, pool.submit(run, j)) for j in islice(waiting, 1))


def _outcome(job: Job, future: Future[Swept]) -> Swept:
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, BrokenProcessPool):
        died = "the process died: out of memory?"
        return Swept(name=job.name, problem=died, trouble=Trouble.BUDGET)
    defect = f"a defect of offlint: {type(error).__name__}: {error}"
    return Swept(name=job.name, problem=defect, trouble=Trouble.DEFECT)
