"""Run the tool in a process of its own, as people do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

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


def offlint(
    *arguments: str, data: bytes = b"", cwd: Path = ROOT
) -> subprocess.CompletedProcess[bytes]:
    """Return what a run of the tool printed and how it ended."""
    return subprocess.run(
        [sys.executable, "-m", "analyzer", *arguments],
        input=data,
        capture_output=True,
        cwd=cwd,
        env=ENVIRONMENT,
        check=False,
        timeout=120,
    )
