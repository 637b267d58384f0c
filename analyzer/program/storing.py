"""Tell stores into the words of a page that hold its type and flags from other stores."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import cache

from analyzer.c import ir
from analyzer.data import read_facts
from analyzer.pages.facts import Words

#: Stands among the names that a function calls where it stores so.
STORING = "page->"
#: Stands among them where it has to do with the word that holds a page's type.
READING = "page->page_type"


def storing(body: bytes) -> frozenset[str]:
    """Return the name that stands for stores into the words of a page, where a body has some."""
    if not any(field in body for field in _fields()):
        return frozenset()  # most bodies: a pattern takes twenty times as long to say so
    for found in _pattern().finditer(body):
        if found["call"] is None or _called(body, found.end("call")) not in _readers():
            return frozenset((STORING,))
    return frozenset()


def reading(body: bytes) -> frozenset[str]:
    """Return the name that stands for what has to do with a page's type, where a body has some."""
    return frozenset((READING,) if any(field in body for field in _fields(holding="type")) else ())


def _called(body: bytes, end: int) -> bytes:
    """Return the name that ends at an offset."""
    start = end
    while start and (body[start - 1 : start].isalnum() or body[start - 1 : start] == b"_"):
        start -= 1
    return body[start:end]


@cache
def _fields(*, holding: str = "") -> tuple[bytes, ...]:
    words = read_facts("kernel/pages.toml")["word"]
    names = [w["field"] for w in words if holding in ("", w["holds"])]
    return tuple(f"{access}{name}".encode() for name in names for access in (">", "."))


@cache
def _readers() -> frozenset[bytes]:
    return frozenset(name.encode() for name in read_facts("kernel/pages.toml")["words"]["read_by"])


@cache
def _pattern() -> re.Pattern[bytes]:
    words = read_facts("kernel/pages.toml")["word"]
    alone = "|".join(w["field"] for w in words if w["alone"])
    others = "|".join(w["field"] for w in words if not w["alone"])
    # Of a field that many structures have, only that of a variable that is called a page.
    page = r"\b\w*(?:page|folio)\w*(?:\[[^\]]*\])?"
    field = rf"(?:(?:->|\.)(?:{alone})|{page}(?:->|\.)(?:{others}))\b"
    assigned = rf"{field}\s*(?:[-+|&^]|<<|>>)?=(?!=)"
    passed = rf"(?P<call>(?:set|xchg|bit|store|WRITE)\w*)\s*\([^()]*{field}"
    return re.compile(f"{assigned}|{passed}".encode())


def words_in(e: ir.Expr, words: Words) -> Iterator[ir.Field]:
    """Yield what of an expression may be a word of a page, by the name of its field."""
    while isinstance(e, ir.Field | ir.Index):
        if isinstance(e, ir.Field) and (e.name in words.types or e.name in words.flags):
            yield e
        e = e.base


def is_word(e: ir.Expr, words: Words) -> bool:
    """Tell whether an expression may be (a part of) a word of a page."""
    return any(True for _ in words_in(e, words))


def flag_of(bit: str, words: Words, flags: Iterable[str]) -> str | None:
    """Return which of some flags a bit such as `PG_kept_back` is; None where it is none of them."""
    spelled = bit.removeprefix(words.bits).replace("_", "").lower()
    return next((f for f in sorted(flags) if f.lower() == spelled), None)
