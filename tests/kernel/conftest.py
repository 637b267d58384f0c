"""Share the trees of a session, and print its tables at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from analyzer.tree import Tree

from .tables import Table, render
from .trees import LAW_PATCHES, corpus, open_kernel, open_older, patched

_TABLES = pytest.StashKey[dict[str, Table]]()


@pytest.fixture(scope="session")
def kernel() -> Tree:
    """Return the real tree; one object, so that its search is shared."""
    return open_kernel()


@pytest.fixture(scope="session")
def older() -> Tree:
    """Return the 6.1 tree that OFFLINT_TREE_6_1 names, or skip."""
    return open_older()


@pytest.fixture(scope="session")
def seed() -> Path:
    """Return the folder of the change that the project started from."""
    return corpus() / "seed"


@pytest.fixture(scope="session")
def history() -> Path:
    """Return the folder of earlier and later patches."""
    return corpus() / "history"


@pytest.fixture(scope="session")
def afters(kernel: Tree, seed: Path) -> Mapping[str, Tree]:
    """Return the real tree under each law."""
    return {law: patched(kernel, (seed / p for p in laws)) for law, laws in LAW_PATCHES.items()}


@pytest.fixture(scope="session")
def befores(afters: Mapping[str, Tree], seed: Path) -> Mapping[str, Tree]:
    """Return the tree with the change undone, under each law."""
    undo = seed / "6.12-to-before.patch"
    return {law: patched(tree, [undo]) for law, tree in afters.items()}


@pytest.fixture(scope="session")
def v1base(kernel: Tree, seed: Path) -> Tree:
    """Return the tree that the posted series applies to."""
    return patched(kernel, [seed / "6.12-to-v1-base.patch"])


@pytest.fixture(scope="session")
def change(seed: Path) -> str:
    """Return the text of the whole change."""
    return (seed / "6.12-change.patch").read_text()


@pytest.fixture(scope="session")
def row(pytestconfig: pytest.Config) -> Callable[[str, tuple[str, ...]], None]:
    """Return a function that adds a row to a table, which is printed when the run ends."""
    tables = pytestconfig.stash.setdefault(_TABLES, {})

    def add(title: str, cells: tuple[str, ...]) -> None:
        tables.setdefault(title, []).append(cells)

    return add


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print every table that the tests have filled."""
    for title, table in config.stash.get(_TABLES, {}).items():
        terminalreporter.section(title)
        terminalreporter.write_line(render(table))
