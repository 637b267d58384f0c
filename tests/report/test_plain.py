"""Text from patches and sources must not steer a terminal."""

from __future__ import annotations

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from analyzer.report.plain import harmless, plain, wrap


def test_escape_sequences_are_spelled_out() -> None:
    assert r"a\x1b[31mb" == plain("a\x1b[31mb")
    assert r"\u202e evil" == plain("\u202e evil")


def test_line_ends_in_a_message_become_blanks() -> None:
    assert "one two three" == plain("one\ntwo\r\n\tthree")


def test_letters_of_all_scripts_stay() -> None:
    assert "Grüße, 世界" == plain("Grüße, 世界")


@given(st.text())
def test_nothing_that_steers_survives(text: str) -> None:
    kinds = {unicodedata.category(c) for c in harmless(text) + plain(text)}

    assert not kinds & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@given(st.lists(st.text("abc()/.", min_size=1, max_size=30), min_size=1), st.integers(40, 100))
def test_wrapping_loses_no_word_and_keeps_the_width(words: list[str], width: int) -> None:
    lines = wrap(" ".join(words), width, rest="    ")

    assert words == " ".join(lines).split()
    assert all(len(line) <= width for line in lines)
