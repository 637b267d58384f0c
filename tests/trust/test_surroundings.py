"""The answer is the same whatever surrounds the tool, and what is missing there is no crash."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.commands import ENVIRONMENT, PATCH, ROOT, TREE

CHECK = ("check", "--tree", TREE, "--all", "--format", "json", PATCH)


def run(
    *arguments: str,
    environment: dict[str, str] | None = None,
    before: Callable[[], None] | None = None,
    stdout: int = subprocess.PIPE,
) -> tuple[int, bytes, bytes]:
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", *(arguments or CHECK)],
        cwd=ROOT,
        env=ENVIRONMENT if environment is None else environment,
        stdin=subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        preexec_fn=before,
        timeout=120,
    )
    return done.returncode, done.stdout or b"", done.stderr


@pytest.fixture(scope="module")
def plain() -> tuple[int, bytes, bytes]:
    """Return what an ordinary run says."""
    return run()


def changed(**values: str | None) -> dict[str, str]:
    """Return the environment with some variables set, or (None) not there."""
    kept = {k: v for k, v in ENVIRONMENT.items() if k not in values}
    return kept | {k: v for k, v in values.items() if v is not None}


@pytest.mark.parametrize(
    "environment",
    [
        changed(PYTHONHASHSEED="1"),
        changed(PYTHONHASHSEED="4294967295"),
        changed(LC_ALL="C", LANG="C"),
        changed(LC_ALL="tr_TR.UTF-8", LANG="tr_TR.UTF-8"),
        changed(TZ="Pacific/Chatham"),
        changed(HOME=None, XDG_CACHE_HOME=None),
        changed(HOME="/nonexistent", XDG_CACHE_HOME=None),
        changed(HOME="/proc", XDG_CACHE_HOME="/proc"),
        changed(XDG_CACHE_HOME="/dev/null"),
        changed(PYTHONIOENCODING="ascii"),
        changed(TERM=None, COLUMNS="1"),
    ],
    ids=range(11),
)
def test_the_environment_changes_no_byte(
    environment: dict[str, str], plain: tuple[int, bytes, bytes]
) -> None:
    assert plain == run(environment=environment)


def test_without_git_and_ripgrep_the_answer_is_the_same(
    tmp_path: Path, plain: tuple[int, bytes, bytes]
) -> None:
    assert plain == run(environment=changed(PATH=str(tmp_path)))


def test_a_tree_in_another_order_gives_the_same(
    tmp_path: Path, plain: tuple[int, bytes, bytes]
) -> None:
    """The files are made in the opposite order, in which many disks list them."""
    for path in sorted(Path(TREE).rglob("*"), reverse=True):
        if path.is_file():
            copy = tmp_path / path.relative_to(TREE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy)
    status, output, complaint = run("check", "--tree", str(tmp_path), *CHECK[3:])

    assert (plain[0], plain[2]) == (status, complaint)
    assert plain[1].replace(TREE.encode(), b"") == output.replace(str(tmp_path).encode(), b"")


def test_a_full_disk_under_the_report_is_one_message() -> None:
    with Path("/dev/full").open("wb") as full:
        status, _, complaint = run("check", "--tree", TREE, PATCH, stdout=full.fileno())

    assert 2 == status
    assert b"cannot write the report" in complaint
    assert b"Traceback" not in complaint


def test_a_disk_that_is_full_for_the_cache_is_no_matter(
    tmp_path: Path, plain: tuple[int, bytes, bytes]
) -> None:
    def no_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))

    status, output, complaint = run(
        environment=changed(XDG_CACHE_HOME=str(tmp_path)), before=no_files
    )

    assert plain[:2] == (status, output)
    assert b"Traceback" not in complaint


def test_a_tree_full_of_traps_is_read_around(
    tmp_path: Path, plain: tuple[int, bytes, bytes]
) -> None:
    """Loops of links, FIFOs, files that cannot be read or are mostly holes: none holds a page."""
    tree = tmp_path / "tree"
    shutil.copytree(TREE, tree)
    traps = tree / "drivers" / "traps"
    traps.mkdir()
    (traps / "loop.c").symlink_to("loop.c")
    (traps / "up").symlink_to("..")
    (traps / "outside.c").symlink_to("/etc/passwd")
    (traps / "fifo.c").symlink_to("fifo")
    os.mkfifo(traps / "fifo")
    os.mkfifo(traps / "pipe.c")
    (traps / "--help.c").write_text("void __SetPageOffline_like(void);\n")
    (traps / "-rf").mkdir()
    (traps / "secret.c").write_text("__SetPageOffline\n")
    (traps / "secret.c").chmod(0)
    with (traps / "huge.c").open("wb") as huge:
        huge.truncate(1 << 30)
    (traps / "\udcff\x1b[2J.c").write_bytes(b"void f(void)\n{\n}\n")
    status, output, complaint = run("check", "--tree", str(tree), *CHECK[3:])

    assert plain[0] == status, complaint
    assert b"Traceback" not in complaint
    assert plain[1].count(b'"rule"') == output.count(b'"rule"')
