"""The check, run as people run it, on the demonstration."""

from __future__ import annotations

import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import jsonschema
import pytest

from analyzer.report.json import read_schema

from .commands import ENVIRONMENT, PATCH, ROOT, TREE, offlint

CHECK = ("check", "--tree", TREE)
PLACES = {"acme_append", "foo_online_one"}


def test_findings_give_status_one_and_only_the_report_on_stdout() -> None:
    done = offlint(*CHECK, PATCH)

    report = done.stdout.decode()
    assert (1, b"") == (done.returncode, done.stderr)
    assert report.startswith("hotplugged pages: Reserved -> Offline")
    assert all(f"in {name}()" in report for name in PLACES)
    assert [] == [line for line in report.splitlines() if len(line) > 80]


def test_the_same_input_gives_the_same_bytes() -> None:
    first, second = (offlint(*CHECK, "--format", "json", PATCH) for _ in range(2))

    assert first.stdout == second.stdout


def test_standard_input_is_read_with_and_without_a_dash() -> None:
    data = Path(PATCH).read_bytes()
    named = offlint(*CHECK, "--format", "terse", PATCH)

    piped = [offlint(*CHECK, "--format", "terse", *dash, data=data) for dash in ([], ["-"])]

    assert [named.stdout] * 2 == [p.stdout for p in piped]
    assert named.stdout


def test_terse_lines_are_read_by_scripts() -> None:
    done = offlint(*CHECK, "--format", "terse", "--level", "error", "--quiet", PATCH)

    lines = done.stdout.decode().splitlines()
    shape = re.compile(r"drivers/\S+\.c:\d+: ERROR:[A-Z_]+: (\w+)\(\) .+")
    assert {m[1] for line in lines if (m := shape.fullmatch(line))} == PLACES
    assert len(PLACES) == len(lines)
    assert b"" == done.stderr


def test_json_is_valid_and_speaks_of_the_same_places() -> None:
    done = offlint(*CHECK, "--format", "json", "--all", PATCH)

    report = json.loads(done.stdout)
    jsonschema.validate(report, read_schema())
    errors = {f["function"] for f in report["findings"] if f["severity"] == "error"}
    assert PLACES <= errors
    assert 1 == len(report["migrations"])


def test_lines_and_columns_point_at_the_operation(tmp_path: Path) -> None:
    patched = tmp_path / "tree"
    shutil.copytree(TREE, patched)
    subprocess.run(["patch", "-p1", "-s", "-i", PATCH], cwd=patched, check=True)

    report = json.loads(offlint(*CHECK, "--format", "json", PATCH).stdout)

    for f in report["findings"]:
        lines = (patched / f["file"]).read_text().splitlines()
        if f["line"] == f["end_line"]:
            marked = lines[f["line"] - 1][f["column"] - 1 : f["end_column"] - 1]
            assert f["operation"].split("(")[0] in marked


@pytest.mark.parametrize(
    ("options", "status"),
    [
        (["--fail-on", "error"], 1),
        (["--fail-on", "never"], 0),
        (["--level", "error"], 1),
        (["--rule", "stale-comment"], 0),
        (["--rule", "stale-comment", "--fail-on", "note"], 1),
        (["--rule", "missing-clear"], 0),
    ],
)
def test_the_status_follows_what_counts(options: list[str], status: int) -> None:
    assert status == offlint(*CHECK, *options, PATCH).returncode


def test_a_patch_that_changes_no_state_is_silent(tmp_path: Path) -> None:
    harmless = "--- a/drivers/acme/Makefile\n+++ b/drivers/acme/Makefile\n@@ -1 +1,2 @@\n"
    line = (Path(TREE) / "drivers/acme/Makefile").read_text().splitlines()[-1]
    count = len((Path(TREE) / "drivers/acme/Makefile").read_text().splitlines())
    harmless = harmless.replace("-1 +1,2", f"-{count} +{count},2") + f" {line}\n+# end\n"

    done = offlint(*CHECK, data=harmless.encode())
    terse = offlint(*CHECK, "--format", "terse", data=harmless.encode())

    assert (0, b"") == (done.returncode, done.stderr)
    assert done.stdout.startswith(b"Nothing stale found.")
    assert b"" == terse.stdout


def test_reports_go_to_files_and_to_stdout_at_once(tmp_path: Path) -> None:
    report, lines = tmp_path / "r.json", tmp_path / "r.txt"

    done = offlint(*CHECK, "--format", f"json={report}", "--format", f"terse={lines}",
                   "--format", "text", PATCH)  # fmt: skip
    alone = offlint(*CHECK, "--output", str(tmp_path / "alone"), PATCH)

    assert 1 == json.loads(report.read_text())["version"]
    assert "ERROR:" in lines.read_text()
    assert done.stdout.startswith(b"hotplugged pages")
    assert (b"", done.stdout) == (alone.stdout, (tmp_path / "alone").read_bytes())


def test_stats_and_remarks_go_to_stderr() -> None:
    done = offlint(*CHECK, "--stats", PATCH)

    assert b"in all" in done.stderr
    assert b"files read" in done.stderr
    assert b"files read" not in done.stdout


def test_a_git_range_is_checked_against_its_base(tmp_path: Path) -> None:
    repository = tmp_path / "linux"
    shutil.copytree(TREE, repository)
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=no"]
    run = {"cwd": repository, "check": True, "capture_output": True}
    for command in (
        [*git, "init", "-q"],
        [*git, "add", "-A"],
        [*git, "commit", "-q", "-m", "base"],
        ["patch", "-p1", "-s", "-i", PATCH],
        [*git, "commit", "-q", "-a", "-m", "mm: change how pages start"],
    ):
        subprocess.run(command, **run)  # type: ignore[call-overload]

    ranged = offlint("check", "--format", "terse", "HEAD~1..HEAD", cwd=repository)
    revision = offlint("check", "--git", "HEAD~1", "--format", "terse", PATCH, cwd=repository)

    named = offlint(*CHECK, "--format", "terse", PATCH)
    assert named.stdout == ranged.stdout
    assert named.stdout == revision.stdout


def test_a_patch_that_is_already_applied_is_checked_all_the_same(tmp_path: Path) -> None:
    patched = tmp_path / "tree"
    shutil.copytree(TREE, patched)
    subprocess.run(["patch", "-p1", "-s", "-i", PATCH], cwd=patched, check=True)

    done = offlint("check", "--tree", str(patched), PATCH)

    assert 1 == done.returncode
    assert b"already applied" in done.stderr
    assert offlint(*CHECK, PATCH).stdout == done.stdout


def test_a_reader_that_leaves_is_no_error() -> None:
    code = "import sys; sys.stdin.close()"
    with subprocess.Popen(
        [sys.executable, "-m", "analyzer", *CHECK, PATCH],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=ENVIRONMENT,
    ) as ours:  # fmt: skip
        assert ours.stdout is not None
        assert ours.stderr is not None
        subprocess.run([sys.executable, "-c", code], stdin=ours.stdout, check=True)
        ours.stdout.close()
        complaint = ours.stderr.read()

    assert (1, b"") == (ours.returncode, complaint)


def test_an_interrupt_ends_quietly() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "analyzer", *CHECK, "-"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        cwd=ROOT, env=ENVIRONMENT,
    ) as ours:  # fmt: skip
        time.sleep(1)  # until it waits for the patch
        ours.send_signal(signal.SIGINT)
        output, complaint = ours.communicate(timeout=30)

    assert (130, b"") == (ours.returncode, output)
    assert b"Traceback" not in complaint


def on_a_terminal(*arguments: str, **environment: str) -> str:
    """Return what a terminal of 80 columns shows."""
    leader, follower = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-m", "analyzer", *arguments],
        stdin=subprocess.DEVNULL, stdout=follower, stderr=follower, cwd=ROOT,
        env={**ENVIRONMENT, "COLUMNS": "80", **environment},
    ) as ours:  # fmt: skip
        os.close(follower)
        shown = b""
        while select.select([leader], [], [], 60)[0]:
            try:
                chunk = os.read(leader, 65536)
            except OSError:
                break
            if not chunk:
                break
            shown += chunk
        ours.wait(timeout=60)
    os.close(leader)
    return shown.decode()


def test_a_terminal_gets_colour_unless_it_is_refused() -> None:
    shown = [
        on_a_terminal(*CHECK, PATCH),
        on_a_terminal(*CHECK, PATCH, NO_COLOR="1"),
        on_a_terminal(*CHECK, PATCH, TERM="dumb"),
        on_a_terminal(*CHECK, "--color", "never", PATCH),
        on_a_terminal(*CHECK, "--color", "always", PATCH, NO_COLOR="1"),
    ]

    assert [True, False, False, False, True] == ["\x1b[1;31merror" in s for s in shown]


def test_a_terminal_of_eighty_columns_shows_whole_lines() -> None:
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", on_a_terminal(*CHECK, PATCH))

    assert [] == [line for line in shown.splitlines() if len(line) > 80]
