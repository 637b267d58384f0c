"""Print the table of a benchmark at the end of the run."""

from __future__ import annotations

from collections.abc import Callable

import pytest

_TABLES = pytest.StashKey[list[str]]()


@pytest.fixture(scope="session")
def show(pytestconfig: pytest.Config) -> Callable[[str], None]:
    """Return a function that keeps a table to be printed when the run ends."""
    return pytestconfig.stash.setdefault(_TABLES, []).append


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the tables."""
    for table in config.stash.get(_TABLES, []):
        terminalreporter.section("on the real tree")
        terminalreporter.write_line(table)
