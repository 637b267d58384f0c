"""Rewrite kernel C so that a C grammar reads it, keeping length, offsets and line ends.

Works on a function's body whose comments, strings and `#if` arms have been blanked. What was
rewritten is told by the original text at the same offset.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from analyzer.c.blank import spaces
from analyzer.c.facts import words

_WORD = re.compile(rb"[A-Za-z_]\w*")
_PARENTHESIS = re.compile(rb"[()]")
_OPENING = re.compile(rb"\s*\(")
_SOLID = re.compile(rb"\S")
_WORD_BEFORE = re.compile(rb"([A-Za-z_]\w*)\s*\Z")
_TYPE_RUN = re.compile(
    rb"(?:(?:const|volatile|struct|union|enum|unsigned|signed|long|short|int|char)\s+)+"
    rb"(?=[A-Za-z_])"
)
_TYPE_CAST = re.compile(rb"\(\s*((?:__)?(?:[usUS]|le|be)\d+|\w+_t)\s*\)(?=\s*[-+*&])")
_STAR = re.compile(rb"\*[\s*]*(?:const\s*)?(?=[,)])")
_CASE_RANGE = re.compile(rb"case\b[^;:{}]*?[^.](\.\.\.)(?!\.)")
_BLOCK = re.compile(rb"\)\s*\{")
_STATIC_MACRO = re.compile(rb"static\s+(?:const\s+)?(?=[A-Z][A-Z0-9_]*\s*\()")
_LEVEL = re.compile(rb"\(\s*([A-Z_]+)\s+(?=[A-Z_]+\s*\")")
_TRAILING = re.compile(rb"\][ \t]+(__\w+)(?=\s*[;=])")
_DECLARING = re.compile(rb"(?:DEFINE|DECLARE)_\w+\s*\(")
_QUALIFIERS = re.compile(rb"(?:\s*(?:volatile|goto|inline|__volatile__|__volatile)\b)*\s*")
_CONTROL = frozenset((b"if", b"for", b"while", b"switch", b"do", b"else", b"return", b"sizeof"))
#: Words before a parenthesis that is not the argument list of a call.
_NO_CALLS = _CONTROL | frozenset(
    b"case goto _Generic defined asm __asm__ typeof typeof_unqual offsetof "
    b"const struct union enum void int long char unsigned".split()
)
_TYPE_STARTERS = (b"const", b"volatile", b"struct", b"union", b"enum", b"unsigned", b"signed",
                  b"long", b"short", b"char", b"int")  # fmt: skip
_LOOP = b"while"
_ONCE = b"if"
#: A name for a type that is not spelled; it is as long as `auto`.
_ANY = b"any_"
_INITIALIZED = re.compile(rb"[\s*]+\w+\s*=")
#: What inline assembly starts with.
ASM_WORDS = frozenset(
    (b"asm", b"__asm__", b"__asm", b"asm_inline", b"asm_volatile_goto", b"asm_goto_output")
)


@dataclass(frozen=True, slots=True)
class _Draft:
    """The text as it was, as it becomes, and its matching parentheses, closing and opening."""

    body: bytes
    out: bytearray
    closing: Mapping[int, int]
    opening: Mapping[int, int]

    def blank(self, start: int, end: int) -> None:
        self.out[start:end] = spaces(self.body[start:end])

    def put(self, start: int, end: int, text: bytes) -> None:
        """Write text, then blanks, over a stretch that is at least as long."""
        self.blank(start, end)
        self.out[start : start + len(text)] = text


def prepare(body: bytes, attributes: frozenset[bytes] = frozenset()) -> bytes:
    """Return the text to parse. Never raises; length and line ends are those of the body."""
    closing, opening = _pairs(body)
    draft = _Draft(body, bytearray(body), closing, opening)
    table = _table()
    done = 0  # what is rewritten as a whole is not looked into
    for m in _WORD.finditer(body):
        kind = table.get(m.group())
        if m.start() < done:
            continue
        if kind is not None:
            done = _REWRITES[kind](draft, m)
        elif m.group() in attributes:
            done = _annotation_call(draft, m)
    _unknown_heads(draft, words().iterator_pattern.encode(), _LOOP)
    _unknown_heads(draft, words().scoped_prefix.encode(), _ONCE)
    _unknown_blocks(draft)
    _pointer_types(draft)
    for text in _LEVEL.finditer(body):
        draft.blank(*text.span(1))
    _declaring_macros(draft)
    _ambiguous_casts(draft)
    if b"..." in body:
        for m in _CASE_RANGE.finditer(body):
            draft.put(m.start(1), m.end(1), b"||")
    return bytes(draft.out)


def _pairs(body: bytes) -> tuple[Mapping[int, int], Mapping[int, int]]:
    closing: dict[int, int] = {}
    opening: dict[int, int] = {}
    stack: list[int] = []
    for m in _PARENTHESIS.finditer(body):
        at = m.start()
        if m.group() == b"(":
            stack.append(at)
        elif stack:
            begin = stack.pop()
            closing[begin] = at
            opening[at] = begin
    return closing, opening


@cache
def _table() -> Mapping[bytes, str]:
    known = words()
    table = {w.encode(): "word" for w in known.annotations}
    table |= {w.encode(): "call" for w in known.calls}
    table |= {w.encode(): "typeof" for w in known.typeof}
    table |= {w.encode(): "inferred" for w in known.inferred}
    table |= {w.encode(): "opaque" for w in known.opaque}
    table |= {w.encode(): "iterator" for w in known.iterators}
    table |= {w.encode(): "closing" for w in known.closing}
    table |= {w.encode(): "scoped" for w in known.scoped}
    table |= dict.fromkeys(_TYPE_STARTERS, "type")
    table |= dict.fromkeys(ASM_WORDS, "asm")
    return table


def _arguments(draft: _Draft, end: int) -> tuple[int, int] | None:
    """Return the parentheses that follow a word; None where there are none or they do not close."""
    m = _OPENING.match(draft.body, end)
    if m is None or m.end() - 1 not in draft.closing:
        return None
    return m.end() - 1, draft.closing[m.end() - 1]


# Each rewrite returns the offset up to which nothing else is to be rewritten.


def _annotation(draft: _Draft, m: re.Match[bytes]) -> int:
    draft.blank(*m.span())
    return m.end()


def _annotation_call(draft: _Draft, m: re.Match[bytes]) -> int:
    found = _arguments(draft, m.end())
    end = found[1] + 1 if found else m.end()
    draft.blank(m.start(), end)
    return end


def _typeof(draft: _Draft, m: re.Match[bytes]) -> int:
    found = _arguments(draft, m.end())
    if found is None:
        return m.end()
    draft.blank(found[0], found[1] + 1)
    return found[1]


def _inferred(draft: _Draft, m: re.Match[bytes]) -> int:
    """Name some type where a declaration leaves it to the value."""
    if _INITIALIZED.match(draft.body, m.end()):
        draft.put(*m.span(), _ANY)
    return m.end()


def _opaque(draft: _Draft, m: re.Match[bytes]) -> int:
    found = _arguments(draft, m.end())
    if found is None:
        return m.end()
    draft.put(m.start(), found[1] + 1, b"0")
    return found[1]


def _iterator(draft: _Draft, m: re.Match[bytes]) -> int:
    found = _arguments(draft, m.end())
    if found:
        _spell(draft, m.start(), m.end(), found, _LOOP)
    return m.end()


def _closing(draft: _Draft, m: re.Match[bytes]) -> int:
    """Spell `do { } while_each_thread(g, t)` as `while`; a macro that opened a loop closes it."""
    if words().closing_opened_by.encode() in draft.body:
        return _annotation_call(draft, m)
    return _iterator(draft, m)


def _scoped(draft: _Draft, m: re.Match[bytes]) -> int:
    found = _arguments(draft, m.end())
    if found:
        _spell(draft, m.start(), m.end(), found, _ONCE)
    return m.end()


def _spell(draft: _Draft, start: int, end: int, arguments: tuple[int, int], keyword: bytes) -> None:
    """Write a keyword over a macro's name; an empty argument list becomes (1)."""
    draft.put(start, end, keyword)
    opening, closing = arguments
    if not draft.body[opening + 1 : closing].strip() and end - start > len(keyword):
        # Where the name ended, not between the parentheses: these may hold nothing but line ends.
        draft.out[end - 1 : end] = b"("
        draft.out[opening : opening + 1] = b"1"


def _type_in_call(draft: _Draft, m: re.Match[bytes]) -> int:
    """Leave the last word of a type that is an argument: `struct page` becomes `page`."""
    before = _solid_before(draft.body, m.start())
    if before < 0 or draft.body[before] not in b"(,":
        return m.end()
    opening = before if draft.body[before : before + 1] == b"(" else _enclosing(draft, before)
    run = _TYPE_RUN.match(draft.body, m.start())
    if run is not None and _is_call(draft.body, opening):
        draft.blank(run.start(), run.end())
    return m.end()


def _asm(draft: _Draft, m: re.Match[bytes]) -> int:
    """Make inline assembly a constant; lowering reads its operands from the original text.

    Behind a declarator it names a register or a symbol and goes away.
    """
    if not _starts_statement(draft.body, m.start()):
        return _annotation_call(draft, m)
    qualifiers = _QUALIFIERS.match(draft.body, m.end())
    found = _arguments(draft, qualifiers.end() if qualifiers else m.end())
    if found is None:
        return m.end()
    draft.put(m.start(), found[1] + 1, b"0")
    return found[1]


_REWRITES = {
    "word": _annotation,
    "call": _annotation_call,
    "typeof": _typeof,
    "inferred": _inferred,
    "opaque": _opaque,
    "iterator": _iterator,
    "closing": _closing,
    "scoped": _scoped,
    "type": _type_in_call,
    "asm": _asm,
}


def _unknown_heads(draft: _Draft, pattern: bytes, keyword: bytes) -> None:
    """Rewrite a macro that is named like an iterator or a guard and followed by a statement."""
    at = draft.body.find(pattern)
    while at >= 0:
        start = at
        while start and (draft.body[start - 1 : start].isalnum() or draft.body[start - 1] == 95):
            start -= 1
        m = _WORD.match(draft.body, start)
        if m is None:  # it begins with a digit
            at = draft.body.find(pattern, at + len(pattern))
            continue
        found = None if m.group() in _table() else _arguments(draft, m.end())
        if found and _starts_statement(draft.body, start):
            follows = _SOLID.search(draft.body, found[1] + 1)
            if follows and (follows.group().isalpha() or follows.group() in b"_{*"):
                _spell(draft, start, m.end(), found, keyword)
        at = draft.body.find(pattern, m.end())


def _unknown_blocks(draft: _Draft) -> None:
    """Rewrite any other macro with a block: `with_lock(x) {` may run it any number of times."""
    for m in _BLOCK.finditer(draft.body):
        opening = draft.opening.get(m.start())
        if opening is None:
            continue
        name = _WORD_BEFORE.search(draft.body, max(0, opening - 80), opening)
        if name is None or name[1] in _CONTROL or name[1] in _table():
            continue
        intact = draft.out[name.start(1) : m.start()] == draft.body[name.start(1) : m.start()]
        if intact and len(name[1]) >= len(_LOOP) and _starts_statement(draft.body, name.start(1)):
            _spell(draft, name.start(1), name.end(1), (opening, m.start()), _LOOP)


def _pointer_types(draft: _Draft) -> None:
    """Blank the `*` of a pointer type that is an argument."""
    for m in _STAR.finditer(draft.body):
        before = _solid_before(draft.body, m.start())
        if before < 0 or draft.body[before] in b"(,=":
            continue
        opening = draft.opening.get(m.end())
        if opening is None:
            opening = _enclosing(draft, m.end())
        if _is_call(draft.body, opening):
            draft.blank(*m.span())


def _declaring_macros(draft: _Draft) -> None:
    """Blank what cannot stand beside a macro that declares: `static`, an initialiser."""
    if b"static" in draft.body:
        for m in _STATIC_MACRO.finditer(draft.body):
            draft.blank(*m.span())
    for m in _TRAILING.finditer(draft.body):
        draft.blank(*m.span(1))
    for m in _DECLARING.finditer(draft.body):
        closing = draft.closing.get(m.end() - 1)
        follows = _SOLID.search(draft.body, closing + 1) if closing else None
        if follows and follows.group() == b"=":
            end = draft.body.find(b";", follows.start())
            draft.blank(follows.start(), end if end >= 0 else follows.end())


def _ambiguous_casts(draft: _Draft) -> None:
    """Spell the type of `(size_t)-1` as `int`; the grammar would read a difference."""
    for m in _TYPE_CAST.finditer(draft.body):
        intact = draft.out[m.start() : m.end()] == m.group()
        if intact and not _is_call(draft.body, m.start()) and len(m[1]) >= len(b"int"):
            draft.put(*m.span(1), b"int")


def _solid_before(body: bytes, at: int) -> int:
    at -= 1
    while at >= 0 and body[at] in b" \t\n\r\f\v":
        at -= 1
    return at


def _starts_statement(body: bytes, at: int) -> bool:
    before = _solid_before(body, at)
    if before < 0 or body[before] in b"{};:)":
        return True
    return body[: before + 1].endswith((b"else", b"do"))


def _enclosing(draft: _Draft, at: int) -> int:
    """Return the innermost parenthesis that is open at an offset; -1 where there is none."""
    return max((o for o, c in draft.closing.items() if o < at < c), default=-1)


def _is_call(body: bytes, opening: int) -> bool:
    if opening < 0:
        return False
    name = _WORD_BEFORE.search(body, max(0, opening - 80), opening)
    return name is not None and name[1] not in _NO_CALLS
