"""Change a file inside one function, and write the difference as a patch."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Edit:
    """Replace text that occurs once in a function.

    An empty find stands for the place right before the function's definition. An empty within
    means the whole file. With every, all occurrences of the word find are replaced, but not in
    comments that fill a line. A line that becomes blank is dropped.
    """

    path: str
    within: str
    find: str
    replace: str
    every: bool = False


@dataclass(frozen=True, slots=True)
class Swap:
    """Exchange two texts that occur once each in a function."""

    path: str
    within: str
    one: str
    other: str


Change = Edit | Swap


def edit_text(text: str, change: Change) -> str:
    """Return the text of a file with one change made; fail where it is not exactly one place."""
    start, end = extent(text, change.within) if change.within else (0, len(text))
    body = text[start:end]
    if isinstance(change, Swap):
        mark = "\0"
        for find, replace in (
            (change.one, mark),
            (change.other, change.one),
            (mark, change.other),
        ):
            body = _replaced(body, find, replace, change)
    elif not change.find:
        body = change.replace + body
    elif change.every:
        word = re.compile(rf"\b{re.escape(change.find)}\b")
        assert word.search(body), f"{change}: no such word"
        body = "".join(
            line if line.lstrip().startswith(("*", "/*")) else word.sub(change.replace, line)
            for line in body.splitlines(keepends=True)
        )
    else:
        body = _replaced(body, change.find, change.replace, change)
    return text[:start] + body + text[end:]


def _replaced(body: str, find: str, replace: str, change: Change) -> str:
    assert body.count(find) == 1, f"{change}: {find!r} occurs {body.count(find)} times"
    at = body.index(find)
    before, after = body[:at], body[at + len(find) :]
    if replace or before.rpartition("\n")[2].strip() or not after.startswith("\n"):
        return before + replace + after
    return before.rpartition("\n")[0] + after


def extent(text: str, function: str) -> tuple[int, int]:
    """Return where a function's definition starts and ends, its header included."""
    header = re.compile(rf"^[a-z][^;{{}}\n]*\b{re.escape(function)}\([^;{{]*\)\s*\{{", re.M)
    found = list(header.finditer(text))
    assert len(found) == 1, f"{function}: {len(found)} definitions"
    end = text.index("\n}\n", found[0].end()) + len("\n}\n")
    return found[0].start(), end


def edit_files(files: Mapping[str, str], changes: Iterable[Change]) -> dict[str, str]:
    """Return all files with the changes made, in order."""
    edited = dict(files)
    for change in changes:
        edited[change.path] = edit_text(edited[change.path], change)
    return edited


def unified(before: Mapping[str, str], after: Mapping[str, str]) -> bytes:
    """Return the difference of two sets of files as a patch; empty where there is none."""
    parts: list[str] = []
    for path in sorted(before.keys() | after.keys()):
        parts += difflib.unified_diff(
            before.get(path, "").splitlines(keepends=True),
            after.get(path, "").splitlines(keepends=True),
            f"a/{path}",
            f"b/{path}",
        )
    return "".join(parts).encode()
