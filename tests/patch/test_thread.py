"""Hold the choice of patches from a thread to what a maintainer would apply."""

from __future__ import annotations

import pytest

from analyzer.base import AnalyzerError
from analyzer.patch import Series, read_series
from analyzer.patch.thread import read_place

from .texts import LETTERS, diff, mail, replaced

Post = tuple[str, int | None]  # subject, and which line the patch changes (None: no patch)


def _mailbox(*posts: Post) -> bytes:
    mails = []
    for number, (subject, line) in enumerate(posts, 1):
        body = "Talk.\n"
        if line is not None:
            body += diff("mm/a.c", LETTERS, replaced(LETTERS, [(f"line {line};", "changed;")]))
        mails.append(mail(subject, body, number=number))
    return "".join(mails).encode()


def _series(*posts: Post, version: int | None = None) -> Series:
    return read_series(_mailbox(*posts), "t.mbox", None, version=version)


def _subjects(series: Series) -> list[str]:
    return [f"{patch.tag} {patch.subject}" for patch in series.patches]


def test_patches_come_in_the_order_of_their_numbers() -> None:
    series = _series(
        ("[PATCH 0/3] s", None),
        ("[PATCH 3/3] c", 20),
        ("Re: [PATCH 0/3] s", None),
        ("[PATCH 1/3] a", 1),
        ("[PATCH 2/3] b", 10),
    )

    assert _subjects(series) == ["[PATCH 1/3] a", "[PATCH 2/3] b", "[PATCH 3/3] c"]
    assert [patch.index for patch in series.patches] == [1, 2, 3]
    assert series.notes == ()


TWO_VERSIONS: tuple[Post, ...] = (
    ("[PATCH 0/2] s", None),
    ("[PATCH 1/2] a", 1),
    ("[PATCH 2/2] b", 10),
    ("[PATCH v2 1/2] a2", 1),
    ("[PATCH v2 2/2] b2", 10),
)


def test_the_newest_complete_version_is_read() -> None:
    series = _series(*TWO_VERSIONS, ("[PATCH v3 1/2] a3", 1))

    assert _subjects(series) == ["[PATCH v2 1/2] a2", "[PATCH v2 2/2] b2"]
    assert series.notes == ("t.mbox: version 2 is read, not version 1, 3",)


def test_another_version_is_read_when_it_is_named() -> None:
    assert _subjects(_series(*TWO_VERSIONS, version=1)) == ["[PATCH 1/2] a", "[PATCH 2/2] b"]


def test_a_version_that_is_not_there_is_an_error() -> None:
    with pytest.raises(AnalyzerError, match=r"no version 4 of the series: found version 1, 2"):
        _series(*TWO_VERSIONS, version=4)


def test_a_part_of_a_series_is_read_as_far_as_it_goes() -> None:
    series = _series(("[PATCH v1 2/3] b", 10))

    assert _subjects(series) == ["[PATCH v1 2/3] b"]
    assert series.notes == ("t.mbox: not in the input: patch 1/3, 3/3",)


def test_a_diff_in_a_reply_is_not_part_of_the_series() -> None:
    series = _series(("[PATCH] a", 1), ("Re: [PATCH] a", 2))

    assert _subjects(series) == ["[PATCH] a"]
    assert series.notes == ("t.mbox: 1 reply with a diff ignored",)


def test_a_reply_alone_is_read() -> None:
    assert _subjects(_series(("Re: [PATCH] a", 2))) == [" Re: [PATCH] a"]


def test_a_quoted_diff_is_no_patch() -> None:
    quoted = "".join(f"> {line}\n" for line in diff("mm/a.c", LETTERS, "x\n").splitlines())

    with pytest.raises(AnalyzerError, match="no patch in it: found 1 reply without a diff"):
        read_series(mail("Re: [PATCH] a", quoted).encode(), "t.mbox", None)


def test_patches_without_numbers_come_as_they_stand() -> None:
    assert _subjects(_series(("[PATCH] a", 1), ("[PATCH] b", 9))) == ["[PATCH] a", "[PATCH] b"]


def test_a_mail_that_came_over_two_lists_is_read_once() -> None:
    once = _mailbox(("[PATCH] a", 1))

    assert _subjects(read_series(once + once, "t.mbox", None)) == ["[PATCH] a"]


def test_a_patch_without_an_id_that_came_in_two_files_is_read_once() -> None:
    # As git format-patch writes it.
    once = _mailbox(("[PATCH] a", 1)).replace(b"Message-ID: <1@example.org>\n", b"")
    other = once.replace(b"[PATCH] a", b"[PATCH] b").replace(b"line 2;", b"line 2 ;")

    assert _subjects(read_series(once + once.rstrip(), "t.mbox", None)) == ["[PATCH] a"]
    assert _subjects(read_series(once + other, "t.mbox", None)) == ["[PATCH] a", "[PATCH] b"]


def test_a_patch_that_was_sent_again_replaces_the_first() -> None:
    series = _series(("[PATCH 1/2] a", 1), ("[PATCH 2/2] b", 9), ("[PATCH 2/2] b again", 10))

    assert _subjects(series) == ["[PATCH 1/2] a", "[PATCH 2/2] b again"]
    assert series.notes == ("t.mbox: patch 2/2 came twice; the last one is read",)


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (b"", "an empty input"),
        (b"\n \n", "an empty input"),
        (b"\x7fELF\0\1\n\n", "binary data"),
        (b"\x1b[1mdiff --git a/x b/x\x1b[m\n", "a diff in colours: ask git for --no-color"),
        (b"\xff\xfed\0i\0f\0f\0", "a text in UTF-16: save it as UTF-8"),
        (b"\x1b[1;33mdiff --git a/x b/x\x1b[m\n", "a diff in colours: ask git for --no-color"),
        (b"*** a/x\t2024\n--- b/x\t2024\n***************\n*** 1 ****\n", "a context diff: make a"),
        (b"diff a/x b/x\n3c3,4\n< a\n---\n> b\n> c\n", "a diff without context: make a unified"),
        (b"    diff --git a/x b/x\n    --- a/x\n", "a diff that is indented: take that away"),
        (b"* 1234567 a\n| diff --git a/x b/x\n", "a diff in a graph: ask git without --graph"),
        (b"* 1234567 a\n| see diff --git a/x b/x\n", "2 lines of text and no diff"),
        (b"1 and 2c2 of it\nhello\nworld\n", "3 lines of text and no diff"),
        (b"hello\nworld\n", "2 lines of text and no diff"),
        (_mailbox(("[PATCH 0/2] s", None)), "1 cover letter without a diff"),
        (
            _mailbox(("[PATCH 0/2] s", None), ("Re: s", None), ("Re: s", None), ("s", None)),
            "1 cover letter and 2 replies and 1 message without a diff",
        ),
        (b"From: a@b\nSubject: [PATCH] a\nTo: c@d\n", "cut off within its headers"),
        (b"From: a@b\nSubject: [PATCH] a\nMessa", "cut off within its headers"),
        (b"From: a@b\nSubject: [PATCH] a\n\n", "found 1 message without a diff"),
        (b"From: a@b\nSubject: [PATCH] a\nMessa\n", "3 lines of text and no diff"),
        (
            mail("[PATCH] a", "<p>", headers={"Content-Type": "text/html"}).encode(),
            "1 message without a diff (the body is HTML, which keeps no diff intact: have it sent",
        ),
    ],
)
def test_no_patch_in_the_mail_says_what_was_found(data: bytes, found: str) -> None:
    with pytest.raises(AnalyzerError) as caught:
        read_series(data, "t.mbox", None)

    assert str(caught.value).startswith("t.mbox: no patch in it: found ")
    assert found in str(caught.value)


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("[PATCH] b", ("t.mbox: the mail '[PATCH] b' is left out: cut off within its headers",)),
        ("[PATCH 0/1] b", ()),
        ("Re: [PATCH] a", ()),
    ],
)
def test_a_patch_that_was_cut_off_is_not_passed_over(subject: str, said: tuple[str, ...]) -> None:
    whole, cut = _mailbox(("[PATCH] a", 1)), mail(subject, "").encode().partition(b"\n\n")[0]

    assert said == read_series(whole + cut + b"\n", "t.mbox", None).notes
    assert () == read_series(whole + cut + b"\n\n", "t.mbox", None).notes


@pytest.mark.parametrize(
    ("subject", "version", "number", "total", "is_reply"),
    [
        ("[PATCH] x", 1, None, None, False),
        ("[PATCH v2 03/10] x", 2, 3, 10, False),
        ("[RFC PATCH mm-unstable v1 2/5] x", 1, 2, 5, False),
        ("[PATCHv4 1/2] x", 4, 1, 2, False),
        ("[PATCH-v5] x", 5, None, None, False),
        ("[PATCH net-next,v6,1/2] x", 6, 1, 2, False),
        ("[PATCH 5.10 v7 1/2] x", 7, 1, 2, False),
        ("[PATCH riscv64 1/2] x", 1, 1, 2, False),
        ("RE: [PATCH v2 1/2] x", 2, 1, 2, True),
        ("Re: Re: x v9 1/2", 1, None, None, True),
        ("x: support v4l 1/2", 1, None, None, False),
    ],
)
def test_a_subject_tells_the_place_in_a_series(
    subject: str, version: int, number: int | None, total: int | None, is_reply: bool
) -> None:
    place = read_place(subject)

    found = (place.version, place.number, place.total, place.is_reply)
    assert found == (version, number, total, is_reply)
