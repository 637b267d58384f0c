"""Audit one tree: follow the pages, find the uses, trace them, judge them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analyzer.audit.facts import load_provenance
from analyzer.audit.moved import Shift, held_of, shifts_of
from analyzer.audit.names import names_of
from analyzer.audit.provenance import Tracer, trace_all
from analyzer.audit.scene import Flow, Scene
from analyzer.audit.uses import Found, Use, find_uses
from analyzer.audit.verdicts import judge_all
from analyzer.audit.ways import Held
from analyzer.flow.analyse import Prepared, behave, interest_of, roots_of
from analyzer.flow.observe import Behaviour, Kind
from analyzer.flow.program import Read, Search
from analyzer.migrations import Described
from analyzer.pages.machine import CLEAR, SET, UNTYPED, PageState, Space
from analyzer.sites import Move, Site


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit of one tree found."""

    sites: tuple[Site, ...]
    found: Found
    moves: tuple[Move, ...]
    scene: Scene


def audit_tree(tree: Prepared, read: Read, search: Search, migration: Described) -> Audited:
    """Return a verdict on every use of a migration's flags in a tree.

    Pages are followed twice, from the state that they start in before the migration and after
    it; the tree itself makes one of the two.
    """
    known = load_provenance()
    shifts = shifts_of(migration.populations, migration, known, tree.facts)
    interest = interest_of(tree)
    roots = roots_of(tree, interest)
    space = tree.law.space
    plain = behave(tree, interest, roots)
    moves = _moves(plain, migration, tree)
    is_in = bool(moves) and all(m.starts == m.after for m in moves)
    other = behave(tree, interest, roots, _starts(shifts, space, after=not is_in))
    found = find_uses(names_of(space, migration), tree.program, search)
    scene = Scene(
        program=tree.program,
        read=read,
        space=space,
        facts=tree.facts,
        known=known,
        migration=migration,
        names=found.names,
        shifts=shifts,
        after=Flow.of(plain if is_in else other),
        before=Flow.of(other if is_in else plain),
        is_in=is_in,
        tracer=Tracer(tree.program, tree.facts, known),
    )
    scene.sources.update(_sources(scene, found))
    return Audited(judge_all(found.uses, scene), found, moves, scene)


def _sources(scene: Scene, found: Found) -> Mapping[tuple[str, int], frozenset[object]]:
    """Trace the pages of the uses that nothing simpler decides."""
    spots = [
        ((u.file, u.function), u.span.start, u.span.end, _is_handed_page(u, scene))
        for u in found.uses
        if _is_traced(u, scene)
    ]
    traced = trace_all(scene.tracer, spots)
    return {(id[0], start): sources for (id, start), sources in traced.items()}


def _is_traced(use: Use, scene: Scene) -> bool:
    if not use.function or use.name.verb == "names" or use.function in scene.names:
        return False
    moved = {s.population for s in scene.relevant(use)}
    if any(o.page.population in moved for o in scene.after.at(use)):
        return False
    return not scene.excluded(use, scene.relevant(use))


def _is_handed_page(use: Use, scene: Scene) -> bool:
    """Tell whether what a name is applied to is a page, and not a number or an address."""
    if use.name.word in scene.space.operations:
        return True
    functions = [f for i in scene.program.resolve(use.name.word, "") for f in scene.program.lowered(i)]
    types = [f.params[0].type for f in functions if f.params]
    return all(any(t in text for t in ("page", "folio", "ptdesc")) for text in types)


def _starts(shifts: tuple[Shift, ...], space: Space, *, after: bool) -> dict[str, PageState]:
    return {
        s.population: _page(s.after if after else s.before, s, space)
        for s in shifts
        if s.part is None
    }


def _page(held: Held, shift: Shift, space: Space) -> PageState:
    types = space.mask_of(held.type) if held.type else UNTYPED
    flags = sorted(shift.before.flags | shift.after.flags)
    return PageState(types, tuple((f, SET if f in held.flags else CLEAR) for f in flags))


def _moves(plain: Behaviour, migration: Described, tree: Prepared) -> tuple[Move, ...]:
    """Return how the populations move, and how this tree starts them."""
    return tuple(
        Move(
            population=m.title or tree.facts.title(m.name),
            before=m.before,
            after=m.after,
            starts=_starting(plain, m.name, migration),
        )
        for m in migration.populations
    )


def _starting(plain: Behaviour, population: str, migration: Described) -> str:
    """Return the state in which a tree starts a population, in words; "" where it makes none."""
    for o in plain.observations:
        if o.kind is Kind.BIRTH and o.page.population == population:
            words = [t for t in migration.types if o.page.types == plain.space.mask_of(t)]
            words += [f for f in migration.flags if o.page.flag(f) == SET]
            return ", ".join(words) or "neither"
    return ""


__all__ = ["Audited", "audit_tree", "held_of"]
