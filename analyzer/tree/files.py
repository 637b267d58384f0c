"""Read a file of a tree: a regular one of a bearable size, whatever has become of it meanwhile."""

from __future__ import annotations

import os
import stat
from pathlib import Path

#: No source file is larger; what is, is not read.
LARGEST = 64 << 20


def read_regular(path: Path) -> bytes | None:
    """Return a file's bytes, or None where it is no regular file, too large or not readable."""
    try:
        with open(path, "rb", buffering=0, opener=_opened) as file:
            status = os.fstat(file.fileno())
            if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
                return None
            return file.read()
    except (OSError, ValueError):
        return None


def _opened(path: str, flags: int) -> int:
    """Open a file; never wait for the other end of a pipe that has taken its place."""
    return os.open(path, flags | os.O_NONBLOCK)
