"""Find the names that macros put together: `PG_##x` with `reserved` for x uses PG_reserved."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from analyzer.audit.names import Names, lower_names
from analyzer.c.macros import Macro, macro_definitions
from analyzer.c.unit import Unit
from analyzer.program.arguments import argument_spans

_PASTED = re.compile(r"(?<!#)\b(\w+)\s*##\s*(\w+)\b(?!\s*##)")
#: The head of a function that a macro makes: what makes accessors is no use of them.
_MADE = re.compile(r"##\s*\w+\s*\([^()]*\)\s*\{")
#: What makes a text of an argument.
_SPELT = re.compile(r"\b__stringify\b|(?<!#)#(?!#)")
_ARGUMENT = re.compile(rb"[\s(]*(\w+)[\s)]*")
_CALL = r"\b{}\s*\("


@dataclass(frozen=True, slots=True)
class Paster:
    """A macro that puts a beginning before some of its arguments; file limits it to one file.

    spells tells whether it makes a text of the argument as well: the name is told to a reader.
    """

    word: str
    file: str
    pastes: frozenset[tuple[int, str]]  # which argument, behind which beginning
    spells: bool


@dataclass(frozen=True, slots=True, order=True)
class Pasted:
    """Where an argument stands that becomes a name, which, and whether it becomes a text, too."""

    start: int
    end: int
    word: str
    spelled: bool


#: The macros that paste, by word and file.
Pasters = Mapping[tuple[str, str], Paster]


def beginnings_of(names: Names, labels: Iterable[str]) -> frozenset[str]:
    """Return what may stand before `##` where a macro makes one of the names for a flag."""
    ends = {*labels, *lower_names(names)}
    return frozenset(
        word[: -len(end)] for word in names for end in ends if word.endswith(end) and word != end
    )


def searched(beginnings: Collection[str]) -> frozenset[str]:
    """Return the beginnings to search a tree for: a word of English stands in every other file."""
    return frozenset(b for b in beginnings if b != "Page")


def pasters_of(
    units: Mapping[str, Unit], beginnings: Collection[str], held: Pasters
) -> dict[tuple[str, str], Paster]:
    """Return the macros of some files that paste, or hand on to one that does; held are known."""
    found: dict[tuple[str, str], Paster] = {}
    words = [b.encode() for b in beginnings]
    passed = [p.word.encode() for p in held.values()]
    for path in sorted(units):
        unit = units[path]
        pastes = b"##" in unit.code and any(w in unit.code for w in words)
        if not pastes and not any(w in unit.code for w in passed):
            continue
        for macro in macro_definitions(unit).values():
            file = "" if path.endswith(".h") else path
            made = _paster(macro, path, file, beginnings, held)
            key = (macro.name, file)
            if made.pastes and not (key in held and made.pastes <= held[key].pastes):
                found[key] = made
    return found


def _paster(
    macro: Macro, path: str, file: str, beginnings: Collection[str], held: Pasters
) -> Paster:
    """Return what a macro pastes, by itself or through macros that are known to."""
    params = macro.params or ()
    if not params or _MADE.search(macro.body):
        return Paster(macro.name, file, frozenset(), spells=False)
    pastes = {
        (params.index(m[2]), m[1])
        for m in _PASTED.finditer(macro.body)
        if m[1] in beginnings and m[1] not in params and m[2] in params
    }
    spells = _SPELT.search(macro.body) is not None
    body = macro.body.encode("latin-1", "replace")
    for paster in _known_in(path, held):
        for _, arguments in _invocations(paster.word, body):
            for n, beginning in paster.pastes:
                name = arguments[n][1] if n < len(arguments) else ""
                if name in params:
                    pastes.add((params.index(name), beginning))
                    spells = spells or paster.spells
    return Paster(macro.name, file, frozenset(pastes), spells)


def pasted_in(unit: Unit, pasters: Pasters, names: Names) -> Iterator[Pasted]:
    """Yield every place of a file at which a macro is handed what makes one of the names."""
    for paster in _known_in(unit.path, pasters):
        for start, arguments in _invocations(paster.word, unit.code):
            for n, beginning in sorted(paster.pastes):
                if n < len(arguments):
                    at, text = arguments[n]
                    word = f"{beginning}{text}"
                    if text and word in names:
                        yield Pasted(start + at, start + at + len(text), word, paster.spells)


def _known_in(path: str, pasters: Pasters) -> Iterator[Paster]:
    return (pasters[key] for key in sorted(pasters) if key[1] in ("", path))


def _invocations(word: str, code: bytes) -> Iterator[tuple[int, list[tuple[int, str]]]]:
    """Yield where the arguments of each call of a macro begin; of each its offset and its name.

    An argument that is more than a name has none.
    """
    if word.encode() not in code:
        return
    for m in re.finditer(_CALL.format(word).encode(), code):
        spans, closed = argument_spans(code, m.end())
        if closed:
            yield m.end(), [_named(code, start, end, m.end()) for start, end in spans]


def _named(code: bytes, start: int, end: int, at: int) -> tuple[int, str]:
    whole = _ARGUMENT.fullmatch(code, start, end)
    return (start - at, "") if whole is None else (whole.start(1) - at, whole[1].decode("latin-1"))
