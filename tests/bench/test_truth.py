"""What counts as a use must be right before anybody is measured by it."""

from __future__ import annotations

from .truth import lines_with


def test_comments_strings_and_longer_words_are_no_uses() -> None:
    text = b"""\
/* PageReserved(page)
 * PageReserved */ if (PageReserved(page))
	pr_info("PageReserved(%p) \\"PageReserved", page); // PageReserved
	SetPageReserved(page);
	c = '"'; d = PageReserved(page); e = '"';
"""

    assert frozenset({2, 5}) == lines_with(text)
