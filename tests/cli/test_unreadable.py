"""What may not be read is admitted, by a process that is not allowed everything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .commands import ENVIRONMENT, PATCH, TREE, Done

_DRIVER = "drivers/acme/acme_balloon.c"
_SEES_ALL = "-dac_override,-dac_read_search"
_LIMITED = ("setpriv", f"--bounding-set={_SEES_ALL}", f"--inh-caps={_SEES_ALL}")
#: Root reads whatever it likes, unless it gives that up.
ALLOWED = _LIMITED if os.geteuid() == 0 else ()

pytestmark = pytest.mark.skipif(
    bool(ALLOWED) and shutil.which("setpriv") is None, reason="root reads whatever it likes"
)


def offlint(tree: Path, *arguments: str) -> Done:
    """Run the tool without what only root may do."""
    done = subprocess.run(
        [*ALLOWED, sys.executable, "-m", "analyzer", *arguments, "--tree", str(tree)],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        check=False,
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def tree(tmp_path: Path) -> Iterator[Path]:
    """Return a tree of one's own, and let it be deleted again."""
    root = tmp_path / "tree"
    shutil.copytree(TREE, root)
    yield root
    for path in (root, *root.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755)


@pytest.mark.parametrize("closed", [_DRIVER, "drivers/acme"])
def test_what_may_not_be_read_is_a_gap(tree: Path, closed: str) -> None:
    (tree / closed).chmod(0)

    done = offlint(tree, "check", "--no-cache", "--all", PATCH)

    assert f"size: {closed}: too large or not to be read; left out" in done.stdout
    assert "error[double-set]" not in done.stdout
    assert "error[double-set]" in offlint(Path(TREE), "check", "--no-cache", PATCH).stdout


def test_an_audit_admits_what_may_not_be_read(tree: Path) -> None:
    (tree / _DRIVER).chmod(0)

    assert "Blind in" in offlint(tree, "audit", "--no-cache").stdout


def test_a_folder_that_may_not_be_read_is_listed_itself(tree: Path) -> None:
    (tree / "drivers/acme").chmod(0)
    program = "import sys; from analyzer.tree.listing import list_directory as of\n"
    program += "print(*sorted(of(sys.argv[1]).paths), sep='\\n')"

    listed = subprocess.run(
        [*ALLOWED, sys.executable, "-c", program, tree],
        capture_output=True, text=True, env=ENVIRONMENT, check=True,
    ).stdout.split()  # fmt: skip

    assert "drivers/acme" in listed
    assert [] == [p for p in listed if p.startswith("drivers/acme/")]
    assert "drivers/foo" not in listed


def test_a_file_that_may_not_be_read_is_not_called_missing(tree: Path) -> None:
    (tree / "mm/mm_init.c").chmod(0)

    done = offlint(tree, "check", PATCH)

    assert (2, "") == (done.status, done.stdout)
    assert "cannot be read: no permission" in done.stderr
    assert "no such file" not in done.stderr


def test_a_cache_that_cannot_be_deleted_is_not_called_deleted(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    settings = {**ENVIRONMENT, "OFFLINT_CACHE_DIR": str(folder)}
    command = [sys.executable, "-m", "analyzer"]
    subprocess.run(
        [*command, "check", "--quiet", "--tree", TREE, PATCH],
        env=settings, capture_output=True, check=False,
    )  # fmt: skip
    folder.chmod(0o555)
    try:
        done = subprocess.run(
            [*ALLOWED, *command, "cache", "clear"],
            env=settings, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        folder.chmod(0o755)

    assert (2, "") == (done.returncode, done.stdout)
    assert "cannot delete the cache: Permission denied" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "--tree", "{}/tree", PATCH], "tree: cannot be read: Permission denied"),
        (["audit", "--tree", "{}/tree"], "tree: cannot be read: Permission denied"),
        (["sweep", "--tree", "{}/tree", "{}"], "tree: cannot be read: Permission denied"),
        (["sweep", "--tree", TREE, "{}/in"], "cannot read the patches: Permission denied"),
        (["check", "--tree", TREE, "{}/a.patch"], "cannot read the patch: Permission denied"),
        (["check", "--tree", TREE, "{}/a..b"], "cannot read the patch: Permission denied"),
        (["check", "--output", "{}/x", PATCH], "cannot write: Permission denied"),
        (["check", "--fix-output", "{}/in/x", PATCH], "cannot write: Permission denied"),
        (["check", "--baseline", "{}/x", PATCH], "Permission denied"),
        (["check", "--config", "{}/x", PATCH], "Permission denied"),
    ],
)
def test_a_folder_that_may_not_be_entered_is_one_message(
    tmp_path: Path, arguments: list[str], message: str
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0)
    try:
        given = [a.format(closed) for a in arguments]
        done = subprocess.run(
            [*ALLOWED, sys.executable, "-m", "analyzer", *given],
            env=ENVIRONMENT, capture_output=True, text=True, check=False,
        )  # fmt: skip
    finally:
        closed.chmod(0o755)

    assert (2, "") == (done.returncode, done.stdout)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["here", "closed/new"])
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_read(
    tree: Path, tmp_path: Path, name: str
) -> None:
    (tmp_path / "here").touch(mode=0o444)
    (tmp_path / "closed").mkdir(mode=0o555)

    done = offlint(tree, "check", "--output", str(tmp_path / name), "no-such-patch")

    assert 2 == done.status
    assert f"{tmp_path / name}: cannot write: Permission denied" in done.stderr
    assert "no-such-patch" not in done.stderr
