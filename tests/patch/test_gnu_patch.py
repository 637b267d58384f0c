"""Hold places and results to those of GNU patch, where it is installed."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from analyzer.patch import apply_patch
from analyzer.tree import MemoryTree

from .texts import diff, read_patch

pytestmark = pytest.mark.skipif(not shutil.which("patch"), reason="GNU patch is not installed")

_PLACED = re.compile(r"Hunk #(\d+) succeeded at \d+(?: with fuzz (\d))?(?: \(offset (-?\d+) line)?")
_FAILED = re.compile(r"Hunk #(\d+) FAILED")

#: Few distinct lines, so that hunks fit in more places than one.
LINES = ("\ta;\n", "\tb;\n", "\tc;\n", "\n", "}\n", "{\n")


def _gnu_patch(
    folder: Path, text: str, before: str
) -> tuple[str, list[tuple[int, int, int]], list[int]]:
    """Return the file, (hunk, offset, fuzz) of what was moved, and the hunks that failed."""
    (folder / "x.c").write_text(before)
    done = subprocess.run(
        ["patch", "-p1", "-f", "-N", "-r", "-", "--no-backup-if-mismatch"],
        cwd=folder,
        input=text,
        capture_output=True,
        text=True,
        check=False,
    )
    placed = [(int(m[1]), int(m[3] or 0), int(m[2] or 0)) for m in _PLACED.finditer(done.stdout)]
    failed = [int(m[1]) for m in _FAILED.finditer(done.stdout)]
    return (folder / "x.c").read_text(), placed, failed


def _undoes(folder: Path, text: str, before: str) -> bool:
    (folder / "x.c").write_text(before)
    command = ["patch", "-p1", "-f", "-R", "-F0", "--dry-run"]
    done = subprocess.run(
        command, cwd=folder, input=text, capture_output=True, text=True, check=False
    )
    return done.returncode == 0


def _mutated(rng: random.Random, lines: list[str], changes: int) -> list[str]:
    out = list(lines)
    for _ in range(changes):
        at = rng.randrange(len(out) + 1)
        out[at : at + rng.randrange(3)] = rng.choices(LINES, k=rng.randrange(3))
    return out


# The last three have hunks that share context, or that fit in several places.
@pytest.mark.parametrize("seed", [*range(40), 582, 884, 1806])
def test_hunks_go_where_gnu_patch_puts_them(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    # Half of the files have lines of their own: there a hunk fits in one place or in none.
    own = [f"\tline {n};\n" for n in range(40)] if seed % 2 else rng.choices(LINES, k=40)
    after = _mutated(rng, own, rng.randrange(1, 5))
    found = _mutated(rng, own, rng.randrange(5))
    text = diff("x.c", "".join(own), "".join(after), context=rng.choice([1, 3, 3]))
    if "@@" not in text:
        return
    expected, placed, failed = _gnu_patch(tmp_path, text, "".join(found))
    tree = MemoryTree({"x.c": "".join(found)})
    applied = apply_patch(tree, read_patch(text), partial=True)
    if applied.already_applied:
        # Where both directions fit, GNU patch goes forward whatever the distance.
        assert _undoes(tmp_path, text, "".join(found))
        return

    moved = [(p.hunk, p.offset, p.fuzz) for p in applied.placements if p.offset or p.fuzz]
    assert [r.hunk for r in applied.rejected] == failed
    assert moved == placed
    assert applied.tree.read("x.c") == expected.encode()
