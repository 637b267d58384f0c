"""The store must never cost a run, and never answer what was not asked."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from analyzer import store as store_module
from analyzer.store import SCHEMA, DiskStore, Usage, key_of, open_store, store_folder

ROOT = Path(__file__).resolve().parent.parent


def opened(folder: Path, **options: int) -> tuple[DiskStore, list[str]]:
    notes: list[str] = []
    return DiskStore(folder, notes.append, **options), notes


def keep(folder: Path, *values: bytes, kind: str = "k") -> None:
    store, _ = opened(folder)
    for value in values:
        store.save(kind, key_of(value), value)
    store.close()


def test_another_run_finds_what_was_saved(tmp_path: Path) -> None:
    keep(tmp_path, b"one", b"two")

    store, notes = opened(tmp_path)

    assert (b"one", b"two") == (store.load("k", key_of(b"one")), store.load("k", key_of(b"two")))
    assert [] == notes


def test_kinds_are_kept_apart(tmp_path: Path) -> None:
    keep(tmp_path, b"one", kind="searches")

    store, _ = opened(tmp_path)

    assert store.load("results", key_of(b"one")) is None


def test_keys_of_other_parts_differ() -> None:
    keys = {key_of("ab", "c"), key_of("a", "bc"), key_of("abc"), key_of(b"ab", b"c", b"")}

    assert 4 == len(keys)


def test_a_key_follows_the_code(monkeypatch: pytest.MonkeyPatch) -> None:
    before = key_of("question")
    monkeypatch.setattr(store_module, "code_version", lambda: b"other code")

    assert before != key_of("question")


def test_nothing_is_written_before_the_end(tmp_path: Path) -> None:
    store, _ = opened(tmp_path)
    store.save("k", b"key", b"value")

    other, _ = opened(tmp_path)

    assert b"value" == store.load("k", b"key")
    assert other.load("k", b"key") is None


@pytest.mark.parametrize("wreck", [b"", b"no database", b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_damaged_file_is_thrown_away_with_a_note(tmp_path: Path, wreck: bytes) -> None:
    keep(tmp_path, b"one")
    store, notes = opened(tmp_path)
    for path in store.path.parent.iterdir():
        path.unlink()
    store.path.write_bytes(wreck)

    answer = store.load("k", key_of(b"one"))
    store.close()
    keep(tmp_path, b"one")

    assert answer is None
    assert ([] if not wreck else 1) == (notes if not wreck else len(notes))
    assert b"one" == opened(tmp_path)[0].load("k", key_of(b"one"))


def test_a_torn_page_is_noticed(tmp_path: Path) -> None:
    keep(tmp_path, *(bytes([n]) * 5000 for n in range(1, 200)))
    path = opened(tmp_path)[0].path
    data = bytearray(path.read_bytes())
    for at in range(8192, len(data), 16384):
        data[at : at + 4096] = os.urandom(4096)
    path.write_bytes(data)

    store, _ = opened(tmp_path)
    answers = [store.load("k", key_of(bytes([n]) * 5000)) for n in range(1, 200)]

    assert all(a in (None, bytes([n]) * 5000) for n, a in enumerate(answers, 1))
    assert None in answers


def test_one_flipped_bit_is_noticed(tmp_path: Path) -> None:
    keep(tmp_path, b"the answer")
    path = opened(tmp_path)[0].path
    with sqlite3.connect(path) as connection:
        (value,) = connection.execute("SELECT value FROM answer").fetchone()
        connection.execute("UPDATE answer SET value = ?", (value[:-1] + b"R",))

    assert opened(tmp_path)[0].load("k", key_of(b"the answer")) is None


def test_a_file_of_another_version_is_thrown_away_with_a_note(tmp_path: Path) -> None:
    keep(tmp_path, b"one")
    path = opened(tmp_path)[0].path
    with sqlite3.connect(path) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA + 1}")

    store, notes = opened(tmp_path)

    assert store.load("k", key_of(b"one")) is None
    assert ["made by another version"] == [n[n.index("made") : n.index(":")] for n in notes]


def test_a_missing_column_is_damage(tmp_path: Path) -> None:
    keep(tmp_path, b"one")
    path = opened(tmp_path)[0].path
    with sqlite3.connect(path) as connection:
        connection.execute("ALTER TABLE answer RENAME COLUMN value TO other")

    store, notes = opened(tmp_path)

    assert store.load("k", key_of(b"one")) is None
    assert 1 == len(notes)


def test_no_place_to_write_costs_a_note_and_no_more(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store, notes = opened(tmp_path / "file" / "below")

    store.save("k", b"key", b"value")
    store.close()

    assert opened(tmp_path / "file" / "below")[0].load("k", b"key") is None
    assert 1 == len(notes)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_costs_a_note_and_no_more(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    store, notes = opened(tmp_path / "below")

    store.save("k", b"key", b"value")
    store.close()

    assert 1 == len(notes)


def test_a_full_disk_costs_a_note_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = store_module._connect

    def small(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        connection.execute("PRAGMA max_page_count = 8")
        return connection

    keep(tmp_path, b"one")
    monkeypatch.setattr(store_module, "_connect", small)
    store, notes = opened(tmp_path)
    store.save("k", b"key", os.urandom(1 << 20))
    store.close()

    assert 1 == len(notes)
    assert b"one" == opened(tmp_path)[0].load("k", key_of(b"one"))


def test_the_least_recently_used_go_first(tmp_path: Path) -> None:
    keep(tmp_path, b"a" * 400, b"b" * 400)
    path = opened(tmp_path)[0].path
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE answer SET used = used - 100000")
    store, _ = opened(tmp_path)
    store.load("k", key_of(b"a" * 400))
    store.close()

    store, _ = opened(tmp_path, limit=1000)
    store.save("k", key_of(b"c"), b"c" * 400)
    store.close()

    kept = [opened(tmp_path)[0].load("k", key_of(v)) for v in (b"a" * 400, b"b" * 400, b"c")]
    assert [b"a" * 400, None, b"c" * 400] == kept


def _write_and_read(folder: Path, number: int) -> None:
    for turn in range(10):
        keep(folder, b"shared", f"{number} {turn}".encode() * 100)
        assert b"shared" == opened(folder)[0].load("k", key_of(b"shared"))


def test_many_processes_use_one_file(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_write_and_read, args=(tmp_path, n)) for n in range(6)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [0] * 6 == [worker.exitcode for worker in workers]
    assert 61 == opened(tmp_path)[0].usage().answers


def test_a_file_that_another_run_is_making_is_waited_for(tmp_path: Path) -> None:
    store, notes = opened(tmp_path)
    store.path.parent.mkdir(parents=True)
    other = sqlite3.connect(store.path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    done = threading.Timer(0.2, lambda: other.execute("COMMIT"))
    done.start()

    store.save("k", key_of("one"), b"one")
    store.close()

    done.join()
    other.close()
    assert [] == notes
    assert b"one" == opened(tmp_path)[0].load("k", key_of("one"))


def test_a_file_that_stays_locked_costs_a_note_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store_module, "_PATIENCE", 0.05)
    store, notes = opened(tmp_path)
    store.path.parent.mkdir(parents=True)
    other = sqlite3.connect(store.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    assert store.load("k", key_of("one")) is None

    other.close()
    assert [f"no cache: {tmp_path}: database is locked"] == notes


def test_a_forked_process_leaves_the_file_alone(tmp_path: Path) -> None:
    store, _ = opened(tmp_path)
    store.save("k", b"key", b"value")
    child = multiprocessing.get_context("fork").Process(target=store.close)
    child.start()
    child.join()

    assert 0 == child.exitcode
    assert opened(tmp_path)[0].load("k", b"key") is None


@pytest.mark.slow  # starts ten processes and kills each
def test_a_kill_at_any_moment_leaves_a_sound_file(tmp_path: Path) -> None:
    keep(tmp_path, b"kept")
    code = (
        "import os, sys; from pathlib import Path; from analyzer.store import DiskStore\n"
        "n = 0\n"
        "while True:\n"
        "    store = DiskStore(Path(sys.argv[1]), print); n += 1\n"
        "    store.save('k', os.urandom(16), os.urandom(100000)); store.close()\n"
    )
    for turn in range(10):
        writer = subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT)
        time.sleep(0.3 + turn * 0.017)
        writer.send_signal(signal.SIGKILL)
        writer.wait()

    store, notes = opened(tmp_path)

    assert b"kept" == store.load("k", key_of(b"kept"))
    assert 1 < store.usage().answers
    assert [] == notes


def test_clearing_empties_the_store(tmp_path: Path) -> None:
    keep(tmp_path, b"one")
    store, notes = opened(tmp_path)

    store.clear()

    assert Usage(0, 0, 0) == opened(tmp_path)[0].usage()
    assert [] == notes
    assert [] == list(tmp_path.iterdir())


def test_the_folder_is_the_users_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("OFFLINT_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    homely = store_folder()
    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache/somebody")
    shared = store_folder()
    monkeypatch.setenv("OFFLINT_CACHE_DIR", "/scratch")

    assert Path("/home/somebody/.cache/offlint") == homely
    assert Path("/var/cache/somebody/offlint") == shared
    assert Path("/scratch") == store_folder()


def test_no_home_no_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OFFLINT_CACHE_DIR", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", lambda: (_ for _ in ()).throw(RuntimeError("no home")))

    assert open_store(print) is None


def test_what_is_kept_is_counted_where_nothing_more_can_be(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep(tmp_path, b"one")
    monkeypatch.setattr(os, "access", lambda *_: False)

    assert 1 == opened(tmp_path)[0].usage().answers
    with pytest.raises(PermissionError):
        opened(tmp_path / "other")[0].usage()
