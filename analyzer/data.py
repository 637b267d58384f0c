"""Read the facts, rules and queries that are shipped beside the code."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from analyzer.base import AnalyzerError

_HERE = Path(__file__).resolve().parent
#: In a checkout `queries/` stands beside the package; in a wheel it stands inside it.
QUERIES = _HERE / "queries" if (_HERE / "queries").is_dir() else _HERE.parent / "queries"


@cache
def read_query(name: str) -> str:
    """Return the text of a file under `queries/`, for example `c/calls.scm`."""
    return (QUERIES / name).read_text(encoding="utf-8")


@cache
def read_facts(name: str) -> Mapping[str, Any]:  # TOML is typed by its readers
    """Return a TOML file under `queries/` as a mapping; raise AnalyzerError for bad TOML."""
    try:
        return tomllib.loads(read_query(name))
    except tomllib.TOMLDecodeError as error:
        raise AnalyzerError(f"queries/{name}: not valid TOML: {error}") from error


def names_under(folder: str, suffix: str = ".toml") -> tuple[str, ...]:
    """List the files of a folder under `queries/` by name without suffix, sorted."""
    return tuple(sorted(p.stem for p in (QUERIES / folder).glob(f"*{suffix}")))
