"""Settings of the tree, suppressions in its source and baselines, from the command line."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from .commands import PATCH, TREE, Done, offlint

ERRORS = {"acme_append", "foo_online_one"}


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a copy of the demonstration's tree."""
    shutil.copytree(TREE, tmp_path / "tree")
    return tmp_path / "tree"


def check(tree: Path, *options: str) -> Done:
    return offlint("check", "--tree", str(tree), *options, PATCH)


def functions(done: Done) -> set[str]:
    return set(re.findall(r"error\[[a-z-]+\]: (\w+)\(\)", done.stdout))


def test_levels_of_the_tree_decide_what_fails(tree: Path) -> None:
    (tree / ".offlint.toml").write_text('[levels]\ndouble-set = "note"\ndouble-clear = "note"\n')

    done = check(tree)

    assert (0, set()) == (done.status, functions(done))
    assert "note[double-set]: acme_append()" in done.stdout


def test_ignored_rules_and_paths_are_counted(tree: Path) -> None:
    (tree / ".offlint.toml").write_text(
        '[ignore]\nrules = ["stale-comment"]\npaths = ["drivers/acme/"]\n'
    )

    done = check(tree)

    assert {"foo_online_one"} == functions(done)
    assert "Not shown: 1 in ignored paths, 1 of other rules" in " ".join(done.stdout.split())


def test_budget_of_the_tree_bounds_a_patch(tree: Path) -> None:
    (tree / ".offlint.toml").write_text("[budgets]\nmemory = 1\n")

    bound = check(tree, "--no-cache")
    asked = check(tree, "--no-cache", "--memory", "0")

    assert (4, 1) == (bound.status, asked.status)
    assert "offlint: left out: out of memory" in bound.stderr


def test_unknown_budget_is_refused(tree: Path) -> None:
    (tree / ".offlint.toml").write_text("[budgets]\nseconds = 1\n")

    done = check(tree)

    assert (2, "") == (done.status, done.stdout)
    assert ".offlint.toml: budgets: unknown key 'seconds': expected memory, timeout" in done.stderr


def test_command_line_has_the_last_word(tree: Path) -> None:
    (tree / ".offlint.toml").write_text(
        'fail-on = "never"\nlevel = "error"\n[ignore]\nrules = ["double-set"]\n'
    )

    quiet = check(tree)
    loud = check(tree, "--fail-on", "note", "--level", "note", "--rule", "double-set")

    assert (0, {"foo_online_one"}) == (quiet.status, functions(quiet))
    assert (1, {"acme_append"}) == (loud.status, functions(loud))


def test_mistake_in_the_settings_is_one_message(tree: Path) -> None:
    (tree / ".offlint.toml").write_text("[ignore]\npath = []\n")

    done = check(tree)

    assert (2, "") == (done.status, done.stdout)
    assert ".offlint.toml: ignore: unknown key 'path': expected paths, rules" in done.stderr


def test_settings_of_a_revision_are_those_that_it_holds(tree: Path) -> None:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.org"]
    settings = tree / ".offlint.toml"
    settings.write_text('fail-on = "never"\n')
    for command in (["init", "-q"], ["add", "."], ["commit", "-qm", "tree"]):
        subprocess.run([*git, *command], cwd=tree, check=True)
    settings.write_text("no such key = 1\n")

    assert 0 == check(tree, "--git", "HEAD").status
    assert 2 == check(tree).status


def test_patch_cannot_bring_settings_for_itself(tree: Path) -> None:
    settings = (
        "--- /dev/null\n+++ b/.offlint.toml\n@@ -0,0 +1 @@\n+fail-on = 'never'\n"
    )  # fmt: skip
    patch = Path(PATCH).read_text() + settings

    done = offlint("check", "--tree", str(tree), "-", data=patch.encode())

    assert (1, ERRORS) == (done.status, functions(done))


def test_suppression_in_the_source_is_counted(tree: Path) -> None:
    source = tree / "drivers/acme/acme_balloon.c"
    head = "static void acme_append("
    comment = "/* offlint: allow(double-set) the core is about to follow */\n"
    source.write_text(source.read_text().replace(head, comment + head))

    done = check(tree)
    report = json.loads(check(tree, "--format", "json").stdout)

    assert (1, {"foo_online_one"}) == (done.status, functions(done))
    assert "Not shown: 1 suppressed" in " ".join(done.stdout.split())
    assert 1 == report["summary"]["suppressed"]


def test_baseline_hides_what_it_knows(tree: Path, tmp_path: Path) -> None:
    known = tmp_path / "known.json"

    written = check(tree, "--write-baseline", str(known))
    after = check(tree, "--baseline", str(known))

    assert (0, ERRORS) == (written.status, functions(written))
    assert f"{known}: 3 findings written" in written.stderr
    assert (0, set()) == (after.status, functions(after))
    assert "Not shown: 3 in the baseline" in " ".join(after.stdout.split())
    assert "" == after.stderr


def test_baseline_without_the_tree_it_was_for_is_remarked_upon(tree: Path, tmp_path: Path) -> None:
    known = tmp_path / "known.json"
    check(tree, "--write-baseline", str(known))

    head = (tree / "drivers/toy/toy_mem.c").read_text().splitlines()[0]
    name = "drivers/toy/toy_mem.c"
    patch = f"--- a/{name}\n+++ b/{name}\n@@ -1 +1,2 @@\n {head}\n+/* x */\n"

    other = offlint(
        "check", "--tree", str(tree), "--baseline", str(known), "-", data=patch.encode()
    )

    assert "3 of 3 entries hide nothing" in " ".join(other.stderr.split())


def test_missing_baseline_is_one_message(tree: Path) -> None:
    done = check(tree, "--baseline", "no/such/file")

    assert (2, "") == (done.status, done.stdout)
    assert "no such baseline" in done.stderr


@pytest.mark.parametrize(
    ("comment", "odd"),
    [
        ("/* offlint: allow(double-set) */", 1),
        ("/* offlint: allow(double-set) the page was reset by hand */", 0),
    ],
)
def test_a_bad_suppression_beside_a_finding_is_told_in_a_file_that_no_patch_touches(
    comment: str, odd: int, tree: Path
) -> None:
    driver = tree / "drivers/acme/acme_balloon.c"
    call = "\t__SetPageOffline(page);\n\tlist_add"
    driver.write_text(driver.read_text().replace(call, f"\t{comment}\n{call}"))

    done = check(tree, "--all", "--format", "terse")

    assert odd == done.stdout.count("BAD_SUPPRESSION")
    assert odd == done.stdout.count("gives no reason (pre-existing)")
    assert odd == done.stdout.count("ERROR:DOUBLE_SET")
