"""Decide, without interpreting anything, that a patch cannot change the state of any page.

Sound with regard to the analysis: only where nothing that it would read differs is a patch idle.
A function matters to the analysis where it reaches an operation on a page (`Interest`), and to
do so it must name one, or a function that does. So a changed function that names nothing of the
kind cannot matter, nor can one that no page's way leads through.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analyzer.base import FunctionId, Pair
from analyzer.c.constants import enumerators
from analyzer.c.macros import macro_definitions
from analyzer.c.unit import KEYWORD_NAMES, Unit, scan_unit
from analyzer.flow.analyse import Prepared, holders_of
from analyzer.idle.edits import Edits, edits_of, exported, identifiers
from analyzer.idle.nearby import NO_PAGE, counts, list_words, spoken_words
from analyzer.program.interest import Interest
from analyzer.program.params import page_params
from analyzer.program.program import Program
from analyzer.tree import is_source

#: A function that is declared, or a macro that is used, outside of functions.
_DECLARED = re.compile(r"\b([A-Za-z_]\w*)\s*\(")
#: Words by which a parameter may be a page.
_PAGES = frozenset({"page", "folio", "notifier_block"})


def idle_by_names(prepared: Pair[Prepared], changed: Iterable[str]) -> str | None:
    """Return why a patch changes no page's state, by what its functions name; None where it may.

    Any function of the files that were read may matter here, so nothing needs to be lowered.
    """
    edits = _edits(prepared, changed)
    if edits is None or edits.reframed:
        return None
    for tree in (prepared.before, prepared.after):
        program = tree.program
        if _leads_to(_PAGES | _spoken_of(tree) | _defined(program, edits.paths), edits, program):
            return None
    return NO_PAGE


def _leads_to(names: frozenset[str], edits: _Edits, program: Program) -> bool:
    """Tell whether changed functions name one of some names, or functions beside them that do."""
    defining: dict[str, list[Unit]] = {}
    for unit in map(program.unit, edits.paths):
        for name in unit.definitions:
            defining.setdefault(name, []).append(unit)
    found, new = set[str](), set(edits.mentioned)
    while new and names.isdisjoint(new):
        found |= new
        said = (identifiers(unit, name) for name in new for unit in defining.get(name, ()))
        new = set[str]().union(*said) - found
    return bool(new)


def idle_by_interest(
    prepared: Pair[Prepared], interests: Pair[Interest], changed: Iterable[str]
) -> str | None:
    """Return why a patch changes no page's state, by the functions that matter; None where it may.

    interests are what of each tree matters by itself.
    """
    edits = _edits(prepared, changed)
    if edits is None or interests.before != interests.after:
        return None
    before, after = prepared.before, prepared.after
    if before.law != after.law or before.numbers != after.numbers:
        return None
    matter = _matter(before, interests.before)
    if matter != _matter(after, interests.after) or edits.functions & matter:
        return None
    for tree in (before, after):
        program, spoken = tree.program, _spoken_of(tree)
        # Whoever puts a page that matters on a list is among the functions that matter.
        if edits.mentioned & (spoken - list_words(tree.facts) | _slots(program, matter)):
            return None
        if edits.mentioned & {name for _, name in matter}:
            return None
        if edits.named & spoken:
            return None
        if edits.named and any(
            edits.named & identifiers(program.unit(path), name) for path, name in matter
        ):
            return None
    if any(_params(before, f) != _params(after, f) for f in edits.functions):
        return None
    if edits.reframed & {path for path, _ in matter}:
        return None
    return NO_PAGE


def _matter(tree: Prepared, interest: Interest) -> frozenset[FunctionId]:
    """Return all functions of a tree that the analysis can come into."""
    return interest.strong | interest.weak | interest.givers | {*holders_of(tree, interest)}


@dataclass(frozen=True, slots=True)
class _Edits:
    """Which functions differ between the trees, and every word that either side of them has.

    reframed are the files of which more differs than the bodies of functions, and mentioned holds
    the words there; named is what another file may name and means something else now.
    """

    paths: frozenset[str]
    functions: frozenset[FunctionId]
    mentioned: frozenset[str]
    reframed: frozenset[str] = frozenset()
    named: frozenset[str] = frozenset()


def _edits(prepared: Pair[Prepared], changed: Iterable[str]) -> _Edits | None:
    """Return what a patch changes in the files that were read; None where that cannot be told."""
    found = edited(prepared, changed)
    if found is None:
        return None
    functions: set[FunctionId] = set()
    words: set[str] = set()
    reframed: set[str] = set()
    named: set[str] = set()
    for path, (units, edits) in found.items():
        if edits.resized:
            return None  # whoever calls with the old number of arguments is looked for
        if not (units.before.text or units.after.text):
            return None  # not to be read
        functions |= {(path, name) for name in edits.functions}
        if edits.is_framed:
            reframed.add(path)
            words |= edits.words
            named |= met_outside(units, edits)
        for unit in (units.before, units.after):
            for name in edits.functions:
                words |= identifiers(unit, name, head=edits.is_framed)
    return _Edits(
        frozenset(found),
        frozenset(functions),
        frozenset(words),
        frozenset(reframed),
        frozenset(named),
    )


def edited(
    prepared: Pair[Prepared], changed: Iterable[str]
) -> Mapping[str, tuple[Pair[Unit], Edits]] | None:
    """Return the sources that a patch changes, with the edits; None for any other patch.

    It may change what is built, what could not be read, or what a header includes.
    """
    found: dict[str, tuple[Pair[Unit], Edits]] = {}
    programs = (prepared.before.program, prepared.after.program)
    read = {posixpath.dirname(path) for program in programs for path in program.paths}
    for path in sorted(changed):
        if not is_source(path):
            if counts(path) and posixpath.dirname(path) in read:
                return None
            continue
        one, other = (_unit_of(program, path) for program in programs)
        if one is None or other is None:
            return None
        edits = edits_of(Pair(one, other))
        if path.endswith(".h") and edits.includes:
            return None  # a file with what matters may include it
        found[path] = (Pair(one, other), edits)
    return found


def _unit_of(program: Program, path: str) -> Unit | None:
    """Return a file, empty where the tree has none; None where it could not be read."""
    if program.has(path):
        return program.unit(path)
    return scan_unit(path, b"") if program.is_absent(path) else None


def met_outside(units: Pair[Unit], edits: Edits) -> frozenset[str]:
    """Return the names by which other files meet what a file's edits change."""
    sides = (units.before, units.after)
    if not units.after.path.endswith(".h"):
        return edits.named & (exported(units.before) | exported(units.after))
    lines = (line for line in edits.lines if not line.startswith("#"))
    names = {*edits.named, *(name for line in lines for name in _DECLARED.findall(line))}
    if edits.turned:
        names.update(*((*u.definitions, *macro_definitions(u), *enumerators(u)) for u in sides))
    return frozenset(names) - KEYWORD_NAMES


def _spoken_of(tree: Prepared) -> frozenset[str]:
    """Return every name that the law and the facts speak of."""
    return frozenset((*tree.law.space.operations, *spoken_words(tree.facts)))


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
