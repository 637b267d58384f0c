"""Decide, without interpreting anything, that a patch cannot change the state of any page.

Sound with regard to the analysis: only where nothing that it would read differs is a patch idle.
A function matters to the analysis where it reaches an operation on a page (`Interest`), and to
do so it must name one, or a function that does. So a changed function that names nothing of the
kind cannot matter, nor can one that no page's way leads through.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from analyzer.base import Pair
from analyzer.c.blank import blank_ranges
from analyzer.c.unit import Unit, scan_unit
from analyzer.flow.analyse import Prepared
from analyzer.flow.interest import Interest
from analyzer.flow.params import page_params
from analyzer.flow.program import FunctionId, Program
from analyzer.pages.facts import Facts
from analyzer.tree import Tree, is_source

_TOKEN = re.compile(rb"\w+|[^\w\s]|\n")
_WORD = re.compile(rb"[A-Za-z_]\w*")
#: Words by which a parameter may be a page.
_PAGES = frozenset({"page", "folio", "notifier_block"})
#: Build files decide under which configuration a file counts.
_BUILD = ("Makefile", "Kbuild")

NO_CODE = "the patch touches no C code"
NO_STATEMENT = "the patch changes comments and blanks only"
NO_PAGE = "no page comes through what the patch changes"


def idle_by_text(trees: Pair[Tree], changed: Iterable[str]) -> str | None:
    """Return why a patch changes no page's state, by its text alone; None where it may."""
    paths = [path for path in changed if _counts(path)]
    if not paths:
        return NO_CODE
    for path in paths:
        before, after = trees.before.read(path), trees.after.read(path)
        if before is None or after is None or not is_source(path):
            return None
        if _tokens(scan_unit(path, before)) != _tokens(scan_unit(path, after)):
            return None
    return NO_STATEMENT


def changed_code(trees: Pair[Tree], changed: Iterable[str]) -> tuple[bytes, ...]:
    """Return the code that a patch changes, of both sides: whole functions, and other lines."""
    found: list[bytes] = []
    for path in changed:
        if is_source(path):
            units = [scan_unit(path, t.read(path) or b"") for t in (trees.before, trees.after)]
            functions = [_functions(unit) for unit in units]
            lines = [set(_around(unit).split(b"\n")) for unit in units]
            found += sorted(lines[0] ^ lines[1])
            for name in sorted(functions[0].keys() | functions[1].keys()):
                texts = [side.get(name, b"") for side in functions]
                if differ(*texts):
                    found += texts
    return tuple(found)


def _functions(unit: Unit) -> dict[str, bytes]:
    """Return the blanked text of each function, head and body."""
    return {
        name: b"\n".join(unit.code[d.span.start : d.span.end] for d in found)
        for name, found in unit.definitions.items()
    }


def _around(unit: Unit) -> bytes:
    """Return the blanked text of a file without the bodies of its functions."""
    return blank_ranges(unit.code, _body_ranges(unit))


def _counts(path: str) -> bool:
    return is_source(path) or posixpath.basename(path) in _BUILD


def _tokens(unit: Unit) -> list[bytes]:
    """Return a file's tokens without comments and the insides of quotes."""
    return _tokens_of(unit.code)


def _tokens_of(code: bytes) -> list[bytes]:
    """Return the tokens of blanked text; a line end counts where a directive ends."""
    tokens: list[bytes] = []
    for line in code.replace(b"\\\n", b"  ").split(b"\n"):
        tokens.extend(_TOKEN.findall(line))
        if line.lstrip().startswith(b"#"):
            tokens.append(b"\n")
    return tokens


def idle_by_names(prepared: Pair[Prepared], changed: Iterable[str]) -> str | None:
    """Return why a patch changes no page's state, by what its functions name; None where it may.

    Any function of the files that were read may matter here, so nothing needs to be lowered.
    """
    edits = _edits(prepared, changed)
    if edits is None:
        return None
    for tree in (prepared.before, prepared.after):
        mentioned = _closure(edits, tree.program)
        if mentioned & _PAGES or mentioned & _spoken_of(tree):
            return None
        if mentioned & _defined(tree.program, edits.paths):
            return None
    return NO_PAGE


def _closure(edits: _Edits, program: Program) -> frozenset[str]:
    """Return what changed functions name, and what the functions beside them name in turn."""
    found, todo = set(edits.mentioned), list(edits.mentioned)
    while todo:
        name = todo.pop()
        for path in edits.paths:
            for definition in program.unit(path).definitions.get(name, ()):
                unit = program.unit(path)
                more = _WORD.findall(unit.code[definition.span.start : definition.span.end])
                new = {w.decode("latin-1") for w in more} - found
                found |= new
                todo.extend(new)
    return frozenset(found)


def idle_by_interest(
    prepared: Pair[Prepared], interests: Pair[Interest], changed: Iterable[str]
) -> str | None:
    """Return why a patch changes no page's state, by the functions that matter; None where it may.

    interests are what of each tree matters by itself.
    """
    edits = _edits(prepared, changed)
    if edits is None or interests.before != interests.after:
        return None
    followed = interests.before.strong | interests.before.weak
    if edits.functions & followed:
        return None
    for tree in (prepared.before, prepared.after):
        if edits.mentioned & (_spoken_of(tree) | _slots(tree.program, followed)):
            return None
        if edits.mentioned & {name for _, name in followed}:
            return None
    if any(_params(prepared.before, f) != _params(prepared.after, f) for f in edits.functions):
        return None
    return NO_PAGE


@dataclass(frozen=True, slots=True)
class _Edits:
    """Which functions differ between the trees, and every word that either side of them has."""

    paths: frozenset[str]
    functions: frozenset[FunctionId]
    mentioned: frozenset[str]


def _edits(prepared: Pair[Prepared], changed: Iterable[str]) -> _Edits | None:
    """Return what a patch changes within functions; None where it changes anything else."""
    paths = frozenset(changed)
    functions: set[FunctionId] = set()
    words: set[bytes] = set()
    read = {posixpath.dirname(path) for path in prepared.after.program.paths}
    for path in sorted(paths):
        if not is_source(path):
            if _counts(path) and posixpath.dirname(path) in read:
                return None
            paths -= {path}
            continue
        if not (prepared.before.program.has(path) and prepared.after.program.has(path)):
            return None
        units = Pair(prepared.before.program.unit(path), prepared.after.program.unit(path))
        if differ(*(frame_of(u) for u in (units.before, units.after))):
            return None
        bodies = units.map(bodies_of)
        for name in sorted(bodies.before.keys() | bodies.after.keys()):
            one, other = bodies.before.get(name, b""), bodies.after.get(name, b"")
            if differ(one, other):
                functions.add((path, name))
                words.update(_tokens_of(one), _tokens_of(other))
    identifiers = (w.decode("latin-1") for w in words if _WORD.fullmatch(w))
    return _Edits(paths, frozenset(functions), frozenset(identifiers))


def differ(one: bytes, other: bytes) -> bool:
    """Tell whether texts differ in more than blanks; most are the same, and are not taken apart."""
    return one != other and _tokens_of(one) != _tokens_of(other)


def frame_of(unit: Unit) -> bytes:
    """Return the text of a file without its functions' bodies: heads, macros, objects."""
    pieces, at = [], 0
    for start, end in sorted(_body_ranges(unit)):
        pieces.append(unit.code[at:start])
        at = max(at, end)
    return b" ".join((*pieces, unit.code[at:]))


def bodies_of(unit: Unit) -> dict[str, bytes]:
    """Return the text of each function's bodies."""
    return {
        name: b"\n".join(unit.code[d.body : d.span.end] for d in found)
        for name, found in unit.definitions.items()
    }


def _body_ranges(unit: Unit) -> Iterator[tuple[int, int]]:
    for found in unit.definitions.values():
        for definition in found:
            yield definition.body, definition.span.end


def _spoken_of(tree: Prepared) -> frozenset[str]:
    """Return every name that the law and the facts speak of."""
    return frozenset((*tree.law.space.operations, *spoken_words(tree.facts)))


def spoken_words(facts: Facts) -> frozenset[str]:
    """Return every name that the facts speak of."""
    registrars = (name for chain in facts.chains.values() for name in (chain.call, *chain.register))
    lists = facts.lists
    return frozenset(
        (
            *facts.identities,
            *facts.allocators,
            *facts.range_allocators,
            *facts.sinks,
            *facts.resets,
            *facts.origins,
            *facts.entries,
            *facts.index_of,
            *facts.search,
            *(chain.field for chain in facts.chains.values()),
            *registrars,
            *lists.put,
            *lists.take,
            *lists.entry,
            *lists.first,
            *lists.step,
            *lists.iterators,
        )
    )


def _defined(program: Program, paths: frozenset[str]) -> frozenset[str]:
    """Return the functions of the files that were read, but for those that the patch touches.

    And every name that a function of theirs is called through or stored into.
    """
    read = tuple(id for id in program.functions() if id[0] not in paths)
    names = {name for _, name in read}
    slots = _slots(program, read)
    return frozenset(names | slots)


def _slots(program: Program, functions: Iterable[FunctionId]) -> frozenset[str]:
    """Return the variables and fields that functions are stored into or call through."""
    found: set[str] = set()
    for id in functions:
        found |= program.stored_in(id[1]) | program.pointers(id)
    return frozenset(found)


def _params(tree: Prepared, id: FunctionId) -> frozenset[int]:
    return page_params(tree.program, tree.facts, id)
