"""A rule's page must be there for every rule."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from analyzer.cli import main
from analyzer.migrations import load_migrations
from analyzer.rules import load_rules

from .commands import PATCH, TREE, offlint


@pytest.mark.parametrize("rule", load_rules())
def test_every_rule_has_a_page(rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["explain", rule])

    page = capsys.readouterr().out
    assert 0 == status
    assert page.startswith(rule)
    assert all(title in page for title in ("What breaks", "How to mend it", "Stale", "Mended"))


def test_an_unknown_rule_is_the_users_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["explain", "doubleset"])

    captured = capsys.readouterr()
    assert (2, "") == (status, captured.out)
    assert "offlint: unknown rule 'doubleset': did you mean double-set" in captured.err


def test_a_name_of_nothing_is_answered_with_all_that_has_a_page(
    capsys: pytest.CaptureFixture[str],
) -> None:
    status = main(["explain", "xyzzy"])

    said = capsys.readouterr().err
    assert 2 == status
    assert "the rules are bad-suppression, " in said
    assert "; the migrations are hotplug-offline, " in said


@pytest.mark.parametrize("name", load_migrations())
def test_every_migration_has_a_page(name: str) -> None:
    done = offlint("explain", name, "--tree", TREE)

    assert 0 == done.status
    assert done.stdout.startswith(f"{name}  (migration)\n")
    titles = ("What moves", "What code must not do any more", "Where that is to be seen")
    assert all(title in done.stdout for title in titles)
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


def test_a_migration_of_the_trees_own_has_a_page(tmp_path: Path) -> None:
    own = 'name = "lent-offline"\ntitle = "x"\ntext = "y."\ntypes = ["Offline"]\nsources = ["z"]\n'
    (tmp_path / ".offlint.toml").write_text(f"[[migration]]\n{own}")

    page = offlint("explain", "lent-offline", "--tree", str(tmp_path))
    close = offlint("explain", "lent-oflline", "--tree", str(tmp_path))

    assert page.stdout.startswith("lent-offline  (migration)\n\n  X.\n\n  y.\n")
    assert (2, "") == (close.status, close.stdout)
    assert "unknown migration 'lent-oflline': did you mean lent-offline" in close.stderr


def test_colour_only_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    pages = []
    for when in ("auto", "never", "always"):
        main(["explain", "double-set", "--color", when])
        pages.append(capsys.readouterr().out)

    assert [False, False, True] == ["\x1b[" in page for page in pages]


def test_a_line_is_explained_with_what_comes_there() -> None:
    done = offlint("explain", "drivers/acme/acme_balloon.c:15", "--tree", TREE, "--patch", PATCH)

    assert 0 == done.status
    assert done.stdout.startswith("drivers/acme/acme_balloon.c:15 in acme_append()\n")
    assert "error[double-set] on this line" in done.stdout
    assert "\n+   Offline: __SetPageOffline() traps\n" in done.stdout
    assert all(len(line) <= 80 for line in done.stdout.splitlines())


@pytest.mark.parametrize("behind", [":2", ":"])
def test_a_place_is_known_as_reports_spell_it(behind: str) -> None:
    place = "drivers/acme/acme_balloon.c:15"

    assert offlint("explain", place, "--tree", TREE) == offlint(
        "explain", f"./{place}{behind}", "--tree", TREE
    )


def test_a_line_is_explained_to_programs() -> None:
    done = offlint(
        *("explain", "drivers/acme/acme_balloon.c:15", "--tree", TREE, "--patch", PATCH),
        *("--format", "json"),
    )

    report = json.loads(done.stdout)
    assert ("acme_append", "It is reported: see below.") == (report["function"], report["reason"])
    assert ["double-set"] == [f["rule"] for f in report["findings"]]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("double-set", "--tree", TREE), "go with FILE:LINE"),
        (("mm/page_alloc.c:0", "--tree", TREE), "expected FILE:LINE"),
        (("mm/page_alloc.c", "--tree", TREE), "expected FILE:LINE"),
        (("mm/page_alloc.c:x:3", "--tree", TREE), "mm/page_alloc.c:x: no such file"),
        (("mm/gone.c:3", "--tree", TREE), "no such file"),
    ],
)
def test_a_mistake_is_one_message(arguments: tuple[str, ...], words: str) -> None:
    done = offlint("explain", *arguments)

    assert (2, "") == (done.status, done.stdout)
    assert words in done.stderr


def test_a_line_in_an_ignored_path_is_said_to_be_in_one(tmp_path: Path) -> None:
    shutil.copytree(TREE, tmp_path / "tree")
    (tmp_path / "tree/.offlint.toml").write_text('[ignore]\npaths = ["drivers/acme/"]\n')
    place = "drivers/acme/acme_balloon.c:20"

    said = [
        offlint("explain", place, "--tree", tree, "--patch", PATCH).stderr
        for tree in (str(tmp_path / "tree"), TREE)
    ]

    ignored = "drivers/acme/acme_balloon.c: .offlint.toml ignores this path"
    assert [True, False] == [ignored in stderr for stderr in said]
