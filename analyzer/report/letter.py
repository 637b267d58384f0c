"""Define what a reply needs of a patch mail: its headers, and its hunks as they came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

#: A name, which may be empty, and an address.
Person = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Quotable:
    """One line of a hunk: raw is the mail's line, byte for byte; text is what it says of the file.

    line is its number after the patch, as the mail counts; a removed line has that of the next.
    """

    raw: bytes
    kind: Literal[" ", "+", "-"]
    text: bytes
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Extract:
    """One hunk: the lines that name its file, its @@ line and its lines."""

    file: str
    names: tuple[bytes, ...]
    head: bytes
    lines: tuple[Quotable, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One patch mail; patch counts from 1 in the series. A bare diff has no people and no id."""

    patch: int
    subject: str  # with its tag
    message_id: str  # without its angle brackets
    references: tuple[str, ...]  # oldest first, without angle brackets
    sender: Person | None  # who is to be answered
    others: tuple[Person, ...]
    date: str  # as it stands in the header
    charset: str
    extracts: tuple[Extract, ...]
    key: str  # the same for the same mail
