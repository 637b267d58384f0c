"""Read the settings that a tree's maintainer keeps in `.offlint.toml` at its top."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from analyzer.base import AnalyzerError, Severity
from analyzer.data import Table, read_toml
from analyzer.findings import Result
from analyzer.rules import rule_named

#: Where the settings stand, from the top of the tree.
SETTINGS = ".offlint.toml"

_KEYS = ("level", "fail-on", "levels", "ignore", "budgets", "migration")
_IGNORE = ("rules", "paths")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a tree says of its checks; what it leaves out is empty or None.

    never is true where no finding shall fail a run. budgets and migrations are read, and held to
    their own keys, by whoever knows them.
    """

    level: Severity | None = None
    fail_on: Severity | None = None
    never: bool = False
    levels: Mapping[str, Severity]
    rules: tuple[str, ...] = ()  # ignored
    paths: tuple[str, ...] = ()  # ignored
    budgets: Table
    migrations: tuple[Table, ...] = ()


def read_settings(read: Callable[[str], bytes | None], name: str = "") -> Settings:
    """Return the settings of a tree, of which read gives the files; name stands for it in errors.

    Raise AnalyzerError that names file, key and what was expected.
    """
    where = f"{name}/{SETTINGS}" if name and name != "." else SETTINGS
    data = read(SETTINGS)
    if data is None:
        return Settings(levels={}, budgets=Table(where, {}))
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise AnalyzerError(f"{where}: not UTF-8 text at byte {error.start}") from error
    return parse_settings(read_toml(where, text))


def parse_settings(table: Table) -> Settings:
    """Return the settings that a table describes."""
    only(table, _KEYS)
    ignore = _subtable(table, "ignore")
    only(ignore, _IGNORE)
    fail_on = table.text("fail-on", "-")
    return Settings(
        level=table.choice("level", Severity) if "level" in table.values else None,
        fail_on=table.choice("fail-on", Severity) if fail_on not in ("-", "never") else None,
        never=fail_on == "never",
        levels=_levels(_subtable(table, "levels")),
        rules=tuple(_rule(ignore.where, r) for r in ignore.texts("rules", ())),
        paths=tuple(_path(ignore, p) for p in ignore.texts("paths", ())),
        budgets=_subtable(table, "budgets"),
        migrations=table.tables("migration"),
    )


def only(table: Table, keys: Iterable[str]) -> None:
    """Raise AnalyzerError where a table has another key than these, naming the one meant."""
    for key in table.values:
        if key not in keys:
            close = difflib.get_close_matches(key.lower().replace("_", "-"), list(keys), n=1)
            hint = f"; did you mean {close[0]!r}?" if close else ""
            raise AnalyzerError(
                f"{table.where}: unknown key {key!r}: expected {', '.join(sorted(keys))}{hint}"
            )


def with_levels(result: Result, levels: Mapping[str, Severity]) -> Result:
    """Return a result in which the findings of some rules weigh what the settings say."""
    if not levels:
        return result
    findings = (replace(f, severity=levels.get(f.rule, f.severity)) for f in result.findings)
    return replace(result, findings=tuple(sorted(findings, key=lambda f: -f.severity.rank)))


def _subtable(table: Table, key: str) -> Table:
    if key not in table.values:
        return Table(f"{table.where}: {key}", {})
    return table.table(key)


def _levels(table: Table) -> Mapping[str, Severity]:
    return {_rule(table.where, rule): table.choice(rule, Severity) for rule in table.values}


def _rule(where: str, name: str) -> str:
    try:
        return rule_named(name).id
    except AnalyzerError as error:
        raise AnalyzerError(f"{where}: {error}") from error


def _path(table: Table, pattern: str) -> str:
    if pattern.startswith("/") or ".." in pattern.split("/"):
        raise table.wrong("paths", "paths from the top of the tree, such as drivers/staging/")
    return pattern
