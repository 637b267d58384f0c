"""Blank what is not code in C text, byte for byte, so that every offset still fits the file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_NOT_CODE = re.compile(
    rb'/\*.*?(?:\*/|\Z)|//(?:\\\r?\n|[^\n])*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', re.S
)
_COMMENT_START = (b"/*", b"//")
_SPACES = bytes(c if c in b"\n\r\v\f\t " else 0x20 for c in range(256))
_DIRECTIVE = re.compile(rb"#[ \t]*(?:\\\r?\n[ \t]*)?([a-z_]*)((?:\\\r?\n|[^\n])*)")


def spaces(text: bytes) -> bytes:
    """Return blanks of the same length; line ends and tabs stay where they are."""
    return text.translate(_SPACES)


def blank_text(text: bytes) -> bytes:
    """Blank comments and what stands between quotes; the quotes themselves stay."""
    return _NOT_CODE.sub(_quiet, text)


def blank_comments(text: bytes) -> bytes:
    """Blank comments only."""
    return _NOT_CODE.sub(_uncommented, text)


def comment_ranges(text: bytes) -> Iterator[tuple[int, int]]:
    """Yield (start, end) of each comment."""
    for m in _NOT_CODE.finditer(text):
        if text.startswith(_COMMENT_START, m.start()):
            yield m.span()


def _quiet(m: re.Match[bytes]) -> bytes:
    found = m.group()
    if found.startswith(_COMMENT_START):
        return found.translate(_SPACES)
    return found[:1] + found[1:-1].translate(_SPACES) + found[-1:]


def _uncommented(m: re.Match[bytes]) -> bytes:
    found = m.group()
    return found.translate(_SPACES) if found.startswith(_COMMENT_START) else found


def blank_ranges(text: bytes, ranges: Iterable[tuple[int, int]]) -> bytes:
    """Blank the given (start, end) stretches, which may come in any order and overlap."""
    out = bytearray(text)
    for start, end in ranges:
        out[start:end] = text[start:end].translate(_SPACES)
    return bytes(out)


@dataclass(frozen=True, slots=True)
class Directive:
    """One preprocessor line with its continuations; keyword is "ifdef", "define" and so on."""

    keyword: str
    argument: str  # continuations joined
    start: int
    end: int  # before the line end


def directives(code: bytes) -> tuple[Directive, ...]:
    """Find the preprocessor lines of text whose comments are blanked."""
    found = []
    at = code.find(b"#")
    while at >= 0:
        line = code.rfind(b"\n", 0, at) + 1
        m = None
        if not code[line:at].strip():
            m = _DIRECTIVE.match(code, at)
        if m is None:
            at = code.find(b"#", at + 1)
            continue
        argument = m[2].replace(b"\\\n", b" ").replace(b"\\\r\n", b" ")
        found.append(
            Directive(m[1].decode("latin-1"), argument.decode("latin-1").strip(), at, m.end())
        )
        at = code.find(b"#", m.end())
    return tuple(found)


def without_directives(code: bytes, lines: Sequence[Directive]) -> bytes:
    """Blank preprocessor lines; the text of every `#if` arm stays."""
    pieces, at = [], 0
    for line in lines:
        pieces.append(code[at : line.start])
        pieces.append(code[line.start : line.end].translate(_SPACES))
        at = line.end
    pieces.append(code[at:])
    return b"".join(pieces)
