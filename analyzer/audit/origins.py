"""Decide by where a page comes from, and by what happens to it before and after."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from analyzer.audit.freeing import ANSWERS, OWNED, is_given_back
from analyzer.audit.guards import guard_of
from analyzer.audit.judged import (
    Judged,
    is_shared,
    same_way,
    tells_beside,
    told_ways,
    unaffected,
    undecided,
)
from analyzer.audit.moved import Shift
from analyzer.audit.scene import Scene
from analyzer.audit.sources import Source
from analyzer.audit.uses import Use
from analyzer.pages.provenance import UNKNOWN
from analyzer.sites import Verdict
from analyzer.ways.state import Way
from analyzer.ways.ways import Ways

#: The kinds of a page that is handed on by pointer: only those that are followed are known not to.
_BY_POINTER = (UNKNOWN, "listed")
#: The kinds of a page that somebody kept. Pages of a migration's own are followed there, too.
_KEPT = ("listed", "allocated-kept", "balloon")


def by_source(use: Use, scene: Scene) -> Judged | None:
    """Decide by where the page comes from, and by what happens for either state."""
    sources = scene.sources.get((use.file, use.span.start), frozenset())
    if not sources:
        return undecided("no page is found in what it is called with")
    reached = {s: _reach(s, sources, scene) for s in scene.relevant(use)}
    guards = {s: guard_of(use, s, scene) for s, reach in reached.items() if reach}
    open_ = {s: reached[s] for s, guard in guards.items() if not guard}
    why = scene.unfreed(use)
    is_freed = why and use.name.word in scene.known.free
    if not open_ and not (is_freed and any(s.kind in _BY_POINTER for s in sources)):
        return unaffected(f"{_origin(sources, scene)}{_told(guards)}")
    if why:
        if is_freed:
            return unaffected(f"gives the page back to the allocator, {OWNED}; {why}")
        if use.name.verb in ("reads", "clears") and is_given_back(use, scene):
            return unaffected(f"the page is given back to the allocator then, {OWNED}; {why}")
    judged = [_compared(use, s, r, sources, scene) for s, r in open_.items()]
    order = (Verdict.AFFECTED, Verdict.UNDECIDED, Verdict.UNAFFECTED)
    first = min(judged, key=lambda j: order.index(j.verdict))
    if first.verdict is Verdict.UNAFFECTED:
        return replace(first, reason=f"{first.reason}{_told(guards)}")
    return first


def _told(guards: Mapping[Shift, str]) -> str:
    """Say which populations are told apart before a use, and by what."""
    told = [f"; {s.title} are told apart before: {g}" for s, g in guards.items() if g]
    return "".join(told)


def _reach(shift: Shift, sources: frozenset[Source], scene: Scene) -> str:
    """Say whether a population's pages can, or may, or cannot ("") come from the sources."""
    found = {_brought(shift, s, scene) for s in sources}
    return "can" if "can" in found else "may" if "may" in found else ""


def _brought(shift: Shift, s: Source, scene: Scene) -> str:
    """Say whether a population's pages can, or may, or cannot ("") come from one source."""
    known, population = scene.known, shift.population
    if shift.part is not None and shift.part.comes:
        return "can" if s.kind in shift.part.comes else ""
    is_handed_on = s.kind == UNKNOWN and s.is_page and not _is_asked(s)
    if not known.tells_of(population):
        by_pointer = is_handed_on or (s.is_page and s.kind in _KEPT)
        if s.kind == "allocated-now" or (by_pointer and scene.is_followed(shift)):
            return ""
        names = (population, *known.further)
    elif is_handed_on:  # pages of the population are followed
        return "may" if population in known.handed_on else ""
    else:
        names = (population,)
    kind = known.kinds[s.kind]
    if kind.brings(population):
        return "can"
    return "may" if any(map(kind.may_bring, names)) else ""


def _is_asked(s: Source) -> bool:
    """Tell whether the callers were asked for and not found."""
    return "who calls " in s.why


def _origin(sources: frozenset[Source], scene: Scene) -> str:
    """Say in words where a page comes from."""
    told = sorted(s for s in sources if s.kind != UNKNOWN)
    firsts: dict[str, str] = {}
    for s in told:
        firsts.setdefault(scene.known.kinds[s.kind].title, s.why)
    parts = [f"{title} ({why})" for title, why in firsts.items()]
    if any(s.kind == UNKNOWN for s in sources):
        parts.append(
            "a page that is handed on, and those that moved are followed and do not come here"
        )
    return "; or ".join(parts)


def _compared(
    use: Use, shift: Shift, reach: str, sources: frozenset[Source], scene: Scene
) -> Judged:
    """Decide by what happens to a page of a population before and after."""
    names = (shift.population,)
    found = scene.ways(use, shift)
    if found is None:
        return undecided(f"what happens to {shift.told} cannot be followed", None, names)
    same = same_way(use, shift, found, scene)
    if same:
        return unaffected(same, names)
    ways = told_ways(use, shift, found, scene)
    again = ""
    if shift.part is not None and found.complete and _only_answers(found):
        again = scene.rechecked((use.file, use.function))
    if again:
        return Judged(
            Verdict.UNAFFECTED,
            f"another answer for {shift.told}, and {again}(), which comes after it, fails for "
            "them all the same: they are in use",
            ways,
            names,
        )
    if denied := _denied(found):
        return unaffected(f"{shift.told} would fail here before and after: {denied}", names)
    if is_shared(use, shift, found, scene):
        return undecided(f"{shift.told} would fare otherwise, and not by this alone", ways, names)
    if reach == "can":
        fare = "fare otherwise now" if scene.is_in else "would fare otherwise"
        reason = f"{shift.told} can come here, and {fare}"
        return Judged(Verdict.AFFECTED, reason, ways, names)
    missing = sorted(s.why for s in sources if _brought(shift, s, scene))
    return undecided(
        f"{shift.told} would fare otherwise, and whether they come here is not known: {missing[0]}",
        ways,
        names,
    )


def _denied(found: Ways) -> str:
    """Return the assertion that fails for a page whatever its state; nothing where none does."""
    if not found.complete or not found.pairs:
        return ""
    failing = (b.ways & a.ways for b, a in found.pairs)
    held = frozenset[Way].intersection(*failing)
    return min((w.what for w in held if w.kind == "fails"), default="")


def _only_answers(found: Ways) -> bool:
    """Tell whether all that differs is what the function returns."""
    return all(
        w.kind in ANSWERS for before, after in found.differing for w in before.ways ^ after.ways
    )


def beside(use: Use, scene: Scene) -> Judged | None:
    """Decide by another test of the new state that leaves the same way.

    Not where pages of a part come, which are in another state, and do not leave the same way.
    """
    named = scene.named(use)
    told = {n for n in named if n in scene.names and scene.names[n].label != use.name.label}
    if use.name.verb != "reads" or not told:
        return None
    sources = scene.sources.get((use.file, use.span.start), frozenset())
    reasons = []
    for shift in scene.relevant(use):
        reach = _reach(shift, sources, scene)
        if shift.part is not None and (not reach or guard_of(use, shift, scene)):
            continue
        found = scene.ways(use, shift)
        reason = same_way(use, shift, found, scene) if found else ""
        if not reason or (shift.part is None and not tells_beside(use, found, scene)):
            return None
        if shift.part is None:
            reasons.append(reason)
    return unaffected(reasons[0]) if reasons else None
