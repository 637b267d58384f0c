"""A rule's page must be there for every rule."""

from __future__ import annotations

import pytest

from analyzer.cli import main
from analyzer.rules import load_rules


@pytest.mark.parametrize("rule", load_rules())
def test_every_rule_has_a_page(rule: str, capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["explain", rule])

    page = capsys.readouterr().out
    assert 0 == status
    assert page.startswith(rule)
    assert all(title in page for title in ("What breaks", "How to mend it", "Stale", "Mended"))


def test_an_unknown_rule_is_the_users_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    status = main(["explain", "doubleset"])

    captured = capsys.readouterr()
    assert (2, "") == (status, captured.out)
    assert "offlint: unknown rule 'doubleset': did you mean double-set" in captured.err


def test_colour_only_where_it_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    pages = []
    for when in ("auto", "never", "always"):
        main(["explain", "double-set", "--color", when])
        pages.append(capsys.readouterr().out)

    assert [False, False, True] == ["\x1b[" in page for page in pages]
