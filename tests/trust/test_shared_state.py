"""Cache and ledger survive whatever becomes of those who use them, and change no answer."""

from __future__ import annotations

import multiprocessing
import signal
import sqlite3
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import pytest
from cli.commands import ENVIRONMENT, PATCH, ROOT, TREE, spawn
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.cli.output import FORMATS
from analyzer.findings import Result
from analyzer.patch import read_series
from analyzer.pipeline import check
from analyzer.post.ledger import Entry, open_ledger
from analyzer.store import DiskStore, key_of
from analyzer.tree import MemoryTree

WORKERS = 200


def reports(folder: Path, *options: str, cached: Path | None, **variables: str) -> dict[str, bytes]:
    """Check the demonstration in a process of its own; return the report in every format."""
    folder.mkdir()
    wanted = [w for name in FORMATS for w in ("--format", f"{name}={folder / name}")]
    where = {"OFFLINT_CACHE_DIR": str(cached)} if cached else {}
    done = subprocess.run(
        [
            *(sys.executable, "-m", "analyzer", "check", "--tree", TREE, "--all", *wanted),
            *(*options, *([] if cached else ["--no-cache"]), PATCH),
        ],
        cwd=ROOT,
        env={**ENVIRONMENT, **where, **variables},
        capture_output=True,
        timeout=120,
    )
    assert (1, b"", b"") == (done.returncode, done.stdout, done.stderr)
    return {name: (folder / name).read_bytes() for name in FORMATS}


@pytest.mark.slow
def test_processes_cache_and_seed_change_no_byte_of_any_format(tmp_path: Path) -> None:
    store = tmp_path / "store"
    plain = reports(tmp_path / "plain", "--jobs", "1", cached=None)
    others = {
        "four processes": reports(tmp_path / "four", "--jobs", "4", cached=None),
        "a cold cache": reports(tmp_path / "cold", cached=store),
        "a warm cache": reports(tmp_path / "warm", cached=store),
        "another seed": reports(tmp_path / "seed", cached=store, PYTHONHASHSEED="77", LC_ALL="C"),
        "a broken cache": reports(tmp_path / "bad", cached=_broken(store, tmp_path / "broken")),
    }

    assert {} == {
        f"{name} under {what}": given[name]
        for what, given in others.items()
        for name in FORMATS
        if plain[name] != given[name]
    }


def _broken(store: Path, into: Path) -> Path:
    """Return a copy of a cache of which every answer has lost its end."""
    path = into / "store" / "answers.sqlite"
    path.parent.mkdir(parents=True)
    with (
        sqlite3.connect(store / "store" / "answers.sqlite") as whole,
        sqlite3.connect(path) as copy,
    ):
        whole.backup(copy)
        copy.execute("UPDATE answer SET value = substr(value, 1, length(value) - 1)")
    return into


@cache
def demonstration() -> tuple[dict[str, str], tuple[str, ...], Result]:
    """Return the files, the patch's parts by file, and what is found."""
    paths = sorted(p for p in Path(TREE).rglob("*") if p.is_file())
    files = {p.relative_to(TREE).as_posix(): p.read_text() for p in paths}
    _, *parts = Path(PATCH).read_text().partition("-- \n")[0].split("diff --git ")
    sections = tuple(f"diff --git {part}" for part in parts)
    return files, sections, judged(files, sections)


def judged(files: dict[str, str], sections: tuple[str, ...]) -> Result:
    tree = MemoryTree(files)
    return check(read_series("".join(sections).encode(), "x", tree), tree)


@pytest.mark.slow
@given(st.data())
@settings(max_examples=8, deadline=None)
def test_the_order_of_files_in_tree_and_patch_does_not_matter(data: st.DataObject) -> None:
    files, sections, expected = demonstration()
    shuffled = data.draw(st.permutations(sorted(files)))

    found = judged({p: files[p] for p in shuffled}, data.draw(st.permutations(sections)))

    assert len(expected.findings) >= 3
    assert (expected.findings, expected.gaps) == (found.findings, found.gaps)
    assert expected.migrations == found.migrations


def _use(folder: Path, number: int, start: float) -> None:
    time.sleep(max(0.0, start - time.time()))  # all at once
    store = DiskStore(folder, lambda _: None)
    store.save("k", key_of("shared"), b"shared")
    store.save("k", key_of(str(number)), str(number).encode() * 100)
    store.close()
    again = DiskStore(folder, lambda _: None)
    for other in (number, (number + 1) % WORKERS):
        assert again.load("k", key_of(str(other))) in (None, str(other).encode() * 100)
    assert again.load("k", key_of("shared")) in (None, b"shared")


@pytest.mark.slow
def test_two_hundred_processes_use_one_cache(tmp_path: Path) -> None:
    """Who cannot write in time loses an answer, never the file and never the run."""
    context, start = multiprocessing.get_context("fork"), time.time() + 2
    workers = [
        context.Process(target=_use, args=(tmp_path, n, start), daemon=True) for n in range(WORKERS)
    ]
    began = time.monotonic()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)

    assert [0] * WORKERS == [worker.exitcode for worker in workers]
    assert time.monotonic() - began < 60
    notes: list[str] = []
    store = DiskStore(tmp_path, notes.append)
    assert b"shared" == store.load("k", key_of("shared"))
    assert store.usage().answers > WORKERS // 2
    assert [] == notes


@pytest.mark.slow
def test_ten_checks_at_once_on_an_empty_cache_say_the_same(tmp_path: Path) -> None:
    environment = {**ENVIRONMENT, "OFFLINT_CACHE_DIR": str(tmp_path)}
    runs = [
        spawn("check", "--tree", TREE, "--format", "json", PATCH, environment=environment)
        for _ in range(10)
    ]
    ended = [(*run.communicate(timeout=120), run.returncode) for run in runs]

    assert 1 == len(set(ended))
    assert (b"", 1) == ended[0][1:]


_KEEPER = """
import sys
from pathlib import Path
from analyzer.post.ledger import open_ledger

with open_ledger(Path(sys.argv[1])) as ledger:
    n = int(sys.argv[2])
    while True:
        ledger.intend(f"k{n}", f"d{n}")
        ledger.record(f"k{n}", f"d{n}", f"r{n}")
        print(n, flush=True)
        n += 1
"""


@pytest.mark.slow
def test_a_kill_while_the_ledger_is_written_loses_nothing_that_was_recorded(tmp_path: Path) -> None:
    path, recorded = tmp_path / "posts.sqlite", 0
    for turn in range(8):
        keeper = subprocess.Popen(
            [sys.executable, "-c", _KEEPER, str(path), str(recorded)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
        )
        assert keeper.stdout is not None
        keeper.stdout.readline()  # it is in the middle of its work
        time.sleep(0.02 + turn * 0.007)
        keeper.send_signal(signal.SIGKILL)
        recorded = int((keeper.stdout.read().split() or [str(recorded)])[-1]) + 1
        keeper.wait()

        with open_ledger(path) as ledger:
            assert "ok" == ledger.database.execute("PRAGMA integrity_check").fetchone()[0]
            for n in range(recorded):
                assert Entry(f"d{n}", f"r{n}") == ledger.entry(f"k{n}")
            last = ledger.entry(f"k{recorded}")
            assert last in (
                None,
                Entry(f"d{recorded}", None),
                Entry(f"d{recorded}", f"r{recorded}"),
            )

    assert recorded > 8
