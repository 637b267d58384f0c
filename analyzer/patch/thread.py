"""Choose the patches of a thread: the newest complete version, in order, without the talk."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analyzer.base import AnalyzerError
from analyzer.patch.mail import Message, split_tag

_REPLY = re.compile(r"\s*(re|aw|fwd?|sv|antw)\s*(\[\d+\])?:", re.IGNORECASE)
_VERSION = re.compile(
    r"(?:^|[^a-z0-9])(?:patch|rfc|resend|rft)?-?v(\d{1,4})(?![\w])", re.IGNORECASE
)
_NUMBER = re.compile(r"(?:^|\s)(\d{1,5})\s*/\s*(\d{1,5})(?:\s|$)")
_DIFF = re.compile(rb"^diff --git |^--- \S.*\r?\n\+\+\+ \S|^Index: \S", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What a subject says of a message: which version, and which patch of how many."""

    version: int  # 1 where none is named
    number: int | None
    total: int | None
    is_reply: bool


def read_place(subject: str) -> Place:
    """Read version and number from a subject such as "[PATCH v2 1/3] mm: x"."""
    is_reply = _REPLY.match(subject) is not None
    bare = _REPLY.sub("", subject, count=1) if is_reply else subject
    tag = split_tag(bare)[0].replace("[", " ").replace("]", " ").replace(",", " ")
    version = _VERSION.search(tag)
    number = _NUMBER.search(tag)
    return Place(
        version=int(version[1]) if version else 1,
        number=int(number[1]) if number else None,
        total=int(number[2]) if number else None,
        is_reply=is_reply,
    )


def has_diff(message: Message) -> bool:
    """Say whether a message holds what looks like a diff; a quoted one does not count."""
    return _DIFF.search(message.body) is not None


def is_talk(messages: Sequence[Message]) -> bool:
    """Say whether messages are cover letters and replies alone; none of them has lost a diff."""
    places = [read_place(m.subject) for m in messages]
    talk = all(place.is_reply or place.number == 0 for place in places)
    return bool(places) and talk and not any(m.remark or has_diff(m) for m in messages)


def _is_lost(message: Message) -> bool:
    """Say whether a message may have held a diff which cannot be read."""
    place = read_place(message.subject)
    talk = place.is_reply or place.number == 0
    return bool(message.remark) and not talk and not has_diff(message)


def _name(message: Message) -> str:
    return f"the mail {message.subject!r}" if message.subject else "a mail without a subject"


def choose_patches(
    messages: Sequence[Message], name: str, version: int | None
) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """Return the messages of the version asked for, or of the newest complete one, and notes.

    Without any version that is complete the newest one is taken as far as it goes. Raise
    AnalyzerError where nothing holds a diff or the version is not there.
    """
    placed = [(read_place(m.subject), m) for m in messages if has_diff(m)]
    patches = [(place, m) for place, m in placed if not place.is_reply]
    notes: list[str] = []
    if not patches:  # a reply that was saved alone
        patches = placed
    elif len(patches) < len(placed):
        notes.append(f"{name}: {_count(len(placed) - len(patches), 'reply')} with a diff ignored")
    if not patches:
        raise AnalyzerError(f"{name}: no patch in it: found {describe(messages)}")
    notes += [f"{name}: {_name(m)} is left out: {m.remark}" for m in messages if _is_lost(m)]
    notes += [
        f"{name}: {_name(m)} is read without a part: {m.remark}" for _, m in patches if m.remark
    ]
    groups = _groups(patches)
    chosen = _choose_version(groups, name, version)
    if len({key[0] for key in groups}) > 1:
        others = sorted({key[0] for key in groups} - {chosen})
        notes.append(f"{name}: version {chosen} is read, not {_versions(others)}")
    out: list[Message] = []
    for (number, total), group in groups.items():
        if number == chosen:
            ordered, remarks = _ordered(group, total, name)
            out.extend(ordered)
            notes.extend(remarks)
    return tuple(out), tuple(notes)


#: (version, patches in the series or None) -> what was posted as that
_Groups = Mapping[tuple[int, int | None], list[tuple[Place, Message]]]


def _groups(patches: Sequence[tuple[Place, Message]]) -> _Groups:
    groups: dict[tuple[int, int | None], list[tuple[Place, Message]]] = {}
    for place, message in patches:
        groups.setdefault((place.version, place.total), []).append((place, message))
    return groups


def _choose_version(groups: _Groups, name: str, version: int | None) -> int:
    versions = {key[0] for key in groups}
    if version is not None:
        if version not in versions:
            found = _versions(sorted(versions))
            raise AnalyzerError(f"{name}: no version {version} of the series: found {found}")
        return version
    complete = [key[0] for key, group in groups.items() if not _missing(group, key[1])]
    return max(complete or versions)


def _missing(group: Sequence[tuple[Place, Message]], total: int | None) -> list[int]:
    # A total of five digits is no reason to make a list of them; nobody posts such a series.
    present = {place.number for place, _ in group}
    return [n for n in range(1, min(total or 0, 2000) + 1) if n not in present]


def _ordered(
    group: Sequence[tuple[Place, Message]], total: int | None, name: str
) -> tuple[list[Message], list[str]]:
    notes = []
    seen: set[str | tuple[str, bytes]] = set()
    numbered: dict[int, Message] = {}
    out: list[Message] = []
    for place, message in group:
        known = message.message_id or (message.subject, message.body.strip())
        if known in seen:
            continue  # the same mail, from two lists or files
        seen.add(known)
        if place.number is None:
            out.append(message)
            continue
        if place.number in numbered:
            notes.append(f"{name}: patch {place.number}/{total} came twice; the last one is read")
        numbered[place.number] = message
    missing = _missing(group, total)
    if missing:
        numbers = ", ".join(f"{n}/{total}" for n in missing[:5])
        more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
        notes.append(f"{name}: not in the input: patch {numbers}{more}")
    return [*out, *(numbered[number] for number in sorted(numbered))], notes


def _versions(versions: Sequence[int]) -> str:
    return "version " + ", ".join(str(version) for version in versions)


def _count(number: int, noun: str) -> str:
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    return f"{number} {noun if number == 1 else plural}"


#: What holds a patch all the same, and what to do about it; the first that fits.
_NO_UNIFIED = (
    (re.compile(rb"\A(?:\xff\xfe|\xfe\xff)"), "a text in UTF-16: save it as UTF-8"),
    (re.compile(rb"\0"), "binary data"),
    (re.compile(rb"\x1b\[[0-9;]*mdiff --git "), "a diff in colours: ask git for --no-color"),
    (
        re.compile(rb"^\*\*\* \S.*\n--- \S.*\n\*{15}", re.MULTILINE),
        "a context diff: make a unified one, diff -u or git diff",
    ),
    (
        re.compile(rb"^\d+(?:,\d+)?[acd]\d+(?:,\d+)?\n[<>] ", re.MULTILINE),
        "a diff without context: make a unified one, diff -u or git diff",
    ),
    (
        re.compile(rb"^\|[ |]*diff --git ", re.MULTILINE),
        "a diff in a graph: ask git without --graph",
    ),
    (re.compile(rb"^[ \t]+diff --git a/", re.MULTILINE), "a diff that is indented: take that away"),
)


def describe(messages: Sequence[Message]) -> str:
    """Say what an input without a patch holds."""
    if not messages:
        return "an empty input"
    for found, said in _NO_UNIFIED:
        if any(found.search(message.body) for message in messages):
            return said
    remarks = [message.remark for message in messages if message.remark]
    if not any(message.is_mail for message in messages):
        lines = sum(len(message.body.splitlines()) for message in messages)
        return f"{_count(lines, 'line')} of text and no diff"
    places = [read_place(message.subject) for message in messages]
    covers = sum(not place.is_reply and place.number == 0 for place in places)
    replies = sum(place.is_reply for place in places)
    parts = [_count(covers, "cover letter")] if covers else []
    parts += [_count(replies, "reply")] if replies else []
    others = len(messages) - covers - replies
    parts += [_count(others, "message")] if others else []
    return " and ".join(parts) + " without a diff" + (f" ({remarks[0]})" if remarks else "")
