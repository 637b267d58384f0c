"""Read the rules: what each one says, why, how to mend it and where it is wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from analyzer.base import AnalyzerError, Confidence, Severity
from analyzer.data import Table, instead, names_under, read_facts

_KEYS = ("summary", "explanation", "remedy", "limits", "severity", "confidence", "example")


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
    """Return the rule with an id, also as terse reports spell it: DOUBLE_SET.

    Raise AnalyzerError that names close matches.
    """
    rules = load_rules()
    spelled = name.lower().replace("_", "-") if name.isupper() else name
    if spelled not in rules:
        raise AnalyzerError(f"unknown rule {name!r}: {instead(name, rules, 'rules')}")
    return rules[spelled]


def parse_rule(name: str, facts: Mapping[str, Any]) -> Rule:  # TOML is typed here
    """Return the rule that a file's table describes; raise AnalyzerError naming file and key."""
    table = Table(f"queries/rules/{name}.toml", facts).only(*_KEYS)
    example = table.table("example", "a table with stale and mended").only("stale", "mended")
    paragraphs = table.text("explanation").split("\n\n")
    return Rule(
        id=name,
        summary=table.text("summary"),
        explanation=tuple(" ".join(p.split()) for p in paragraphs),
        remedy=table.line("remedy"),
        limits=table.texts("limits"),
        severity=table.choice("severity", Severity),
        confidence=table.choice("confidence", Confidence),
        stale=example.text("stale"),
        mended=example.text("mended"),
    )


def _facts(name: str) -> Mapping[str, Any]:
    return read_facts(f"rules/{name}.toml")
