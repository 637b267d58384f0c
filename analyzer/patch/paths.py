"""Read the file names of a diff, and refuse those that point out of the tree."""

from __future__ import annotations

import os
import re
from collections.abc import Callable

from analyzer.base import AnalyzerError
from analyzer.patch.sections import Section, quote
from analyzer.tree.api import is_inside

_NOTHING = b"/dev/null"
_ESCAPE = re.compile(rb"\\([0-7]{3}|.)")
_PLAIN = {b"n": b"\n", b"t": b"\t", b"r": b"\r", b"a": b"\a", b"b": b"\b", b"f": b"\f", b"v": b"\v"}
_QUOTED = re.compile(rb'"((?:[^"\\]|\\.)*)"')
#: Two names longer than this are no names; bounds the search for where one ends.
_LONGEST = 2 * 4096 + 8
_BACKUP = (".orig", ".old", ".bak", "~")


def pair_paths(
    section: Section, name: str, known: Callable[[str], bool] | None
) -> tuple[str | None, str | None]:
    """Return the paths of a file before and after; None on the side where there is no file.

    Names lose their first component, whatever it is, unless they are written without a prefix or
    only the whole name is known. Raise AnalyzerError where a path is missing or hostile.
    """
    moved = _moved(section)
    if moved is not None:
        before, after = (checked(path, name, section.line) for path in moved)
        return before, after
    written = _written(section, name)
    strip = _strips(section, written, known)
    sides = [
        None if path is None else checked(_stripped(path) if strip else path, name, section.line)
        for path in written
    ]
    if b"new file mode" in section.extended:
        sides[0] = None
    if b"deleted file mode" in section.extended:
        sides[1] = None
    if sides == [None, None]:
        raise AnalyzerError(f"{name}:{section.line}: malformed diff: it names no file")
    if section.git is None and None not in sides and sides[0] != sides[1]:
        return _one_of(str(sides[0]), str(sides[1]), known)
    return sides[0], sides[1]


def _moved(section: Section) -> tuple[bytes, bytes] | None:
    """Return the names of a rename or copy; these have no prefix."""
    for verb in (b"rename", b"copy"):
        names = [section.extended.get(verb + side) for side in (b" from", b" to")]
        if names[0] is not None and names[1] is not None:
            return unquoted(names[0]), unquoted(names[1])
    return None


def _written(section: Section, name: str) -> tuple[bytes | None, bytes | None]:
    if section.before is not None and section.after is not None:
        before, after = _name(section.before), _name(section.after)
        return (
            None if before == _NOTHING else before,
            None if after == _NOTHING else after,
        )
    assert section.git is not None, "a section without a diff --git line has names"
    pair = split_git_names(section.git)
    if pair is None:
        raise AnalyzerError(
            f"{name}:{section.line}: malformed diff: found {quote(section.git)} after diff --git; "
            "expected the name of one file, twice"
        )
    return pair


def split_git_names(text: bytes) -> tuple[bytes, bytes] | None:
    """Split "a/x b/x" where both name the same file; names may hold blanks."""
    text = text.rstrip(b"\r")
    if len(text) > _LONGEST:
        return None
    quoted = _QUOTED.match(text)
    if quoted and text[quoted.end() : quoted.end() + 1] == b" ":
        return unquoted(quoted[0]), unquoted(text[quoted.end() + 1 :])
    at = text.find(b" ")
    while at >= 0:
        before, after = text[:at], unquoted(text[at + 1 :])
        if before and after and (before == after or _stripped(before) == _stripped(after)):
            return before, after
        at = text.find(b" ", at + 1)
    return None


def _strips(
    section: Section,
    written: tuple[bytes | None, bytes | None],
    known: Callable[[str], bool] | None,
) -> bool:
    """Say whether names carry a prefix such as a/ and b/."""
    names = [path for path in written if path is not None]
    if section.git is not None:
        pair = split_git_names(section.git)
        if pair is not None and pair[0] == pair[1] and b"/" in pair[0]:
            return _known_only_whole(pair[0], known) if known else False
    return not (known and names and all(_only_whole(path, known) for path in names))


def _known_only_whole(path: bytes, known: Callable[[str], bool]) -> bool:
    """Say whether a name that is the same on both sides still has a prefix to lose."""
    return known(os.fsdecode(_stripped(path))) and not known(os.fsdecode(path))


def _only_whole(path: bytes, known: Callable[[str], bool]) -> bool:
    return known(os.fsdecode(path)) and not known(os.fsdecode(_stripped(path)))


def _stripped(path: bytes) -> bytes:
    head, slash, rest = path.partition(b"/")
    return rest.lstrip(b"/") if slash and head else path


def _one_of(
    before: str, after: str, known: Callable[[str], bool] | None
) -> tuple[str | None, str | None]:
    """Choose one name where a plain diff compares a file with its copy (`x.c.orig`, `x.c`)."""
    if known is not None and known(before) != known(after):
        chosen = before if known(before) else after
    else:
        chosen = before if after.endswith(_BACKUP) else after
    return chosen, chosen


def _name(text: bytes) -> bytes:
    """Drop what follows a name: a tab and a time stamp."""
    quoted = _QUOTED.match(text)
    if quoted:
        return unquoted(quoted[0])
    return text.partition(b"\t")[0].rstrip(b" \r")


def unquoted(text: bytes) -> bytes:
    """Undo git's quoting of a name."""
    text = text.rstrip(b"\r")
    quoted = _QUOTED.fullmatch(text)
    if quoted is None:
        return text
    return _ESCAPE.sub(_unescape, quoted[1])


def _unescape(match: re.Match[bytes]) -> bytes:
    code = match[1]
    if len(code) == 3:
        return bytes([int(code, 8) & 0xFF])
    return _PLAIN.get(code, code)


def checked(path: bytes, name: str, line: int) -> str:
    """Return a path that stays inside the tree; raise AnalyzerError for any other."""
    text = os.fsdecode(path)
    parts = [part.lower() for part in text.split("/")]
    if not is_inside(text) or ".git" in parts or "\n" in text:
        raise AnalyzerError(
            f"{name}:{line}: the patch names a file outside the tree or inside .git: "
            f"{quote(path)}; expected a path below the top of the tree"
        )
    return text
