"""Run the tool as people do: quickly in this process, or in one of its own."""

from __future__ import annotations

import contextlib
import io
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from analyzer.cli import main

ROOT = Path(__file__).resolve().parent.parent.parent
DEMO = ROOT / "fixtures" / "demo"
TREE = str(DEMO / "tree")
PATCH = str(DEMO / "change.patch")

#: An environment in which nothing of the person who runs the tests matters.
ENVIRONMENT = {
    **{k: v for k, v in os.environ.items() if k not in ("NO_COLOR", "COLUMNS", "FORCE_COLOR")},
    "PYTHONPATH": str(ROOT),
    "TERM": "xterm",
}


@dataclass(frozen=True, slots=True)
class Done:
    """What a run printed and how it ended."""

    status: int
    stdout: str
    stderr: str


@cache
def offlint(*arguments: str, data: bytes = b"") -> Done:
    """Run the command line in this process, with standard streams of its own."""
    streams = [io.TextIOWrapper(io.BytesIO(d), encoding="utf-8") for d in (data, b"", b"")]
    ours = sys.stdin
    sys.stdin = streams[0]
    try:
        with contextlib.redirect_stdout(streams[1]), contextlib.redirect_stderr(streams[2]):
            status = main(arguments)
    finally:
        sys.stdin = ours
    printed = []
    for stream in streams[1:]:
        stream.flush()
        stream.seek(0)
        printed.append(stream.read())
    return Done(status, *printed)


def spawn(
    *arguments: str, environment: Mapping[str, str] = ENVIRONMENT, **streams: int
) -> subprocess.Popen[bytes]:
    """Start the tool in a process of its own; a stream that is not named is a pipe."""
    return subprocess.Popen(
        [sys.executable, "-m", "analyzer", *arguments],
        cwd=ROOT,
        env=environment,
        **{**dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE), **streams},
    )


def until_watched(ours: subprocess.Popen[bytes]) -> None:
    """Wait until a run has its onlooker."""
    children = Path(f"/proc/{ours.pid}/task/{ours.pid}/children")
    for _ in range(600):
        if children.read_text().strip():
            return
        time.sleep(0.1)
    raise AssertionError("nobody looks on")
