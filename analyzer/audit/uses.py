"""Find every use of the flags in a tree's text, and say of every other mention what it is."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import NamedTuple

from analyzer.audit.names import Name, Names, lower_names, verb_of
from analyzer.audit.pasted import (
    Paster,
    Pasters,
    beginnings_of,
    pasted_in,
    pasters_of,
    searched,
)
from analyzer.base import Span
from analyzer.c.ir import Definition
from analyzer.c.unit import LARGEST, Unit, scan_unit
from analyzer.pages.facts import Words, load_facts
from analyzer.program.program import Program
from analyzer.spelling import usual_names
from analyzer.tree import Tree
from analyzer.tree.words import places_of

#: Wrappers of wrappers are followed so far.
_ROUNDS = 3
_EXPORT = re.compile(rb"\bEXPORT_\w+\s*\(\s*$")
_NAMED = re.compile(rb"#[ \t]*(?:undef|ifdef|ifndef)[ \t]+$|\bdefined[ \t]*\(?[ \t]*$")
_DEFINE = re.compile(rb"#[ \t]*define[ \t]+(\w+)")
_OWN_VALUE = re.compile(rb"^[ \t]*#[ \t]*define[ \t]+(\w+)(?![\w(])[ \t]*(\S.*)$", re.M)
_BESIDE = re.compile(rb"\s*,\s*\"(\w+)\"\s*\}")
_GIVEN = re.compile(rb"\b(\w+)\s*=\s*$")  # what is given the value that follows
_CALLED = re.compile(rb"\b(\w+)\s*\(\s*$")  # what is called with what follows
_ENDS = re.compile(rb"\s*[,}]")
_NEAR = 200  # so far back they are looked for
_PAGE = re.compile(r"\bstruct (?:page|folio|ptdesc)\b")


@dataclass(frozen=True, slots=True)
class Use:
    """One use: where it stands, in which function, by which name."""

    name: Name
    span: Span
    function: str  # empty at file scope
    pasted: bool = False  # a macro puts the name together of what stands there
    spelled: bool = False  # beside a text that names it, for a reader

    @property
    def file(self) -> str:
        """Return the file that it stands in."""
        return self.span.file


class _Hit(NamedTuple):
    """Where a name stands, or what a macro makes one of."""

    start: int
    end: int
    word: str
    pasted: bool = False
    spelled: bool = False


@dataclass(frozen=True, slots=True)
class Mention:
    """A word that is no use, and why.

    kind is "comment", "string", "definition" (a declaration, too, and a value that the file itself
    calls so), "wrapper" (the text of a macro that is a name itself, so that its uses count) or
    "dead" (`#if 0`).
    """

    word: str
    kind: str
    span: Span


@dataclass(frozen=True, slots=True)
class Found:
    """Every place where one of the words stands or is put together: uses and mentions are all."""

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
    common header that applies one to a page that it is handed. What a macro puts together is a use
    where its argument stands.
    """
    known = _Known(names)
    units: dict[str, Unit] = {}
    words = known.words
    for _ in range(_ROUNDS):
        hits = tree.search(words)
        program.add(hits)
        for path in hits:
            if path not in units:
                units[path] = program.unit(path) if program.has(path) else _scanned(tree, path)
        words = known.grow(units)
        if not words:
            break
    held, pasters = known.names, known.pasters
    held = {w: _resolved(n, held) for w, n in held.items()}
    places = [p for path in sorted(units) for p in _places(units[path], held, pasters)]
    return Found(
        uses=tuple(p for p in places if isinstance(p, Use)),
        mentions=tuple(p for p in places if isinstance(p, Mention)),
        names=held,
    )


class _Known:
    """The names that are known by now, and the macros that put some of them together."""

    def __init__(self, names: Names) -> None:
        self.names = dict(names)
        self.pasters: dict[tuple[str, str], Paster] = {}
        self._beginnings = beginnings_of(names, {n.label for n in names.values() if n.label})

    @property
    def words(self) -> frozenset[str]:
        """Return the words to search a tree for first."""
        return frozenset(self.names) | searched(self._beginnings)

    def grow(self, units: Mapping[str, Unit]) -> frozenset[str]:
        """Learn from some files what wraps or pastes, and return the words to search for next."""
        pasters = pasters_of(units, self._beginnings, self.pasters)
        self.pasters.update(pasters)
        names = {n.word: n for path in sorted(units) for n in _aliases(units[path], self.names)}
        found = names | {
            n.word: n
            for path in sorted(units)
            for n in _wrappers(units[path], {**names, **self.names}, self.pasters)
        }
        new = {w: n for w, n in found.items() if w not in self.names or not self.names[w].verb}
        self.names.update(new)
        words = {n.word for n in new.values() if not n.file}
        return frozenset(words | {p.word for p in pasters.values() if not p.file})


def first_words(names: Names) -> frozenset[str]:
    """Return the words that a tree is searched for to find the names and what makes one of them."""
    return _Known(names).words


def likely_wrappers(names: Names, tree: Tree, scan: Callable[[str, bytes], Unit]) -> frozenset[str]:
    """Return words that will be searched for, as the files show in which the names stand."""
    known, units = _Known(names), dict[str, Unit]()
    for path in tree.search(known.words):
        text = tree.read(path)
        if text is not None and len(text) <= LARGEST and not path.endswith(".S"):
            units[path] = scan(path, text)
    words: set[str] = set()
    for _ in range(_ROUNDS):
        words |= known.grow(units)
    return frozenset(words - names.keys())


def _scanned(tree: Tree, path: str) -> Unit:
    """Return a file that no function is looked for in: assembly, or a list of registers."""
    return scan_unit(path, tree.read(path) or b"")


def _resolved(name: Name, names: Names) -> Name:
    """Return a name that does what the one does that it stands for."""
    if name.label or name.through not in names:
        return name
    meant = names[name.through]
    return replace(name, verb=meant.verb, label=meant.label)


def _hits(names: Iterable[str], text: bytes) -> list[_Hit]:
    """Return where one of the names stands as a whole word, in order."""
    # A plain search for each name is faster than a pattern of all of them.
    return sorted(
        _Hit(at, at + len(name), name) for name in names for at in places_of(name.encode(), text)
    )


def _all_hits(unit: Unit, text: bytes, names: Names, pasters: Pasters) -> list[_Hit]:
    """Return where names stand in a text of a file, and where macros put some together."""
    pasted = pasted_in(unit, pasters, names)
    made = (_Hit(p.start, p.end, p.word, pasted=True, spelled=p.spelled) for p in pasted)
    plain = (m._replace(spelled=_is_spelled(unit, m, names)) for m in _hits(names, text))
    return sorted([*plain, *made])


def _is_spelled(unit: Unit, m: _Hit, names: Names) -> bool:
    """Tell whether a bit stands in braces together with a text that names it."""
    name = names[m.word]
    beside = _BESIDE.match(unit.text, m.end) if name.verb == "names" else None
    return beside is not None and beside[1].decode() in {
        *usual_names(name.label),
        *lower_names([name.word]),
    }


def _aliases(unit: Unit, names: Names) -> Iterator[Name]:
    """Yield the enumerators that are given the value of a bit."""
    for word, name in names.items():
        if name.verb != "names":
            continue
        for at in places_of(word.encode(), unit.code):
            m = _GIVEN.search(unit.code, max(at - _NEAR, 0), at)
            if m and _ENDS.match(unit.code, at + len(word)) and _is_enumerator(unit.flat, at):
                yield Name(m[1].decode("latin-1"), "names", name.label, name.file, word)


def _wrappers(unit: Unit, names: Names, pasters: Pasters) -> Iterator[Name]:
    """Yield what applies a name to what it is handed, with what it does to the flag."""
    layout = _Layout(unit)
    shared = unit.path.endswith(".h")
    inside: dict[tuple[str, str], list[Name]] = {}
    for m in _all_hits(unit, unit.code, names, pasters):
        name = names[m.word]
        if name.file not in ("", unit.path):
            continue
        macro = layout.macro(m.start)
        around = layout.function(m.start)
        verb = _verb_at(unit.code, m.start, name)
        name = replace(name, verb=verb, spelled=name.spelled or m.spelled)
        if macro and macro != name.word:
            inside.setdefault((macro, "" if shared else unit.path), []).append(name)
        elif around is not None and m.start > around.body and name.verb:
            known = names.get(around.name)
            head = unit.flat[around.span.start : around.body].decode("latin-1")
            common = unit.path.startswith("include/") and around.static and _PAGE.search(head)
            if common or (known is not None and not known.verb):
                inside.setdefault((around.name, ""), []).append(name)
            elif around.static and known is None:
                for word in _callers(around.name, unit, names):
                    inside.setdefault((word, ""), []).append(name)
    for (word, file), held in inside.items():
        first = next((n for n in held if n.label), held[0])
        spelled = all(n.spelled for n in held)
        yield Name(word, verb_of(n.verb for n in held), first.label, file, first.word, spelled)


def _verb_at(code: bytes, at: int, name: Name) -> str:
    """Return what is done to a bit that is named in a call which is about one bit of a word."""
    m = _CALLED.search(code, max(at - _NEAR, 0), at) if name.verb == "names" else None
    if m is None:
        return name.verb
    words, call = _bit_calls(), m[1].decode("latin-1")
    doing = (("clears", words.cleared_by), ("sets", words.set_by), ("reads", words.tested_by))
    return next((verb for verb, calls in doing if call in calls), name.verb)


@cache
def _bit_calls() -> Words:
    """Return which calls are about one bit of a word; the file is read once."""
    return load_facts().words


def _callers(helper: str, unit: Unit, names: Names) -> Iterator[str]:
    """Yield the users of which nobody knows yet what they do that call a function of a file."""
    for word, name in names.items():
        for d in unit.definitions.get(word, ()) if not name.verb else ():
            body = unit.flat[d.body : d.span.end]
            if any(True for _ in places_of(helper.encode(), body)):
                yield word


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


def _places(unit: Unit, names: Names, pasters: Pasters) -> Iterator[Use | Mention]:
    """Yield every place of a file where one of the words stands or is put together, in order."""
    layout, other = _Layout(unit), _others(unit, names)
    for m in _all_hits(unit, unit.text, names, pasters):
        name = names[m.word]
        if name.file not in ("", unit.path):
            continue
        kind = _kind(unit, m, layout, names) or ("definition" if m.word in other else "")
        span = unit.span(m.start, m.end)
        if not kind:
            around = layout.function(m.start)
            spelled = m.spelled or name.spelled
            yield Use(name, span, around.name if around else "", m.pasted, spelled)
        elif not m.pasted:
            yield Mention(name.word, kind, span)


def _others(unit: Unit, names: Names) -> frozenset[str]:
    """Return the accessors whose name a file gives to a value of its own."""
    found = ((m[1].decode("latin-1"), m[2]) for m in _OWN_VALUE.finditer(unit.code))
    return frozenset(
        word
        for word, value in found
        if word in names
        and names[word].verb != "names"
        and not any(w.decode("latin-1") in names for w in re.findall(rb"\w+", value))
    )


def _kind(unit: Unit, m: _Hit, layout: _Layout, names: Names) -> str:
    """Say what a word is where it is no use; nothing where it is one."""
    start, end = m.start, m.end
    word = unit.code[start:end] if m.pasted else m.word.encode()
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
    if _is_value(unit.flat, start) or _is_passed(unit.flat, start, end):
        return ""
    return "definition"


def _quoted(unit: Unit, at: int) -> str:
    """Tell a word in a comment from one in a string: only the quotes of a string stay in code."""
    begin = unit.text.rfind(b"\n", 0, at) + 1
    quotes = unit.code.count(b'"', begin, at)
    return "string" if quotes % 2 else "comment"


def _is_value(flat: bytes, at: int) -> bool:
    """Tell a value in an initialiser from a declaration or an enumerator."""
    begin = max(flat.rfind(b";", 0, at), flat.rfind(b"\n}", 0, at)) + 1
    return b"=" in flat[begin:at] and not _is_enumerator(flat, at)


def _is_enumerator(flat: bytes, at: int) -> bool:
    """Tell whether an offset lies in the braces of an enum."""
    begin = max(flat.rfind(b";", 0, at), flat.rfind(b"\n}", 0, at)) + 1
    return re.search(rb"\benum\b[^=]*\{", flat[begin:at]) is not None


def _is_passed(flat: bytes, start: int, end: int) -> bool:
    """Tell a call in what a macro is handed outside of functions, TRACE_EVENT() say."""
    if not flat[end : end + 80].lstrip().startswith(b"("):
        return False
    begin = start
    while begin > 0 and not (flat[begin - 1] == 10 and flat[begin : begin + 1].isalpha()):
        begin -= 1
    return flat.count(b"(", begin, start) > flat.count(b")", begin, start)
