"""The answer is the same whatever surrounds the tool, and what is missing there is no crash."""

from __future__ import annotations

import os
import resource
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from cli.commands import ENVIRONMENT, PATCH, ROOT, TREE

from .patches import diff

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
    assert b"standard output: cannot write: " in complaint
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


@pytest.fixture(scope="module")
def trapped(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a tree with loops of links, FIFOs, files that cannot be read or are mostly holes."""
    tree = tmp_path_factory.mktemp("trapped") / "tree"
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
        huge.write(b"void huge(void)\n{\n\t__SetPageOffline(page);\n}\n")
        huge.truncate(1 << 30)
    (traps / "\udcff\x1b[2J.c").write_bytes(b"void f(void)\n{\n}\n")
    return tree


@pytest.mark.slow
def test_a_tree_full_of_traps_is_read_around(
    trapped: Path, plain: tuple[int, bytes, bytes]
) -> None:
    status, output, complaint = run("check", "--tree", str(trapped), *CHECK[3:])

    assert plain[0] == status, complaint
    assert b"Traceback" not in complaint
    assert plain[1].count(b'"rule"') == output.count(b'"rule"')
    assert b"too large or not to be read" in output


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "status"),
    [
        (("audit",), 1),
        (("effects", "memmap_init_range"), 0),
        (("explain", "mm/mm_init.c:39"), 0),
        (("explain", "drivers/traps/huge.c:1"), 2),
        (("explain", "drivers/traps/pipe.c:1"), 2),
        (("explain", "drivers/traps/loop.c:1"), 2),
    ],
)
def test_no_command_falls_into_a_trap(command: tuple[str, ...], status: int, trapped: Path) -> None:
    ended, _, complaint = run(*command, "--tree", str(trapped))

    assert status == ended, complaint
    assert b"Traceback" not in complaint


@pytest.mark.parametrize("trap", ["huge.c", "pipe.c", "loop.c", "outside.c"])
def test_no_patch_can_change_what_cannot_be_read(trap: str, trapped: Path, tmp_path: Path) -> None:
    patch = tmp_path / "patch"
    patch.write_bytes(diff(f"drivers/traps/{trap}"))
    status, _, complaint = run("check", "--tree", str(trapped), str(patch))

    assert 2 == status
    assert b"cannot be read" in complaint


@pytest.mark.slow
def test_files_that_change_while_they_are_read_leave_no_lasting_error(tmp_path: Path) -> None:
    """The driver is mended, broken and taken away all the time; then it stays as it is."""
    tree, cached = tmp_path / "tree", changed(OFFLINT_CACHE_DIR=str(tmp_path / "cache"))
    shutil.copytree(TREE, tree)
    driver = tree / "drivers" / "acme" / "acme_balloon.c"
    text = driver.read_text()
    stop = threading.Event()

    def meddle() -> None:
        while not stop.is_set():
            for shown in (text, text.replace("__SetPageOffline(page);", ""), text[:700], None):
                driver.unlink(missing_ok=True)
                if shown is not None:
                    driver.write_text(shown)
                time.sleep(0.002)

    meddler = threading.Thread(target=meddle)
    meddler.start()
    arguments = ("check", "--tree", str(tree), *CHECK[3:])
    try:
        during = [run(*arguments, environment=cached) for _ in range(4)]
    finally:
        stop.set()
        meddler.join()
    driver.unlink(missing_ok=True)
    driver.write_text(text)
    after = run(*arguments, environment=cached)

    assert all(status in (0, 1) and b"Traceback" not in told for status, _, told in during)
    assert run(*arguments, "--no-cache") == after
