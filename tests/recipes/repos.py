"""Git repositories made from fixtures, and the commands that people run in them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ..fixture.harness import Files, assemble, load_cases

ROOT = Path(__file__).resolve().parents[2]
DEMO = ROOT / "fixtures" / "demo"
_FOREIGN = ("GIT_", "B4_", "GITHUB_", "CI_", "XDG_", "OFFLINT_", "PYTHON")

#: A patch to the small tree that changes a comment.
HARMLESS = """\
From 4444444444444444444444444444444444444444 Mon Sep 17 00:00:00 2001
From: Some Dev <dev@example.org>
Date: Mon, 1 Jul 2024 10:00:00 +0000
Message-Id: <20240701100000.2-dev@example.org>
Subject: [PATCH] acme: say what the list is for

The name alone does not tell.

Signed-off-by: Some Dev <dev@example.org>
---
 drivers/acme/acme_balloon.c | 1 +

--- a/drivers/acme/acme_balloon.c
+++ b/drivers/acme/acme_balloon.c
@@ -1,2 +1,3 @@
 // SPDX-License-Identifier: GPL-2.0
+/* A balloon. */
 #include <linux/init.h>
--
2.45.0

"""


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended and what it printed."""

    status: int
    stdout: str
    stderr: str


@dataclass(frozen=True, slots=True)
class Repository:
    """A kernel tree in git, on a branch `master`, and a home directory of its own."""

    path: Path
    home: Path

    @property
    def environment(self) -> dict[str, str]:
        """Return an environment in which nothing of the person who runs the tests matters."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(_FOREIGN)}
        return {
            **kept,
            "HOME": str(self.home),
            "PATH": f"{self.home / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "GIT_CONFIG_NOSYSTEM": "1",
            "LC_ALL": "C.UTF-8",
            "NO_COLOR": "1",
        }

    def run(self, *command: str | Path, data: str = "", **environment: str) -> Done:
        """Run a command at the top of the tree."""
        return self.run_in(self.path, *command, data=data, **environment)

    def run_in(
        self, folder: Path, *command: str | Path, data: str = "", **environment: str
    ) -> Done:
        """Run a command in a directory."""
        done = subprocess.run(
            [str(c) for c in command],
            cwd=folder,
            env={**self.environment, **environment},
            input=data,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def git(self, *arguments: str | Path, data: str = "") -> str:
        """Run git; return what it prints, and fail where it fails."""
        done = self.run("git", *arguments, data=data)
        assert 0 == done.status, f"git {arguments}: {done.stdout}{done.stderr}"
        return done.stdout

    def apply(self, mbox: str) -> None:
        """Commit the patches of a mailbox."""
        self.git("am", "--quiet", "-", data=mbox)


def make_repository(folder: Path, files: Mapping[str, str]) -> Repository:
    """Commit files as a tree, and put `offlint` on the path."""
    made = Repository(folder / "linux", folder / "home")
    (made.home / "bin").mkdir(parents=True)
    command = made.home / "bin" / "offlint"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m analyzer "$@"\n')
    command.chmod(0o755)
    for path, text in files.items():
        (made.path / path).parent.mkdir(parents=True, exist_ok=True)
        (made.path / path).write_text(text)
    made.git("init", "--quiet", "--initial-branch", "master")
    for name, value in (("name", "Some Dev"), ("email", "dev@example.org")):
        made.git("config", "--global", f"user.{name}", value)
    made.git("add", "--all")
    made.git("commit", "--quiet", "--message", "a tree")
    return made


def demo(folder: Path) -> Repository:
    """Return a repository with the small tree of `make demo`."""
    return make_repository(folder, _texts(DEMO / "tree"))


def series_that_mends(folder: Path) -> tuple[Repository, str]:
    """Return a repository and a series of two: the second mends one of the first's two mistakes."""
    case = next(c for c in load_cases() if c.name == "topics/series_mends")
    scene = assemble(case, "strict")
    return make_repository(folder, scene.before), scene.patch


def fixture(folder: Path, name: str) -> Repository:
    """Return a repository with a fixture's tree, and its patch as the last commit."""
    scene = assemble(next(c for c in load_cases() if c.name == name), "strict")
    made = make_repository(folder, scene.before)
    made.git("apply", "--index", "-", data=scene.patch)
    made.git("commit", "--quiet", "--message", "a change")
    return made


def copy_project(repository: Repository) -> Path:
    """Return a copy of this project, all that can be installed, beside a repository."""
    copy = repository.home / "offlint-source"
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    ).stdout.split("\0")  # fmt: skip
    for name in filter(None, names):
        if (ROOT / name).exists() and not name.startswith(("fixtures/", "tests/")):
            (copy / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, copy / name)
    return copy


def pip_settings() -> dict[str, str]:
    """Return how pip finds packages: that is this machine's business, not a test's."""
    pip = {k: v for k, v in os.environ.items() if k.startswith("PIP_")}
    if (settings := Path("~/.config/pip/pip.conf").expanduser()).exists():
        pip["PIP_CONFIG_FILE"] = str(settings)
    return pip


def _texts(root: Path) -> Files:
    return {p.relative_to(root).as_posix(): p.read_text() for p in root.rglob("*") if p.is_file()}


def program(name: str) -> str:
    """Return where a program of the test environment lies."""
    own = Path(sys.executable).parent
    found = shutil.which(name, path=f"{own}{os.pathsep}{os.environ['PATH']}")
    assert found, f"{name} is not installed; `make kernel-test` installs it"
    return found
