"""Find what a patch changes in a file: functions, names that mean something else, other lines."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from typing import TypeVar

from analyzer.base import Pair
from analyzer.c.blank import blank_ranges
from analyzer.c.constants import enumerators
from analyzer.c.ir import Definition
from analyzer.c.macros import macro_definitions
from analyzer.c.own import ending_functions
from analyzer.c.unit import KEYWORD_NAMES, Unit, scan_unit
from analyzer.program.arguments import sizes_of
from analyzer.tree import Tree, is_source

T = TypeVar("T")
_TOKEN = re.compile(rb"\w+|[^\w\s]|\n")
_WORD = re.compile(r"[A-Za-z_]\w*")
_IDENTIFIER = re.compile(rb"[A-Za-z_]\w*")
_CONTINUED = re.compile(rb"\\[ \t]*\n")
#: What a header for all the kernel brings is known by name, whoever includes it.
_SHARED = re.compile(rb"#[ \t]*include[ \t]*<")
_CONDITIONAL = re.compile(r"# ?(?:if|ifdef|ifndef|elif|elifdef|elifndef|else|endif|undef)\b")
#: Where a name is declared, set or called: the types before it are left out.
_DECLARED = re.compile(r"\b([A-Za-z_]\w*)\s*(?=[=;,\[\](){:]|\Z)")


@dataclass(frozen=True, slots=True)
class Edits:
    """What two versions of a file differ in.

    functions are those whose body or head differs, or that only one version has; named is what
    means something else in one of the versions: such functions, macros, enumerators, and functions
    that only one of them declares as ones that do not come back. lines are those around the
    functions that differ, blanked, and declared the names in them that are no types. is_framed
    tells whether more differs than bodies; turned, whether a conditional directive does, so that
    the same text may count now and did not before; includes, whether other files are included,
    those for all the kernel aside; resized, whether a function that may be called takes another
    number of arguments.
    """

    functions: frozenset[str]
    named: frozenset[str] = frozenset()
    lines: tuple[str, ...] = ()
    declared: frozenset[str] = frozenset()
    is_framed: bool = False
    turned: bool = False
    includes: bool = False
    resized: bool = False

    @property
    def words(self) -> frozenset[str]:
        """Return the identifiers in the lines around the functions."""
        return frozenset(word for line in self.lines for word in _WORD.findall(line))


@lru_cache(maxsize=64)  # each way to tell that a patch is idle asks anew
def edits_of(units: Pair[Unit]) -> Edits:
    """Return what two versions of a file differ in."""
    inside = frozenset(_different(units.map(lambda u: _texts(u, _body))))
    includes = includes_of(units.before) != includes_of(units.after)
    if not includes and not differ(frame_of(units.before), frame_of(units.after)):
        return Edits(inside)
    lines = _lines_apart(units.map(_around))
    heads = frozenset(_different(units.map(lambda u: _texts(u, _head))))
    macros, constants = _different(units.map(_macros)), _different(units.map(enumerators))
    ends = ending_functions(units.before) ^ ending_functions(units.after)
    known = heads & units.before.definitions.keys() & units.after.definitions.keys()
    return Edits(
        functions=inside | heads,
        named=frozenset((*heads, *macros, *constants, *ends)),
        lines=lines,
        declared=frozenset(n for line in lines for n in _DECLARED.findall(line)) - KEYWORD_NAMES,
        is_framed=True,
        turned=any(_CONDITIONAL.match(line) for line in lines),
        includes=includes,
        resized=any(_is_resized(name, units) for name in known),
    )


def _is_resized(name: str, units: Pair[Unit]) -> bool:
    """Tell whether a function takes another number of arguments, and somebody may call it."""
    if sizes_of(units.before, name) == sizes_of(units.after, name):
        return False
    called = re.findall(rb"\b%b\s*\(" % re.escape(name.encode()), units.after.code)
    return len(called) > len(units.after.definitions[name]) or name in exported(units.after)


def exported(unit: Unit) -> frozenset[str]:
    """Return the functions of a file that others can call."""
    found = unit.definitions.items()
    return frozenset(name for name, ds in found if not all(d.static for d in ds))


def _different(sides: Pair[Mapping[str, T]]) -> Iterator[str]:
    """Yield the names that stand for something else, or for nothing, on one of the sides."""
    for name in sides.before.keys() | sides.after.keys():
        one, other = sides.before.get(name), sides.after.get(name)
        if isinstance(one, bytes) and isinstance(other, bytes):
            if differ(one, other):
                yield name
        elif one != other:
            yield name


def includes_of(unit: Unit) -> list[bytes]:
    """Return the directives by which a file includes what is not for all the kernel."""
    return [
        unit.text[line.start : line.end]
        for line in unit.directives
        if line.keyword == "include" and not _SHARED.match(unit.text, line.start)
    ]


def _lines_apart(sides: Pair[list[str]]) -> tuple[str, ...]:
    """Return the lines that differ; one that has changed its place is one of them."""
    return tuple(
        line
        for tag, i, j, m, n in SequenceMatcher(None, sides.before, sides.after).get_opcodes()
        if tag != "equal"
        for line in (*sides.before[i:j], *sides.after[m:n])
    )


def _around(unit: Unit) -> list[str]:
    """Return the lines around a file's functions, blanks folded, without what counts nowhere."""
    spans = (_whole(d) for found in unit.definitions.values() for d in found)
    text = _CONTINUED.sub(b" ", blank_ranges(unit.code, spans))
    lines = (b" ".join(line.split()) for line in text.split(b"\n"))
    return [line.decode("latin-1") for line in lines if line and not _SHARED.match(line)]


def _macros(unit: Unit) -> dict[str, object]:
    return {name: (m.params, m.body) for name, m in macro_definitions(unit).items()}


def differ(one: bytes, other: bytes) -> bool:
    """Tell whether texts differ in more than blanks; most are the same, and are not taken apart."""
    return one != other and tokens_of(one) != tokens_of(other)


def tokens_of(code: bytes) -> list[bytes]:
    """Return the tokens of blanked text; a line end counts where a directive ends."""
    tokens: list[bytes] = []
    for line in code.replace(b"\\\n", b"  ").split(b"\n"):
        tokens.extend(_TOKEN.findall(line))
        if line.lstrip().startswith(b"#"):
            tokens.append(b"\n")
    return tokens


def frame_of(unit: Unit) -> bytes:
    """Return the text of a file without its functions' bodies: heads, macros, objects."""
    pieces, at = [], 0
    for start, end in sorted(_body(d) for found in unit.definitions.values() for d in found):
        pieces.append(unit.code[at:start])
        at = max(at, end)
    return b" ".join((*pieces, unit.code[at:]))


def _texts(unit: Unit, part: Callable[[Definition], tuple[int, int]]) -> dict[str, bytes]:
    """Return a part of the text of each function; of several definitions of one name all."""
    return {
        name: b"\n".join(unit.code[slice(*part(d))] for d in found)
        for name, found in unit.definitions.items()
    }


def _whole(d: Definition) -> tuple[int, int]:
    return d.span.start, d.span.end


def _head(d: Definition) -> tuple[int, int]:
    return d.span.start, d.body


def _body(d: Definition) -> tuple[int, int]:
    return d.body, d.span.end


@lru_cache(maxsize=8192)
def identifiers(unit: Unit, name: str, *, head: bool = True) -> frozenset[str]:
    """Return every word in a function, in its body and, unless that is left out, in its head."""
    return frozenset(
        word.decode("latin-1")
        for d in unit.definitions.get(name, ())
        for word in _IDENTIFIER.findall(unit.code[d.span.start if head else d.body : d.span.end])
    )


def changed_code(trees: Pair[Tree], changed: Iterable[str]) -> tuple[bytes, ...]:
    """Return the code that a patch changes, of both sides: whole functions, and other lines."""
    found: list[bytes] = []
    for path in changed:
        if is_source(path):
            units = [scan_unit(path, t.read(path) or b"") for t in (trees.before, trees.after)]
            functions = [_texts(unit, _whole) for unit in units]
            lines = [set(frame_of(unit).split(b"\n")) for unit in units]
            found += sorted(lines[0] ^ lines[1])
            for name in sorted(functions[0].keys() | functions[1].keys()):
                texts = [side.get(name, b"") for side in functions]
                if differ(*texts):
                    found += texts
    return tuple(found)
