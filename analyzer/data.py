"""Read the facts and rules that are shipped beside the code, and TOML strictly."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from analyzer.base import AnalyzerError

_HERE = Path(__file__).resolve().parent
#: In a checkout `queries/` stands beside the package; in a wheel it stands inside it.
QUERIES = _HERE / "queries" if (_HERE / "queries").is_dir() else _HERE.parent / "queries"

#: Letters of a value that a message shows.
_LONGEST = 60

E = TypeVar("E", bound=StrEnum)


@cache
def read_facts(name: str) -> Mapping[str, Any]:  # TOML is typed by its readers
    """Return a TOML file under `queries/` as a mapping; raise AnalyzerError where it is none."""
    where, path = f"queries/{name}", QUERIES / name
    if path.exists() and not path.is_file():
        raise AnalyzerError(f"{where}: cannot be read: no regular file")
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AnalyzerError(f"{where}: cannot be read: {error.strerror}") from error
    return read_toml(where, decoded(where, data)).values


def names_under(folder: str) -> tuple[str, ...]:
    """List the TOML files of a folder under `queries/` by name without suffix, sorted.

    A hidden file is an editor's own.
    """
    found = (QUERIES / folder).glob("*.toml")
    return tuple(sorted(p.stem for p in found if not p.name.startswith(".")))


def instead(name: str, known: Collection[str], kind: str) -> str:
    """Say which known names an unknown one may be meant for: close ones, or else all of a kind."""
    import difflib  # only a typing mistake pays for it

    close = difflib.get_close_matches(name.lower().replace("_", "-"), list(known), n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"the {kind} are {', '.join(known) or 'none'}"


@dataclass(frozen=True, slots=True)
class Table:
    """One TOML table, and where it stands; every reader names the place and what was expected.

    Nobody reads a key before `only()` has said which keys there are: a mistyped key is refused
    and never ignored.
    """

    where: str  # "queries/rules/x.toml", "queries/rules/x.toml: example"
    values: Mapping[str, Any]
    within: str = ""  # what the headings of its tables begin with: "migration."

    def only(self, *keys: str) -> Table:
        """Return the table; raise AnalyzerError where it has a key that is none of these."""
        for key in self.values:
            if key not in keys:
                import difflib  # only a typing mistake pays for it

                close = difflib.get_close_matches(key.lower().replace("_", "-"), keys, n=1)
                hint = f"; did you mean {close[0]!r}?" if close else ""
                expected = ", ".join(sorted(keys))
                raise AnalyzerError(f"{self.where}: unknown key {key!r}: expected {expected}{hint}")
        return self

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text that is not blank; the default where it is absent."""
        value = self.values.get(key, default)
        if value == default and default is not None:
            return default
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, "a text")
        return value.strip("\n")

    def line(self, key: str, default: str | None = None) -> str:
        """Return a text as one line: its blanks are folded."""
        return " ".join(self.text(key, default).split())

    def texts(self, key: str, default: tuple[str, ...] | None = None) -> tuple[str, ...]:
        """Return a list of texts, none of them blank; it may be empty only where a default is."""
        value = self.values.get(key)
        if value is None and default is not None:
            return default
        fits = isinstance(value, list) and all(isinstance(v, str) and v.strip() for v in value)
        if not fits or not (value or default is not None):
            raise self.wrong(key, f"a list of texts{', at least one' * (default is None)}")
        assert isinstance(value, list), "it fits"
        return tuple(" ".join(v.split()) for v in value)

    def number(self, key: str, default: int | None = None) -> int:
        """Return a whole number that is not negative."""
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self.wrong(key, "a whole number")
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """Return true or false."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def choice(self, key: str, kind: type[E], default: E | None = None) -> E:
        """Return one of an enumeration's values."""
        value = self.values.get(key, default)
        try:
            return kind(str(value))
        except ValueError:
            raise self.wrong(key, ", ".join(kind)) from None

    def table(self, key: str, expected: str = "a table") -> Table:
        """Return a table within the table."""
        value = self.values.get(key)
        if not isinstance(value, Mapping):
            raise self.wrong(key, expected)
        return Table(f"{self.where}: {key}", value, f"{self.within}{key}.")

    def tables(self, key: str) -> tuple[Table, ...]:
        """Return an array of tables, none where it is absent; their names count from 1."""
        value = self.values.get(key, [])
        if not isinstance(value, list) or not all(isinstance(v, Mapping) for v in value):
            raise self.wrong(key, f"tables, each headed [[{self.within}{key}]]")
        within = f"{self.within}{key}."
        return tuple(Table(f"{self.where}: {key} {n}", v, within) for n, v in enumerate(value, 1))

    def pairs(self, key: str) -> tuple[tuple[str, str], ...]:
        """Return an inline table of texts as sorted pairs, none where it is absent."""
        value = self.values.get(key, {})
        if not isinstance(value, Mapping) or not all(isinstance(v, str) for v in value.values()):
            raise self.wrong(key, 'a table of texts such as { zone = "ZONE_DEVICE" }')
        return tuple(sorted(value.items()))

    def wrong(self, key: str, expected: str) -> AnalyzerError:
        """Return the error that says what a key holds and what it should hold."""
        if key not in self.values:
            return AnalyzerError(f"{self.where}: {key}: expected {expected}, found nothing")
        return AnalyzerError(
            f"{self.where}: {key}: expected {expected}, found {_spelt(self.values[key])}"
        )


def _spelt(value: object) -> str:
    """Spell a value as TOML does; a long one is cut."""
    match value:
        case bool():
            text = str(value).lower()
        case Mapping():
            text = "{ " + ", ".join(f"{k} = {_spelt(v)}" for k, v in value.items()) + " }"
        case list():
            text = f"[{', '.join(map(_spelt, value))}]"
        case str():
            text = repr(value)
        case _:
            text = "nothing" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def decoded(where: str, data: bytes) -> str:
    """Return a file's text; raise AnalyzerError that names the place where it is no UTF-8."""
    try:
        return data.decode("utf-8-sig")  # some editors mark a text as UTF-8
    except UnicodeDecodeError as error:
        raise AnalyzerError(f"{where}: not UTF-8 text at byte {error.start}") from error


def read_toml(where: str, text: str) -> Table:
    """Return a TOML text as a table; raise AnalyzerError that names the place in bad TOML."""
    try:
        return Table(where, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise AnalyzerError(f"{where}: not valid TOML: {error}") from error
    except RecursionError as error:
        raise AnalyzerError(f"{where}: not valid TOML: nested too deeply") from error
