"""Remember answers by content, across runs, in SQLite under the user's cache directory.

A key says everything that an answer follows from, this program's own code included; what is under
a key never changes. So nothing here can be out of date, and all of it can be thrown away.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Protocol, TypeVar

from analyzer.data import QUERIES

T = TypeVar("T")

#: Grows with the shape of the tables; a file of another shape is thrown away.
SCHEMA = 1
#: Bytes of answers above which the least recently used are dropped.
LIMIT = 256 << 20
_DIGEST = 16
_CHECK = 8
_PATIENCE = 2.0  # seconds that a process waits for another one
_FRESH = 3600  # an answer used within this many seconds counts as used now

_TABLES = """
CREATE TABLE IF NOT EXISTS answer (
    kind TEXT NOT NULL, key BLOB NOT NULL, size INTEGER NOT NULL, used INTEGER NOT NULL,
    value BLOB NOT NULL, PRIMARY KEY (kind, key)
);
CREATE INDEX IF NOT EXISTS age ON answer (used, size);
"""


class Store(Protocol):
    """Keep answers under what they follow from. Losing one is always allowed."""

    def load(self, kind: str, key: bytes) -> bytes | None:
        """Return what was saved, or None."""
        ...

    def save(self, kind: str, key: bytes, value: bytes) -> None:
        """Keep an answer; it may be written only when the store is closed."""
        ...


def key_of(*parts: str | bytes) -> bytes:
    """Return the key of what follows from the parts and from the code and facts at hand."""
    digest = hashlib.blake2b(code_version(), digest_size=_DIGEST)
    for part in parts:
        data = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "little"))
        digest.update(data)
    return digest.digest()


@cache
def code_version() -> bytes:
    """Return a digest of this program's code and facts: a release number could be forgotten."""
    digest = hashlib.blake2b(digest_size=_DIGEST)
    for root, suffixes in ((Path(__file__).parent, (".py",)), (QUERIES, (".toml", ".scm"))):
        for folder, below, names in os.walk(root):
            below.sort()
            for path in (Path(folder, n) for n in sorted(names) if n.endswith(suffixes)):
                data = path.read_bytes()
                digest.update(f"{path.relative_to(root)}\0{len(data)}\0".encode())
                digest.update(data)
    return digest.digest()


def store_folder() -> Path | None:
    """Return the directory of the cache; None where the user has no home to keep one in."""
    chosen = os.environ.get("OFFLINT_CACHE_DIR")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME", "")
    if base.startswith("/"):
        return Path(base, "offlint")
    with contextlib.suppress(RuntimeError):
        return Path.home() / ".cache" / "offlint"
    return None


@dataclass(frozen=True, slots=True)
class Usage:
    """What the store holds: answers, their bytes, and the bytes of the files on the disk."""

    answers: int
    size: int
    on_disk: int


class DiskStore:
    """A store in a SQLite file that many processes may use at once.

    Answers are gathered in memory and written when the store is closed, in one transaction: a
    process that is killed leaves the file as it was. Whatever goes wrong with the disk costs the
    cache and never the run; note is then told once.
    """

    def __init__(self, folder: Path, note: Callable[[str], None], *, limit: int = LIMIT) -> None:
        """Take the directory to keep the file in; nothing is opened before it is needed."""
        self._folder, self._note, self._limit = folder, note, limit
        self._new: dict[tuple[str, bytes], bytes] = {}
        self._used: set[tuple[str, bytes]] = set()
        self._open: sqlite3.Connection | None = None
        self._owner = os.getpid()
        self._failed = False

    @property
    def path(self) -> Path:
        """Return the path of the SQLite file, which may not exist yet."""
        return self._folder / "store" / "answers.sqlite"

    def load(self, kind: str, key: bytes) -> bytes | None:
        """Return what was saved, by whatever process, or None. A damaged answer is none."""
        if (kind, key) in self._new:
            return self._new[kind, key]
        query = "SELECT value, used FROM answer WHERE kind = ? AND key = ?"
        row = self._try(lambda c: c.execute(query, (kind, key)).fetchone(), None)
        if row is None or not isinstance(row[0], bytes):
            return None
        check, value = row[0][:_CHECK], row[0][_CHECK:]
        if check != _check(kind, key, value):
            return None
        if not isinstance(row[1], int) or abs(time.time() - row[1]) > _FRESH:
            self._used.add((kind, key))
        return value

    def save(self, kind: str, key: bytes, value: bytes) -> None:
        """Keep an answer until the store is closed, and write it then."""
        self._new[kind, key] = value

    def close(self) -> None:
        """Write what is new, drop what has not been used for longest, and close the file."""
        if os.getpid() != self._owner:
            return  # a forked process has no business in its parent's file
        if self._new or self._used:
            self._try(self._write, None)
        if self._open is not None:
            with contextlib.suppress(sqlite3.Error):
                self._open.close()
            self._open = None

    def usage(self) -> Usage:
        """Count what is in the file; raise OSError where there is none and none can be made."""
        if not self.path.exists():
            there = next(p for p in self.path.parents if p.exists())
            if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
                code = errno.EACCES if there.is_dir() else errno.ENOTDIR
                raise OSError(code, os.strerror(code), str(there))
            return Usage(0, 0, _bytes_under(self.path.parent))
        query = "SELECT count(*), coalesce(sum(size), 0) FROM answer"
        answers, size = self._try(lambda c: c.execute(query).fetchone(), (0, 0))
        return Usage(answers, size, _bytes_under(self.path.parent))

    def clear(self) -> str:
        """Delete the file; processes that use it go on and lose what they have written.

        Return why it could not be deleted; nothing where it is gone.
        """
        self._new.clear()
        self.close()
        return self._throw_away()

    def _write(self, connection: sqlite3.Connection) -> None:
        now = int(time.time())
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany(
                "INSERT OR REPLACE INTO answer (kind, key, size, used, value) VALUES (?,?,?,?,?)",
                (
                    (kind, key, len(value), now, _check(kind, key, value) + value)
                    for (kind, key), value in self._new.items()
                ),
            )
            connection.executemany(
                "UPDATE answer SET used = ? WHERE kind = ? AND key = ?",
                ((now, kind, key) for kind, key in self._used),
            )
            self._evict(connection)
        self._new.clear()
        self._used.clear()

    def _evict(self, connection: sqlite3.Connection) -> None:
        """Drop the least recently used until a tenth of the limit is free."""
        (size,) = connection.execute("SELECT coalesce(sum(size), 0) FROM answer").fetchone()
        if size <= self._limit:
            return
        oldest = connection.execute("SELECT rowid, size FROM answer ORDER BY used, rowid")
        doomed = []
        for row, bytes_ in oldest:
            if size <= self._limit * 9 // 10:
                break
            size -= bytes_
            doomed.append((row,))
        connection.executemany("DELETE FROM answer WHERE rowid = ?", doomed)

    def _try(self, work: Callable[[sqlite3.Connection], T], otherwise: T) -> T:
        """Return what work makes of the connection; where the file fails, close it for this run."""
        if self._failed or os.getpid() != self._owner:
            return otherwise
        try:
            return work(self._connection())
        except (sqlite3.Error, OSError) as error:
            self._failed = True
            if _is_damage(error):
                self._throw_away()
                self._note(f"the cache in {self._folder} was damaged and has been thrown away")
            else:
                self._note(f"no cache: {self._folder}: {_reason(error)}")
            return otherwise

    def _connection(self) -> sqlite3.Connection:
        if self._open is None:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            connection = _connect(self.path)
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, SCHEMA):
                connection.close()
                self._throw_away()
                self._note(f"the cache in {self._folder} was made by another version: thrown away")
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                connection, version = _connect(self.path), 0
            if version == 0:
                with connection:
                    connection.executescript(f"{_TABLES} PRAGMA user_version = {SCHEMA};")
            self._open = connection
        return self._open

    def _throw_away(self) -> str:
        """Move the folder aside in one step, so that no two processes mix old and new files.

        Return why that failed, if it did.
        """
        failed = ""
        if self._open is not None:
            with contextlib.suppress(sqlite3.Error):
                self._open.close()
            self._open = None
        doomed = self._folder / f"doomed-{os.getpid()}-{time.monotonic_ns()}"
        try:
            self.path.parent.rename(doomed)
        except FileNotFoundError:
            pass  # there was none
        except OSError as error:
            failed = _reason(error)
        for left in self._folder.glob("doomed-*"):
            shutil.rmtree(left, ignore_errors=True)
        return failed


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=_PATIENCE, isolation_level=None)
    # WAL: readers and a writer do not wait for each other. NORMAL: a crash of the machine may cost
    # the last answers and not the file.
    _write_ahead(connection, time.monotonic() + _PATIENCE)
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def _write_ahead(connection: sqlite3.Connection, deadline: float) -> None:
    """Switch the file to WAL; SQLite does not wait for this lock, as it does for all others."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _check(kind: str, key: bytes, value: bytes) -> bytes:
    """Return what tells a damaged answer, or one under a damaged key, from a sound one."""
    return hashlib.blake2b(value, digest_size=_CHECK, key=kind.encode()[:16] + key).digest()


def _is_damage(error: Exception) -> bool:
    """Tell a file that is no store from a disk that is full, locked or read-only."""
    damage = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_ERROR)
    code = getattr(error, "sqlite_errorcode", 0)  # Python raises errors of its own, too
    return isinstance(error, sqlite3.Error) and code & 0xFF in damage


def _reason(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _bytes_under(folder: Path) -> int:
    total = 0
    for path in folder.glob("*"):
        with contextlib.suppress(OSError):
            total += path.stat().st_size
    return total


def open_store(note: Callable[[str], None]) -> DiskStore | None:
    """Return the user's store; None where there is no place for one."""
    folder = store_folder()
    return None if folder is None else DiskStore(folder, note)


@contextlib.contextmanager
def opened(note: Callable[[str], None], *, wanted: bool) -> Iterator[DiskStore | None]:
    """Yield the user's store for one run; None where it is not wanted or has no place."""
    store = open_store(note) if wanted else None
    try:
        yield store
    finally:
        if store is not None:
            store.close()
