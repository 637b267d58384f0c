"""Remember in SQLite what was posted, so that nothing is posted twice.

Before something is sent, the intent to send it is recorded, and after it the name that the other
side gave it. An intent without a name means that an earlier run ended in between, and that the
other side has to be asked.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from analyzer.base import AnalyzerError

_SCHEMA = """
CREATE TABLE IF NOT EXISTS posts (
    key TEXT PRIMARY KEY,
    digest TEXT NOT NULL,
    remote TEXT,
    at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP
) STRICT
"""


@dataclass(frozen=True, slots=True)
class Entry:
    """What is known of one post; remote is None where nobody knows whether it went out."""

    digest: str
    remote: str | None


@dataclass(frozen=True, slots=True)
class Ledger:
    """An open ledger. Every change is on the disk before the method returns."""

    database: sqlite3.Connection

    def entry(self, key: str) -> Entry | None:
        """Return what is known of a post; None where there was never an attempt."""
        row = self.database.execute(
            "SELECT digest, remote FROM posts WHERE key = ?", (key,)
        ).fetchone()
        return row and Entry(*row)

    def intend(self, key: str, digest: str) -> None:
        """Record that something is about to be sent."""
        self._write("INSERT OR REPLACE INTO posts (key, digest) VALUES (?, ?)", key, digest)

    def record(self, key: str, digest: str, remote: str) -> None:
        """Record that something was sent, and what the other side calls it."""
        self._write(
            "INSERT OR REPLACE INTO posts (key, digest, remote) VALUES (?, ?, ?)",
            key, digest, remote,
        )  # fmt: skip

    def forget(self, key: str) -> None:
        """Take an intent back: it is certain that nothing was sent."""
        self._write("DELETE FROM posts WHERE key = ? AND remote IS NULL", key)

    def _write(self, statement: str, *values: str) -> None:
        with self.database:
            self.database.execute(statement, values)


def default_path() -> Path:
    """Return where the ledger lies unless the user says otherwise."""
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    return Path(state).expanduser() / "offlint" / "posts.sqlite"


@contextmanager
def open_ledger(path: Path) -> Iterator[Ledger]:
    """Open a ledger for one run; wait while another run has it. Raise AnalyzerError if broken."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.with_name(path.name + ".lock").open("w") as lock:
            # Of two runs at once, the second must see what the first has sent.
            fcntl.flock(lock, fcntl.LOCK_EX)
            with closing(sqlite3.connect(path)) as database:
                database.execute("PRAGMA synchronous = FULL")
                database.execute(_SCHEMA)
                yield Ledger(database)
    except (OSError, sqlite3.Error) as error:
        raise AnalyzerError(
            f"{path}: cannot use the ledger of what was posted: {error}; --ledger names another"
        ) from error
