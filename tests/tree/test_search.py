"""Hold the three ways to search a directory to one answer."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from analyzer.tree import search
from analyzer.tree.api import Hits
from analyzer.tree.words import encode_words

from .sources import AWKWARD, EXPECTED, WORDS, write_files

Engine = Callable[[str, Mapping[bytes, str]], Hits | None]

ENGINES = [
    pytest.param(
        search.with_ripgrep,
        id="ripgrep",
        marks=pytest.mark.skipif(not shutil.which("rg"), reason="ripgrep is not installed"),
    ),
    pytest.param(
        search.with_git_grep,
        id="git grep",
        marks=pytest.mark.skipif(not shutil.which("git"), reason="git is not installed"),
    ),
    pytest.param(search.with_python, id="python"),
]


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_finds_exactly_the_whole_words(engine: Engine, tmp_path: Path) -> None:
    write_files(tmp_path, AWKWARD)

    assert engine(str(tmp_path), encode_words(WORDS)) == EXPECTED


@pytest.mark.parametrize("engine", ENGINES)
def test_the_git_directory_is_not_searched(engine: Engine, tmp_path: Path) -> None:
    write_files(tmp_path, {".git/refs/heads/fix.c": b"PageOdd\n", "a/.git/x.c": b"PageOdd\n"})
    write_files(tmp_path, {"mm/.github/x.c": b"PageOdd\n"})

    hits = engine(str(tmp_path), encode_words(WORDS))

    assert hits == {"mm/.github/x.c": frozenset({"PageOdd"})}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.skipif(not shutil.which("git"), reason="git is not installed")
def test_a_tree_that_another_repository_ignores_is_searched_all_the_same(
    engine: Engine, tmp_path: Path
) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    write_files(tmp_path, {".gitignore": b"build/\n"})
    root = write_files(tmp_path / "build" / "tree", {"mm/one.c": b"PageOdd\n"})

    hits = engine(str(root), encode_words(WORDS))

    assert hits == {"mm/one.c": frozenset({"PageOdd"})}


@pytest.mark.parametrize("engine", ENGINES)
def test_links_are_not_followed(engine: Engine, tmp_path: Path) -> None:
    write_files(tmp_path / "outside", {"x.c": b"PageOdd\n"})
    root = write_files(tmp_path / "tree", {"mm/one.c": b"PageOdd\n"})
    (root / "linked").symlink_to(tmp_path / "outside")
    (root / "link.c").symlink_to(root / "mm" / "one.c")
    (root / "dangling.c").symlink_to(root / "nowhere.c")

    hits = engine(str(root), encode_words(WORDS))

    assert hits == {"mm/one.c": frozenset({"PageOdd"})}


@pytest.mark.parametrize("engine", ENGINES)
def test_the_settings_of_the_user_change_nothing(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gitconfig").write_text(
        "[grep]\n\tlineNumber = true\n\tcolumn = true\n\tfullName = true\n"
        "[color]\n\tui = always\n\tgrep = always\n"
    )
    (tmp_path / "ripgreprc").write_text(
        "--heading\n--color=always\n--line-number\n--invert-match\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "gitconfig"))
    monkeypatch.setenv("RIPGREP_CONFIG_PATH", str(tmp_path / "ripgreprc"))
    root = write_files(tmp_path / "tree", AWKWARD)

    assert engine(str(root), encode_words(WORDS)) == EXPECTED


def test_a_folder_that_is_a_link_is_not_searched(tmp_path: Path) -> None:
    root = write_files(tmp_path / "tree", {"mm/one.c": b"PageOdd\n", "real/in.c": b"PageOdd\n"})
    write_files(tmp_path / "out", {"two.c": b"PageOdd\n", "deep/three.c": b"PageOdd\n"})
    (root / "linked").symlink_to(tmp_path / "out")
    (root / "inside").symlink_to(root / "real")
    (tmp_path / "alias").symlink_to(root)

    for folders in (("linked",), ("linked/deep",), ("inside",), ("mm/one.c",), ("..", "../out")):
        assert search.search_directory(str(root), WORDS, folders) == {}
    both = search.search_directory(str(tmp_path / "alias"), WORDS, ("linked", "mm"))
    assert both == {"mm/one.c": frozenset({"PageOdd"})}


TEXT = st.lists(
    st.sampled_from(
        ["f", "f_", "_f", "ff", "F", "f1", " ", "(", ")", "\n", "/*", "é", "\x00", "-"]
    ),
    max_size=12,
).map("".join)


@settings(max_examples=30, deadline=None)
@given(texts=st.lists(TEXT, max_size=4), words=st.sets(st.sampled_from(["f", "ff", "f_", "_f"])))
@example(texts=["fff\nff/*\n"], words={"f", "ff"})  # ripgrep 13 -w -o prints the shorter one
def test_engines_agree_on_any_text(texts: list[str], words: set[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        files = {f"{n}.c": text.encode("latin-1") for n, text in enumerate(texts)}
        write_files(Path(folder), files)
        names = encode_words(words)
        plain = search.with_python(folder, names)
        others = [engine(folder, names) for engine in (search.with_ripgrep, search.with_git_grep)]

        if words:
            assert [hits for hits in others if hits is not None and hits != plain] == []


def test_processes_find_what_one_process_finds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_files(tmp_path, AWKWARD)
    monkeypatch.setattr(search, "_MANY_FILES", 1)

    assert search.with_python(str(tmp_path), encode_words(WORDS)) == EXPECTED


def test_many_words_find_what_few_words_find(tmp_path: Path) -> None:
    write_files(tmp_path, AWKWARD)
    some, many = ([*WORDS, *(f"absent_{n}" for n in range(count))] for count in (20, 200))

    assert search.search_directory(str(tmp_path), some) == EXPECTED
    assert search.search_directory(str(tmp_path), many) == EXPECTED
    assert search.with_python(str(tmp_path), encode_words(many)) == EXPECTED


def _tool(folder: Path, name: str, script: str) -> None:
    file = folder / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


@pytest.mark.skipif(os.name != "posix", reason="needs a shell")
@pytest.mark.parametrize("end", ["exit 2", "printf './mm/one.c\\0PageOdd\\n'; kill -9 $$"])
def test_a_tool_that_fails_is_not_read_as_no_match(
    end: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_files(tmp_path / "tree", AWKWARD)
    tools = tmp_path / "tools"
    tools.mkdir()
    _tool(tools, "rg", end)
    _tool(tools, "git", f"echo 'fatal: no' >&2; {end}")
    monkeypatch.setenv("PATH", str(tools))

    assert search.with_ripgrep(str(root), encode_words(WORDS)) is None
    assert search.with_git_grep(str(root), encode_words(WORDS)) is None
    assert search.search_directory(str(root), WORDS) == EXPECTED


def test_a_machine_without_tools_searches_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_files(tmp_path / "tree", AWKWARD)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert search.search_directory(str(root), WORDS) == EXPECTED


def test_what_is_no_identifier_occurs_nowhere(tmp_path: Path) -> None:
    write_files(tmp_path, {"x.c": "a-b -e é PageOdd\n".encode()})

    assert search.search_directory(str(tmp_path), ["a-b", "-e", "é", "", "x\ny"]) == {}
    assert search.search_directory(str(tmp_path), []) == {}
