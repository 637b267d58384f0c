"""Write diffs and mails by hand, small and in kernel style."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from analyzer.patch import Patch, read_series
from analyzer.tree import Tree

#: A source file of 26 lines to patch: `line 1` to `line 26`, one per line, indented by a tab.
LETTERS = "".join(f"\tline {n};\n" for n in range(1, 27))


def diff(path: str, before: str, after: str, context: int = 3) -> str:
    """Return a git diff of one file that exists on both sides."""
    body = difflib.unified_diff(
        _lines(before),
        _lines(after),
        f"a/{path}",
        f"b/{path}",
        n=context,
    )
    lines = [
        line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in body
    ]
    return f"diff --git a/{path} b/{path}\nindex 1111111..2222222 100644\n" + "".join(lines)


def _lines(text: str) -> list[str]:
    """Split at line feeds alone: a form feed is text."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def mail(
    subject: str,
    body: str,
    *,
    number: int = 1,
    headers: Mapping[str, str] | None = None,
    separator: bool = True,
) -> str:
    """Return a mail as a mailbox holds it."""
    fields = {
        "From": "A. Developer <dev@example.org>",
        "Date": "Mon, 1 Jan 2024 00:00:00 +0000",
        "Subject": subject,
        "Message-ID": f"<{number}@example.org>",
        **(headers or {}),
    }
    head = "".join(f"{name}: {value}\n" for name, value in fields.items())
    start = "From mboxrd@z Thu Jan  1 00:00:00 1970\n" if separator else ""
    return f"{start}{head}\n{body}\n-- \n2.40.1\n\n"


def read_patch(text: str | bytes, tree: Tree | None = None, name: str = "x.patch") -> Patch:
    """Return the only patch of a text."""
    data = text.encode() if isinstance(text, str) else text
    (patch,) = read_series(data, name, tree).patches
    return patch


def replaced(text: str, changes: Sequence[tuple[str, str]]) -> str:
    """Return a text with each of the strings, which occur once, replaced."""
    for find, replace in changes:
        assert text.count(find) == 1, find
        text = text.replace(find, replace)
    return text
