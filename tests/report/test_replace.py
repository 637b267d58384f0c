"""Replacing what a diff replaces must give what the diff makes."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from analyzer.report.replace import Replacement, replacements

#: Lines that look like parts of a diff are among them.
LINES = st.lists(
    st.sampled_from(("a", "b", "\tc;", "", "- x", "-- y", "++ z", "@@ -1 +1 @@", " d")), max_size=14
)


def replaced(lines: Sequence[str], changes: Sequence[Replacement]) -> list[str]:
    """Apply replacements from the last to the first."""
    out = list(lines)
    for change in reversed(changes):
        out[change.first - 1 : change.end - 1] = change.text.splitlines()
    return out


@given(LINES, LINES)
def test_replacements_do_what_the_diff_does(before: list[str], after: list[str]) -> None:
    diff = difflib.unified_diff(before, after, "a/x.c", "b/x.c", lineterm="")

    changes = replacements("".join(f"{line}\n" for line in diff))

    assert after == replaced(before, changes)
    assert {"x.c"} >= {change.file for change in changes}


def test_a_diff_of_two_files_is_told_apart() -> None:
    one = "--- a/x.c\n+++ b/x.c\n@@ -1 +1 @@\n-a\n+b\n"

    files = [change.file for change in replacements(one + one.replace("x.c", "y/z.c"))]

    assert ["x.c", "y/z.c"] == files


def test_a_quoted_name_and_a_last_line_without_an_end_are_read() -> None:
    end = "\\ No newline at end of file\n"
    diff = f'--- "a/x\\t\\".c"\n+++ "b/x\\t\\".c"\n@@ -1,2 +1,2 @@\n a\n-b\n{end}+c\n{end}'

    assert (Replacement(file='x\t".c', first=2, end=3, text="c\n"),) == replacements(diff)


def test_lines_that_are_added_take_none_away() -> None:
    (change,) = replacements("--- a/x.c\n+++ b/x.c\n@@ -3,0 +4,1 @@\n+new\n")

    assert Replacement(file="x.c", first=4, end=4, text="new\n") == change


def test_what_is_no_diff_replaces_nothing() -> None:
    assert () == replacements("it is broken\n+ or not\n")
