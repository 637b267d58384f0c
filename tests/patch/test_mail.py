"""Hold the reader of mails to what clients and archives really write."""

from __future__ import annotations

import base64
import bz2
import gzip
import lzma
import quopri
from collections.abc import Callable

import pytest

from analyzer.base import AnalyzerError
from analyzer.patch import read_series
from analyzer.patch.mail import split_messages, split_tag

from .texts import LETTERS, diff, mail, read_patch, replaced

AFTER = replaced(LETTERS, [("line 9;", "nine(é);")])
DIFF = diff("mm/a.c", LETTERS, AFTER)
BODY = (
    f"Why it is so.\n\nSigned-off-by: A. Developer <dev@example.org>\n---\n mm/a.c | 2 +-\n\n{DIFF}"
)


def _hunk_texts(data: bytes | str) -> list[bytes]:
    patch = read_patch(data)
    return [line.text for file in patch.files for hunk in file.hunks for line in hunk.lines]


EXPECTED = _hunk_texts(DIFF)


def test_a_bare_diff_is_a_patch_without_subject() -> None:
    patch = read_patch(DIFF)

    assert (patch.index, patch.subject, patch.tag, patch.message_id) == (1, "", "", "")
    assert [file.path for file in patch.files] == ["mm/a.c"]
    assert EXPECTED.count(b"\tnine(\xc3\xa9);") == 1


def test_a_mail_tells_subject_and_message_id() -> None:
    patch = read_patch(mail("[PATCH v3 2/7] mm/a: count\n in  one place", BODY, number=12))

    assert patch.subject == "mm/a: count in one place"
    assert patch.tag == "[PATCH v3 2/7]"
    assert patch.message_id == "12@example.org"


@pytest.mark.parametrize("separator", [True, False])
def test_a_mail_is_read_with_and_without_a_separator(separator: bool) -> None:
    assert _hunk_texts(mail("[PATCH] mm/a: count", BODY, separator=separator)) == EXPECTED


@pytest.mark.parametrize("encoding", ["quoted-printable", "base64"])
def test_an_encoded_body_is_decoded(encoding: str) -> None:
    raw = BODY.encode()
    packed = quopri.encodestring(raw) if encoding != "base64" else base64.encodebytes(raw)
    text = mail(
        "[PATCH] mm/a: count",
        packed.decode("ascii"),
        headers={
            "Content-Type": "text/plain; charset=utf-8",
            "Content-Transfer-Encoding": encoding,
        },
    )
    if encoding == "base64":
        text = text.replace("\n-- \n2.40.1\n", "")

    assert _hunk_texts(text) == EXPECTED


def test_a_patch_that_is_attached_is_found() -> None:
    packed = base64.encodebytes(BODY.encode()).decode("ascii")
    body = (
        "--limit\nContent-Type: text/plain\n\nSee the attachment.\n"
        "--limit\nContent-Type: text/html\n\n<pre>--- a/x\n+++ b/x\n</pre>\n"
        '--limit\nContent-Type: text/x-patch; name="a.patch"\n'
        f"Content-Transfer-Encoding: base64\n\n{packed}\n--limit--\n"
    )
    headers = {"MIME-Version": "1.0", "Content-Type": 'multipart/mixed; boundary="limit"'}

    assert _hunk_texts(mail("[PATCH] mm/a: count", body, headers=headers)) == EXPECTED


def _attached(name: str, data: bytes, kind: str = "application/gzip", text: str = "See.") -> str:
    """Return a mail with an attachment."""
    body = (
        f"--limit\nContent-Type: text/plain\n\n{text}\n"
        f'--limit\nContent-Type: {kind}; name="{name}"\n'
        f'Content-Disposition: attachment; filename="{name}"\n'
        "Content-Transfer-Encoding: base64\n\n"
        f"{base64.encodebytes(data).decode('ascii')}\n--limit--\n"
    )
    headers = {"MIME-Version": "1.0", "Content-Type": 'multipart/mixed; boundary="limit"'}
    return mail("[PATCH] mm/a: count", body, headers=headers)


@pytest.mark.parametrize(
    ("name", "pack", "kind"),
    [
        ("0001-a.patch.gz", gzip.compress, "application/gzip"),
        ("a.diff.xz", lzma.compress, "application/x-xz"),
        ("A.PATCH.BZ2", bz2.compress, "application/octet-stream"),
        ("=?utf-8?q?a=2Epatch=2Egz?=", gzip.compress, "application/gzip"),
        ("a.txt.gz", gzip.compress, "text/plain"),
        ("a.patch.gz", bytes, "application/gzip"),  # somebody's mailer has unpacked it
        ("a.patch", bytes, "application/octet-stream"),
    ],
)
def test_a_packed_attachment_is_unpacked(
    name: str, pack: Callable[[bytes], bytes], kind: str
) -> None:
    assert _hunk_texts(_attached(name, pack(BODY.encode()), kind)) == EXPECTED


@pytest.mark.parametrize("name", ["config.gz", "a.patch.tar.gz", "a.png", "patch"])
def test_another_attachment_is_no_patch(name: str) -> None:
    with pytest.raises(AnalyzerError, match=r"found 1 message without a diff$"):
        read_patch(_attached(name, gzip.compress(BODY.encode())))


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a.patch.gz", gzip.compress(BODY.encode())[:-20], "not readable as gzip: it is cut off"),
        ("a.diff.zip", b"PK\3\4", "packed with zip, which is not read here: unpack it"),
        ("a.patch.zst", b"\x28\xb5\x2f\xfd", "packed with zstd, which is not read here: unpack it"),
    ],
)
def test_an_attachment_that_is_not_read_is_told(name: str, data: bytes, said: str) -> None:
    with pytest.raises(AnalyzerError) as caught:
        read_patch(_attached(name, data))
    beside = read_series(_attached(name, data, text=DIFF).encode(), "x.patch", None)

    told = f"its attachment {name}: {said}"
    assert f"x.patch: no patch in it: found 1 message without a diff ({told})" == str(caught.value)
    mail = "the mail '[PATCH] mm/a: count' is read without a part"
    assert (f"x.patch: {mail}: {told}",) == beside.notes


@pytest.mark.parametrize("plain", ["", "--limit\nContent-Type: text/plain\n\n \n"])
def test_a_mail_of_html_alone_is_told_what_to_do(plain: str) -> None:
    html = f"--limit\nContent-Type: text/html\n\n<pre>{DIFF}</pre>\n"
    body = f"{plain}{html}--limit--\n"
    headers = {"MIME-Version": "1.0", "Content-Type": 'multipart/alternative; boundary="limit"'}

    with pytest.raises(AnalyzerError, match=r"\(the body is HTML, which keeps no diff intact: "):
        read_patch(mail("[PATCH] x", body, headers=headers))
    with_plain = body.replace(
        "--limit--", f"--limit\nContent-Type: text/plain\n\n{DIFF}\n--limit--"
    )
    assert _hunk_texts(mail("[PATCH] x", with_plain, headers=headers)) == EXPECTED


def test_a_mail_with_crlf_line_ends_gives_plain_lines() -> None:
    data = mail("[PATCH] mm/a: count", BODY).encode().replace(b"\n", b"\r\n")

    assert _hunk_texts(data) == EXPECTED


def test_a_file_with_crlf_line_ends_keeps_them() -> None:
    before, after = "one\r\ntwo\r\n", "one\r\nthree\r\n"
    text = diff("mm/a.c", before, after).replace("a.c\r\n", "a.c\n")

    assert _hunk_texts(text) == [b"one\r", b"two\r", b"three\r"]


def test_bytes_outside_of_utf8_survive() -> None:
    data = mail("[PATCH] mm/a: count", BODY.replace("é", "X")).encode().replace(b"X", b"\xe9")

    assert _hunk_texts(data).count(b"\tnine(\xe9);") == 1


def test_an_encoded_subject_is_decoded() -> None:
    subject = "=?utf-8?b?W1BBVENIXSBtbTogR3LDtsOfZQ==?="

    assert read_patch(mail(subject, BODY)).subject == "mm: Größe"


@pytest.mark.parametrize("subject", ["=?no-such?b?AAAA?=", "=?utf-8?b?A?=", "=?utf-8?q?=ff?=", ""])
def test_a_broken_subject_is_no_obstacle(subject: str) -> None:
    assert _hunk_texts(mail(subject, BODY)) == EXPECTED


def test_prose_that_starts_with_from_splits_nothing() -> None:
    prose = (
        "From the writer's perspective, in 2024\nX: y\n\nFrom: someone\n\nFrom here on\n"
        "From nine o'clock, or 9:00, until 2024\nFrom: then on\n\n"
    )

    assert len(split_messages(mail("[PATCH] mm/a: count", prose + BODY).encode())) == 1


def test_a_mailbox_is_split_into_its_mails() -> None:
    data = "".join(mail(f"[PATCH {n}/3] x", f"{n}\n", number=n) for n in (1, 2, 3)).encode()
    messages = split_messages(data)

    assert [m.subject for m in messages] == ["[PATCH 1/3] x", "[PATCH 2/3] x", "[PATCH 3/3] x"]
    assert b"".join(m.raw for m in messages) == data


def test_the_line_of_a_hunk_line_is_its_line_in_the_input() -> None:
    data = mail("[PATCH 1/2] x", BODY) + mail("[PATCH 2/2] x", BODY, number=2)
    lines = data.encode().split(b"\n")
    messages = split_messages(data.encode())
    patch = read_patch(mail("[PATCH] x", BODY))
    single = mail("[PATCH] x", BODY).encode().split(b"\n")

    assert [lines[m.line - 1] for m in messages] == [b"Why it is so.", b"Why it is so."]
    for hunk in patch.files[0].hunks:
        assert single[hunk.line - 1].startswith(b"@@ -")
        for line in hunk.lines:
            assert single[line.line - 1] == line.kind.encode() + line.text
    assert patch.body.split(b"\n")[0] == single[patch.body_line - 1]


def test_a_flowed_mail_is_put_together_again() -> None:
    # Stuffed as RFC 3676 has it: what starts with a blank gets one more.
    stuffed = "".join(
        f" {line}\n" if line.startswith(" ") else f"{line}\n" for line in BODY.splitlines()
    ).replace("Why it is so.", "Why it \nis so.")
    headers = {"Content-Type": "text/plain; charset=utf-8; format=flowed"}

    assert _hunk_texts(mail("[PATCH] mm/a: count", stuffed, headers=headers)) == EXPECTED


@pytest.mark.parametrize("delsp", ["", "; delsp=yes"])
def test_a_blank_context_line_of_a_flowed_mail_stays_a_line(delsp: str) -> None:
    blank = diff("mm/a.c", "\ta;\n\n\tb;\n", "\ta;\n\n\tc;\n")
    stuffed = "".join(f" {x}\n" if x.startswith(" ") else f"{x}\n" for x in blank.splitlines())
    headers = {"Content-Type": f"text/plain; charset=utf-8; format=flowed{delsp}"}

    assert "\n  \n" in stuffed
    assert _hunk_texts(mail("[PATCH] x", stuffed, headers=headers)) == _hunk_texts(blank)


PACKED = mail("[PATCH] mm/a: count", BODY).encode()
PACKINGS = [gzip.compress, lzma.compress, bz2.compress]


@pytest.mark.parametrize("pack", PACKINGS)
def test_a_packed_mailbox_is_unpacked(pack: Callable[[bytes], bytes]) -> None:
    assert _hunk_texts(pack(PACKED)) == EXPECTED
    assert _hunk_texts(pack(PACKED[:99]) + pack(PACKED[99:])) == EXPECTED


@pytest.mark.parametrize("pack", PACKINGS)
def test_a_packed_mailbox_that_is_damaged_is_refused(pack: Callable[[bytes], bytes]) -> None:
    packed = pack(PACKED)
    damaged = packed[:40] + b"\xaa" * 60 + packed[100:]

    with pytest.raises(AnalyzerError, match=r"^x\.patch: not readable as \w+: it is cut off$"):
        read_patch(packed[:-20])
    with pytest.raises(AnalyzerError, match=r"^x\.patch: not readable as \w+: \w"):
        read_patch(damaged)


@pytest.mark.parametrize(("magic", "name"), [(b"\x28\xb5\x2f\xfd", "zstd"), (b"PK\3\4", "zip")])
def test_another_packing_is_named(magic: bytes, name: str) -> None:
    with pytest.raises(AnalyzerError, match=f"packed with {name}, which is not read here: unpack"):
        read_patch(magic + b"\0" * 40)


def test_a_copy_from_a_web_page_tells_its_subject() -> None:
    assert read_patch(f"[PATCH v1 2/3] mm/a: count\n\nFrom: A\nDate: x\n\n{BODY}").tag == (
        "[PATCH v1 2/3]"
    )


@pytest.mark.parametrize(
    ("subject", "tag", "title"),
    [
        ("[PATCH] mm: x", "[PATCH]", "mm: x"),
        ("[RFC][PATCH v2 1/3] mm: x", "[RFC][PATCH v2 1/3]", "mm: x"),
        ("[PATCH 1/2] [media] x: y", "[PATCH 1/2] [media]", "x: y"),
        ("mm: x [y]", "", "mm: x [y]"),
        ("", "", ""),
    ],
)
def test_a_subject_is_split_into_tag_and_title(subject: str, tag: str, title: str) -> None:
    assert split_tag(subject) == (tag, title)
