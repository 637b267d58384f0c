"""A reply must be what a maintainer would write: quoted right, short, and never twice."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.findings import Finding
from analyzer.report.mail import render
from analyzer.report.view import View

from .golden import VIEW
from .mails import FIRST, SECOND, SERIES, letters
from .results import FINDING, FIXED, HAZARD, REMARK, STANDING, changed, read, selected


def view(*findings: Finding, data: bytes = SERIES) -> View:
    """Return what a reply about some findings is made of."""
    return View(selected=selected(*findings), read=read, changed=changed, letters=letters(data))


def parsed(data: bytes) -> EmailMessage:
    """Read a mail as a mail program does."""
    mail = message_from_bytes(data, policy=policy.default)
    assert isinstance(mail, EmailMessage)
    return mail


def body(data: bytes) -> bytes:
    """Return the body of a mail as it stands."""
    return data.split(b"\n\n", 1)[1]


def test_the_reply_goes_to_the_author_and_everybody_else_once() -> None:
    mail = parsed(render(view(FINDING)))

    assert "Ann Author <ann@example.org>" == mail["To"]
    assert ["linux-mm@example.org", "joerg@example.org", "max@example.org"] == [
        a.addr_spec for a in mail["Cc"].addresses
    ]
    assert "Jörg Reader" == mail["Cc"].addresses[1].display_name


def test_the_reply_stands_in_the_thread() -> None:
    mail = parsed(render(view(FINDING)))

    assert "Re: [PATCH 2/2] mm: change how pages start" == mail["Subject"]
    assert "<2@example.org>" == mail["In-Reply-To"]
    assert "<0@example.org> <2@example.org>" == mail["References"]


def test_the_reply_is_plain_text_and_not_flowed() -> None:
    mail = parsed(render(view(FINDING)))

    assert ("text/plain", "8bit") == (mail.get_content_type(), mail["Content-Transfer-Encoding"])
    assert "flowed" not in mail["Content-Type"]


def test_a_sender_is_named_and_a_draft_has_none() -> None:
    sent = parsed(render(replace(view(FINDING), sender="offlint <bot@example.net>")))

    assert "offlint <bot@example.net>" == sent["From"]
    assert sent["Message-ID"].endswith("@example.net>")
    assert parsed(render(view(FINDING)))["From"] is None


def test_the_message_id_depends_on_the_series_alone() -> None:
    ids = [
        parsed(render(v))["Message-ID"]
        for v in (view(FINDING), view(FINDING, REMARK), view(FINDING, data=SECOND.encode()))
    ]

    assert ids[0] == ids[1] != ids[2]


@pytest.mark.parametrize("finding", [HAZARD, STANDING, FIXED])
def test_what_is_not_open_is_no_reason_to_write(finding: Finding) -> None:
    assert b"" == render(view(finding))
    assert b"standing()" not in render(view(FINDING, STANDING))
    assert b"between()" not in render(view(FINDING, HAZARD))


def test_the_question_stands_right_beneath_the_quoted_line() -> None:
    lines = body(render(view(FINDING))).decode().splitlines()

    at = lines.index("> +\t__SetPageOffline(page);")
    assert "" == lines[at + 1]
    assert lines[at + 2].startswith("With this in init_range(), hotplugged pages start Offline")
    assert "> }" not in lines


def test_quoted_lines_are_the_mails_byte_for_byte() -> None:
    data = SERIES.replace(b"(page);\n }", b"(page); /* \xc3\xa9 */   \n }")
    quoted = [x[2:] for x in body(render(view(FINDING, data=data))).split(b"\n") if x[:2] == b"> "]

    assert b"+\t__SetPageOffline(page); /* \xc3\xa9 */   " in quoted
    assert [] == [line for line in quoted if line not in data.split(b"\n")]


def test_a_mail_in_another_encoding_is_quoted_in_it() -> None:
    data = SERIES.replace(b"Offline(page);\n", b"Offline(page); /* \xe9 */\n").replace(
        b"Cc: =", b"Content-Type: text/plain; charset=iso-8859-2\nCc: ="
    )

    reply = render(view(FINDING, data=data))

    assert b"> +\t__SetPageOffline(page); /* \xe9 */\n" in reply
    assert 'text/plain; charset="iso-8859-2"' == parsed(reply)["Content-Type"]


def test_a_line_that_steers_a_terminal_is_left_out() -> None:
    data = SERIES.replace(b"Reserved(page);\n+\t", b"Reserved(page); // \x1b[2J\n+\t")

    reply = render(view(FINDING, data=data))

    assert b"\x1b" not in reply
    assert b"[ ... ]\n> +\t__SetPageOffline(page);" in reply


def test_a_patch_at_an_offset_is_quoted_at_the_right_line() -> None:
    moved = SERIES.replace(b"@@ -2,5 +2,5 @@", b"@@ -902,5 +902,5 @@")

    assert b"> +\t__SetPageOffline(page);\n\n" in render(view(FINDING, data=moved))


def test_one_mail_speaks_of_all_patches() -> None:
    early = replace(FINDING, function="early", introduced_by=1)

    reply = render(view(FINDING, early))

    assert "Re: [PATCH 2/2] mm: change how pages start" == parsed(reply)["Subject"]
    assert b"\nIn the same series, [PATCH 1/2] mm: prepare:\n> diff --git" in body(reply)


def test_no_line_is_wider_than_78_columns_but_quotes_and_code() -> None:
    wide = replace(FINDING, message="it " * 60)

    lines = body(render(view(wide, REMARK))).decode().splitlines()

    assert [] == [x for x in lines if len(x) > 78 and not x.startswith((">", "\t"))]


def test_functions_and_calls_are_named_and_no_lines() -> None:
    call = replace(FINDING.trace[0], function="online_page", is_call=True)
    reply = render(view(replace(FINDING, trace=(call, FINDING.trace[1]))))
    text = body(reply).decode()

    assert "  Reached by online_page() -> keep_page()\n" in text
    assert [] == re.findall(r"\.[ch]:\d+", text)


def test_states_before_and_after_are_told_where_they_differ() -> None:
    site = replace(FINDING.trace[1], before="Reserved", after="Offline")

    text = body(render(view(replace(FINDING, trace=(site,))))).decode()

    assert "Before the patch such pages came there Reserved, now Offline." in text


def test_notes_are_kept_apart_and_gaps_are_admitted() -> None:
    text = body(render(view(FINDING, REMARK, STANDING))).decode()

    places = [text.index(s) for s in ("keep_page()", "Nothing breaks", "/* keep a page", "Looked")]
    assert sorted(places) == places
    assert "Not understood, so nothing is said of it: 1 place.\n" in text
    assert "  drivers/toy/odd.c: odd(): an unbalanced brace\n" in text
    assert "Left out: 1 finding that was there before.\n" in text


def test_a_comment_is_shown_by_the_line_that_speaks_of_the_old_state() -> None:
    source = b"/*\n * These pages are reserved.\n */\n"
    span = replace(REMARK.span, line=1, end_line=3)

    text = render(replace(view(replace(REMARK, span=span)), read=lambda *_: source)).decode()

    assert "\t* These pages are reserved.\n" in text


def test_a_fix_is_offered_as_a_diff_with_its_tabs() -> None:
    text = body(render(view(replace(FINDING, fix="-\tset(page);\n+\tmark(page);\n")))).decode()

    assert "  This would do:\n\n-\tset(page);\n+\tmark(page);\n" in text


def test_a_bare_diff_gets_a_draft_without_a_thread() -> None:
    bare = b"diff --git" + SECOND.encode().split(b"\ndiff --git")[1]

    mail = parsed(render(view(replace(FINDING, introduced_by=1), data=bare)))

    assert (None, None) == (mail["To"], mail["In-Reply-To"])
    assert mail["Subject"] == "Re: mm: prepare"


def test_long_message_ids_are_not_folded_apart() -> None:
    long = "x" * 150 + "@example.org"
    data = SERIES.replace(b"<2@example.org>", f"<{long}>".encode())

    reply = render(view(FINDING, data=data))

    assert f"\nIn-Reply-To: <{long}>\n".encode() in reply


def test_crlf_mails_are_quoted_without_their_line_ends() -> None:
    reply = render(view(FINDING, data=SERIES.replace(b"\n", b"\r\n")))

    assert b"\r" not in reply
    assert b"> +\t__SetPageOffline(page);\n" in reply


HOSTILE = st.sampled_from(
    ("\r\nBcc: x@y", "=?utf-8?q?=1b[2J?=",
     "\n", "\r", "\x1b[2J", "\u202e", "<", ">", "@", ",", '"', "é",
     "=?utf-8?q?=0a?=", "x@example.org", "=?x?=", ":", ";", "\\", " ", "%", "\0")
)  # fmt: skip
VALUE = st.lists(HOSTILE | st.text(max_size=3), max_size=6).map("".join)


@given(VALUE, VALUE, VALUE)
@settings(max_examples=60, deadline=None)
def test_no_header_of_a_patch_adds_one_to_the_reply(one: str, two: str, three: str) -> None:
    values = [v.encode("utf-8", "replace").replace(b"\0", b"") for v in (one, two, three)]
    given_id = re.sub(rb"\s", b"", values[2])
    data = SERIES.replace(b"Ann Author <ann@example.org>", values[0].replace(b"\n", b"\n "))
    data = data.replace(b"<2@example.org>", given_id)
    data = data.replace(b"change how pages start", values[1].replace(b"\n", b"\n "))
    written = tuple(replace(x, subject=two, date=one) for x in letters())
    found = replace(VIEW, letters=written, selected=selected(FINDING))
    known = {b"To", b"Cc", b"Subject", b"Message-ID", b"In-Reply-To", b"References",
             b"MIME-Version", b"Content-Type", b"Content-Transfer-Encoding"}  # fmt: skip

    for reply in (render(found), render(view(FINDING, data=data))):
        head = reply.split(b"\n\n", 1)[0].decode("ascii")
        names = {line.split(":")[0] for line in head.split("\n") if line[:1] not in (" ", "\t")}
        assert {n.encode() for n in names} <= known
        assert [] == [c for c in head if not c.isprintable() and c not in "\n\t"]


def test_the_first_patch_alone_is_answered() -> None:
    lone = replace(FINDING, introduced_by=1)

    mail = parsed(render(view(lone, data=FIRST.encode())))

    assert "Re: [PATCH 1/2] mm: prepare" == mail["Subject"]
