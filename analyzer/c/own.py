"""Know the names that mean something else in one file than in the rest of the kernel."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from analyzer.c.facts import macros
from analyzer.c.heads import calls, find_head, parse_parameters
from analyzer.c.macros import Macro, every_definition
from analyzer.c.prototypes import prototypes
from analyzer.c.unit import Unit

_WORD = re.compile(r"\w+")
#: A macro with parameters that computes with them, and neither calls nor stores anything.
_COMPUTES = re.compile(r"([A-Za-z_]\w*)\((?!\s*\))[\w\s,]*\)([\w\s&|^~!<>=+*/%?:.()-]*)")
#: A macro with parameters that heads a loop.
_HEADS = re.compile(r"([A-Za-z_]\w*)\((?!\s*\))[\w\s,]*\)\s*(?:for|\w*for_each\w*)\s*\(")
#: What a macro that steps what it is passed does with one of its parameters.
_STEPS = re.compile(
    r"[\s(]*(?:(?:\+\+|--)[\s(]*(\w+)|(\w+)[\s)]*(?:\+\+|--|[+-]?=(?!=)[\w\s()<*+-]+))[\s)]*"
)
_BLOCK = re.compile(r"\s*do\s*\{(.*)\}\s*while\s*\(\s*0\s*\)\s*", re.S)
#: A macro with parameters, and what it stands for.
_STANDS = re.compile(r"([A-Za-z_]\w*)\(([^()]*)\)(.*)", re.S)
#: A macro that is another name for something.
_RENAMES = re.compile(r"([A-Za-z_]\w*)\s+([A-Za-z_]\w*)\s*")
#: A function's name that a macro puts together: `toy_##name(`.
_PASTED = re.compile(r"(\w+(?:\s*##\s*\w+)+)\s*\(")
_CALLED = re.compile(r"(\w+)\s*\(")
#: The body of a function that only returns something, without a store, and how long it may be.
_RETURNS = re.compile(rb"\{\s*return\b([][\w\s()&+<>,.|*-]+);\s*\}\s*")
_SHORT = 256
_CALL = re.compile(r"\b(?!(?:likely|unlikely|IS_ENABLED|sizeof)\b)\w+\s*\(")
_STORE = re.compile(r"(?<![=!<>])=(?!=)|<<=|>>=|\+\+|--")
#: Of so many files it is kept what their macros are: who includes a header asks anew.
_FILES = 1024
#: Set before the name of a file's own function where the kernel has another one of that name.
_STATIC = "static "


def static_name(name: str) -> str:
    """Return how a call of a file's own function is spelled where the kernel has that name, too."""
    return _STATIC + name


def plain_name(name: str) -> str:
    """Return a function's name as it stands in the source."""
    return name.removeprefix(_STATIC)


@dataclass(frozen=True, slots=True)
class Own:
    """What a file says of names by itself.

    macros and functions are names of the kernel's that it gives to macros and static functions of
    its own, macros also those that compute a value, head a loop or do something to pages; they are
    in the order of the file, each from an offset on, and None undefines one.
    ends are functions that are declared not to come back; unsure are macros that do something to
    pages under some `#if` and are something else, a function too, under another. pasted says how
    the names of functions begin and end that macros define which do something to pages.
    """

    macros: tuple[tuple[int, str, Macro | None], ...] = ()
    functions: frozenset[str] = frozenset()
    ends: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    pasted: frozenset[tuple[str, str]] = frozenset()
    _hash: int = field(default=0, init=False, repr=False, compare=False)

    def __hash__(self) -> int:
        # Computed once: each function of the file is looked up by it.
        if not self._hash:
            told = hash((self.macros, self.functions, self.ends, self.unsure, self.pasted))
            object.__setattr__(self, "_hash", told or 1)
        return self._hash

    def at(self, offset: int) -> Mapping[str, Macro]:
        """Return the macros that are defined at an offset."""
        found = {name: macro for start, name, macro in self.macros if start < offset}
        return {name: macro for name, macro in found.items() if macro is not None}

    def is_pasted(self, name: str) -> bool:
        """Tell whether a function of this name may be one that a macro defines."""
        return any(name.startswith(begin) and name.endswith(end) for begin, end in self.pasted)

    def meant(self, called: frozenset[str]) -> frozenset[str]:
        """Return what is called by names: own functions as such, and what the macros call."""
        if not self.functions and not self.macros:
            return called  # as in nearly every file
        found = {static_name(n) if n in self.functions else n for n in called}
        new = set(called)
        while new:
            said = (m for _, name, m in self.macros if name in new and m is not None)
            new = {n for macro in said for n in _said(macro)} - found
            found |= new
        return frozenset(found)


def _said(macro: Macro) -> Iterator[str]:
    """Yield what a macro calls, or is another name of."""
    yield from calls(macro.body.encode("latin-1"))
    if macro.params is None:
        yield macro.body


NOTHING = Own()


def own_macros(unit: Unit, names: Collection[str]) -> Iterator[tuple[int, str, Macro | None]]:
    """Yield the macros of these names that a file defines."""
    if _firsts(unit).isdisjoint(names):
        return
    for start, name, macro in every_definition(unit):
        if name in names:
            yield start, name, macro


@lru_cache(maxsize=_FILES)
def _firsts(unit: Unit) -> frozenset[str]:
    """Return the first words of what a file's preprocessor lines say."""
    firsts = (_WORD.match(line.argument) for line in unit.directives)
    return frozenset(first[0] for first in firsts if first is not None)


@lru_cache(maxsize=_FILES)
def plain_macros(unit: Unit) -> tuple[tuple[int, str, Macro | None], ...]:
    """Return the macros of a file that head loops, or compute with what they are passed or step it.

    Of several under different `#if`, the first.
    """
    names, stepping = set(), set()
    for line in unit.directives:
        if line.keyword == "define" and "(" in line.argument:
            m = _COMPUTES.fullmatch(line.argument)
            if m is None or _CALL.search(m[2]) or _STORE.search(m[2]):
                m = _HEADS.match(line.argument)
            if m is not None:
                names.add(m[1])
            elif (m := _stepping(line.argument)) is not None:
                stepping.add(m[1])
    found: dict[str, tuple[int, str, Macro | None]] = {}
    for start, name, macro in own_macros(unit, names | stepping):
        if name in found and name not in names:
            found[name] = (start, name, None)  # what another one does is not known
        found.setdefault(name, (start, name, macro))
    return tuple(found.values())


@lru_cache(maxsize=_FILES)
def naming_functions(
    unit: Unit, naming: frozenset[str]
) -> tuple[tuple[int, str, Macro | None], ...]:
    """Return the functions of a file that only say which page lies where, as macros would.

    Each returns a page beside one that it is passed, or what one of some names gives it. What it
    is passed stands there once at most.
    """
    found: list[tuple[int, str, Macro | None]] = []
    for name, (d, *others) in unit.definitions.items():
        short = d.static and not others and d.span.end - d.body < _SHORT
        m = _RETURNS.fullmatch(unit.flat, d.body, d.span.end) if short else None
        said = "" if m is None else m[1].decode("latin-1")
        called = frozenset(_CALLED.findall(said))
        head = find_head(unit.flat, d.span.start, d.body) if said and called <= naming else None
        if head is not None and (called or b"page" in unit.flat[head.start : head.opening].split()):
            taken = parse_parameters(unit.flat[head.opening + 1 : head.closing].decode("latin-1"))
            params, words = tuple(p.name for p in taken), _WORD.findall(said)
            if params and all(words.count(p) < 2 for p in params):
                put = re.sub(r"\w+", lambda w: f"({w[0]})" if w[0] in params else w[0], said)  # noqa: B023
                found.append((d.span.start, name, Macro(name, params, f"({put})", d.span)))
    return tuple(found)


def _stepping(definition: str) -> re.Match[str] | None:
    """Match a macro with parameters that does nothing but step some of them on or back."""
    m = _STANDS.match(definition)
    if m is None or ("=" not in m[3] and "++" not in m[3] and "--" not in m[3]):
        return None
    block = _BLOCK.fullmatch(m[3])
    body = m[3] if block is None else block[1]
    if _CALL.search(body):
        return None
    params = _WORD.findall(m[2])
    steps = [_STEPS.fullmatch(part) for part in re.split(r"[,;]", body) if part.strip()]
    done = all(step is not None and (step[1] or step[2]) in params for step in steps)
    return m if steps and done else None


@dataclass(frozen=True, slots=True)
class _Stands:
    """A macro with parameters: what it is called and passed, stands for and calls.

    Or one that is another name for what it is said to call.
    """

    name: str
    params: tuple[str, ...]
    body: str
    called: frozenset[str]


@lru_cache(maxsize=_FILES)
def _standing(unit: Unit) -> tuple[_Stands, ...]:
    """Return the macros with parameters and the other names of a file, of all `#if` arms."""
    found = []
    for line in unit.directives:
        if line.keyword != "define":
            continue
        if (m := _STANDS.match(line.argument)) is not None:
            params, called = tuple(_WORD.findall(m[2])), frozenset(_CALLED.findall(m[3]))
            found.append(_Stands(m[1], params, m[3], called))
        elif (m := _RENAMES.fullmatch(line.argument)) is not None:
            found.append(_Stands(m[1], (), m[2], frozenset({m[2]})))
    return tuple(found)


def wrapping_macros(unit: Unit, moving: Collection[str]) -> frozenset[str]:
    """Return the macros of a file that make such calls, by themselves or through each other.

    So does one that calls what it is passed.
    """
    called: dict[str, set[str]] = {}
    found: set[str] = set()
    for macro in _standing(unit):
        called.setdefault(macro.name, set()).update(macro.called)
        if not macro.called.isdisjoint(macro.params):
            found.add(macro.name)
    while new := {
        name
        for name, names in called.items()
        if name not in found and not (names.isdisjoint(moving) and names.isdisjoint(found))
    }:
        found |= new
    return frozenset(found)


def called_by_macros(unit: Unit) -> tuple[tuple[str, frozenset[str]], ...]:
    """Return what each macro with parameters of a file calls, those of all `#if` arms."""
    return tuple((macro.name, macro.called) for macro in _standing(unit))


def pasted_names(unit: Unit, wrapping: Collection[str]) -> frozenset[tuple[str, str]]:
    """Return how the names of functions begin and end that such macros of a file define."""
    found = set()
    for macro in _standing(unit):
        if macro.name not in wrapping or "{" not in macro.body:
            continue
        for name in _PASTED.findall(macro.body):
            first, *_, last = ("" if w in macro.params else w for w in _WORD.findall(name))
            found.add((first, last))
    return frozenset(found - {("", "")})


def own_functions(unit: Unit, names: Collection[str]) -> frozenset[str]:
    """Return those of the names that a file gives to static functions of its own."""
    found = unit.definitions
    return frozenset(n for n in found.keys() & names if all(d.static for d in found[n]))


@lru_cache(maxsize=_FILES)
def ending_functions(unit: Unit) -> frozenset[str]:
    """Return the functions that a file declares, or defines, as ones that do not come back."""
    if not any(word.encode() in unit.flat for word in macros().attributes):
        return frozenset()
    heads = [(p.name, unit.flat[p.span.start : p.span.end]) for p in prototypes(unit)]
    back: set[str] = set()  # the other arm of an `#if` may define it as one that comes back
    for name, found in unit.definitions.items():
        own = [(name, unit.flat[d.span.start : d.body]) for d in found]
        heads += own
        if found[0].static and not all(_ends(head) for _, head in own):
            back.add(name)
    return frozenset(name for name, head in heads if _ends(head)) - back


def _ends(head: bytes) -> bool:
    return not macros().attributes.isdisjoint(_WORD.findall(head.decode("latin-1")))
