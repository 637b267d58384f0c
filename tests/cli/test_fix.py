"""`offlint check --fix`: a diff that git applies, wherever it is asked to go."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from analyzer.findings import Result

from .commands import PATCH, TREE, offlint

CHECK = ("check", "--tree", TREE)


def applied(tree: Path, *diffs: str) -> Path:
    """Return a copy of the demonstration's tree with diffs applied by git."""
    shutil.copytree(TREE, tree)
    for diff in diffs:
        subprocess.run(["git", "apply", "-"], cwd=tree, input=diff, text=True, check=True)
    return tree


def test_fix_prints_a_diff_that_git_applies_and_that_mends(tmp_path: Path) -> None:
    patch = Path(PATCH).read_text()
    fix = offlint(*CHECK, "--fix", PATCH)

    mended = applied(tmp_path / "mended", patch, fix.stdout)
    again = offlint("check", "--tree", str(mended), "--level", "warning", "-", data=patch.encode())

    assert 1 == fix.status
    assert fix.stdout.startswith("diff --git a/")
    assert "a fix was proved for 2 of 3 findings" in fix.stderr
    assert 0 == again.status, again.stdout
    assert "error" not in again.stdout


def test_fix_output_leaves_the_report_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "fix.patch"

    done = offlint(*CHECK, "--fix-output", str(file), PATCH)

    assert offlint(*CHECK, "--fix", PATCH).stdout == file.read_text()
    assert done.stdout.startswith("hotplugged pages: Reserved -> Offline")
    assert 2 == done.stdout.count("\n  fix:\n")


def test_json_carries_each_fix() -> None:
    report = json.loads(offlint(*CHECK, "--fix", "--format", "json", PATCH).stdout)

    fixes = {f["function"]: f["fix"] for f in report["findings"] if f["fix"]}
    assert {"acme_append", "foo_online_one"} == set(fixes)
    assert all(fix["diff"].startswith("diff --git") for fix in fixes.values())


def test_no_fix_is_tried_unless_asked_for() -> None:
    report = json.loads(offlint(*CHECK, "--format", "json", PATCH).stdout)

    assert {None} == {f["fix"] for f in report["findings"]}


def test_only_shown_findings_are_mended() -> None:
    done = offlint(*CHECK, "--fix", "--rule", "double-clear", PATCH)

    assert "b/drivers/foo/foo_hotadd.c" in done.stdout
    assert "acme_balloon.c" not in done.stdout


def test_what_cannot_be_mended_is_told() -> None:
    done = offlint(*CHECK, "--fix", "--rule", "stale-comment", PATCH)

    assert "no fix could be proved for 1 finding" in done.stderr
    assert "" == done.stdout


def test_nothing_to_mend_is_an_empty_diff() -> None:
    done = offlint(*CHECK, "--fix", "--rule", "leak-to-buddy", PATCH)

    assert (0, "") == (done.status, done.stdout)
    assert "nothing is found to be mended" in done.stderr


def test_a_check_that_was_stopped_has_an_empty_diff(monkeypatch: pytest.MonkeyPatch) -> None:
    """The report would go where a diff is expected, to `git apply` say."""
    stopped = Result(tree=TREE, stopped="out of time")
    monkeypatch.setattr("analyzer.recall.recall_check", lambda *_, **__: stopped)

    done = offlint(*CHECK, "--fix", "--no-cache", PATCH)

    assert (4, "") == (done.status, done.stdout)
    assert "no fix was tried: out of time" in done.stderr
