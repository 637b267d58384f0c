"""The guide that adds a migration is run as it stands, in a fresh clone."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).resolve().parents[2]
GUIDE = PROJECT / "docs" / "migrations.md"
#: A block of code, with the name of the file that it is where the line before gives one.
_BLOCK = re.compile(
    r"(?:^`(?P<path>[^`\n]+)`:\n\n)?^```(?P<kind>\w+)\n(?P<text>.*?)^```$", re.M | re.S
)


def clone(folder: Path) -> None:
    """Clone the project as it was committed; skip where it is not a checkout."""
    if not (PROJECT / ".git").exists():
        pytest.skip("not a git checkout")
    subprocess.run(["git", "clone", "-q", "--no-hardlinks", str(PROJECT), str(folder)], check=True)


def run(script: str, folder: Path, path: Path) -> subprocess.CompletedProcess[str]:
    """Run the commands of a block in the clone; `python` is the one that runs the tests."""
    env = {**os.environ, "PATH": f"{path}{os.pathsep}{os.environ['PATH']}", "PYTHONPATH": ""}
    return subprocess.run(
        ["bash", "-ec", script], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


def test_the_guide_works_step_by_step(tmp_path: Path) -> None:
    folder, path = tmp_path / "offlint", tmp_path / "bin"
    clone(folder)
    path.mkdir()
    (path / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (path / "python").chmod(0o755)
    said = []

    for block in _BLOCK.finditer(GUIDE.read_text(encoding="utf-8")):
        if block["path"]:
            target = folder / block["path"]
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(block["text"], encoding="utf-8")
        elif block["kind"] == "sh":
            done = run(block["text"], folder, path)
            assert done.returncode == 0, f"{block['text']}\n{done.stdout}\n{done.stderr}"
            said.append(done.stdout + done.stderr)

    tried, refused, checked = said
    assert re.search(r"\b[1-9]\d* passed", tried)
    assert "queries/migrations/shelf-offline.toml: unknown key 'titel'" in refused
    assert "[hotplug-offline]" in checked
