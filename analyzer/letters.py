"""Take from the patches of a series what a reply to their mails needs."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from email.message import Message
from email.parser import BytesHeaderParser
from email.policy import compat32
from email.utils import getaddresses

from analyzer.patch.mail import decode_header
from analyzer.patch.model import Hunk, Patch, Series
from analyzer.report.letter import Extract, Letter, Person, Quotable

_ID = re.compile(r"<([^<>\s]{1,240})>")
#: Of the lines before a hunk, those that say which file it is about.
_NAMES = (b"diff --git ", b"--- ", b"+++ ")


def letters_of(series: Series) -> tuple[Letter, ...]:
    """Return a letter for each patch, in order."""
    return tuple(_letter(patch) for patch in series.patches)


def _letter(patch: Patch) -> Letter:
    head = BytesHeaderParser(policy=compat32).parsebytes(patch.raw.lstrip(b"\r\n"))
    senders = _people(head, "Reply-To") or _people(head, "From")
    references = _ids(head, "References") or _ids(head, "In-Reply-To")
    return Letter(
        patch=patch.index,
        subject=" ".join((patch.tag, patch.subject)).strip(),
        message_id=patch.message_id,
        references=tuple(dict.fromkeys(references)),
        sender=senders[0] if senders else None,
        others=tuple(dict.fromkeys((*senders[1:], *_people(head, "To"), *_people(head, "Cc")))),
        date=decode_header(head.get("Date")),
        charset=str(head.get_content_charset() or ""),
        extracts=tuple(_extracts(patch)),
        key=patch.message_id or hashlib.blake2b(patch.body, digest_size=16).hexdigest(),
    )


def _people(head: Message, name: str) -> tuple[Person, ...]:
    """Return who stands in a header. Addresses are taken before names are decoded."""
    return tuple((decode_header(n), a) for n, a in getaddresses(_raw(head, name)) if "@" in a)


def _ids(head: Message, name: str) -> list[str]:
    return [i for value in _raw(head, name) for i in _ID.findall(value)]


def _raw(head: Message, name: str) -> list[str]:
    """Return the values of a header as they came, bytes that are not ASCII as surrogates."""
    return [str(v) for key, v in head.raw_items() if key.lower() == name.lower()]


def _extracts(patch: Patch) -> Iterator[Extract]:
    lines = patch.body.split(b"\n")

    def raw(number: int) -> bytes:
        at = number - patch.body_line
        return lines[at].removesuffix(b"\r") if 0 <= at < len(lines) else b""

    for change in patch.files:
        for hunk in change.hunks:
            yield Extract(
                file=change.path,
                names=tuple(_names([raw(n) for n in range(change.line, hunk.line)])),
                head=raw(hunk.line),
                lines=tuple(_quotable(hunk, [raw(line.line) for line in hunk.lines])),
            )


def _names(lines: Sequence[bytes]) -> Iterator[bytes]:
    """Yield the lines that name a file; they come before its first hunk."""
    for line in lines:
        if line.startswith(b"@@"):
            return
        if line.startswith(_NAMES):
            yield line


def _quotable(hunk: Hunk, raws: Sequence[bytes]) -> Iterator[Quotable]:
    number, last = hunk.after_start, 0
    for line, raw in zip(hunk.lines, raws, strict=True):
        # Lines that a damaged copy has lost were restored, and stand nowhere in the mail.
        if line.line != last:
            yield Quotable(raw, line.kind, line.text, number)
        last = line.line
        number += line.kind != "-"
