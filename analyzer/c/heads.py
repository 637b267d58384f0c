"""Read the heads of function definitions and prototypes: names, parameters, types."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from analyzer.c.facts import Definer, macros, words
from analyzer.c.ir import Param

_WORD_BEFORE = re.compile(rb"([A-Za-z_]\w*)\s*\Z")
_POINTER = re.compile(rb"\s*(?:\w+\s*)?\*\s*(?:\w+\s+)*?([A-Za-z_]\w*)\s*\(")
_SOLID = re.compile(rb"\S")
_CALL = re.compile(rb"\b([A-Za-z_]\w*+)\s*+\(")
_MEMBER = re.compile(rb"\s*\.\s*\w")  # `define_odd(x) { .name = ... }` is no function
_PARENTHESIS = re.compile(rb"[()]")
_IDENT = re.compile(r"[A-Za-z_]\w*")
_POINTER_NAME = re.compile(
    r"\(\s*(?:\w+\s+)*\*\s*(?:const\s+)?([A-Za-z_]\w*)\s*(\[[^\]]*\]\s*)?[()]"
)
_LAST_NAME = re.compile(r"([A-Za-z_]\w*)\s*((?:\[[^\]]*\]\s*)*)\Z")
_SPECIFIERS = frozenset({"static", "inline", "extern", "register", "__inline", "__inline__"})
_NO_NAMES = frozenset(
    word.decode()
    for word in b"if while for switch return sizeof do else case goto struct union enum const "
    b"volatile unsigned signed int long short char void bool _Bool float double defined asm "
    b"__asm__ typedef".split()
)


@dataclass(frozen=True, slots=True)
class Head:
    """Where the parts of a function head stand; opening and closing are its parentheses."""

    name: str
    start: int
    opening: int
    closing: int
    static: bool
    definer: Definer | None


def find_head(flat: bytes, begin: int, brace: int) -> Head | None:
    """Return the function head that ends before an opening brace; None: no function."""
    if flat.find(b"(", begin, brace) < 0 or _MEMBER.match(flat, brace + 1):
        return None
    groups = _groups(flat, begin, brace)
    known = words()
    if not groups or not _only_annotations(flat[groups[-1][1] + 1 : brace]):
        return None
    for at in range(len(groups) - 1, -1, -1):
        opening, closing, _, name = groups[at]
        if name in known.calls or name in known.typeof:
            continue
        if name.startswith("__") and _is_behind_parameters(flat, groups, at):
            continue  # an annotation that is not known
        if not name and at:
            pointed = _POINTER.match(flat, groups[at - 1][0] + 1)
            if pointed is None:
                return None
            start = _start(flat, groups, at - 1, begin)
            inner = pointed.end() - 1
            return _head(flat, start, pointed[1].decode("latin-1"), inner, flat.find(b")", inner))
        if not name or name in _NO_NAMES:
            return None
        return _head(flat, _start(flat, groups, at, begin), name, opening, closing)
    return None


def _is_behind_parameters(flat: bytes, groups: list[tuple[int, int, int, str]], at: int) -> bool:
    """Tell whether nothing but annotations stands between a group's name and a parameter list."""
    known = words()
    while at and not flat[groups[at - 1][1] + 1 : groups[at][2]].strip():
        at -= 1
        if groups[at][3] in known.typeof:
            return False
        if groups[at][3] not in known.calls:
            return True
    return False


def _head(flat: bytes, start: int, name: str, opening: int, closing: int) -> Head | None:
    before = flat[start:opening].decode("latin-1")
    if "=" in before or before.startswith("typedef"):
        return None
    known = words()
    specifiers = [w for w in before.split() if w not in known.annotations]
    static = "static" in specifiers
    definer = None
    if all(w in _SPECIFIERS for w in specifiers[:-1]):
        definer = next((d for d in known.definers if d.pattern.fullmatch(name)), None)
    if definer is not None:
        argument = flat[opening + 1 : closing].split(b",")[0].strip().decode("latin-1")
        if not _IDENT.fullmatch(argument):
            return None
        name = definer.prefix + argument
    return Head(name, start, opening, closing, static, definer)


def _groups(flat: bytes, begin: int, end: int) -> list[tuple[int, int, int, str]]:
    """List the outermost parentheses: (opening, closing, where the word before starts, word)."""
    found = []
    depth, opening, previous = 0, begin, begin
    for m in _PARENTHESIS.finditer(flat, begin, end):
        if m.group() == b"(":
            if depth == 0:
                opening = m.start()
            depth += 1
        elif depth:
            depth -= 1
            if depth == 0:
                word = _WORD_BEFORE.search(flat[previous:opening])
                at = previous + word.start() if word else opening
                found.append((opening, m.start(), at, word[1].decode("latin-1") if word else ""))
                previous = m.end()
    return found


def _start(flat: bytes, groups: list[tuple[int, int, int, str]], at: int, begin: int) -> int:
    """Return where the specifiers before a group's name start."""
    known = words()
    while at and (groups[at - 1][3] in known.calls or groups[at - 1][3] in known.typeof):
        at -= 1
    start = groups[at - 1][1] + 1 if at else begin
    found = _SOLID.search(flat, start)
    return found.start() if found else start


def _only_annotations(after: bytes) -> bool:
    known = words().annotations
    return all(w in known or w.startswith("__") for w in after.decode("latin-1").split())


def split_arguments(text: str) -> tuple[str, ...]:
    """Split at commas outside brackets; each part is stripped, none for blank text."""
    parts, depth, begin = [], 0, 0
    for at, char in enumerate(text):
        if char in "([{":
            depth += 1
        elif char in ")]}":
            depth -= 1
        elif char == "," and depth <= 0:
            parts.append(text[begin:at].strip())
            begin = at + 1
    parts.append(text[begin:].strip())
    return tuple(parts) if len(parts) > 1 or parts[0] else ()


def parse_parameters(text: str) -> tuple[Param, ...]:
    """Return the parameters of a list without its parentheses; `...` is a Param of that type."""
    found = tuple(_parameter(p) for p in split_arguments(text))
    return () if len(found) == 1 and found[0] == Param("", "void") else found


def paired_parameters(text: str) -> tuple[Param, ...]:
    """Return the parameters of a list in which types and names take turns after a first name."""
    parts = split_arguments(text)[1:]
    return tuple(Param(n, plain_type(t)) for t, n in zip(parts[::2], parts[1::2], strict=False))


def plain_type(text: str) -> str:
    """Spell a type without annotations and storage, one blank between words."""
    known = words()
    for name in sorted(known.calls):
        if name in text:
            text = re.sub(rf"\b{name}\s*\([^()]*(?:\([^()]*\)[^()]*)*\)", " ", text)
    kept = [
        w
        for w in re.findall(r"\w+\s*(?:\((?=[^*]).*\))?|\.\.\.|\[[^\]]*\]|[^\w\s]", text)
        if w.strip() not in known.annotations and w.strip() not in _SPECIFIERS
    ]
    return " ".join(" ".join(kept).split()).replace("* *", "**").replace("* *", "**")


def _parameter(text: str) -> Param:
    pointer = _POINTER_NAME.search(text)
    if pointer:
        spelled = text[: pointer.start(1)] + text[pointer.end(1) :]
        return Param(pointer[1], " ".join(spelled.split()))
    spelled = plain_type(text)
    last = _LAST_NAME.search(spelled)
    if last is None or last[1] in _NO_NAMES or last[1] == "const":
        return Param("", spelled)
    before = spelled[: last.start()].strip()
    if not before or before.split()[-1] in ("struct", "union", "enum") or before == "const":
        return Param("", spelled)
    return Param(last[1], f"{before} {last[2]}".strip())


#: A function that is passed, or its address, as the last argument or before others.
_FUNCTION = re.compile(r"[&\s]*([A-Za-z_]\w*)\s*(?:\)|$)")


def calls(text: bytes) -> Iterator[str]:
    """Yield the identifiers before an opening parenthesis, and the functions that calls run."""
    for m in _CALL.finditer(text):
        name = m[1].decode("latin-1")
        if name not in _NO_NAMES:
            yield name
    for name, passed in macros().runs.items():
        for call in text.split(name.encode())[1:]:
            yield from _run(call, passed.function)


def _run(call: bytes, at: int) -> Iterator[str]:
    """Yield the function that a call, from its parenthesis on, is passed at a position and runs."""
    given = split_arguments(call.partition(b"(")[2].partition(b";")[0].decode("latin-1"))
    for argument in given[at:][:1]:
        if (run := _FUNCTION.match(argument)) is not None:
            yield run[1]
