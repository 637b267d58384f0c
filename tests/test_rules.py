"""Every rule must be complete, and every rule that the checks speak of must exist."""

from __future__ import annotations

import re
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from analyzer.base import AnalyzerError
from analyzer.data import QUERIES, read_facts
from analyzer.report.rule import render
from analyzer.rules import Rule, load_rules, parse_rule, rule_named

RULES = load_rules()
GOOD = deepcopy(dict(read_facts("rules/double-set.toml")))
CODE = Path(__file__).resolve().parent.parent / "analyzer"


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_rule_says_what_should_hold_in_house_style(rule: Rule) -> None:
    assert re.fullmatch(r"[a-z]+(-[a-z]+)+", rule.id)
    assert rule.summary[0].islower()
    assert not rule.summary.endswith(".")
    assert all(text.endswith(".") for text in (*rule.explanation, rule.remedy, *rule.limits))
    assert rule.stale != rule.mended


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_a_page_fits_eighty_columns(rule: Rule) -> None:
    page = render(rule)

    assert [] == [line for line in page.splitlines() if len(line) > 80]
    assert all(limit.split()[0] in page for limit in rule.limits)


def test_rules_and_checks_speak_of_the_same() -> None:
    shapes = "|".join(sorted({name.split("-")[0] for name in RULES}))
    quoted = re.compile(rf'"((?:{shapes})-[a-z-]+)"')
    sources = [*CODE.glob("*.py"), *(CODE / "checks").glob("*.py")]

    named = {m for p in sources for m in quoted.findall(p.read_text(encoding="utf-8"))}

    assert set(RULES) == named


def test_every_file_is_a_rule() -> None:
    assert sorted(RULES) == sorted(p.stem for p in (QUERIES / "rules").iterdir())


@pytest.mark.parametrize(
    ("key", "value", "complaint"),
    [
        ("summry", "x", "unknown key 'summry'"),
        ("severity", "fatal", "severity: expected error, warning, note, found 'fatal'"),
        ("limits", [], "limits: expected a list of texts"),
        ("limits", "none", "limits: expected a list of texts"),
        ("summary", "", "summary: expected a text"),
        ("example", "x", "example: expected a table"),
        ("example", {"stale": "x"}, "mended: expected a text"),
        ("example", {"stale": "x", "mended": "y", "bad": "z"}, "unknown key 'bad'"),
    ],
)
def test_a_bad_rule_is_refused_by_file_and_key(key: str, value: Any, complaint: str) -> None:
    with pytest.raises(AnalyzerError, match=re.escape(complaint)) as caught:
        parse_rule("double-set", {**GOOD, key: value})

    assert str(caught.value).startswith("queries/rules/double-set.toml: ")


@pytest.mark.parametrize(
    ("wrong", "right"), [("doubel-set", "double-set"), ("Stale_call", "stale-call")]
)
def test_an_unknown_rule_suggests_close_ones(wrong: str, right: str) -> None:
    with pytest.raises(AnalyzerError, match=f"did you mean .*{right}"):
        rule_named(wrong)


def test_a_rule_is_known_as_terse_reports_spell_it() -> None:
    spelled = {name: name.upper().replace("-", "_") for name in load_rules()}

    assert list(spelled) == [rule_named(caps).id for caps in spelled.values()]


def test_a_rule_like_no_other_lists_them_all() -> None:
    with pytest.raises(AnalyzerError, match="the rules are bad-suppression, "):
        rule_named("xyzzy")
