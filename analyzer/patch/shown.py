"""Take apart what `git log -p` and `git show` print, and put its commits into their order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from itertools import pairwise

from analyzer.base import AnalyzerError
from analyzer.patch.mail import Message
from analyzer.patch.thread import has_diff

#: The head of a commit, marked and decorated as git log can do it, and who wrote it.
_COMMIT = re.compile(rb"\0?commit (?:[-<>=+] )?([0-9a-f]{4,64})(?:[ \t(].*)?")
_AUTHOR = re.compile(rb"Author: |author ")
#: A commit on one line: --oneline, --format=reference.
_SHORT = re.compile(rb"\0?([0-9a-f]{7,64}) (?:\((?:HEAD|tag: |[^ ()]+/)[^()]*\) )?(\S.*)")
_COMMITTED = re.compile(rb"(?:CommitDate:|committer .*>) +(.*)")
_WRITTEN = re.compile(rb"(?:Date:|AuthorDate:|author .*>) +(.*)")
#: More lines than a head has; where it does not end in them it is none.
_LONGEST_HEAD = 40
#: What follows the message of a commit that has none.
_NO_SUBJECT = re.compile(rb"diff |---| {1,3}\S")
_FILE = re.compile(rb"diff --git (.*)")
_BLOBS = re.compile(rb"index ([0-9a-f]{4,64})\.\.([0-9a-f]{4,64})(?: \d+)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Commit:
    """A commit as it is printed; the moments are seconds of Unix time, None where not told."""

    id: bytes
    committed: float | None
    written: float | None
    message: Message


def split_commits(message: Message, name: str) -> tuple[tuple[Message, ...], tuple[str, ...]]:
    """Return a message for each commit that a text prints, the oldest first, and notes.

    A mail, and what is not printed by git, is returned as it is. `git log` prints the newest
    commit first, `git log --reverse` the oldest, `git show` what it was told. Raise AnalyzerError
    where it cannot be told which it is.
    """
    lines = message.body.split(b"\n")
    starts = [] if message.is_mail else _starts(lines)
    if not starts:
        return (message,), ()
    ends = [*starts[1:], len(lines)]
    printed = [_commit(message, lines, *span) for span in zip(starts, ends, strict=True)]
    commits = _with_changes(printed, name)
    ahead = b"\n".join(lines[: starts[0]]) + b"\n"
    rest = (replace(message, body=ahead, raw=ahead),) if ahead.strip() else ()
    if len(commits) < 2:
        return (*rest, *(c.message for c in commits or printed)), ()
    newest_first = _is_newest_first(commits)
    if newest_first is None:
        raise AnalyzerError(
            f"{name}:{commits[0].message.line}: found {len(commits)} commits as git log or git "
            "show print them, and nothing that tells which comes first; give them as a range, "
            "REV..REV, or as git format-patch --stdout prints them"
        )
    without = len(printed) - len(commits)
    notes = [f"{name}: {without} of {len(printed)} commits without a diff left out"] * bool(without)
    ordered, how = commits, "oldest first: read as they stand"
    if newest_first:
        ordered, how = commits[::-1], "newest first: read from the last one on"
    notes.append(f"{name}: {len(commits)} commits, printed {how}")
    return (*rest, *(c.message for c in ordered)), tuple(notes)


def _starts(lines: Sequence[bytes]) -> list[int]:
    """Return where commits start; no line of a hunk can look like it."""
    heads = [at for at in range(len(lines)) if _is_head(lines, at)]
    first = next((at for at, line in enumerate(lines) if line.strip()), None)
    if heads or first is None or not _SHORT.match(lines[first]):
        return heads
    return [at for at in range(len(lines)) if _SHORT.match(lines[at])]


def _is_head(lines: Sequence[bytes], at: int) -> bool:
    if not _COMMIT.fullmatch(lines[at].rstrip()):
        return False
    return any(_AUTHOR.match(line) for line in _head(lines, at))


def _head(lines: Sequence[bytes], at: int) -> Iterator[bytes]:
    """Yield the lines of a commit's head: up to a blank one, or to the next head."""
    for line in lines[at + 1 : at + _LONGEST_HEAD]:
        if not line.strip() or line.startswith(b"commit "):
            return
        yield line.rstrip()


def _commit(message: Message, lines: Sequence[bytes], start: int, end: int) -> _Commit:
    head: list[bytes] = []
    full = _COMMIT.fullmatch(lines[start].rstrip())
    matched = full or _SHORT.fullmatch(lines[start].rstrip())
    assert matched is not None, "a commit starts with a line of either kind"
    if full:
        head = list(_head(lines, start))
        texts = (line for line in lines[start + 1 + len(head) : end] if line.strip())
        subject = next(texts, b"")
        subject = b"" if _NO_SUBJECT.match(subject) else subject
    else:
        subject = matched[2]
    body = b"\n".join(lines[start:end]) + b"\n" * (end < len(lines))
    return _Commit(
        id=matched[1],
        committed=_moment(head, _COMMITTED),
        written=_moment(head, _WRITTEN),
        message=replace(
            message,
            subject=subject.decode("utf-8", "replace").strip(),
            body=body,
            raw=body,
            line=message.line + start,
        ),
    )


def _moment(head: Sequence[bytes], where: re.Pattern[bytes]) -> float | None:
    found = next(filter(None, map(where.fullmatch, head)), None)
    text = found[1].decode("ascii", "replace") if found else ""
    if raw := re.fullmatch(r"(\d{1,11})(?: [-+]\d{4})?", text):
        return float(raw[1])
    for read in (parsedate_to_datetime, datetime.fromisoformat, _with_blanks):
        try:
            moment = read(text)
            return moment.timestamp() if moment.tzinfo else None
        except (ValueError, OverflowError):
            continue
    return None


def _with_blanks(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M:%S %z")


def _with_changes(commits: Sequence[_Commit], name: str) -> list[_Commit]:
    """Return the commits that have a diff, each once."""
    unique: dict[bytes, _Commit] = {}
    for commit in commits:
        if not has_diff(commit.message):
            continue
        known = unique.setdefault(commit.id, commit)
        if known.message.body.strip() != commit.message.body.strip():
            raise AnalyzerError(
                f"{name}:{commit.message.line}: found the diffs of a merge against each of its "
                "parents, which apply to no single tree; take the diff against one parent"
            )
    return list(unique.values())


def _is_newest_first(commits: Sequence[_Commit]) -> bool | None:
    """Tell whether the commits stand from new to old; None where that cannot be told.

    What one leaves of a file is what the next one finds. Where they have no file in common, the
    dates of the commits tell. When something was written tells less: where it says that the
    oldest stands first, which git log does not do by itself, it is not believed.
    """
    steps = [_steps(c.message.body) for c in commits]
    fits = _follow(steps[::-1]), _follow(steps)
    if fits[0] != fits[1]:
        return fits[0]
    for moments, believed in (
        ([c.committed for c in commits], (True, False)),
        ([c.written for c in commits], (True,)),
    ):
        known = [m for m in moments if m is not None]
        if len(known) < len(moments) or min(known) == max(known):
            continue
        falls = all(a >= b for a, b in pairwise(known))
        if (falls or all(a <= b for a, b in pairwise(known))) and falls in believed:
            return falls
    return None


#: What a commit does to a file: its name and blob before, and after.
_Step = tuple[bytes, bytes, bytes, bytes]


def _steps(body: bytes) -> list[_Step]:
    """Return what the headers of a diff say of blobs."""
    steps: list[_Step] = []
    before = after = b""
    for line in body.split(b"\n"):
        if match := _FILE.match(line):
            before, after = _names(match[1].rstrip())
        elif line.startswith(b"rename from "):
            before = line.rstrip()[len(b"rename from ") :]
        elif line.startswith(b"rename to "):
            after = line.rstrip()[len(b"rename to ") :]
        elif match := _BLOBS.fullmatch(line.rstrip()):
            steps.append((before, match[1], after, match[2]))
    return steps


def _names(text: bytes) -> tuple[bytes, bytes]:
    """Return the names in "a/x.c b/x.c", without the prefixes where they differ."""
    one, other = text[: len(text) // 2], text[len(text) // 2 + 1 :]
    if one == other:
        return one, other
    return one.partition(b"/")[2], other.partition(b"/")[2]


def _follow(commits: Sequence[Sequence[_Step]]) -> bool:
    """Tell whether each commit finds of every file what those before it have left."""
    left: dict[bytes, bytes] = {}
    for steps in commits:
        for before, blob, _, _ in steps:
            known = left.get(before, blob)
            if not (known.startswith(blob) or blob.startswith(known)):
                return False
        left.update((after, blob) for _, _, after, blob in steps)
    return True
