"""Read the settings that a tree's maintainer keeps in `.offlint.toml` at its top."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from analyzer.base import AnalyzerError, Severity
from analyzer.budget import LONGEST, MOST
from analyzer.data import Table, decoded, read_toml
from analyzer.findings import Result
from analyzer.rules import rule_named
from analyzer.select import Selection
from analyzer.tree import Tree, why_unread

#: Where the settings stand, from the top of the tree.
SETTINGS = ".offlint.toml"

_KEYS = ("level", "fail-on", "levels", "ignore", "budgets", "migration")
_IGNORE = ("rules", "paths")
_BUDGETS = ("timeout", "memory")
#: What stands at the top of a file under `queries/migrations/`, and here a level below.
_OF_MIGRATIONS = ("title", "text", "types", "flags", "population", "exception", "obligation")
#: What a patch may cost where nobody says otherwise: seconds, MB.
_SECONDS, _MEGABYTES = 120, 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a tree says of its checks; what it leaves out is empty or None.

    never is true where no finding shall fail a run. timeout and memory are what one patch may
    cost, in seconds and MB; 0 is no bound. migrations are read, and held to their own keys, by
    whoever knows them.
    """

    level: Severity | None = None
    fail_on: Severity | None = None
    never: bool = False
    levels: Mapping[str, Severity]
    rules: tuple[str, ...] = ()  # ignored
    paths: tuple[str, ...] = ()  # ignored
    timeout: float | None = None
    memory: int | None = None
    migrations: tuple[Table, ...] = ()


def settings_of(tree: Tree) -> Settings:
    """Return the settings of a tree.

    Raise AnalyzerError that names file, key and what was expected; and where there is such a file
    that cannot be read.
    """
    if tree.read(SETTINGS) is None and SETTINGS in tree.listdir(""):
        raise AnalyzerError(f"{_place(tree.name)}: {why_unread(tree, SETTINGS)}")
    return read_settings(tree.read, tree.name)


def read_settings(read: Callable[[str], bytes | None], name: str = "") -> Settings:
    """Return the settings of a tree, of which read gives the files; name stands for it in errors.

    Raise AnalyzerError that names file, key and what was expected.
    """
    where, data = _place(name), read(SETTINGS)
    if data is None:
        return Settings(levels={})
    return parse_settings(read_toml(where, decoded(where, data)))


def parse_settings(table: Table) -> Settings:
    """Return the settings that a table describes."""
    if astray := [key for key in table.values if key in _OF_MIGRATIONS]:
        heads = "they stand under [[migration]], with [[migration.population]] and so on"
        raise AnalyzerError(f"{table.where}: unknown key {astray[0]!r}: of a migration? {heads}")
    table.only(*_KEYS)
    ignore = _subtable(table, "ignore").only(*_IGNORE)
    budgets = _subtable(table, "budgets").only(*_BUDGETS)
    level, fail_on = (
        _one_of(table, "level", *Severity),
        _one_of(table, "fail-on", *Severity, "never"),
    )
    return Settings(
        level=Severity(level) if level else None,
        fail_on=Severity(fail_on) if fail_on not in ("", "never") else None,
        never=fail_on == "never",
        levels=_levels(_subtable(table, "levels")),
        rules=tuple(_rule(ignore.where, r) for r in ignore.texts("rules", ())),
        paths=tuple(_path(ignore, p) for p in ignore.texts("paths", ())),
        timeout=_timeout(budgets),
        memory=_memory(budgets),
        migrations=table.tables("migration"),
    )


def with_levels(result: Result, levels: Mapping[str, Severity]) -> Result:
    """Return a result in which the findings of some rules weigh what the settings say."""
    if not levels:
        return result
    findings = (replace(f, severity=levels.get(f.rule, f.severity)) for f in result.findings)
    return replace(result, findings=tuple(sorted(findings, key=lambda f: -f.severity.rank)))


def bounds(
    timeout: float | None, memory: int | None, settings: Settings | None = None
) -> tuple[float, int]:
    """Return the seconds and bytes of one patch: as asked for, else as the tree says."""
    ours = (None, None) if settings is None else (settings.timeout, settings.memory)
    seconds = timeout if timeout is not None else ours[0]
    megabytes = memory if memory is not None else ours[1]
    return (
        _SECONDS if seconds is None else seconds,
        (_MEGABYTES if megabytes is None else megabytes) << 20,
    )


def with_settings(selection: Selection, settings: Settings, *, level: str | None) -> Selection:
    """Return the selection with what the tree's settings say; the command line has the last word.

    level is that of the command line, or None.
    """
    named = selection.rules or frozenset()
    return replace(
        selection,
        level=selection.level if level is not None else settings.level or selection.level,
        ignored=selection.ignored | (frozenset(settings.rules) - named),
        paths=settings.paths,
    )


def failing(wish: str | None, settings: Settings) -> Severity | None:
    """Return from which severity on a finding fails the run; None where none does."""
    if wish is not None:
        return None if wish == "never" else Severity(wish)
    return None if settings.never else settings.fail_on or Severity.WARNING


def _place(name: str) -> str:
    return f"{name}/{SETTINGS}" if name and name != "." else SETTINGS


def _subtable(table: Table, key: str) -> Table:
    if key not in table.values:
        return Table(f"{table.where}: {key}", {})
    return table.table(key)


def _one_of(table: Table, key: str, *words: str) -> str:
    """Return one of some words; nothing where the table has no such key."""
    value = table.values.get(key, "")
    if key in table.values and value not in words:
        raise table.wrong(key, ", ".join(words))
    return str(value)


def _timeout(table: Table) -> float | None:
    """Return the seconds for a patch; None where the table has none."""
    value = table.values.get("timeout")
    fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= LONGEST
    if "timeout" in table.values and not fits:
        raise table.wrong("timeout", f"seconds for each patch up to {LONGEST}, 0 for no limit")
    return value


def _memory(table: Table) -> int | None:
    """Return the MB for a patch; None where the table has none."""
    value = table.values.get("memory")
    fits = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST
    if "memory" in table.values and not fits:
        raise table.wrong("memory", f"a whole number of MB up to {MOST}, 0 for no limit")
    return value


def _levels(table: Table) -> Mapping[str, Severity]:
    return {_rule(table.where, rule): table.choice(rule, Severity) for rule in table.values}


def _rule(where: str, name: str) -> str:
    try:
        return rule_named(name).id
    except AnalyzerError as error:
        raise AnalyzerError(f"{where}: {error}") from error


def _path(table: Table, pattern: str) -> str:
    if not {"", ".", ".."}.isdisjoint(pattern.removesuffix("/").split("/")):  # it matches nothing
        raise table.wrong("paths", "paths from the top of the tree, such as drivers/staging/")
    return pattern
