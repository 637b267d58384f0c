"""The check, run as people run it, on the demonstration."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema
import pytest

from analyzer.cli.output import FORMATS
from analyzer.report.json import read_schema

from .commands import PATCH, TREE, offlint, spawn

CHECK = ("check", "--tree", TREE)
PLACES = {"acme_append", "foo_online_one"}


def test_findings_give_status_one_and_only_the_report_on_stdout() -> None:
    done = offlint(*CHECK, PATCH)

    report = done.stdout
    assert (1, "") == (done.status, done.stderr)
    assert report.startswith("hotplugged pages: Reserved -> Offline")
    assert all(f"in {name}()" in report for name in PLACES)
    assert [] == [line for line in report.splitlines() if len(line) > 80]


def test_a_page_without_a_mark_is_called_so() -> None:
    report = offlint(*CHECK, PATCH).stdout

    assert "is handed pages Offline or unmarked instead of Reserved" in report
    assert "traps: the\n       page is unmarked" in report


def test_the_same_input_gives_the_same_bytes() -> None:
    ours = offlint(*CHECK, "--format", "json", PATCH)
    with spawn(*CHECK, "--format", "json", PATCH) as other:
        printed, _ = other.communicate()

    assert ours.stdout.encode() == printed


def test_standard_input_is_read_with_and_without_a_dash() -> None:
    data = Path(PATCH).read_bytes()
    named = offlint(*CHECK, "--format", "terse", PATCH)

    piped = [offlint(*CHECK, "--format", "terse", *dash, data=data) for dash in ([], ["-"])]

    assert [named.stdout] * 2 == [p.stdout for p in piped]
    assert named.stdout


def test_terse_lines_are_read_by_scripts() -> None:
    done = offlint(*CHECK, "--format", "terse", "--level", "error", "--quiet", PATCH)

    shape = re.compile(r"[a-z/_]+\.c:\d+: ERROR:[A-Z_]+: (\w+)\(\) .+")
    found = [shape.fullmatch(line) for line in done.stdout.splitlines()]
    assert all(found)
    assert {m[1] for m in found if m} >= PLACES
    assert "" == done.stderr


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
        (["--rule", "dead-op"], 0),
    ],
)
def test_the_status_follows_what_counts(options: list[str], status: int) -> None:
    assert status == offlint(*CHECK, *options, PATCH).status


def test_a_patch_that_changes_no_state_is_silent() -> None:
    lines = (Path(TREE) / "drivers/acme/Makefile").read_text().splitlines()
    n = len(lines)
    harmless = (
        "--- a/drivers/acme/Makefile\n+++ b/drivers/acme/Makefile\n"
        f"@@ -{n} +{n},2 @@\n {lines[-1]}\n+# end\n"
    )

    done = offlint(*CHECK, data=harmless.encode())
    terse = offlint(*CHECK, "--format", "terse", data=harmless.encode())

    assert (0, "") == (done.status, done.stderr)
    assert 1 == done.stdout.count("\n")
    assert done.stdout.startswith("Nothing stale found: ")
    assert "" == terse.stdout


def test_reports_go_to_files_and_to_stdout_at_once(tmp_path: Path) -> None:
    report, lines = tmp_path / "r.json", tmp_path / "r.txt"

    done = offlint(*CHECK, "--format", f"json={report}", "--format", f"terse={lines}",
                   "--format", "text", PATCH)  # fmt: skip
    alone = offlint(*CHECK, "--output", str(tmp_path / "alone"), PATCH)

    assert 1 == json.loads(report.read_text())["version"]
    assert "ERROR:" in lines.read_text()
    assert done.stdout.startswith("hotplugged pages")
    assert ("", done.stdout) == (alone.stdout, (tmp_path / "alone").read_text())


def test_one_run_writes_every_format(tmp_path: Path) -> None:
    wanted = [f"--format={name}={tmp_path / name}" for name in FORMATS]

    done = offlint(*CHECK, *wanted, PATCH)

    assert (1, "", "") == (done.status, done.stdout, done.stderr)
    for name in FORMATS:
        text = (tmp_path / name).read_text("utf-8").replace("<wbr>", "")
        assert "acme_append() sets PageOffline" in " ".join(text.split()), name


def test_a_trace_says_in_which_states_pages_come_before_and_now() -> None:
    page = offlint(*CHECK, "--format", "html", PATCH).stdout

    shown = re.findall(r'before <span class="state was">(\w+)</span> now .*?>(\w+)</span>', page)
    assert ("Reserved", "Offline") in shown


def test_the_hunk_is_in_the_diff(tmp_path: Path) -> None:
    done = offlint(*CHECK, "--format", "terse", "--anchor", "hunk", "--level", "error", PATCH)

    places = {line.split(" ")[0] for line in done.stdout.splitlines()}
    assert {"mm/mm_init.c:39:"} == places


def test_stats_and_remarks_go_to_stderr() -> None:
    done = offlint(*CHECK, "--stats", PATCH)

    assert "in all" in done.stderr
    assert "files read" in done.stderr
    assert "files read" not in done.stdout


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

    here = ("check", "--tree", str(repository), "--format", "terse")
    ranged, revision = offlint(*here, "HEAD~1..HEAD"), offlint(*here, "--git", "HEAD~1", PATCH)

    named = offlint(*CHECK, "--format", "terse", PATCH)
    assert named.stdout == ranged.stdout
    assert named.stdout == revision.stdout


def test_a_patch_that_is_already_applied_is_checked_all_the_same(tmp_path: Path) -> None:
    patched = tmp_path / "tree"
    shutil.copytree(TREE, patched)
    subprocess.run(["patch", "-p1", "-s", "-i", PATCH], cwd=patched, check=True)

    done = offlint("check", "--tree", str(patched), PATCH)

    assert 1 == done.status
    assert "already applied" in done.stderr
    assert offlint(*CHECK, PATCH).stdout == done.stdout
