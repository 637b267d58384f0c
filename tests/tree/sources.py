"""Put the same small tree on disk, in git and in memory."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

#: Paths and bytes that a careless search gets wrong.
AWKWARD: Mapping[str, bytes] = {
    "Makefile": b"obj-y += one.o # SetPageOdd\n",
    ".gitignore": b"*.h\nbuild/\n",
    "mm/one.c": b"void f(struct page *p)\n{\n\tSetPageOdd(p);\n\t__SetPageOdd(p);\n}\n",
    "mm/two.c": b"int SetPageOddity, xSetPageOdd, SetPageOdd_, _SetPageOdd, 1SetPageOdd;\n",
    "mm/three.c": b"/* SetPageOdd */ PageOdd(SetPageOdd(PageOdd)PageEven",
    "include/ignored.h": b"#define PageOdd(p) PageEven(p)\n",
    "build/out.c": b"PageEven;PageOdd\n",
    ".hidden/dot.c": b"PageOdd\n",
    "mm/latin.c": b"\xe9PageOdd\xe9 PageEven\xff\n",
    "mm/utf8.c": "éPageOdd → PageEvené\n".encode(),
    "mm/nul.c": b"a\0PageOdd\0b\nPageEven\0",
    "mm/utf16.c": b"\xff\xfePageOdd\n",
    "mm/crlf.h": b"PageOdd\r\nPageEven\r",
    "mm/entry.S": b"\tbl PageOdd\n",
    "mm/other.s": b"PageOdd\n",
    "mm/notes.txt": b"PageOdd\n",
    "mm/with blank.c": b"PageOdd\n",
    "mm/-dash.c": b"PageOdd\n",
    "mm/umlaut\u00e4.c": b"PageOdd\n",
    "mm/long.c": b"x" * 20000 + b" PageOdd\n",
    "mm/empty.c": b"",
    "mm/deep/er/four.c": b"PageEven\n",
}

WORDS = ("PageOdd", "PageEven", "SetPageOdd", "__SetPageOdd", "Page", "NotThere")

#: What WORDS must find in AWKWARD, worked out by hand.
EXPECTED: Mapping[str, frozenset[str]] = {
    "mm/one.c": frozenset({"SetPageOdd", "__SetPageOdd"}),
    "mm/three.c": frozenset({"SetPageOdd", "PageOdd", "PageEven"}),
    "include/ignored.h": frozenset({"PageOdd", "PageEven"}),
    "build/out.c": frozenset({"PageEven", "PageOdd"}),
    ".hidden/dot.c": frozenset({"PageOdd"}),
    "mm/latin.c": frozenset({"PageOdd", "PageEven"}),
    "mm/utf8.c": frozenset({"PageOdd", "PageEven"}),
    "mm/nul.c": frozenset({"PageOdd", "PageEven"}),
    "mm/utf16.c": frozenset({"PageOdd"}),
    "mm/crlf.h": frozenset({"PageOdd", "PageEven"}),
    "mm/entry.S": frozenset({"PageOdd"}),
    "mm/with blank.c": frozenset({"PageOdd"}),
    "mm/-dash.c": frozenset({"PageOdd"}),
    "mm/umlaut\u00e4.c": frozenset({"PageOdd"}),
    "mm/long.c": frozenset({"PageOdd"}),
    "mm/deep/er/four.c": frozenset({"PageEven"}),
}


def write_files(root: Path, files: Mapping[str, bytes]) -> Path:
    """Write files below a directory and return it."""
    for path, data in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    return root


def git(root: Path, *arguments: str) -> str:
    """Run git, deaf to the settings of whoever runs the tests."""
    settings = {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "A. Tester",
        "GIT_AUTHOR_EMAIL": "tester@example.org",
        "GIT_COMMITTER_NAME": "A. Tester",
        "GIT_COMMITTER_EMAIL": "tester@example.org",
        "GIT_AUTHOR_DATE": "2024-01-01T00:00:00Z",
        "GIT_COMMITTER_DATE": "2024-01-01T00:00:00Z",
    }
    outside = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    done = subprocess.run(
        ["git", *arguments],
        cwd=root,
        env={**outside, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def commit_files(root: Path, files: Mapping[str, bytes], subject: str = "files") -> str:
    """Write and commit files, ignored ones too, and return the commit."""
    if not (root / ".git").is_dir():
        root.mkdir(parents=True, exist_ok=True)
        git(root, "init", "-q", "-b", "main")
    write_files(root, files)
    git(root, "add", "-A", "-f")
    git(root, "commit", "-q", "--allow-empty", "-m", subject)
    return git(root, "rev-parse", "HEAD")
