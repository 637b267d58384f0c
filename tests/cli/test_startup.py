"""Starting must cost next to nothing."""

from __future__ import annotations

import subprocess
import sys
import time

import pytest

from analyzer import __version__

from .commands import ENVIRONMENT, ROOT, offlint

HEAVY = ("tree_sitter", "tree_sitter_c", "unidiff", "importlib.metadata", "json", "difflib",
         "analyzer.pipeline", "analyzer.request", "analyzer.report")  # fmt: skip


def seconds(code: str) -> float:
    """Return the shortest of five runs of an interpreter."""
    times = []
    for _ in range(5):
        start = time.perf_counter()
        subprocess.run([sys.executable, "-c", code], env=ENVIRONMENT, cwd=ROOT, check=True)
        times.append(time.perf_counter() - start)
    return min(times)


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


def test_the_command_line_is_there_at_once() -> None:
    bare, ours = seconds("pass"), seconds("import analyzer.cli")

    # A bare interpreter takes about 15 ms, so ten times that is 150 ms.
    assert ours < 10 * bare, f"{ours * 1000:.0f} ms against {bare * 1000:.0f} ms"


def test_the_version_is_the_packages() -> None:
    assert f"offlint {__version__}\n" == offlint("--version").stdout
