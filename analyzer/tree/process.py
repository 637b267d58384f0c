"""Start the programs that search and read trees, out of the way of interrupts.

An interrupt at a terminal reaches every process there. It is this one's to hear: a search that died
of it would look like one that failed, and would be done again in a slower way.
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Mapping, Sequence


def start(
    command: Sequence[str],
    folder: str,
    *,
    environment: Mapping[str, str] | None = None,
    complaints: int = subprocess.PIPE,
) -> subprocess.Popen[bytes]:
    """Start a program with pipes to it and from it; raise OSError where that cannot be."""
    # What this thread does not hear for a moment, the program does not hear at all.
    heard = signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))
    try:
        return subprocess.Popen(
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, heard)


def run(
    command: Sequence[str], folder: str, data: bytes, environment: Mapping[str, str]
) -> tuple[int, bytes, bytes]:
    """Return a program's status, its output and what it complained of; raise OSError likewise."""
    with start(command, folder, environment=environment) as process:
        try:
            output, complaint = process.communicate(data)
        except BaseException:
            process.kill()  # an interrupt of this process ends it as well
            raise
    return process.returncode, output, complaint
