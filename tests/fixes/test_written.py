"""What is written as a diff must be what git applies, whatever a file is called and how it ends."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from analyzer.fixes.written import file_diff

BEFORE = b"one\ntwo\nthree\n"


@pytest.mark.parametrize("path", ["mm/a.c", "a b.c", 'q"x/t\ty \\.c', "ü.c", "\udcff.c"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (BEFORE, b"one\nthree\n"),
        (BEFORE, b"one\ntwo\nthree"),
        (BEFORE.rstrip(), b"one\ntwo!\nthree"),
        (BEFORE.rstrip(), BEFORE + b"four\n"),
        (b"\xff\n", b"\xfe\r\n"),
    ],
)
def test_git_applies_what_is_written(
    path: str, before: bytes, after: bytes, tmp_path: Path
) -> None:
    file = tmp_path / path
    file.parent.mkdir(exist_ok=True)
    file.write_bytes(before)
    diff = file_diff(path, before, after) + file_diff("other", b"", b"")

    subprocess.run(["git", "apply", "-"], cwd=tmp_path, input=os.fsencode(diff), check=True)

    assert after == file.read_bytes()
