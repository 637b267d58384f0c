"""Sentences begin with a capital, and what stands in them keeps its case."""

from __future__ import annotations

import pytest

from analyzer.report.words import sentence


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("partial: 1 hunk did not apply", "Partial: 1 hunk did not apply"),
        ("out of time in SetPageOffline()", "Out of time in SetPageOffline()"),
        ("", ""),
    ],
)
def test_a_sentence_begins_with_a_capital(text: str, said: str) -> None:
    assert said == sentence(text)
