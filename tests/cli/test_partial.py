"""A patch that applies in parts: refused by name, or analysed as far as it goes."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import jsonschema
import pytest

from analyzer.report.json import read_schema

from .commands import PATCH, TREE, Done, offlint


@pytest.fixture
def older(tmp_path: Path) -> Path:
    """Return the demonstration's tree as an older one: one place is written in another way."""
    tree = tmp_path / "tree"
    shutil.copytree(TREE, tree)
    source = tree / "drivers/toy/toy_mem.c"
    source.write_text(source.read_text().replace("if (!onlined)", "if (onlined == false)"))
    return tree


def check(tree: Path, *options: str) -> Done:
    return offlint("check", "--tree", str(tree), *options, PATCH)


def test_hunk_that_does_not_apply_is_named_with_its_reason(older: Path) -> None:
    done = check(older)

    assert (2, "") == (done.status, done.stdout)
    assert "drivers/toy/toy_mem.c hunk 1 (line " in done.stderr
    assert "--partial" in done.stderr


def test_partial_result_says_so_in_text(older: Path) -> None:
    done = check(older, "--partial")

    said = " ".join(done.stdout.split())
    assert said.startswith("Partial: 2 hunks did not apply and are left out:")
    assert "drivers/toy/toy_mem.c hunk 1 (line " in said
    assert "Partial: 2 hunks did not apply" in said.partition("errors")[2]
    assert [] == [line for line in done.stdout.splitlines() if len(line) > 80]


def test_partial_result_says_so_in_one_terse_line(older: Path) -> None:
    first = check(older, "--partial", "--format", "terse").stdout.splitlines()[0]

    assert first.startswith("drivers/toy/toy_mem.c:1: WARNING:PARTIAL: 2 hunks did not apply")


def test_partial_result_says_so_in_json(older: Path) -> None:
    report = json.loads(check(older, "--partial", "--format", "json").stdout)

    jsonschema.validate(report, read_schema())
    assert [("drivers/toy/toy_mem.c", 1), ("drivers/toy/toy_mem.c", 2)] == [
        (x["file"], x["hunk"]) for x in report["left_out"]
    ]


def test_where_no_hunk_applies_there_is_nothing_to_say(older: Path, tmp_path: Path) -> None:
    lines = Path(PATCH).read_text().split("diff --git ")
    driver = next(part for part in lines if part.startswith("a/drivers/toy/toy_mem.c"))
    patch = tmp_path / "one.patch"
    patch.write_text(f"diff --git {driver}")
    (older / "drivers/toy/toy_mem.c").write_text("int nothing_of_it;\n")

    done = offlint("check", "--tree", str(older), "--partial", str(patch))

    assert (2, "") == (done.status, done.stdout)
    assert "Nothing of it applies: nothing to analyse." in done.stderr


def test_partial_result_gives_no_reason_why_no_page_moves(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("int a; /* one */\n")
    (tmp_path / "b.c").write_text("int another;\n")
    patch = tmp_path / "one.patch"
    patch.write_text(
        "--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-int a; /* one */\n+int a; /* two */\n"
        "--- a/b.c\n+++ b/b.c\n@@ -1 +1 @@\n-int b;\n+long b;\n"
    )

    done = offlint("check", "--tree", str(tmp_path), "--partial", str(patch))

    assert "Nothing stale found in what applies, and not everything does." in done.stdout
    assert "comments and blanks" not in done.stdout


def test_whole_patch_is_not_partial() -> None:
    options = ("--partial", "--format", "json")

    report = json.loads(offlint("check", "--tree", TREE, *options, PATCH).stdout)

    assert [] == report["left_out"]
