"""Starting must cost next to nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer import __version__

from .commands import ENVIRONMENT, ROOT, offlint

HEAVY = ("tree_sitter", "tree_sitter_c", "unidiff", "importlib.metadata", "json", "difflib",
         "analyzer.pipeline", "analyzer.request", "analyzer.report")  # fmt: skip


def seconds(code: str, bytecode: Path) -> float:
    """Return how long a processor was busy with an interpreter; others' work does not count."""
    environment = {**ENVIRONMENT, "PYTHONPYCACHEPREFIX": str(bytecode)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, cwd=ROOT)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert 0 == process.returncode
    return used.ru_utime + used.ru_stime


@pytest.mark.parametrize("arguments", [["--version"], ["--help"], ["check", "--help"]])
def test_help_and_version_load_nothing_heavy(arguments: list[str]) -> None:
    code = (
        f"import sys; from analyzer.cli import main; status = main({arguments!r});"
        f"print(status, sorted(set({HEAVY!r}) & set(sys.modules)), file=sys.stderr)"
    )

    done = subprocess.run(
        [sys.executable, "-c", code], env=ENVIRONMENT, cwd=ROOT, capture_output=True, check=True
    )

    assert b"0 []\n" == done.stderr


def test_the_command_line_is_there_at_once(tmp_path: Path) -> None:
    # The first round compiles both: whether a machine keeps bytecode must not count.
    rounds = [
        (seconds("import click", tmp_path), seconds("import analyzer.cli", tmp_path))
        for _ in range(8)
    ]

    click, ours = map(min, zip(*rounds, strict=True))
    # It is 1.5 times as much; with the analysis it would be 3.6.  What it may load is listed above.
    assert ours < 2.5 * click, f"{ours * 1000:.0f} ms against {click * 1000:.0f} ms"


def test_the_version_is_the_packages() -> None:
    assert f"offlint {__version__}\n" == offlint("--version").stdout
