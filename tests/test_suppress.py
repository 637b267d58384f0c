"""Suppressions in the source: where they count, and when they are wrong themselves."""

from __future__ import annotations

import pytest

from analyzer.base import Severity
from analyzer.findings import Finding, Result, Status
from analyzer.suppress import suppressions

from .driver import DRIVER, KEEP, SPOILT, heard

ALLOW = "/* offlint: allow(double-set) the page was reset by hand */"


def with_comment(where: str, comment: str = ALLOW) -> str:
    """Return the spoilt driver with a comment at a place in or above its first function."""
    line = "\t__SetPageOffline(page);\n"
    at = {
        "on the line": KEEP.replace(line, f"\t__SetPageOffline(page); {comment}\n"),
        "above the line": KEEP.replace(line, f"\t{comment}\n{line}"),
        "two lines above": KEEP.replace(line, f"\t{comment}\n\n{line}"),
        "below the line": KEEP.replace(line, f"{line}\t{comment}\n"),
    }
    if where in at:
        return SPOILT.replace(KEEP, at[where])
    head = "static void foo_keep("
    return SPOILT.replace(
        head, f"{comment}\n{'' if where == 'above the function' else chr(10)}{head}"
    )


def places(result: Result, status: Status = Status.INTRODUCED) -> set[tuple[str, str]]:
    return {(f.rule, f.function) for f in result.findings if f.status is status}


def odd(result: Result) -> list[Finding]:
    return [f for f in result.findings if f.rule == "bad-suppression"]


@pytest.mark.parametrize("where", ["on the line", "above the line", "above the function"])
def test_suppression_hides_the_finding_beside_it_and_no_other(where: str) -> None:
    result = heard(DRIVER, with_comment(where))

    assert {("double-set", "foo_hold")} == places(result)
    assert 1 == result.suppressed


@pytest.mark.parametrize("where", ["two lines above", "below the line", "apart from the function"])
def test_suppression_elsewhere_allows_nothing_and_is_a_note(where: str) -> None:
    result = heard(DRIVER, with_comment(where))

    assert {"foo_keep", "foo_hold"} <= {f for r, f in places(result) if r == "double-set"}
    assert 0 == result.suppressed
    assert ["allows double-set, and nothing is found there"] == [
        f.message.partition("allows")[1] + f.message.partition("allows")[2] for f in odd(result)
    ]


def test_suppression_of_another_rule_hides_nothing() -> None:
    comment = "/* offlint: allow(leak-to-buddy) it stays */"

    result = heard(DRIVER, with_comment("above the line", comment))

    assert ("double-set", "foo_keep") in places(result)
    assert 1 == len(odd(result))


def test_several_rules_share_a_comment() -> None:
    comment = "/* offlint: allow(leak-to-buddy, double-set) known to be reset */"

    result = heard(DRIVER, with_comment("above the line", comment))

    assert {("double-set", "foo_hold")} == places(result)


@pytest.mark.parametrize(
    ("comment", "words"),
    [
        ("/* offlint: allow(double-set) */", "gives no reason"),
        ("/* offlint: allow(doubleset) because */", "names a rule that does not exist: doubleset"),
        ("/* offlint: allow double-set */", "cannot be read: expected `offlint: allow(RULE) reaso"),
        ("/* offlint: allow() because */", "cannot be read"),
        ("/* offlint: ignore */", "cannot be read"),
    ],
)
def test_suppression_without_reason_or_rule_hides_nothing_and_is_a_note(
    comment: str, words: str
) -> None:
    result = heard(DRIVER, with_comment("above the line", comment))

    assert {"foo_keep", "foo_hold"} == {f for r, f in places(result) if r == "double-set"}
    assert [(Severity.NOTE, 1, True)] == [
        (f.severity, f.introduced_by, words in f.message) for f in odd(result)
    ]


def test_reason_may_run_over_several_lines_of_a_kernel_comment() -> None:
    comment = "/*\n * offlint: allow(double-set) the page was reset\n * by hand\n */"

    (read,) = suppressions("a.c", with_comment("above the function", comment).encode())

    assert "the page was reset by hand" == read.reason
    assert frozenset({"foo_keep"}) == read.functions


def test_suppression_in_a_string_is_none() -> None:
    assert () == suppressions("a.c", b'char *s = "/* offlint: allow(double-set) x */";\n')


def test_standing_suppression_that_is_not_needed_today_is_not_the_patches_doing() -> None:
    before = DRIVER.replace("static void foo_keep(", f"{ALLOW}\nstatic void foo_keep(")
    after = before.replace("\tSetPageKeptBack(page);\n", "\tSetPageKeptBack(page);\n\tfoo();\n")

    assert [] == odd(heard(before, after))


def test_suppression_that_outlives_what_it_allowed_is_the_mending_patches_doing() -> None:
    before = with_comment("above the function")
    after = before.replace(KEEP, KEEP.replace("\t__SetPageOffline(page);\n", ""))

    notes = odd(heard(before, after))

    assert [(Status.INTRODUCED, 1)] == [(f.status, f.introduced_by) for f in notes]


def test_comment_that_a_later_patch_takes_back_is_no_finding() -> None:
    assert [] == odd(heard(DRIVER, with_comment("two lines above"), SPOILT))


def test_what_a_first_patch_allows_stays_allowed_after_the_second_moves_it() -> None:
    first = with_comment("above the line")

    result = heard(DRIVER, first, "/* moved */\n\n" + first)

    assert {("double-set", "foo_hold")} == places(result)
    assert [] == odd(result)


def test_files_without_a_suppression_are_not_scanned() -> None:
    assert () == suppressions("a.c", DRIVER.encode())
    assert () == suppressions("Documentation/offlint.rst", ALLOW.encode())
