"""Time and memory are bounds even for what looks at neither; an interrupt gives what there is."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli.commands import ENVIRONMENT, TREE, spawn, until_watched

from .hostile import PATCH, slow_tree
from .patches import made

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def slow(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return a tree that takes minutes."""
    return slow_tree(tmp_path_factory.mktemp("slow") / "tree")


def ended(*arguments: str, data: bytes = b"") -> tuple[int, str, str, float]:
    """Run the tool; return its status, its output, its complaint and the seconds it took."""
    start = time.monotonic()
    with spawn(*arguments) as ours:
        output, complaint = ours.communicate(data, timeout=300)
    took = time.monotonic() - start
    return ours.returncode, output.decode(), complaint.decode(), took


def test_a_tree_that_takes_too_long_is_judged_in_part(slow: str) -> None:
    status, output, complaint, took = ended(
        "check", "--tree", slow, "--timeout", "20", "--all", PATCH
    )

    assert 0 <= status <= 1
    assert "out of time: nothing that" in output or "out of time: what else" in output
    assert "offlint: left out: out of time" in complaint
    assert "Blind in" in output
    assert took < 30


def test_what_does_not_look_at_the_time_is_stopped() -> None:
    status, output, complaint, _ = ended("check", "--tree", TREE, "--timeout", "0.001", PATCH)

    assert (4, "") == (status, output)
    assert "offlint: out of time: see --timeout and --memory\n" == complaint


COMMANDS = {
    "audit": ("audit", "--tree", TREE),
    "effects": ("effects", "memmap_init_range", "--tree", TREE),
    "explain": ("explain", "mm/mm_init.c:39", "--tree", TREE, "--patch", PATCH),
}


#: What is not known where there was no time for it; `audit` then has not even found the uses.
UNKNOWN = {
    "audit": "",
    "effects": " before the contract of memmap_init_range was known",
    "explain": " before what happens at mm/mm_init.c:39 was known",
}


@pytest.mark.parametrize("seconds", ["0.00001", "0.001"])
@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_keeps_to_its_time(name: str, seconds: str) -> None:
    """The first time is out before the command has begun."""
    status, output, complaint, _ = ended(*COMMANDS[name], "--timeout", seconds)

    assert (4, "") == (status, output)
    assert f"offlint: out of time{UNKNOWN[name]}: see --timeout and --memory\n" == complaint


def test_a_contract_that_takes_too_long_says_how_far_it_came(slow: str) -> None:
    status, output, complaint, took = ended(
        "effects", "memmap_init_range", "--tree", slow, "--timeout", "8"
    )

    assert (4, "") == (status, output)
    assert complaint.startswith("offlint: out of time (")
    assert "before the contract of memmap_init_range was known" in complaint
    assert took < 12


def test_an_audit_that_takes_too_long_lists_every_use(slow: str) -> None:
    status, output, complaint, took = ended(
        "audit", "--tree", slow, "--timeout", "20", "--fail-on", "never"
    )

    assert 4 == status
    assert "undecided for that alone" in " ".join(output.split())
    assert "offlint: left out: out of time: " in complaint
    assert took < 30


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_keeps_to_its_memory(name: str) -> None:
    """So little that the interpreter alone is too much: the onlooker may be first to see it."""
    status, output, complaint, _ = ended(*COMMANDS[name], "--memory", "8")

    assert status in (4, -signal.SIGKILL)
    assert "" == output
    assert "offlint: out of memory" in complaint
    assert "Traceback" not in complaint


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_without_bounds_says_the_same(name: str) -> None:
    free = ended(*COMMANDS[name], "--timeout", "0", "--memory", "0")

    assert ended(*COMMANDS[name])[:3] == free[:3]


@pytest.mark.parametrize(
    ("bound", "what"),
    [(("--timeout", "0.001"), "out of time"), (("--memory", "8"), "out of memory")],
)
def test_a_sweep_bounds_each_patch(bound: tuple[str, str], what: str, tmp_path: Path) -> None:
    for name in ("a", "b"):
        shutil.copy(PATCH, tmp_path / f"{name}.patch")
    status, output, complaint, _ = ended("sweep", str(tmp_path), "--tree", TREE, *bound)

    assert 4 == status
    assert 2 == output.count("  not checked: ")
    assert 2 == output.count(what)
    assert "Traceback" not in complaint


def test_a_sweep_gives_up_a_patch_that_takes_too_long_and_no_other(
    slow: str, tmp_path: Path
) -> None:
    shutil.copy(PATCH, tmp_path / "a.patch")
    (tmp_path / "b.patch").write_bytes(made("Documentation/new.txt"))
    status, output, complaint, took = ended(
        *("sweep", str(tmp_path), "--tree", slow, "--timeout", "20", "--jobs", "1")
    )

    assert status in (0, 1), complaint
    assert "a.patch" in output
    assert "judged in part: out of time" in output
    assert output.endswith("1 judged in part, 1 clean.\n")
    assert took < 60


def test_what_hears_no_alarm_is_killed(tmp_path: Path) -> None:
    fifo = tmp_path / "patch"
    os.mkfifo(fifo)
    with spawn("check", "--tree", TREE, "--timeout", "4", str(fifo)) as ours:
        until_watched(ours)
        ours.send_signal(signal.SIGSTOP)
        output, complaint = ours.communicate(timeout=60)

    assert (-signal.SIGKILL, b"") == (ours.returncode, output)
    assert complaint == (
        b"offlint: out of time (--timeout), and it did not stop by itself: killed\n"
    )


def test_a_patch_that_is_too_large_for_the_memory_ends_in_a_message() -> None:
    mail = b"Subject: x\n\n" + b"\n" * 60_000_000
    status, output, complaint, _ = ended("check", "--tree", TREE, "--memory", "100", "-", data=mail)

    assert (4, "") == (status, output)
    assert "offlint: out of memory: see --timeout and --memory\n" == complaint


def test_memory_that_no_limit_of_the_kernel_sees_is_seen() -> None:
    script = (
        "import mmap, time\n"
        "from analyzer.cli.guard import Guard\n"
        "with Guard(60, 80 << 20, enabled=True):\n"
        "    shared = mmap.mmap(-1, 200 << 20)\n"
        "    for page in range(0, 200 << 20, 4096):\n"
        "        shared[page] = 1\n"
        "    time.sleep(60)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], env=ENVIRONMENT, capture_output=True, timeout=60
    )

    assert -signal.SIGKILL == done.returncode
    assert b"out of memory (--memory)" in done.stderr


def test_the_time_stands_still_while_nobody_has_written_the_patch() -> None:
    with spawn("check", "--tree", TREE, "--timeout", "5", "-") as ours:
        time.sleep(7)
        output, complaint = ours.communicate(Path(PATCH).read_bytes(), timeout=60)

    assert (1, b"") == (ours.returncode, complaint)
    assert b"double-set" in output


def test_an_interrupt_gives_what_there_is_by_then(slow: str) -> None:
    with spawn("check", "--tree", slow, "--timeout", "200", "--all", PATCH) as ours:
        until_watched(ours)
        time.sleep(8)  # until it is deep in the analysis
        ours.send_signal(signal.SIGINT)
        output, complaint = ours.communicate(timeout=100)

    assert 130 == ours.returncode
    assert b"interrupted: " in output
    assert b"offlint: left out: interrupted" in complaint
    assert b"Traceback" not in complaint


def test_an_interrupted_audit_lists_every_use(slow: str) -> None:
    with spawn("audit", "--tree", slow, "--timeout", "200") as ours:
        until_watched(ours)
        time.sleep(8)
        ours.send_signal(signal.SIGINT)
        output, complaint = ours.communicate(timeout=100)

    assert 130 == ours.returncode
    assert b"undecided for that alone" in b" ".join(output.split())
    assert b"offlint: left out: interrupted: " in complaint
    assert b"Traceback" not in complaint


def test_two_interrupts_end_it_at_once(slow: str) -> None:
    with spawn("check", "--tree", slow, "--timeout", "200", PATCH) as ours:
        until_watched(ours)
        time.sleep(8)
        ours.send_signal(signal.SIGINT)
        time.sleep(0.01)
        ours.send_signal(signal.SIGINT)
        _, complaint = ours.communicate(timeout=20)

    assert 130 == ours.returncode
    assert b"Traceback" not in complaint


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """Whoever waits for the output does not wait for the onlooker, however the run ends."""
    fifo = tmp_path / "patch"
    os.mkfifo(fifo)
    with spawn("check", "--tree", TREE, str(fifo)) as ours:
        until_watched(ours)
        ours.kill()
        start = time.monotonic()
        ours.communicate(timeout=30)

    assert time.monotonic() - start < 5
