"""Find every use of the flags in a tree's text, and say of every other mention what it is."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from analyzer.audit.names import Name, Names, verb_of
from analyzer.base import Span
from analyzer.c.ir import Definition
from analyzer.c.unit import Unit, scan_unit
from analyzer.flow.program import LARGEST, Program
from analyzer.tree import Tree
from analyzer.tree.words import places_of

#: Wrappers of wrappers are followed so far.
_ROUNDS = 3
_EXPORT = re.compile(rb"\bEXPORT_\w+\s*\(\s*$")
_NAMED = re.compile(rb"#[ \t]*(?:undef|ifdef|ifndef)[ \t]+$|\bdefined[ \t]*\(?[ \t]*$")
_DEFINE = re.compile(rb"#[ \t]*define[ \t]+(\w+)")
_PAGE = re.compile(r"\bstruct (?:page|folio|ptdesc)\b")


@dataclass(frozen=True, slots=True)
class Use:
    """One use: where it stands, in which function, by which name."""

    name: Name
    span: Span
    function: str  # empty at file scope

    @property
    def file(self) -> str:
        """Return the file that it stands in."""
        return self.span.file


class _Hit(NamedTuple):
    """Where a name stands."""

    start: int
    end: int
    word: str


@dataclass(frozen=True, slots=True)
class Mention:
    """A word that is no use, and why.

    kind is "comment", "string", "definition" (a declaration, too), "wrapper" (the text of a macro
    that is a name itself, so that its uses count) or "dead" (`#if 0`).
    """

    word: str
    kind: str
    span: Span


@dataclass(frozen=True, slots=True)
class Found:
    """Every place where one of the words stands: uses and mentions are all of them."""

    uses: tuple[Use, ...]
    mentions: tuple[Mention, ...]
    names: Names

    @property
    def words(self) -> int:
        """Count the places."""
        return len(self.uses) + len(self.mentions)


def find_uses(names: Names, program: Program, tree: Tree) -> Found:
    """Search a tree for names, and for whatever wraps one.

    A macro that stands for one of the names is a name itself; so is an inline function of a
    common header that applies one to a page that it is handed.
    """
    held, new = dict(names), names
    units: dict[str, Unit] = {}
    for _ in range(_ROUNDS):
        hits = tree.search([n.word for n in new.values() if not n.file])
        program.add(hits)
        for path in hits:
            if path not in units:
                units[path] = program.unit(path) if program.has(path) else _scanned(tree, path)
        new = _wrapped(units, held)
        held.update(new)
        if not new:
            break
    held = {w: _resolved(n, held) for w, n in held.items()}
    places = [p for path in sorted(units) for p in _places(units[path], held)]
    return Found(
        uses=tuple(p for p in places if isinstance(p, Use)),
        mentions=tuple(p for p in places if isinstance(p, Mention)),
        names=held,
    )


def _wrapped(units: Mapping[str, Unit], held: Names) -> dict[str, Name]:
    """Return what wraps one of the names in some files, and is no name yet or has no verb."""
    found = {n.word: n for path in sorted(units) for n in _wrappers(units[path], held)}
    return {w: n for w, n in found.items() if w not in held or not held[w].verb}


def likely_wrappers(names: Names, tree: Tree, scan: Callable[[str, bytes], Unit]) -> frozenset[str]:
    """Return words that will be searched for, as the files show in which the names stand."""
    held, units = dict(names), dict[str, Unit]()
    for path in tree.search(names):
        text = tree.read(path)
        if text is not None and len(text) <= LARGEST and not path.endswith(".S"):
            units[path] = scan(path, text)
    for _ in range(_ROUNDS):
        held.update(_wrapped(units, held))
    return frozenset(n.word for n in held.values() if not n.file and n.word not in names)


def _scanned(tree: Tree, path: str) -> Unit:
    """Return a file that no function is looked for in: assembly, or a list of registers."""
    return scan_unit(path, tree.read(path) or b"")


def _resolved(name: Name, names: Names) -> Name:
    """Return a name that does what the one does that it stands for."""
    if name.label or name.through not in names:
        return name
    meant = names[name.through]
    return Name(name.word, meant.verb, meant.label, name.file, name.through)


def _hits(names: Iterable[str], text: bytes) -> list[_Hit]:
    """Return where one of the names stands as a whole word, in order."""
    # A plain search for each name is faster than a pattern of all of them.
    return sorted(
        _Hit(at, at + len(name), name) for name in names for at in places_of(name.encode(), text)
    )


def _wrappers(unit: Unit, names: Names) -> Iterator[Name]:
    """Yield what applies a name to what it is handed, with what it does to the flag."""
    layout = _Layout(unit)
    shared = unit.path.endswith(".h")
    inside: dict[tuple[str, str], list[Name]] = {}
    for m in _hits(names, unit.code):
        name = names[m.word]
        if name.file not in ("", unit.path):
            continue
        macro = layout.macro(m.start)
        around = layout.function(m.start)
        if macro and macro != name.word:
            inside.setdefault((macro, "" if shared else unit.path), []).append(name)
        elif around is not None and m.start > around.body and name.verb:
            known = names.get(around.name)
            head = unit.flat[around.span.start : around.body].decode("latin-1")
            common = unit.path.startswith("include/") and around.static and _PAGE.search(head)
            if common or (known is not None and not known.verb):
                inside.setdefault((around.name, ""), []).append(name)
    for (word, file), held in inside.items():
        first = next((n for n in held if n.label), held[0])
        yield Name(word, verb_of(n.verb for n in held), first.label, file, first.word)


class _Layout:
    """Tell in which function or macro of a file an offset lies."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._functions = sorted(
            (d for found in unit.definitions.values() for d in found), key=lambda d: d.span.start
        )
        self._starts = [d.span.start for d in self._functions]
        self._lines = unit.directives
        self._line_starts = [d.start for d in unit.directives]

    def function(self, at: int) -> Definition | None:
        """Return the definition around an offset, its head included."""
        n = bisect_right(self._starts, at) - 1
        return self._functions[n] if n >= 0 and at < self._functions[n].span.end else None

    def macro(self, at: int) -> str:
        """Return the macro in whose text an offset lies, or nothing."""
        n = bisect_right(self._line_starts, at) - 1
        if n < 0 or at >= self._lines[n].end or self._lines[n].keyword != "define":
            return ""
        m = _DEFINE.match(self._unit.code, self._lines[n].start)
        return m[1].decode("latin-1") if m and at > m.end(1) else ""

    def is_directive(self, at: int) -> bool:
        """Tell whether an offset lies in a line of the preprocessor."""
        n = bisect_right(self._line_starts, at) - 1
        return n >= 0 and at < self._lines[n].end


def _places(unit: Unit, names: Names) -> Iterator[Use | Mention]:
    """Yield every place of a file where one of the words stands, in order."""
    layout = _Layout(unit)
    for m in _hits(names, unit.text):
        name = names[m.word]
        if name.file not in ("", unit.path):
            continue
        kind = _kind(unit, m, layout, names)
        span = unit.span(m.start, m.end)
        if kind:
            yield Mention(name.word, kind, span)
        else:
            around = layout.function(m.start)
            yield Use(name, span, around.name if around else "")


def _kind(unit: Unit, m: _Hit, layout: _Layout, names: Names) -> str:
    """Say what a word is where it is no use; nothing where it is one."""
    start, end, word = m.start, m.end, m.word.encode()
    if unit.code[start:end] != word:
        return _quoted(unit, start)
    line = unit.code[unit.code.rfind(b"\n", 0, start) + 1 : start]
    if _NAMED.search(line) or _EXPORT.search(line):
        return "definition"
    if layout.is_directive(start):
        macro = layout.macro(start)
        return "wrapper" if macro in names else "" if macro else "definition"
    if unit.flat[start:end] != word:
        return "dead"
    around = layout.function(start)
    if around is not None:
        return "definition" if start < around.body else ""
    if unit.path.endswith(".S"):
        return ""
    return "" if _is_value(unit.flat, start) else "definition"


def _quoted(unit: Unit, at: int) -> str:
    """Tell a word in a comment from one in a string: only the quotes of a string stay in code."""
    begin = unit.text.rfind(b"\n", 0, at) + 1
    quotes = unit.code.count(b'"', begin, at)
    return "string" if quotes % 2 else "comment"


def _is_value(flat: bytes, at: int) -> bool:
    """Tell a value in an initialiser from a declaration or an enumerator."""
    begin = max(flat.rfind(b";", 0, at), flat.rfind(b"\n}", 0, at)) + 1
    before = flat[begin:at]
    return b"=" in before and not re.search(rb"\benum\b[^=]*\{", before)
