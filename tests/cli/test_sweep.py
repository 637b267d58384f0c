"""Many patches: from git or a directory, in processes or on a cluster, always in order."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing import active_children
from pathlib import Path

import pytest

from analyzer.base import AnalyzerError, Severity
from analyzer.cli import main
from analyzer.sweep import Job, Swept, Trouble, jobs_of, run_job
from analyzer.sweep import sweep as sweep_jobs

from ..recipes.repos import DEMO, HARMLESS, demo
from .commands import TREE, Done, offlint, spawn

PATCH = (DEMO / "change.patch").read_text()
FINDING = "ERROR:DOUBLE_SET: acme_append() sets PageOffline"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a directory with a patch that breaks something, one that does not, and no patch."""
    made = tmp_path / "patches"
    made.mkdir()
    for name, text in (("a.patch", HARMLESS), ("b.mbox", PATCH), ("c.txt", "no patch at all\n")):
        (made / name).write_text(text)
    return made


def jobs(folder: Path) -> tuple[Job, ...]:
    return jobs_of(str(folder), TREE, None)[0]


def swept(*arguments: str) -> Done:
    return offlint("sweep", "--quiet", *arguments)


@pytest.mark.slow
def test_a_directory_is_checked_file_by_file(folder: Path) -> None:
    done = swept("--tree", TREE, "--jobs", "2", str(folder))

    lines = done.stdout.splitlines()
    assert 1 == done.status
    assert "b.mbox mm: let hotplugged pages start as PageOffline()" == lines[0]
    assert FINDING in lines[1]
    assert "c.txt\n  not checked: c.txt: no patch in it" in done.stdout
    assert "3 patches: 1 with findings, 1 clean, 1 not checked." == lines[-1]
    assert "a.patch" not in done.stdout


@pytest.mark.parametrize(
    ("series", "names", "notes"),
    [
        ("b.mbox\n# new\nmm/d.patch -p1\n", ["b.mbox", "mm/d.patch"], ["without a.patch, c.txt"]),
        ("no list of patches\n", ["a.patch", "b.mbox", "c.txt", "series"], []),
    ],
)
def test_a_series_file_is_no_patch_but_names_them(
    folder: Path, series: str, names: list[str], notes: list[str]
) -> None:
    (folder / "mm").mkdir()
    (folder / "mm" / "d.patch").write_text(HARMLESS)
    (folder / "series").write_text(series)

    found, told = jobs_of(str(folder), TREE, None)

    assert names == [job.name for job in found]
    assert (folder / names[-1]).read_bytes() == found[-1].patch
    assert notes == [note.partition("series file, ")[2] for note in told]


COVER = "From: a@b\nSubject: [PATCH 0/2] all\n\nWhy.\n"


def test_cover_letters_and_replies_are_passed_over(folder: Path) -> None:
    (folder / "0000-cover-letter.patch").write_text(COVER)
    (folder / "reply.eml").write_text(COVER.replace("[PATCH 0/2]", "Re: [PATCH 1/2]"))
    (folder / "lost.eml").write_text(COVER.replace("0/2", "2/2"))

    found, told = jobs_of(str(folder), TREE, None)

    assert ["a.patch", "b.mbox", "c.txt", "lost.eml"] == [job.name for job in found]
    assert (f"{folder}: 2 mails without a diff passed over: cover letters, replies",) == told


def test_a_folder_of_cover_letters_has_no_patches(tmp_path: Path) -> None:
    (tmp_path / "0000-cover-letter.patch").write_text(COVER)

    with pytest.raises(AnalyzerError, match="no patches there: found nothing but cover letters"):
        jobs_of(str(tmp_path), TREE, None)


def test_commits_are_for_no_revision_but_their_own() -> None:
    with pytest.raises(AnalyzerError, match="--git v1: goes with a directory"):
        jobs_of("a..b", TREE, "v1")


@pytest.mark.slow
def test_what_a_series_file_leaves_out_is_said(folder: Path) -> None:
    (folder / "series").write_text("a.patch\n")

    done = offlint("sweep", "--tree", TREE, "--jobs", "1", str(folder))

    assert (0, "1 patch: 1 clean.\n") == (done.status, done.stdout)
    assert "in the order of its series file, without b.mbox, c.txt" in done.stderr


@pytest.mark.slow
def test_the_order_is_that_of_the_names_whatever_finishes_first(folder: Path) -> None:
    for n in range(6):
        shutil.copy(folder / ("b.mbox" if n % 2 else "a.patch"), folder / f"d{n}")

    done = swept("--tree", TREE, "--jobs", "2", "--format", "json", str(folder))

    names = [json.loads(line)["name"] for line in done.stdout.splitlines()]
    assert sorted(p.name for p in folder.iterdir()) == names


@pytest.mark.slow
def test_commits_are_checked_on_their_own_parents(tmp_path: Path) -> None:
    repository = demo(tmp_path)
    for patch in (HARMLESS, PATCH):
        repository.apply(patch)
    (repository.path / "README").write_text("no code\n")
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "no code")

    done = swept("--tree", str(repository.path), "--jobs", "1", "--format", "json", "HEAD~3..HEAD")

    reports = [json.loads(line) for line in done.stdout.splitlines()]
    assert [0, 2] == [r["report"]["summary"]["error"] for r in reports]
    head = repository.git("rev-parse", "HEAD~1").strip()
    assert head[:12] == reports[1]["name"]


@pytest.mark.slow
def test_findings_below_the_threshold_do_not_fail(folder: Path) -> None:
    (folder / "c.txt").unlink()

    done = swept("--tree", TREE, "--jobs", "1", "--fail-on", "never", str(folder))

    assert 0 == done.status
    assert "1 with findings below --fail-on" in done.stdout


def test_settings_of_the_tree_count_for_each_patch(folder: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(TREE, tree)
    (tree / ".offlint.toml").write_text(
        'fail-on = "never"\nlevel = "error"\n[ignore]\npaths = ["drivers/acme/"]\n'
    )
    patch = next(j for j in jobs_of(str(folder), str(tree), None)[0] if j.name == "b.mbox")

    theirs, ours = run_job(patch), run_job(replace(patch, level="note", fail_on="error"))

    assert (1, False) == (theirs.lines.count("\n"), theirs.failed)
    assert "acme_append" not in ours.lines
    assert (True, True) == (ours.lines.count("\n") > 1, ours.failed)


def test_budget_of_the_tree_counts_for_each_patch(folder: Path, tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(TREE, tree)
    (tree / ".offlint.toml").write_text("[budgets]\nmemory = 1\n")
    patch = next(j for j in jobs_of(str(folder), str(tree), None)[0] if j.name == "b.mbox")

    assert "out of memory" == run_job(patch).problem


@pytest.mark.slow
def test_what_could_not_be_checked_does_not_pass(folder: Path) -> None:
    (folder / "b.mbox").unlink()

    done = swept("--tree", TREE, "--jobs", "1", "--fail-on", "never", str(folder))

    assert 2 == done.status
    assert "2 patches: 1 clean, 1 not checked." == done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("fates", "status"),
    [
        ("cc", 0),
        ("ci", 2),
        ("ib", 4),
        ("bdi", 70),
        ("dfi", 1),
    ],
)
def test_findings_come_first_and_then_the_gravest_problem(
    fates: str, status: int, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = {
        "c": Swept(name="clean"),
        "f": Swept(name="found", failed=True, lines="x\n"),
        "i": Swept(name="input", problem="no patch", trouble=Trouble.INPUT),
        "b": Swept(name="budget", problem="out of time", trouble=Trouble.BUDGET),
        "d": Swept(name="defect", problem="a defect", trouble=Trouble.DEFECT),
    }
    monkeypatch.setattr("analyzer.sweep.sweep", lambda *_: (made[fate] for fate in fates))

    assert status == main(["sweep", "--quiet", "--tree", TREE, str(folder)])


def test_each_problem_is_of_a_kind(folder: Path) -> None:
    unread = next(j for j in jobs(folder) if j.name == "c.txt")
    short = next(j for j in jobs(folder) if j.name == "b.mbox")

    assert Trouble.INPUT == run_job(unread).trouble
    assert Trouble.BUDGET == run_job(replace(short, memory=1, cache=False)).trouble


def test_nothing_to_check_is_a_mistake(tmp_path: Path) -> None:
    done = swept("--tree", TREE, str(tmp_path))

    assert (2, "") == (done.status, done.stdout)
    assert "no patches there: found a directory without files" in done.stderr


def test_commits_that_touch_no_code_are_none(tmp_path: Path) -> None:
    repository = demo(tmp_path)
    repository.git("commit", "--quiet", "--allow-empty", "--message", "no code")
    tree = str(repository.path)

    done, none = (swept("--tree", tree, what) for what in ("HEAD~..HEAD", "HEAD..HEAD"))

    assert (0, "No commit there touches code.\n") == (done.status, done.stdout)
    assert (2, "") == (none.status, none.stdout)
    assert "HEAD..HEAD: no commits in this range" in none.stderr


def test_a_range_in_which_a_shallow_clone_is_cut_off_is_not_swept(tmp_path: Path) -> None:
    repository = demo(tmp_path)
    repository.apply(HARMLESS)
    url, clone = f"file://{repository.path}", tmp_path / "clone"
    repository.git("branch", "start", "HEAD~")
    repository.git("clone", "--quiet", "--depth=1", url, clone)
    repository.git("-C", clone, "fetch", "--quiet", "--depth=1", "origin", "start:start")

    done = swept("--tree", str(clone), "start..master")

    assert 2 == done.status
    assert "start..master: this clone's history is cut off at" in done.stderr


def test_what_is_neither_is_named() -> None:
    done = swept("--tree", TREE, "nowhere")

    assert (2, True) == (done.status, "nowhere: neither a directory of patches nor" in done.stderr)


def test_a_job_is_complete_in_itself(folder: Path) -> None:
    found = jobs(folder)
    shutil.rmtree(folder)

    done = [run_job(job) for job in found]

    assert [False, False, True] == [bool(one.problem) for one in done]
    assert [0, 2] == [one.counts[Severity.ERROR] for one in done[:2]]


def _die(*_: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Deadly(Job):
    """A job that kills its worker, as the kernel does when memory runs out."""

    def __reduce__(self) -> tuple[object, tuple[int, int]]:  # type: ignore[override]
        return _die, (0, 0)


@pytest.mark.slow
def test_a_process_that_dies_takes_only_its_patch_along(folder: Path) -> None:
    good = jobs(folder)[:2]
    bad = Deadly(**{f: getattr(good[0], f) for f in Job.__slots__})
    work: Sequence[Job] = (good[0], bad, good[1], good[0])

    done = list(sweep_jobs(work, 2))

    assert [False, True, False, False] == [bool(one.problem) for one in done]
    assert ("the process died", Trouble.BUDGET) == (done[1].problem[:16], done[1].trouble)


class Endless(Job):
    """A job that takes a minute."""

    def __reduce__(self) -> tuple[object, tuple[int]]:  # type: ignore[override]
        return time.sleep, (60,)


@pytest.mark.slow
def test_whoever_stops_a_sweep_waits_for_nothing(folder: Path) -> None:
    good = jobs(folder)[0]
    bad = Endless(**{f: getattr(good, f) for f in Job.__slots__})
    started = time.monotonic()

    with contextlib.closing(sweep_jobs((good, bad, bad, bad), 2)) as sweep:
        assert not next(sweep).problem

    assert time.monotonic() - started < 50
    # Each is killed, and none of them ends by itself; a busy machine takes its time to say so.
    until = time.monotonic() + 30
    while active_children() and time.monotonic() < until:
        time.sleep(0.05)
    assert [] == active_children()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_no_worker_outlives_a_sweep_that_is_killed(how: int, folder: Path) -> None:
    for n in range(20):
        shutil.copy(folder / "b.mbox", folder / f"b{n}.mbox")

    with spawn("sweep", "--no-cache", "--jobs", "2", "--tree", TREE, str(folder)) as ours:
        assert ours.stdout is not None
        ours.stdout.readline()
        ours.send_signal(how)
        # What a worker holds open as well does not end before it does.
        ours.communicate(timeout=60)

    assert -how == ours.returncode


@pytest.fixture
def scheduler() -> Iterator[str]:
    distributed = pytest.importorskip("distributed", reason="`make kernel-test` installs Dask")
    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        processes=False,
        protocol="tcp://",
        dashboard_address=None,
    ) as cluster:
        yield cluster.scheduler_address


@pytest.mark.slow
def test_a_cluster_gives_the_same_as_processes(folder: Path, scheduler: str) -> None:
    arguments = ("--tree", TREE, "--format", "json", str(folder))

    here = swept("--jobs", "1", *arguments)
    there = swept("--scheduler", scheduler, *arguments)

    assert (here.status, here.stdout) == (there.status, there.stdout)
    assert 3 == there.stdout.count("\n")


@pytest.mark.slow
def test_no_scheduler_is_one_message(folder: Path) -> None:
    pytest.importorskip("distributed", reason="`make kernel-test` installs Dask")

    done = swept("--scheduler", "tcp://127.0.0.1:1", "--tree", TREE, str(folder))

    assert (2, "") == (done.status, done.stdout)
    assert "no scheduler there" in done.stderr
