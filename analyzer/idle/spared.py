"""Tell which of the roots a patch cannot reach: what they show is the same in both trees.

From a root one goes wherever a name leads, and further from there. Where all that is met on the way
has the same text in both trees, names mean the same, and what is asked of the files that pages come
through is answered alike, a walk of either tree is a walk of the other. Nothing that it shows is
new, and nothing is gone. It need not be made.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from analyzer.base import FunctionId, Pair
from analyzer.c import ir
from analyzer.c.unit import Unit
from analyzer.flow.analyse import Prepared
from analyzer.flow.asks.common import Common, common_in
from analyzer.flow.domain.activation import types_of
from analyzer.idle.edits import Edits
from analyzer.idle.leads import Leads
from analyzer.idle.relevance import edited, met_outside
from analyzer.migrations import Described, Forbidden
from analyzer.pages.aside import is_harmless, speaks_of_pages
from analyzer.program.interest import Interest
from analyzer.program.params import is_of_pages
from analyzer.program.parts import Part, Reach
from analyzer.program.program import Program
from analyzer.program.references import takes
from analyzer.program.shape import expressions_of, names_in

#: A type that is wide enough for a page frame number or a physical address.
_NUMBER = re.compile(r"\blong\b|\bu64\b|addr_t\b")
#: Where a field is declared that holds pages.
_POINTS = rb"\bstruct\s+(?:page|folio)\s*\*[^;{}]*\b%s\b"


def sparing(
    prepared: Pair[Prepared], changed: Iterable[str], described: Iterable[Described]
) -> Callable[[Interest, Sequence[Part]], Mapping[Part, Reach]]:
    """Return what tells which parts of the roots a patch cannot reach, and what they would meet.

    Where pages of others come through the same functions, what becomes of all of them is compared.
    Whether a tree has a described migration all of its roots may tell.
    """
    told = any(_is_told_by_all(migration, prepared.after) for migration in described)
    patch = None if told else _patch(prepared, changed)

    def spare(interest: Interest, parts: Sequence[Part]) -> Mapping[Part, Reach]:
        if patch is None:
            return {}
        leads = prepared.map(lambda p: Leads(p.program, p.facts))
        spared = {p: reach for p in parts if (reach := _reach(patch, interest, p, leads))}
        others = [root for part in parts if part not in spared for root in part]
        walked = {*leads.before.near(others), *leads.after.near(others)}
        while shared := [p for p, r in spared.items() if not walked.isdisjoint(r.functions)]:
            for part in shared:
                walked |= spared.pop(part).functions
        return spared

    return spare


def _is_told_by_all(migration: Described, tree: Prepared) -> bool:
    """Tell whether it takes more than the pages at hand to know that a tree has a migration."""
    if migration.forbids(Forbidden.CLEAR_BEFORE_FREEING) and not tree.types_forgotten:
        return False  # it has it not
    if any(not tree.law.space.holding(label) for label in migration.become_types):
        return False
    handed_on = any(p.handed_on_by or p.made_by for p in migration.populations)
    return handed_on or migration.forbids(Forbidden.USE_AS_BIT)


@dataclass
class _Patch:
    """What a patch changes, in two trees that are alike in all else.

    edits are those of each file in which code differs; functions those whose text does, and named
    what another file may name and means something else.
    """

    prepared: Pair[Prepared]
    edits: Mapping[str, Edits]
    functions: frozenset[FunctionId]
    named: frozenset[str]

    @property
    def programs(self) -> Pair[Program]:
        """Return the functions of both trees."""
        return self.prepared.map(lambda p: p.program)

    @property
    def framed(self) -> frozenset[str]:
        """Return the files in which more differs than the bodies of functions."""
        return frozenset(path for path, edits in self.edits.items() if edits.is_framed)


def _patch(prepared: Pair[Prepared], changed: Iterable[str]) -> _Patch | None:
    """Return what a patch changes; None where that is too much to go by names."""
    before, after = prepared.before, prepared.after
    if before is after or before.law != after.law or before.numbers != after.numbers:
        return None
    if before.types_forgotten != after.types_forgotten:
        return None
    found = edited(prepared, changed)
    if found is None or any(e.turned for path, (_, e) in found.items() if path.endswith(".h")):
        return None
    edits = {path: e for path, (_, e) in found.items() if e.functions or e.is_framed}
    framed = (met_outside(*found[path]) for path, e in edits.items() if e.is_framed)
    named = frozenset[str]().union(*framed)
    functions = frozenset((path, name) for path, e in edits.items() for name in e.functions)
    return _Patch(prepared, edits, functions, named)


def _reach(patch: _Patch, interest: Interest, part: Part, leads: Pair[Leads]) -> Reach | None:
    """Return what would be met from roots; None where the patch has to do with some of it."""
    near = leads.after.near(part)
    if near != leads.before.near(part) or not near.isdisjoint(patch.functions):
        return None
    met = leads.after.far(part)
    if met is None or met != leads.before.far(part) or not met.isdisjoint(patch.functions):
        return None
    words = frozenset().union(*map(leads.after.words, met))
    if words != frozenset().union(*map(leads.before.words, met)):
        return None
    if not words.isdisjoint(patch.named) or not patch.framed.isdisjoint(p for p, _ in met):
        return None
    matter = frozenset(id for id in met if any(interest.role(id)))
    entered = matter.union(part, leads.after.pointed(met))
    if not _are_alike(patch, interest, frozenset(path for path, _ in entered)):
        return None
    one, other = patch.programs.before, patch.programs.after
    if any(one.is_undefined(word) != other.is_undefined(word) for word in words):
        return None
    names = partial(leads.after.name, met)
    return Reach(entered, names, frozenset(_unread(entered, patch.prepared.after)))


def _unread(entered: Iterable[FunctionId], tree: Prepared) -> Iterator[str]:
    """Yield the functions that pages may be passed to, of which no definition was read."""
    program = tree.program
    for id in entered:
        unknown = frozenset(n for n in program.called(id) if _is_unknown(n, id[0], tree))
        for function, variant in program.bodies(id) if unknown else ():
            read, types = frozenset(_read_in(variant)), types_of(function, variant)
            for step in variant.steps:
                match step:
                    case ir.Call(result, ir.Name(name), args) if name in unknown:
                        held = (_may_be_page(a, types, program.unit(id[0])) for a in args)
                        counts = result.id in read and speaks_of_pages(name)
                        if any(h or (h is None and counts) for h in held):
                            yield name


def _is_unknown(name: str, path: str, tree: Prepared) -> bool:
    """Tell whether nothing is known of what a function does that a name means in a file."""
    return (
        not tree.program.resolve(name, path)
        and name not in tree.law.space.operations
        and name not in tree.facts.opaque
        and not tree.facts.speaks_of(name)
        and (speaks_of_pages(name) or not is_harmless(name))
    )


def _read_in(variant: ir.Variant) -> Iterator[str]:
    """Yield the names that a body reads."""
    for block in variant.blocks:
        for step in block.instructions:
            yield from (name for e in expressions_of(step) for name in names_in(e))
        match block.end:
            case ir.Branch(e) | ir.Return(e) if e is not None:
                yield from names_in(e)


def _may_be_page(e: ir.Expr, types: Mapping[str, str], unit: Unit) -> bool | None:
    """Tell whether an argument may be a page; None where it may be a page's number."""
    held = [types.get(name, "") for name in names_in(e)]
    if any(map(is_of_pages, held)):
        return True
    match e:
        case ir.Field(name=name) | ir.Index(ir.Field(name=name)):
            return re.search(_POINTS % re.escape(name).encode(), unit.code) is not None
    return None if any(map(_NUMBER.search, held)) else False


def _are_alike(patch: _Patch, interest: Interest, paths: frozenset[str]) -> bool:
    """Tell whether what is asked of files, and of the folders that they stand in, is the same.

    What functions of one file do to pages is held against each other, whoever calls them.
    """
    if not paths.isdisjoint(patch.edits):
        return False
    for folder in {posixpath.dirname(path) for path in paths}:
        if any(path.endswith(".h") and path.startswith(f"{folder}/") for path in patch.framed):
            return False  # what a file takes from a header beside it, others take from there, too
        if beside := [path for path in patch.edits if posixpath.dirname(path) == folder]:
            told = patch.prepared.map(partial(_told, folder, beside, interest))
            if told.before != told.after:
                return False
    return True


def _told(
    folder: str, beside: Iterable[str], interest: Interest, tree: Prepared
) -> tuple[Common, list[str]]:
    """Return the conditions of a folder, and which of some files take references to pages."""
    program = tree.program
    taking = [p for p in beside if program.has(p) and takes(p, program, tree.facts)]
    return common_in(folder, program, interest, tree.law.space), taking
