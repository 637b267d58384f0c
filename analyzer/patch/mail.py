"""Read mails: a bare diff, one message or a whole mailbox to messages with decoded bodies."""

from __future__ import annotations

import contextlib
import email
import email.errors
import email.header
import re
from dataclasses import dataclass
from email.message import Message as Mail

from analyzer.base import AnalyzerError
from analyzer.patch.packed import unpacked

#: "From someone Mon Sep 17 00:00:00 2001": prose that starts with "From" ends otherwise.
_SEPARATOR = re.compile(rb"From \S+ .*\d:\d\d.* \d{4}( [+-]\d{4})?\s*")
#: No mailbox separates its mails with longer lines; bounds what the pattern may cost.
_LONGEST_SEPARATOR = 400
_HEADER = re.compile(rb"[A-Za-z][A-Za-z0-9-]*:")
_KNOWN_HEADERS = frozenset(
    (
        b"from",
        b"subject",
        b"date",
        b"message-id",
        b"to",
        b"received",
        b"return-path",
        b"mime-version",
    )
)
_TAG = re.compile(r"\s*((?:\[[^\]]*\]\s*)*)")
_SUBJECT_LINE = re.compile(r"(?:subject:\s*)?(\[[^\]]*PATCH[^\]]*\].*)", re.IGNORECASE)
_BLANKS = re.compile(r"\s+")
#: What an attachment is called that is text, whatever type it is said to be of.
_TEXT_NAME = re.compile(r"\.(?:patch|diff|txt)(?P<packed>\.(?:gz|xz|bz2|zst|zip))?$", re.IGNORECASE)
_HTML = "the body is HTML, which keeps no diff intact: have it sent as plain text, or attached"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message; line is the number of its body's first line in the input, from 1."""

    subject: str
    message_id: str
    body: bytes
    line: int
    raw: bytes
    is_mail: bool  # false for a text without mail headers
    remark: str = ""  # what stood in the way of a body, if something did


def split_messages(data: bytes) -> tuple[Message, ...]:
    """Return the messages of a mailbox, a mail, or of a text that is neither; in input order."""
    lines = data.removeprefix(b"\xef\xbb\xbf").splitlines(keepends=True)
    if b"\r" in data:
        lines = _lines(data.removeprefix(b"\xef\xbb\xbf"))
    starts = [at for at in range(len(lines)) if _is_separator(lines, at)]
    if not starts or any(line.strip() for line in lines[: starts[0]]):
        starts.insert(0, 0)
    ends = [*starts[1:], len(lines)]
    chunks = [(start, lines[start:end]) for start, end in zip(starts, ends, strict=True)]
    return tuple(_message(chunk, start) for start, chunk in chunks if b"".join(chunk).strip())


def _lines(data: bytes) -> list[bytes]:
    """Split at line feeds alone; a lone carriage return is text."""
    return [line for line in re.split(rb"(?<=\n)", data) if line]


def _is_separator(lines: list[bytes], at: int) -> bool:
    line = lines[at]
    if not line.startswith(b"From ") or len(line) > _LONGEST_SEPARATOR:
        return False
    if not _SEPARATOR.fullmatch(line):
        return False
    return _end_of_headers(lines, at + 1) > at + 1


def _message(lines: list[bytes], start: int) -> Message:
    first = 1 if lines[0].startswith(b"From ") and _is_separator(lines, 0) else 0
    while first < len(lines) and not lines[first].strip():
        first += 1
    end = _end_of_headers(lines, first)
    raw = b"".join(lines)
    if end == first:
        body = b"".join(lines)
        subject, message_id = _subject_of_text(body), ""
        return Message(
            subject=subject,
            message_id=message_id,
            body=body,
            line=start + 1,
            raw=raw,
            is_mail=False,
        )
    mail = email.message_from_bytes(b"".join(lines[first:end]) + b"\n")
    plain = b"".join(lines[end + 1 :])
    try:
        body, remark = _decoded(mail, b"".join(lines[first:]), plain)
    except (LookupError, ValueError, RecursionError, email.errors.MessageError):
        body, remark = b"", "its MIME structure is broken"
    if end == len(lines):
        remark = "cut off within its headers"
    return Message(
        subject=decode_header(mail.get("Subject")),
        message_id=decode_header(mail.get("Message-ID")).strip("<> "),
        body=body,
        line=start + end + 2,
        raw=raw,
        is_mail=True,
        remark=remark,
    )


def _end_of_headers(lines: list[bytes], first: int) -> int:
    """Return the index of the blank line after the headers; first where there are no headers."""
    names = set()
    at = first
    while at < len(lines) and lines[at].strip():
        match = _HEADER.match(lines[at])
        if match:
            names.add(match[0][:-1].lower())
        elif at == first or not (lines[at][:1] in (b" ", b"\t") or _is_cut(lines, at)):
            return first
        at += 1
    return at if len(names & _KNOWN_HEADERS) >= 2 or b"subject" in names else first


def _is_cut(lines: list[bytes], at: int) -> bool:
    """Tell whether the input ends within a line."""
    return at == len(lines) - 1 and not lines[at].endswith(b"\n")


def decode_header(value: object) -> str:
    """Return a header's text on one line, its encoded words decoded as far as they can be."""
    if value is None:
        return ""
    text = str(value)
    # An unknown charset or a broken encoding leaves the text as it stands.
    with contextlib.suppress(LookupError, ValueError, email.errors.MessageError):
        text = str(email.header.make_header(email.header.decode_header(text)))
    text = text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return _BLANKS.sub(" ", text).strip()


def _decoded(mail: Mail, whole: bytes, plain: bytes) -> tuple[bytes, str]:
    """Return the text of a mail, and what kept it from being read."""
    encoding = str(mail.get("Content-Transfer-Encoding", "")).strip().lower()
    kind = mail.get_content_type()
    if kind == "text/html":
        return b"", _HTML
    if mail.get_content_maintype() == "text" and encoding in ("", "7bit", "8bit", "binary"):
        return _unflowed(mail, plain), ""
    full = email.message_from_bytes(whole)
    texts, remark = [], ""
    for part in full.walk():
        try:
            text = _text(part)
        except AnalyzerError as error:
            text, remark = b"", str(error)
        texts.append(text if text.endswith(b"\n") or not text else text + b"\n")
    if not remark and not any(map(bytes.strip, texts)):
        has_html = any(part.get_content_type() == "text/html" for part in full.walk())
        remark = _HTML if has_html else f"the body is {kind} without a plain text"
    return b"".join(texts), remark


def _text(part: Mail) -> bytes:
    """Return the text that a part of a mail holds; raise AnalyzerError where it is not unpacked."""
    named = _TEXT_NAME.search(name := decode_header(part.get_filename()))
    is_text = part.get_content_maintype() == "text" and part.get_content_type() != "text/html"
    payload = part.get_payload(decode=True) if is_text or named else None
    if part.is_multipart() or not isinstance(payload, bytes):
        return b""
    if named and named["packed"]:
        return unpacked(payload, f"its attachment {name}")
    return _unflowed(part, payload)


def _unflowed(part: Mail, text: bytes) -> bytes:
    """Undo format=flowed (RFC 3676): stuffed blanks, and lines that were broken softly."""
    if str(part.get_param("format") or "").lower() != "flowed":
        return text
    joins = b"" if str(part.get_param("delsp") or "").lower() == "yes" else b" "
    out: list[bytes] = []
    open_line = False
    for line in text.replace(b"\r\n", b"\n").removesuffix(b"\n").split(b"\n"):
        line = line[1:] if line.startswith(b" ") else line
        # A line of blanks is the blank context line of a diff, whatever the standard says of it.
        soft = line.endswith(b" ") and line != b"-- " and not line.isspace()
        content = line[:-1] + joins if soft else line
        if open_line:
            out[-1] += content
        else:
            out.append(content)
        open_line = soft
    return b"".join(line + b"\n" for line in out)


def split_tag(subject: str) -> tuple[str, str]:
    """Split "[PATCH v2 1/3] mm: x" into tag and title."""
    match = _TAG.match(subject)
    assert match is not None, "every part of the pattern is optional"
    return match[1].strip(), subject[match.end() :]


def _subject_of_text(body: bytes) -> str:
    """Guess the subject of a text without headers: a [PATCH] line."""
    lines = [line.strip() for line in body[:4000].decode("utf-8", "replace").split("\n")]
    head = [line for line in lines if line][:8]
    for line in head:
        match = _SUBJECT_LINE.fullmatch(line)
        if match:
            return match[1]
    return ""
