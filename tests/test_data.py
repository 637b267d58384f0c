"""A file of facts that is none is the user's mistake, told by its name."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer import data, migrations
from analyzer.base import AnalyzerError

GOOD = b'title = "t"\ntext = "t."\ntypes = ["Offline"]\nsources = ["mm/x.c"]\n'
LENT = b"""
[[population]]
name = "lent"
title = "lent pages"
handed_on_by = ["lend_page"]
before = "neither"
after = "Offline"
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder of migrations that stands in for the shipped one."""
    (tmp_path / "migrations").mkdir()
    (tmp_path / "kernel").symlink_to(data.QUERIES / "kernel")
    monkeypatch.setattr(data, "QUERIES", tmp_path)
    monkeypatch.setattr(data, "read_facts", data.read_facts.__wrapped__)
    monkeypatch.setattr(migrations, "read_facts", data.read_facts)
    return tmp_path / "migrations"


def load() -> list[str]:
    return [*migrations.load_migrations.__wrapped__()]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"\xff" + GOOD, "not UTF-8 text at byte 0"),
        (b"titel", "not valid TOML: "),
        (b"a = " + b"[" * 3000 + b"]" * 3000, "not valid TOML: nested too deeply"),
        (b"", "expected flags or types"),
        (GOOD + b"[[migration.population]]\n", "unknown key 'migration': the file is one, with "),
    ],
)
def test_a_file_that_is_no_migration_is_refused_by_name(
    folder: Path, text: bytes, complaint: str
) -> None:
    (folder / "mine.toml").write_bytes(text)

    with pytest.raises(AnalyzerError, match=f"^queries/migrations/mine.toml: {complaint}"):
        load()


@pytest.mark.parametrize("kind", ["a folder", "a link to nothing"])
def test_what_is_no_file_is_refused_by_name(folder: Path, kind: str) -> None:
    if kind == "a folder":
        (folder / "mine.toml").mkdir()
    else:
        (folder / "mine.toml").symlink_to("nothing")

    with pytest.raises(AnalyzerError, match=r"cannot be read: no regular|cannot be read: No such"):
        load()


def test_a_mark_of_utf8_and_line_ends_are_no_mistake_and_an_editors_files_are_none(
    folder: Path,
) -> None:
    (folder / "mine.toml").write_bytes(b"\xef\xbb\xbf" + GOOD.replace(b"\n", b"\r\n"))
    (folder / ".#mine.toml").symlink_to("somebody@somewhere.1")

    assert ["mine"] == load()


@pytest.mark.parametrize("name", ["Mine", "my_mine", "my mine"])
def test_a_file_is_named_as_its_migration(folder: Path, name: str) -> None:
    (folder / f"{name}.toml").write_bytes(GOOD)

    with pytest.raises(AnalyzerError, match=f"{name}.toml: the file's name is the migration's"):
        load()


def test_two_files_call_the_same_pages_alike(folder: Path) -> None:
    (folder / "one.toml").write_bytes(GOOD + LENT)
    (folder / "two.toml").write_bytes(GOOD + LENT)

    assert ["one", "two"] == load()

    (folder / "two.toml").write_bytes(GOOD + LENT.replace(b'"lent"', b'"given"'))
    with pytest.raises(AnalyzerError, match=r"lend_page\(\) gives pages that one calls 'lent'"):
        load()
