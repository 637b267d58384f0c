"""Sentences begin with a capital, and what stands in them keeps its case."""

from __future__ import annotations

import pytest

from analyzer.findings import ContractChange
from analyzer.report.words import contract, sentence

from .results import SET


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("partial: 1 hunk did not apply", "Partial: 1 hunk did not apply"),
        ("out of time in SetPageOffline()", "Out of time in SetPageOffline()"),
        ("generic_online_page() takes it off", "generic_online_page() takes it off"),
        ("", ""),
    ],
)
def test_a_sentence_begins_with_a_capital(text: str, said: str) -> None:
    assert said == sentence(text)


@pytest.mark.parametrize(
    ("gained", "lost", "said"),
    [
        (
            ("is handed pages Offline", "is handed pages unmarked"),
            (),
            "now is handed pages Offline or unmarked",
        ),
        (("sets A", "sets B"), (), "now sets A and B"),
        (
            (),
            ("hands on pages A", "hands on pages B", "clears C"),
            "no longer clears C and no longer hands on pages A or B",
        ),
    ],
)
def test_a_page_is_in_one_state_and_a_function_may_do_several_things(
    gained: tuple[str, ...], lost: tuple[str, ...], said: str
) -> None:
    change = ContractChange(function="f", span=SET, gained=gained, lost=lost, own=True)

    assert f"f() {said}" == contract(change)
