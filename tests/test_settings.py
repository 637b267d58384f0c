"""The settings of a tree: read strictly, and weaker than the command line."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.base import AnalyzerError, Severity
from analyzer.settings import Settings, bounds, read_settings, settings_of, with_levels
from analyzer.tree import DirectoryTree, MemoryTree

from .report.results import FINDING, REMARK, RESULT

WHOLE = """
level = "warning"
fail-on = "error"

[levels]
stale-comment = "warning"

[ignore]
rules = ["dead-op"]
paths = ["drivers/staging/", "arch/*/mm/old_*.c"]

[budgets]
timeout = 300
memory = 2048

[[migration]]
name = "mine"
"""


def read(text: str | bytes | None) -> Settings:
    tree = MemoryTree({} if text is None else {".offlint.toml": text})
    return read_settings(tree.read, "linux")


def test_settings_are_read() -> None:
    settings = read(WHOLE)

    assert (Severity.WARNING, Severity.ERROR, False) == (
        settings.level,
        settings.fail_on,
        settings.never,
    )
    assert {"stale-comment": Severity.WARNING} == dict(settings.levels)
    assert (("dead-op",), ("drivers/staging/", "arch/*/mm/old_*.c")) == (
        settings.rules,
        settings.paths,
    )
    assert (300, 2048) == (settings.timeout, settings.memory)
    assert ["mine"] == [m.text("name") for m in settings.migrations]


def test_a_byte_order_mark_is_no_part_of_the_settings() -> None:
    assert read(WHOLE) == read(b"\xef\xbb\xbf" + WHOLE.encode())


@pytest.mark.parametrize("text", [None, ""])
def test_tree_without_settings_leaves_everything_open(text: str | None) -> None:
    settings = read(text)

    assert (None, None, False, {}, (), ()) == (
        settings.level,
        settings.fail_on,
        settings.never,
        settings.levels,
        settings.rules,
        settings.paths,
    )


@pytest.mark.parametrize(
    ("text", "asked", "bounds_of_a_patch"),
    [
        ("", (None, None), (120, 1024)),
        ("[budgets]\ntimeout = 300", (None, None), (300, 1024)),
        ("[budgets]\ntimeout = 0\nmemory = 64", (None, None), (0, 64)),
        ("[budgets]\ntimeout = 1.5", (None, None), (1.5, 1024)),
        ("[budgets]\ntimeout = 300\nmemory = 64", (5.5, None), (5.5, 64)),
        ("[budgets]\ntimeout = 300\nmemory = 64", (0.0, 0), (0, 0)),
    ],
)
def test_command_line_bounds_before_the_tree_does(
    text: str, asked: tuple[float | None, int | None], bounds_of_a_patch: tuple[float, int]
) -> None:
    seconds, memory = bounds_of_a_patch

    assert (seconds, memory << 20) == bounds(*asked, read(text))


def test_never_is_a_wish_to_fail_on_nothing() -> None:
    settings = read('fail-on = "never"')

    assert (None, True) == (settings.fail_on, settings.never)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fail_on = 'error'", "linux/.offlint.toml: unknown key 'fail_on': expected .*'fail-on'"),
        ("title = 'x'", "unknown key 'title': of a migration\\? they stand under .*migration"),
        ("[[population]]", "unknown key 'population': of a migration\\? .*migration.population"),
        ("[ignore]\npath = []", "ignore: unknown key 'path': expected paths, rules.*'paths'"),
        ("fail-on = 'fatal'", "fail-on: expected error, warning, note, never, found 'fatal'"),
        ("[levels]\ndouble-sett = 'note'", "levels: unknown rule 'double-sett': did you mean doub"),
        ("[levels]\ndouble-set = 'loud'", "levels: double-set: expected error, warning, note"),
        ("[ignore]\nrules = ['x']", "ignore: unknown rule 'x'"),
        ("[ignore]\nrules = 'dead-op'", "ignore: rules: expected a list of texts, found 'dead-op'"),
        ("[ignore]\npaths = ['/etc']", "ignore: paths: expected paths from the top of the tree"),
        ("[ignore]\npaths = ['./a']", "ignore: paths: expected paths from the top of the tree"),
        ("[ignore]\npaths = ['a//']", "ignore: paths: expected paths from the top of the tree"),
        ("[ignore]\npaths = ['a/../b']", "ignore: paths: expected paths from the top of the tree"),
        ("[budgets]\ntime = 3", "budgets: unknown key 'time': expected memory, timeout.*'timeout'"),
        ("[budgets]\ntimeout = '3 s'", "budgets: timeout: expected seconds for each patch.*'3 s'"),
        ("[budgets]\ntimeout = true", "seconds for each patch up to 1000000, .* found true"),
        ("[budgets]\ntimeout = nan", "seconds for each patch up to 1000000, .* found nan"),
        ("[budgets]\ntimeout = 1e9", "seconds for each patch up to 1000000, .* found 1000000000"),
        ("[budgets]\nmemory = -1", "budgets: memory: expected a whole number of MB up .* found -1"),
        (
            "[budgets]\nmemory = 1.5",
            "budgets: memory: expected a whole number of MB up .* found 1.5",
        ),
        ("[budgets]\nmemory = true", "budgets: memory: expected a whole number .* found true"),
        (
            "level = [true, {a = 1}]",
            r"level: expected error, warning, note, found \[true, { a = 1 }\]",
        ),
        ("fail-on = '-'", "fail-on: expected error, warning, note, never, found '-'"),
        ("level = 1987-06-05", "level: expected error, warning, note, found 1987-06-05"),
        ("budgets = 3", "budgets: expected a table, found 3"),
        ("level", "linux/.offlint.toml: not valid TOML"),
        ("migration = 1", r"migration: expected tables, each headed \[\[migration\]\]"),
        (b"\xff", "not UTF-8 text at byte 0"),
    ],
)
def test_mistake_is_refused_with_file_key_and_what_was_expected(
    text: str | bytes, words: str
) -> None:
    with pytest.raises(AnalyzerError, match=words):
        read(text)


@pytest.mark.parametrize("target", ["", "nowhere", ".offlint.toml", "/etc/passwd"])
def test_settings_that_cannot_be_read_are_not_taken_for_none(target: str, tmp_path: Path) -> None:
    file = tmp_path / ".offlint.toml"
    file.symlink_to(target) if target else file.mkdir()

    with pytest.raises(AnalyzerError, match=r"/\.offlint\.toml: cannot be read: no permission"):
        settings_of(DirectoryTree(str(tmp_path)))


def test_settings_by_a_link_within_the_tree_are_read(tmp_path: Path) -> None:
    (tmp_path / "kept.toml").write_text('level = "error"')
    (tmp_path / ".offlint.toml").symlink_to("kept.toml")

    assert Severity.ERROR is settings_of(DirectoryTree(str(tmp_path))).level


def test_levels_weigh_findings_anew_and_sort_them() -> None:
    found = replace(RESULT, findings=(FINDING, REMARK))

    weighed = with_levels(found, {"double-set": Severity.NOTE, "stale-comment": Severity.ERROR})

    assert [("stale-comment", Severity.ERROR), ("double-set", Severity.NOTE)] == [
        (f.rule, f.severity) for f in weighed.findings
    ]
