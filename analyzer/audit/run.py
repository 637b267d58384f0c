"""Audit a tree as it is: follow the pages, find the uses, trace them, judge them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analyzer.audit.callers import Tracer, trace_all
from analyzer.audit.moved import Shift, shifts_of
from analyzer.audit.names import names_of
from analyzer.audit.scene import Flow, Scene, Spot
from analyzer.audit.sources import Source
from analyzer.audit.uses import Found, Use, find_uses
from analyzer.audit.verdicts import judge_all
from analyzer.flow.analyse import Prepared, behave, interest_of, roots_of
from analyzer.flow.observe import Behaviour, Kind
from analyzer.flow.program import FunctionId, Program
from analyzer.flow.run import Interest
from analyzer.migrations import Described
from analyzer.pages.facts import Facts
from analyzer.pages.machine import CLEAR, SET, UNTYPED, PageState, Space
from analyzer.pages.provenance import load_provenance
from analyzer.sites import Move, Site
from analyzer.tree import Tree
from analyzer.ways.state import Held


@dataclass(frozen=True, slots=True)
class Audited:
    """What an audit of one tree found."""

    sites: tuple[Site, ...]
    found: Found
    moves: tuple[Move, ...]
    behaviour: Behaviour
    program: Program


def audit_tree(prepared: Prepared, tree: Tree, migration: Described) -> Audited:
    """Return a verdict on every use of a migration's flags in a tree.

    Pages are followed twice, from the state that they start in before the migration and after
    it; the tree itself makes one of the two.
    """
    shifts = shifts_of(migration.populations, migration, load_provenance(), prepared.facts)
    interest = interest_of(prepared)
    roots = roots_of(prepared, interest)
    space = prepared.law.space
    plain = behave(prepared, interest, roots)
    moves = moves_of(plain, migration, prepared.facts)
    is_in = bool(moves) and all(m.starts == m.after for m in moves)
    if is_in:
        ours = _roots_with(plain, shifts)
        other = behave(prepared, interest, ours, starts=_starts(shifts, space, after=False))
    found = find_uses(names_of(space, migration), prepared.program, tree)
    if not is_in:  # nobody writes the new state yet: where the one that is left is used matters
        mine = interest_of(prepared)
        interest = Interest(mine.strong | mine.weak, frozenset(), mine.flags, mine.givers)
        roots = roots_of(prepared, interest)
        plain = behave(prepared, interest, roots)
        ours = _roots_with(plain, shifts)
        other = behave(prepared, interest, ours, starts=_starts(shifts, space, after=True))
    scene = scene_of(
        prepared.program,
        tree,
        prepared.facts,
        migration,
        found,
        shifts,
        after=Flow.of(plain if is_in else other),
        before=Flow.of(other if is_in else plain),
        is_in=is_in,
    )
    return Audited(judge_all(found.uses, scene), found, moves, plain, prepared.program)


def _roots_with(behaviour: Behaviour, shifts: tuple[Shift, ...]) -> tuple[FunctionId, ...]:
    """Return the roots from which pages that move were seen."""
    moved = {s.population for s in shifts}
    seen = {o.root for o in behaviour.observations if o.page.population in moved}
    return tuple(root for root in behaviour.roots if root in seen)


def scene_of(
    program: Program,
    tree: Tree,
    facts: Facts,
    migration: Described,
    found: Found,
    shifts: tuple[Shift, ...],
    *,
    after: Flow,
    before: Flow,
    is_in: bool,
) -> Scene:
    """Return what verdicts are drawn from, with the pages of all uses traced."""
    known = load_provenance()
    scene = Scene(
        program=program,
        read=tree.read,
        space=after.behaviour.space,
        facts=facts,
        known=known,
        migration=migration,
        names=found.names,
        shifts=shifts,
        after=after,
        before=before,
        is_in=is_in,
        tracer=Tracer(program, facts, known),
    )
    scene.sources.update(_sources(scene, found))
    return scene


def _sources(scene: Scene, found: Found) -> Mapping[Spot, frozenset[Source]]:
    """Trace the pages of the uses that nothing simpler decides."""
    spots = [
        ((u.file, u.function), u.span.start, _is_handed_page(u, scene))
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
    program = scene.program
    functions = [f for i in program.resolve(use.name.word, "") for f in program.lowered(i)]
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


def moves_of(behaviour: Behaviour, migration: Described, facts: Facts) -> tuple[Move, ...]:
    """Return how the populations of a migration move, and how a tree starts them."""
    return tuple(
        Move(
            population=m.title or facts.title(m.name),
            before=m.before,
            after=m.after,
            starts=starting(behaviour, m.name, migration),
        )
        for m in migration.populations
    )


def starting(behaviour: Behaviour, population: str, migration: Described) -> str:
    """Return the state in which a tree starts a population, in words; "" where it makes none."""
    for o in behaviour.observations:
        if o.kind is Kind.BIRTH and o.page.population == population:
            words = [t for t in migration.types if o.page.types == behaviour.space.mask_of(t)]
            words += [f for f in migration.flags if o.page.flag(f) == SET]
            return ", ".join(words) or "neither"
    return ""
