"""A mistake of the user must be one clear message and status 2, never a traceback."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from analyzer.cli import main

from .commands import PATCH, TREE, offlint

HERE = str(Path(__file__).parent)
LONG = "a" * 300


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "--tree", "/nonexistent", PATCH], "/nonexistent: no such tree"),
        (["check", "--tree", TREE, "missing.patch"], "missing.patch: no such patch file"),
        (["check", "--tree", TREE, TREE], "no patch in it: found a directory without files"),
        (["check", "--tree", TREE, "HEAD~..HEAD", PATCH], "HEAD~..HEAD: a range goes alone"),
        (["check", "--tree", TREE, PATCH, "HEAD~..HEAD"], "HEAD~..HEAD: a range goes alone"),
        (["check", "--tree", TREE, PATCH, "missing.patch"], "missing.patch: no such patch file"),
        (["check", "--tree", TREE, __file__], "test_mistakes.py"),
        (["check", "--tree", HERE, PATCH], "change.patch"),
        (["check", "--tree", TREE, "--rule", "double-sett", PATCH], "did you mean double-set"),
        (["check", "--tree", TREE, "--ignore", "stale", PATCH], "unknown rule 'stale'"),
        (
            ["check", "--rule", "double-set", "--ignore", "DOUBLE_SET", PATCH],
            "double-set: --rule asks for it and --ignore refuses it",
        ),
        (["check", "--tree", TREE, "--format", "xml", PATCH], "one of text, terse, json"),
        (["check", "--tree", TREE, "--format", "json=", PATCH], "no file behind"),
        (["check", "--tree", TREE, "--config", "/nonexistent", PATCH], "/nonexistent: cannot read"),
        (["check", "--tree", TREE, "--config", __file__, PATCH], "not a kernel configuration"),
        (
            ["check", "--tree", TREE, "--output", "/nonexistent/x", PATCH],
            "/nonexistent: no such dir",
        ),
        (["check", "--output", HERE, "no-such-patch"], f"{HERE}: cannot write: Is a direc"),
        (["check", "--format", f"json={HERE}", "no-such-patch"], "cannot write: Is a direc"),
        (["check", "--tree", TREE, "--fix-output", "/nonexistent/x", PATCH], "no such directory"),
        (["check", "--tree", TREE, "--write-baseline", "/nonexistent/x", PATCH], "no such direc"),
        (
            ["check", "--tree", TREE, "--format", "json=/nonexistent/x", PATCH],
            "offlint: --format json=/nonexistent/x: /nonexistent: no such directory\n",
        ),
        (["check", "--tree", TREE, "--jobs", "0", PATCH], "'--jobs': expected a whole number from"),
        (["check", "--tree", TREE, "--jobs", "two", PATCH], "expected a whole number from 1 on, f"),
        (["check", "--tree", TREE, "--reroll", "-1", PATCH], "'--reroll': expected a whole number"),
        (
            ["check", "--tree", TREE, "--timeout", "nan", PATCH],
            "expected seconds from 0 to 1000000",
        ),
        (["check", "--tree", TREE, "--timeout", "-1", PATCH], "'--timeout': expected seconds from"),
        (
            ["check", "--tree", TREE, "--memory", "1.5", PATCH],
            "'--memory': expected a whole number",
        ),
        (["check", "--tree", TREE, "--no-such", PATCH], "Try 'offlint check --help' for help."),
        (
            ["export", "--rule", "double-set", "--coccinelle", "--tree", HERE],
            "page-flags.h: no such",
        ),
        (
            ["sweep", "--tree", str(Path(TREE).parent), "no-such..b"],
            "no such range: no-such..b: git",
        ),
        (["post", "x.json"], "Missing option '--to'. Choose from: patchwork, github, gitlab, mail"),
        (["post", "--to", "mail", "--draft", "/nonexistent/x", PATCH], "no such directory"),
        (["check", "--tree", TREE, "no-such-a..no-such-b"], "no-such-a"),
        (["check", "--git", "no-such-revision", PATCH], "no-such-revision"),
        (["check", "--git", "", PATCH], "--git: expected a revision of the tree's repository, f"),
        (["audit", "--git", ""], "--git: expected a revision of the tree's repository, found ''"),
        (["sweep", "--git", "", HERE], "--git: expected a revision of the tree's repository, f"),
        (["check", "--tree", "/nonexistent", "a..b"], "/nonexistent: no such tree"),
        (["sweep", "--tree", "/nonexistent", "a..b"], "/nonexistent: no such tree"),
        (["sweep", "--tree", TREE, ""], "expected a directory of patches or a range REV..REV"),
        (["effects", "--tree", TREE, "\udcff"], "expected the name of a function, or FILE:FUNCT"),
        (["effects", "--tree", TREE, "toy_hold("], "or FILE:FUNCTION, found 'toy_hold('"),
        (["sweep", "--tree", "", HERE], "--tree: expected a directory that holds kernel sources"),
        (["sweep", "--tree", "", "a..b"], "--tree: expected a directory that holds kernel sources"),
        (["sweep", "--tree", "/nonexistent", HERE], "/nonexistent: no such tree"),
        (["sweep", "--tree", __file__, HERE], "not a tree but a file; name the directory"),
        (["sweep", "--tree", TREE, "--git", "no-such", HERE], "no-such"),
        (["sweep", "--tree", TREE, LONG], "cannot read the patches: File name too long"),
        (["check", "--tree", LONG, PATCH], "cannot be read: File name too long"),
        (["check", "--tree", f"{__file__}/x", PATCH], "no such tree; name a directory that holds"),
        (["check", "--tree", TREE, LONG], "cannot read the patch: File name too long"),
        (["check", "--tree", TREE, f"a..{LONG}"], "cannot read the patch: File name too long"),
        (["check", "--tree", TREE, "--output", LONG, PATCH], "cannot write: File name too long"),
        (["check", "--format", f"json={LONG}", PATCH], "cannot write: File name too long"),
        (["check", "--fix-output", LONG, PATCH], "cannot write: File name too long"),
        (["check", "--write-baseline", LONG, PATCH], "cannot write: File name too long"),
        (["audit", "--tree", LONG], "cannot be read: File name too long"),
        (
            ["export", "--rule", "double-set", "--coccinelle", "--output", LONG],
            "cannot write: File name too long",
        ),
        (["audit", PATCH], "change.patch): a patch goes with --patch"),
        (["effects", "toy_hold", PATCH], "change.patch): a patch goes with --patch"),
        (["explain", "mm/toy.c:3", PATCH], "change.patch): a patch goes with --patch"),
        (["sweep", HERE, PATCH], "change.patch)\nUsage: offlint sweep"),
        (["audit", "--output", LONG], "cannot write: File name too long"),
        (["post", "--to", "mail", "--draft", LONG, PATCH], "cannot write: File name too long"),
        (["check", "--tree", "", PATCH], "--tree: expected a directory that holds kernel sources"),
        (["check", "--tree", TREE, ""], "expected a patch, a range REV..REV or -, found ''"),
        (["check", "HEAD"], "HEAD: no such patch file, and not a range REV..REV (one commit: REV^"),
        (["check", "--tree", TREE, "a...b"], "where they part: $(git merge-base a b)..b"),
        (["check", "--tree", f"{TREE}/mm", PATCH], "None of these files is there: name the top of"),
    ],
)
def test_the_message_names_what_is_wrong(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(arguments)

    captured = capsys.readouterr()
    assert (2, "") == (status, captured.out)
    assert message in captured.err
    assert "Traceback" not in captured.err


@pytest.mark.parametrize("command", ["info", "clear"])
@pytest.mark.parametrize(
    ("folder", "why"), [(LONG, "File name too long"), (__file__, "Not a directory")]
)
def test_a_cache_that_cannot_be(
    command: str,
    folder: str,
    why: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("OFFLINT_CACHE_DIR", folder)

    assert 2 == main(["cache", command])
    assert f"/store: no cache can be kept there: {why}" in capsys.readouterr().err


def test_a_cache_that_is_not_there_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OFFLINT_CACHE_DIR", str(tmp_path / "not" / "yet"))

    assert 0 == main(["cache", "info"])
    assert "0 answers" in capsys.readouterr().out


@pytest.mark.parametrize(
    "formats",
    [["--format", "text", "--format", "json"], ["--format", "json=x", "--format", "terse=x"]],
)
def test_two_reports_do_not_go_to_one_place(
    formats: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["check", *formats, "--tree", TREE, PATCH])

    assert 2 == status
    assert "two reports go to" in capsys.readouterr().err


@pytest.mark.parametrize(
    "option",
    ["--baseline", "--config", "--fix-output", "--write-baseline"],
)
@pytest.mark.parametrize("name", ["", "-"])
def test_a_standard_stream_is_no_file(option: str, name: str) -> None:
    done = offlint("check", option, name, "--tree", TREE, PATCH)

    assert (2, "") == (done.status, done.stdout)
    assert f"'{option}': expected the name of a file, found {name!r}" in done.stderr


@pytest.mark.parametrize("chosen", [["--output", "-"], ["--format", "text=-"]])
def test_a_dash_is_standard_output(
    chosen: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    done = offlint("check", *chosen, "--tree", TREE, PATCH)

    assert offlint("check", "--tree", TREE, PATCH) == done
    assert [] == list(tmp_path.iterdir())


def test_an_output_that_no_report_goes_to_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["check", "--format", "json=x", "--output", "y", "--tree", TREE, PATCH])

    assert 2 == status
    assert "--output" in capsys.readouterr().err


@pytest.mark.parametrize(
    "data", [b"", b"From: a\nSubject: no patch in here\n\nHello.\n", b"\0\xff"]
)
def test_standard_input_without_a_patch_is_a_mistake(data: bytes) -> None:
    done = offlint("check", "--tree", TREE, "-", data=data)

    assert (2, "") == (done.status, done.stdout)
    assert "standard input" in done.stderr
    assert "Traceback" not in done.stderr


def test_no_command_shows_the_help() -> None:
    done = offlint()

    assert 2 == done.status
    assert "Commands:" in done.stdout + done.stderr


@pytest.mark.parametrize("header", [None, "", "#define NOTHING 1\nno C at all {{{\n"])
@pytest.mark.parametrize("command", [("check", PATCH), ("audit",)])
def test_a_tree_without_page_states_is_no_tree_to_judge(
    command: tuple[str, ...], header: str | None, tmp_path: Path
) -> None:
    tree = tmp_path / "tree"
    shutil.copytree(TREE, tree)
    flags = tree / "include/linux/page-flags.h"
    flags.unlink()
    if header is not None:
        flags.write_text(header)

    done = offlint(command[0], "--tree", str(tree), *command[1:])

    assert (2, "") == (done.status, done.stdout)
    assert "include/linux/page-flags.h: " in done.stderr
    assert "name the top of a kernel tree" in done.stderr


def test_an_idle_patch_asks_for_no_page_states(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_text("int a; /* one */\n")
    patch = tmp_path / "one.patch"
    patch.write_text("--- a/a.c\n+++ b/a.c\n@@ -1 +1 @@\n-int a; /* one */\n+int a; /* two */\n")

    done = offlint("check", "--tree", str(tmp_path), str(patch))

    assert (0, True) == (done.status, "comments and blanks only" in done.stdout)
