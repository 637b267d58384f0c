"""Give lines of C whose indentation was lost a plausible one, from the lines before them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_HEADER = re.compile(rb"(?:\}\s*)?(?:else\s+)?(?:if|for|while|switch|\w*for_each\w*)\b.*\)$")
_ELSE = re.compile(rb"(?:\}\s*)?else$|do$")
_LABEL = re.compile(rb"[A-Za-z_]\w*:$")
_CASE = re.compile(rb"(?:case\b.*|default\s*):$")
_LITERAL = re.compile(rb'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'|/\*.*?\*/|//.*')
_TAB = b"\t"
#: Longer lines are not looked into; bounds what the patterns may cost.
_LONGEST = 4096


def indentation(line: bytes) -> bytes:
    """Return the blanks that a line starts with."""
    return line[: len(line) - len(line.lstrip(b" \t"))]


@dataclass(slots=True)
class Indenter:
    """Follow lines of C in kernel style and say where the next one starts."""

    expected: bytes = b""
    base: bytes = b""  # of the statement that the last line belongs to
    depth: int = 0  # of its parentheses
    is_open: bool = False  # it goes on in the next line
    comment: bytes | None = None  # indentation of the comment that is open
    bodies: list[bytes] = field(default_factory=list)  # headers that wait for a statement

    def place(self, text: bytes) -> bytes:
        """Return a stripped line with an indentation, and follow it."""
        line = self._indent(text) + text if text else b""
        self.follow(line)
        return line

    def _indent(self, text: bytes) -> bytes:
        if self.comment is not None:
            return self.comment + b" " if text.startswith(b"*") else self.comment
        if text.startswith(b"#") or (_LABEL.match(text) and not _CASE.match(text)):
            return b""
        if text.startswith(b"*") and self.expected == b"":
            return b" "  # a kernel-doc comment that opened before the hunk
        if text.startswith(b"}") or _CASE.match(text):
            return self.expected.removesuffix(_TAB)
        return self.expected

    def follow(self, line: bytes) -> None:
        """Take note of a line whose indentation is known."""
        text, indent = line.strip(), indentation(line)
        if not text or text.startswith(b"#") or len(text) > _LONGEST:
            return
        if self.comment is not None or text.startswith((b"/*", b"* ", b"*/")):
            self._follow_comment(text, indent)
        elif not text.startswith(b"//"):
            self._follow_code(_LITERAL.sub(b"", text).strip(), indent)

    def _follow_comment(self, text: bytes, indent: bytes) -> None:
        if text.startswith(b"/*"):
            self.comment = indent
        elif self.comment is None:
            self.comment = indent.removesuffix(b" ")
        if text.endswith(b"*/"):
            self.expected, self.comment = self.comment, None

    def _follow_code(self, text: bytes, indent: bytes) -> None:
        if not self.is_open:
            self.base = indent
        self.depth = max(self.depth + text.count(b"(") - text.count(b")"), 0)
        self.is_open = False
        if self.depth:
            self.is_open = True
            self.expected = self.base + _TAB
        elif text.endswith(b"{"):
            self.expected = self.base + _TAB
            self.bodies.clear()
        elif _HEADER.match(text) or _ELSE.match(text) or self._closes_header(text):
            self.bodies.append(self.base)
            self.expected = self.base + _TAB
        elif text.endswith(b":"):
            self.expected = self.base + _TAB
        elif text.endswith((b";", b"}", b",")) or not text:
            self.expected = self.bodies[0] if self.bodies else self.base
            self.bodies.clear()
        else:
            self.is_open = bool(indent)
            self.expected = self.base + _TAB if indent else b""

    def _closes_header(self, text: bytes) -> bool:
        """Say whether a line ends a condition that began in an earlier one."""
        return text.endswith(b")") and text.count(b")") > text.count(b"(")
