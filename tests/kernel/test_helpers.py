"""Hold the helpers of the kernel tests to their word, on small texts and without a tree."""

from __future__ import annotations

import pytest

from analyzer.base import Confidence, Severity, Span
from analyzer.findings import Finding, Result

from .cases import Case, complaints
from .edits import Edit, Swap, edit_text, unified
from .harmless import HARMLESS
from .mutations import MUTATIONS
from .places import Mutation
from .rename import original, rename_all
from .test_mutations import judge

FOO = """\
struct page;

static void foo_mark(struct page *page)
{
	/* page is marked */
	if (page)
		foo_set(page);
	foo_count(page);
}

static int foo_walk(struct foo *foo, unsigned long next)
{
	struct page *page = foo->page, *tmp;
	int i = 0, rc;

	list_for_each_entry(tmp, &foo->list, next)
		foo_mark(tmp);
	return i + next;
}
"""


def finding(function: str, rule: str, severity: Severity) -> Finding:
    """Return a finding that says no more than these."""
    return Finding(
        rule=rule,
        function=function,
        file="foo.c",
        operation="",
        span=Span("foo.c", 0, 1, 1, 1, 1, 2),
        severity=severity,
        confidence=Confidence.HIGH,
        message="",
    )


def test_edit_changes_only_the_named_function() -> None:
    edit = Edit("foo.c", "foo_mark", "foo_count(page);", "")

    assert FOO.replace("\tfoo_count(page);\n", "") == edit_text(FOO, edit)


@pytest.mark.parametrize("find", ["page", "foo_missing"])
def test_edit_of_anything_but_one_place_fails(find: str) -> None:
    with pytest.raises(AssertionError, match=find):
        edit_text(FOO, Edit("foo.c", "foo_mark", find, "x"))


def test_swap_exchanges_two_texts() -> None:
    swapped = edit_text(FOO, Swap("foo.c", "foo_mark", "foo_set(page);", "foo_count(page);"))

    assert swapped.index("foo_count(page);") < swapped.index("foo_set(page);")
    assert sorted(FOO) == sorted(swapped)


def test_renaming_every_word_leaves_comments_alone() -> None:
    edited = edit_text(FOO, Edit("foo.c", "foo_mark", "page", "p", every=True))

    assert "/* page is marked */" in edited
    assert "foo_count(p);" in edited
    assert "struct page *page = foo->page" in edited


def test_no_difference_is_no_patch() -> None:
    assert unified({"foo.c": FOO}, {"foo.c": FOO}) == b""


def test_rename_takes_locals_and_statics_but_no_field_tag_or_comment() -> None:
    file = rename_all("foo.c", FOO)

    assert original(file.text, file.names) == FOO
    assert {"foo_mark", "page", "foo", "tmp", "i", "rc"} == set(file.names.values())
    assert "/* page is marked */" in file.text
    assert "struct page *z" in file.text
    assert "->page, *z" in file.text
    assert "->list, next)" in file.text


def test_names_of_edits_tell_them_apart() -> None:
    names = [edit.name for edit in (*MUTATIONS, *HARMLESS)]

    assert sorted(set(names)) == sorted(names)
    assert len(MUTATIONS) >= 24
    assert len(HARMLESS) >= 24


MUTATION = Mutation("m", (), frozenset({"foo"}), frozenset({"double-set"}))
RIGHT = finding("foo", "double-set", Severity.ERROR)
ELSEWHERE = finding("bar", "double-set", Severity.WARNING)


@pytest.mark.parametrize(
    ("found", "verdict"),
    [
        ((RIGHT,), ""),
        ((), "MISSING"),
        ((RIGHT, ELSEWHERE), "NOISE"),
        ((ELSEWHERE,), "MISSING NOISE"),
        ((finding("foo", "stale-comment", Severity.WARNING),), "MISSING"),
    ],
)
def test_judge_wants_the_place_and_nothing_else(found: tuple[Finding, ...], verdict: str) -> None:
    assert verdict == judge(MUTATION, found)


SET = "virtio_mem_set_fake_offline"
CASE = Case(name="c", kept=frozenset(), expected=(frozenset({SET}),))


@pytest.mark.parametrize(
    ("law", "rule", "severity", "said"),
    [
        ("strict", "double-set", Severity.ERROR, 0),
        ("strict", "redundant-op", Severity.NOTE, 1),
        ("lenient", "redundant-op", Severity.NOTE, 0),
        ("bits", "stale-comment", Severity.NOTE, 1),
    ],
)
def test_note_counts_where_the_law_makes_it_redundant(
    law: str, rule: str, severity: Severity, said: int
) -> None:
    result = Result(tree="t", findings=(finding(SET, rule, severity),))

    assert said == len(complaints(CASE, law, result))


def test_warning_elsewhere_is_noise_and_a_note_is_not() -> None:
    right = finding(SET, "double-set", Severity.ERROR)
    note = finding("bar", "stale-comment", Severity.NOTE)

    assert complaints(CASE, "strict", Result(tree="t", findings=(right, note))) == []
    assert len(complaints(CASE, "strict", Result(tree="t", findings=(right, ELSEWHERE)))) == 1
