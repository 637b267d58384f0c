"""Read the rules: what each one says, why, how to mend it and where it is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any, TypeVar

from analyzer.base import AnalyzerError, Confidence, Severity
from analyzer.data import names_under, read_facts

_KEYS = frozenset(
    {"summary", "explanation", "remedy", "limits", "severity", "confidence", "example"}
)
_EXAMPLE_KEYS = frozenset({"stale", "mended"})
E = TypeVar("E", bound=StrEnum)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One property that should hold; id is the file's name and never changes.

    explanation says what breaks at run time and what the author usually meant, in paragraphs.
    limits lists when the rule is wrong, and is never empty. stale and mended are a few lines of C.
    """

    id: str
    summary: str
    explanation: tuple[str, ...]
    remedy: str
    limits: tuple[str, ...]
    severity: Severity
    confidence: Confidence
    stale: str
    mended: str


@cache
def load_rules() -> Mapping[str, Rule]:
    """Return every rule under `queries/rules/` by id, sorted; raise AnalyzerError on a bad file."""
    return {name: parse_rule(name, _facts(name)) for name in names_under("rules")}


def rule_named(name: str) -> Rule:
    """Return the rule with an id; raise AnalyzerError that names close matches."""
    rules = load_rules()
    if name not in rules:
        raise AnalyzerError(f"unknown rule {name!r}: {_instead(name, rules)}")
    return rules[name]


def parse_rule(name: str, facts: Mapping[str, Any]) -> Rule:  # TOML is typed here
    """Return the rule that a file's table describes; raise AnalyzerError naming file and key."""
    where = f"queries/rules/{name}.toml"
    _refuse_unknown(where, facts, _KEYS)
    example = facts.get("example")
    if not isinstance(example, Mapping):
        raise AnalyzerError(f"{where}: example: expected a table with stale and mended")
    _refuse_unknown(f"{where}: example", example, _EXAMPLE_KEYS)
    return Rule(
        id=name,
        summary=_text(where, facts, "summary"),
        explanation=tuple(
            " ".join(p.split()) for p in _text(where, facts, "explanation").split("\n\n")
        ),
        remedy=" ".join(_text(where, facts, "remedy").split()),
        limits=_texts(where, facts, "limits"),
        severity=_choice(where, facts, "severity", Severity),
        confidence=_choice(where, facts, "confidence", Confidence),
        stale=_text(f"{where}: example", example, "stale", strip="\n"),
        mended=_text(f"{where}: example", example, "mended", strip="\n"),
    )


def _facts(name: str) -> Mapping[str, Any]:
    return read_facts(f"rules/{name}.toml")


def _instead(name: str, rules: Iterable[str]) -> str:
    import difflib  # only a typing mistake pays for it

    close = difflib.get_close_matches(name.lower().replace("_", "-"), list(rules), n=3, cutoff=0.5)
    if close:
        return f"did you mean {' or '.join(close)}?"
    return f"the rules are {', '.join(rules)}"


def _refuse_unknown(where: str, facts: Mapping[str, Any], keys: frozenset[str]) -> None:
    for key in facts:
        if key not in keys:
            raise AnalyzerError(f"{where}: unknown key {key!r}: expected {', '.join(sorted(keys))}")


def _text(where: str, facts: Mapping[str, Any], key: str, *, strip: str | None = None) -> str:
    value = facts.get(key)
    if not isinstance(value, str) or not value.strip():
        raise AnalyzerError(f"{where}: {key}: expected a text, found {value!r}")
    return value.strip(strip)


def _texts(where: str, facts: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = facts.get(key)
    if not isinstance(value, list) or not value or not all(isinstance(v, str) for v in value):
        raise AnalyzerError(f"{where}: {key}: expected a list of texts, found {value!r}")
    return tuple(" ".join(v.split()) for v in value)


def _choice(where: str, facts: Mapping[str, Any], key: str, kind: type[E]) -> E:
    value = facts.get(key)
    try:
        return kind(str(value))
    except ValueError:
        choices = ", ".join(kind)
        raise AnalyzerError(f"{where}: {key}: expected {choices}, found {value!r}") from None
