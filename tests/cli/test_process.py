"""What only a process of its own shows: pipes, interrupts and terminals."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from analyzer.base import AnalyzerError
from analyzer.budget import OutOfBudgetError
from analyzer.cli import status_of

from .commands import ENVIRONMENT, PATCH, ROOT, TREE, spawn, until_watched

CHECK = ("check", "--tree", TREE)


def test_a_reader_that_leaves_is_no_error() -> None:
    with spawn(*CHECK, PATCH) as ours:
        assert ours.stdout is not None
        assert ours.stderr is not None
        ours.stdout.close()  # long before the first line is written
        complaint = ours.stderr.read()

    assert (1, b"") == (ours.returncode, complaint)


def test_a_reader_of_the_help_that_leaves_is_no_error() -> None:
    with spawn("--help") as ours:
        assert ours.stdout is not None
        assert ours.stderr is not None
        ours.stdout.close()
        complaint = ours.stderr.read()

    assert (0, b"") == (ours.returncode, complaint)


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    "arguments", [["--help"], ["check", "-h"], ["--version"], ["cache", "info"], ["cache", "clear"]]
)
def test_what_cannot_be_written_is_said_once(
    arguments: list[str], unbuffered: str, tmp_path: Path
) -> None:
    settings = {"PYTHONUNBUFFERED": unbuffered, "OFFLINT_CACHE_DIR": str(tmp_path)}
    with (
        Path("/dev/full").open("wb") as full,
        spawn(*arguments, environment={**ENVIRONMENT, **settings}, stdout=full.fileno()) as ours,
    ):
        complaint = ours.communicate(timeout=60)[1]

    said = b"offlint: standard output: cannot write: No space left on device\n"
    assert (2, said) == (ours.returncode, complaint)


def test_an_interrupt_while_the_tool_is_loaded_ends_quietly(tmp_path: Path) -> None:
    (tmp_path / "click.py").write_text("raise KeyboardInterrupt\n")
    path = f"{tmp_path}{os.pathsep}{ROOT}"
    with spawn("--version", environment={**ENVIRONMENT, "PYTHONPATH": path}) as ours:
        output = ours.communicate(timeout=60)

    assert (130, (b"", b"")) == (ours.returncode, output)


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (["check", "missing.patch"], 2),
        (["check", "--no-such-option"], 2),
        ([*CHECK, "--stats", "--fail-on", "never", PATCH], 0),
    ],
)
def test_remarks_that_cannot_be_written_change_no_status(arguments: list[str], status: int) -> None:
    with (
        Path("/dev/full").open("wb") as full,
        spawn(*arguments, stdout=subprocess.DEVNULL, stderr=full.fileno()) as ours,
    ):
        ours.wait(timeout=60)

    assert status == ours.returncode


def test_an_input_that_cannot_be_read_is_one_message(tmp_path: Path) -> None:
    with (
        (tmp_path / "written").open("wb") as unreadable,
        spawn(*CHECK, "-", stdin=unreadable.fileno()) as ours,
    ):
        output = ours.communicate(timeout=60)

    said = b"offlint: standard input: cannot read the patch: Bad file descriptor\n"
    assert (2, (b"", said)) == (ours.returncode, output)


@pytest.mark.parametrize(
    ("closed", "status", "said"),
    [
        ("<&-", 1, b""),
        ("2>&-", 1, b""),
        (">&-", 2, b"offlint: standard output: cannot write: Bad file descriptor\n"),
        ("<&- >&- 2>&-", 2, b""),
        ("--output /dev/null >&-", 1, b""),
    ],
)
def test_a_report_is_lost_silently_in_no_closed_stream(
    closed: str, status: int, said: bytes
) -> None:
    command = f'"$0" -m analyzer "$@" {closed}'
    done = subprocess.run(
        ["sh", "-c", command, sys.executable, *CHECK, "--format", "terse", PATCH],
        cwd=ROOT,
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
    )

    assert (status, said) == (done.returncode, done.stderr)
    assert (b"DOUBLE_SET" in done.stdout) is (">&-" not in closed.replace("2>&-", ""))


def test_an_interrupt_ends_quietly() -> None:
    with spawn(*CHECK, "-") as ours:
        until_watched(ours)
        ours.send_signal(signal.SIGINT)
        output, complaint = ours.communicate(timeout=30)

    assert (130, b"") == (ours.returncode, output)
    assert b"Traceback" not in complaint


def on_a_terminal(
    *arguments: str, program: tuple[str, ...] = ("-m", "analyzer"), **environment: str
) -> str:
    """Return what a terminal of 80 columns shows."""
    leader, follower = pty.openpty()
    ours = subprocess.Popen(
        [sys.executable, *program, *arguments],
        cwd=ROOT, env={**ENVIRONMENT, "COLUMNS": "80", **environment},
        stdin=subprocess.DEVNULL, stdout=follower, stderr=follower,
    )  # fmt: skip
    os.close(follower)
    shown = b""
    while select.select([leader], [], [], 60)[0]:
        try:
            chunk = os.read(leader, 65536)
        except OSError:  # the other end is closed
            break
        shown += chunk
    ours.wait(timeout=60)
    os.close(leader)
    return shown.decode()


def test_what_is_told_of_a_file_goes_on_further_to_the_right(tmp_path: Path) -> None:
    patch = tmp_path / "other.patch"
    patch.write_text(
        "--- a/mm/mm_init.c\n+++ b/mm/mm_init.c\n@@ -1,1 +1,1 @@\n"
        "-int a_long_line_that_no_such_file_of_a_kernel_is_ever_going_to_have_in_it;\n+int b;\n"
    )

    shown = on_a_terminal("check", "--quiet", "--tree", TREE, str(patch)).splitlines()

    at = next(n for n, line in enumerate(shown) if line.startswith("  mm/mm_init.c hunk 1"))
    assert shown[at + 1].startswith("    ")
    assert shown[-1].startswith("  --partial.")
    assert all(len(line) <= 80 for line in shown)


def test_a_terminal_gets_colour_unless_it_is_refused() -> None:
    page = ("explain", "double-set")
    shown = [
        on_a_terminal(*page),
        on_a_terminal(*page, NO_COLOR="1"),
        on_a_terminal(*page, TERM="dumb"),
        on_a_terminal(*page, "--color", "never"),
        on_a_terminal(*page, "--color", "always", NO_COLOR="1"),
    ]

    assert [True, False, False, False, True] == ["\x1b[1;31mdouble-set" in s for s in shown]


def test_a_terminal_of_eighty_columns_shows_whole_lines() -> None:
    shown = on_a_terminal(*CHECK, PATCH)

    lines = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).splitlines()
    assert "\x1b[1;31merror" in shown
    assert [] == [line for line in lines if len(line.split("\r")[-1]) > 80]


#: The tool with a bar that is drawn at once, and all the time.
IMPATIENT = """
import sys
from analyzer import progress
from analyzer.cli import main
if __name__ == "__main__":
    progress.Progress.__init__.__kwdefaults__["patience"] = 0.0
    progress._PAUSE = 0.01
    sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.parametrize("command", [("check", "--no-cache", "--fix"), ("sweep", "--no-cache")])
def test_a_bar_leaves_nothing_between_the_lines(command: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "a.patch").write_bytes(Path(PATCH).read_bytes())
    what = PATCH if command[0] == "check" else str(tmp_path)

    shown = on_a_terminal(*command, "--tree", TREE, what, program=("-c", IMPATIENT))

    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    lines = [line.split("\r")[-1] for line in plain.replace("\r\n", "\n").split("\n")]
    assert "\r" + command[0].replace("check", "analyse") in shown
    assert [] == [line for line in lines if "[--" in line or "[##" in line]
    assert lines[0].startswith(("diff --git a/", "a.patch mm: "))


def fail(error: BaseException) -> int:
    """Be work that ends in an exception."""
    raise error


@pytest.mark.parametrize(
    ("error", "status"),
    [(AnalyzerError("x: wrong"), 2), (KeyboardInterrupt(), 130), (ZeroDivisionError("oops"), 70)],
)
def test_every_end_has_its_status(error: BaseException, status: int) -> None:
    assert status == status_of(lambda: fail(error))


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt(), 130), (OutOfBudgetError("out of time"), 4), (MemoryError(), 4)],
)
def test_what_comes_while_a_class_is_made_is_no_defect(error: BaseException, status: int) -> None:
    class Member:
        def __set_name__(self, owner: object, name: str) -> None:
            raise error

    def made() -> None:
        type("Made", (), {"member": Member()})

    assert status == status_of(made)


def test_a_defect_is_shown_in_full_and_asked_to_be_reported(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status_of(lambda: fail(ZeroDivisionError("oops")))

    captured = capsys.readouterr()
    assert "" == captured.out
    assert all(part in captured.err for part in ("Traceback", "oops", "a defect of offlint"))


def test_a_message_cannot_steer_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    status_of(lambda: fail(AnalyzerError("evil\x1b[2J.patch: wrong")))

    assert "offlint: evil\\x1b[2J.patch: wrong\n" == capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "sign"),
    [
        ({"LC_ALL": "C.UTF-8"}, "│"),
        ({"LC_ALL": "", "LC_CTYPE": "", "LANG": "de_DE.utf8"}, "│"),
        ({"LC_ALL": "", "LC_CTYPE": "", "LANG": "C"}, "|"),
        ({"LC_ALL": "C", "LANG": "en_US.UTF-8"}, "|"),
        ({"LC_ALL": "C.UTF-8", "PYTHONIOENCODING": "latin-1"}, "|"),
    ],
)
def test_lines_are_drawn_where_the_terminal_can(environment: dict[str, str], sign: str) -> None:
    shown = on_a_terminal(*CHECK, PATCH, NO_COLOR="1", **environment)

    assert f" 15 {sign} " in shown
    assert shown.isascii() is (sign == "|")


def test_a_pipe_gets_the_same_bytes_in_every_locale() -> None:
    outputs = set()
    for locale in ("C", "C.UTF-8"):
        with spawn(*CHECK, PATCH, environment={**ENVIRONMENT, "LC_ALL": locale}) as ours:
            outputs.add(ours.communicate(timeout=60)[0])

    assert 1 == len(outputs)
