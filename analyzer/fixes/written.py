"""Write what becomes of a file as `git diff` does."""

from __future__ import annotations

import difflib

from analyzer.patch.splice import split_lines

_NO_NEWLINE = "\n\\ No newline at end of file\n"
#: What cannot stand in a file's name as it is.
_QUOTED = {ord('"'): '\\"', ord("\\"): "\\\\", ord("\t"): "\\t", ord("\n"): "\\n"}


def file_diff(path: str, before: bytes, after: bytes) -> str:
    """Return the change of a file, its bytes as surrogates where they are no UTF-8."""
    if before == after:
        return ""
    old, new = _name(f"a/{path}"), _name(f"b/{path}")
    lines = difflib.unified_diff(_lines(before), _lines(after), old, new)
    text = "".join(x if x.endswith("\n") else x + _NO_NEWLINE for x in lines)
    return f"diff --git {old} {new}\n{text}"


def _name(path: str) -> str:
    quoted = path.translate(_QUOTED)
    return path if quoted == path else f'"{quoted}"'


def _lines(text: bytes) -> list[str]:
    return [line.decode("utf-8", "surrogateescape") for line in split_lines(text)]
