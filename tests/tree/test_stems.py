"""Parts of words stand for all of them, and have room in one pass."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from analyzer.tree.stems import ROOM, SHORTEST, shares_of, stem_of

NAMES = st.text("abcdefgPR_0", min_size=SHORTEST, max_size=40).map(str.encode)


@given(st.sets(NAMES, min_size=1, max_size=120))
def test_every_word_holds_a_part_that_is_looked_for(words: set[bytes]) -> None:
    parts = {part for share in shares_of(words) for part in share}

    assert not [w for w in words if not any(part in w for part in parts)]


@given(st.sets(NAMES, min_size=1, max_size=120))
def test_what_is_looked_for_has_room_in_each_pass(words: set[bytes]) -> None:
    assert all(sum(map(len, share)) <= ROOM for share in shares_of(words))


def test_a_word_within_another_stands_for_both() -> None:
    assert [(b"PageReserved",)] == list(shares_of({b"PageReserved", b"__SetPageReserved"}))


def test_few_words_are_looked_for_as_they_are() -> None:
    words = (b"free_reserved_page", b"restore_online_page_callback")

    assert [words] == list(shares_of(words))


def test_a_part_begins_where_letters_are_rare() -> None:
    assert stem_of(b"tree_kvm_release_it", 8) == b"_kvm_rel"
