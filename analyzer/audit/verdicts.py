"""Give every use a verdict, and the reason that the analysis found for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from analyzer.audit.facts import UNKNOWN
from analyzer.audit.moved import Shift
from analyzer.audit.provenance import Source
from analyzer.audit.scene import Scene
from analyzer.audit.uses import Use
from analyzer.audit.ways import Path, Way, Ways, spell
from analyzer.flow.observe import Kind, Observation, Outcome
from analyzer.pages.machine import TYPE
from analyzer.sites import Site, Verdict

_PAGE_TYPES = ("struct page", "struct folio", "struct ptdesc", "pfn")


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict on one use."""

    verdict: Verdict
    reason: str
    ways: tuple[str, str] | None = None
    populations: tuple[str, ...] = ()


#: A way to decide: a verdict, or None where it has nothing to say.
Rule = Callable[[Use, Scene], Judged | None]


def judge_all(uses: Iterable[Use], scene: Scene) -> tuple[Site, ...]:
    """Return a site for each use, in order."""
    listed = tuple(uses)
    judged = {use: judge(use, scene) for use in listed if use.function not in scene.names}
    by_name: dict[str, list[Judged]] = {}
    for use, found in judged.items():
        by_name.setdefault(use.name.word, []).append(found)
    for use in listed:
        if use not in judged:
            judged[use] = _by_its_users(use, by_name, scene)
    return tuple(_site(use, judged[use]) for use in listed)


def judge(use: Use, scene: Scene) -> Judged:
    """Return the verdict of the first rule that can decide."""
    for rule in RULES:
        found = rule(use, scene)
        if found is not None:
            return found
    return _undecided("nothing that is known decides it")


def _site(use: Use, judged: Judged) -> Site:
    return Site(
        file=use.file,
        function=use.function,
        operation=use.name.word,
        verb=use.name.verb,
        verdict=judged.verdict,
        reason=judged.reason,
        populations=judged.populations,
        span=use.span,
        ways=judged.ways,
    )


def _unaffected(reason: str, populations: tuple[str, ...] = ()) -> Judged:
    return Judged(Verdict.UNAFFECTED, reason, populations=populations)


def _undecided(
    reason: str,
    ways: tuple[str, str] | None = None,
    populations: tuple[str, ...] = (),
) -> Judged:
    return Judged(Verdict.UNDECIDED, reason, ways, populations)


# -- the rules, cheapest and surest first ---------------------------------------------------------


def _unmoved(use: Use, scene: Scene) -> Judged | None:
    """Decide where the flag is no other for any population."""
    if not scene.relevant(use):
        return _unaffected("no population has this flag or lacks it because of the migration")
    return None


def _not_built(use: Use, scene: Scene) -> Judged | None:
    """Decide where the pages cannot be where the code is built."""
    reason = scene.excluded(use, scene.relevant(use))
    return _unaffected(reason) if reason else None


def _made_here(use: Use, scene: Scene) -> Judged | None:
    """Decide writes in the function that makes the populations."""
    if use.function not in scene.facts.origins:
        return None
    made = sorted(
        {
            o.page.population
            for o in scene.after.behaviour.observations
            if o.kind is Kind.BIRTH
            and any((e.path, e.at) == (use.file, use.span.start) for e in o.page.history)
        }
    )
    if not made:
        return None
    titles = _listed(scene.facts.title(p) for p in made)
    moved = [s.population for s in scene.shifts if s.population in made]
    if not moved:
        reason = f"gives {titles} their first state, which stays what it was"
        return _unaffected(reason, tuple(made))
    if scene.is_in:
        return Judged(
            Verdict.MIGRATED, f"gives {titles} the state that they start in now",
            populations=tuple(made),
        )
    return Judged(
        Verdict.AFFECTED, f"gives {titles} the state that they are not to start in any more",
        populations=tuple(made),
    )


def _followed(use: Use, scene: Scene) -> Judged | None:
    """Decide by the pages of a moved population that were followed to the use."""
    shifts = {s.population: s for s in scene.relevant(use)}
    after = [o for o in scene.after.at(use) if o.page.population in shifts and _same(o, use)]
    if not after:
        return None
    before = [o for o in scene.before.at(use) if o.page.population in shifts and _same(o, use)]
    names = tuple(sorted({o.page.population for o in after}))
    titles = _listed(scene.facts.title(p) for p in names)
    failed = [o for o in after if o.outcome in (Outcome.TRAP, Outcome.LEAK)]
    if failed:
        return Judged(Verdict.AFFECTED, _failure(failed[0], titles, scene), populations=names)
    if any(o.outcome is Outcome.MAY_TRAP for o in after):
        return _undecided(f"{titles} come here and may trap in {use.name.word}()", None, names)
    if use.name.verb == "reads":
        return _tested(use, shifts[names[0]], titles, names, scene)
    works = any(o.outcome is Outcome.EFFECTIVE for o in after)
    worked = any(o.outcome is Outcome.EFFECTIVE for o in before)
    if works and not worked:
        reason = f"{titles} come here as {_spelled(names, shifts, after=True)}, as it needs them"
        return Judged(Verdict.MIGRATED if scene.is_in else Verdict.AFFECTED, reason, None, names)
    if works:
        return _unaffected(f"does the same to {titles} as they are now and as they were", names)
    return _unaffected(f"{titles} come here, and it changes nothing about them", names)


def _followed_past(use: Use, scene: Scene) -> Judged | None:
    """Decide where pages were followed through the function and did not take this way."""
    moved = {s.population for s in scene.relevant(use)}
    here = [o for o in scene.after.at(use) if _same(o, use)]
    through = {
        o.page.population
        for o in scene.after.behaviour.observations
        if o.id == (use.file, use.function) and o.page.population in moved
    }
    if not through or any(o.page.population in ("", *moved) for o in here if o.page.population):
        return None
    titles = _listed(scene.facts.title(p) for p in sorted(through))
    return _unaffected(f"{titles} are followed through {use.function}() and do not take this way")


def _same(o: Observation, use: Use) -> bool:
    """Tell whether an observation is about the operation that a use makes, or calls for."""
    if o.kind is not Kind.OPERATION:
        return False
    return o.operation == use.name.word or use.name.through != ""


def _spelled(names: tuple[str, ...], shifts: Mapping[str, Shift], *, after: bool) -> str:
    s = shifts[names[0]]
    return spell(s.after if after else s.before)


def _failure(o: Observation, titles: str, scene: Scene) -> str:
    held = "of the wrong type" if o.dimension == TYPE else "marked"
    if o.outcome is Outcome.TRAP:
        return f"{titles} come here {scene.space.describe(o.page.types)}, and {o.operation}() traps"
    return f"{titles} come here {held} and go to the buddy so"


def _tested(
    use: Use, shift: Shift, titles: str, names: tuple[str, ...], scene: Scene
) -> Judged:
    """Decide a test to which pages were followed: by what happens for either outcome."""
    found = scene.ways(use, shift)
    if found is None:
        return _undecided(f"{titles} come here, and what then happens cannot be followed", None, names)
    same = _same_way(use, shift, found, scene)
    if same:
        return _unaffected(f"{titles} come here: {same}", names)
    ways = _told(found)
    if scene.is_in:
        reason = f"{titles} come here as {spell(shift.after)}, and it goes by that"
        return Judged(Verdict.MIGRATED, reason, ways, names)
    reason = f"{titles} come here as {spell(shift.before)}, and it goes by that"
    return Judged(Verdict.AFFECTED, reason, ways, names)


def _named_only(use: Use, scene: Scene) -> Judged | None:
    """Decide bits that are named: only where no page is at hand."""
    if use.name.verb != "names":
        return None
    if not use.function:
        return _undecided("stands in a table; who reads the table is not followed")
    for function in scene.program.lowered((use.file, use.function)):
        for variant in function.variants:
            types = (*(p.type for p in function.params), *variant.locals.values())
            named = (*(p.name for p in function.params), *variant.locals)
            if any(t in text for text in (*types, *named) for t in _PAGE_TYPES):
                return _undecided("names the bit; what becomes of it is not followed")
    return _unaffected("names the constant; no page is at hand")


def _by_source(use: Use, scene: Scene) -> Judged | None:
    """Decide by where the page comes from, and by what happens for either state."""
    sources = scene.sources.get((use.file, use.span.start), frozenset())
    if not sources:
        return _undecided("no page is found in what it is called with")
    reached = {s: _reach(s, sources, use, scene) for s in scene.relevant(use)}
    open_ = {s: r for s, r in reached.items() if r}
    if not open_:
        return _unaffected(_origin(sources, scene))
    if use.name.word in scene.known.free:
        return _unaffected(
            "gives the page back to the allocator: somebody owns it, and nobody owns "
            f"{_listed(s.title for s in open_ if not s.part) or 'such pages'} that come here"
        )
    judged = [_compared(use, s, r, sources, scene) for s, r in open_.items()]
    order = (Verdict.AFFECTED, Verdict.UNDECIDED, Verdict.UNAFFECTED)
    return min(judged, key=lambda j: order.index(j.verdict))


def _reach(shift: Shift, sources: frozenset[Source], use: Use, scene: Scene) -> str:
    """Say whether a population's pages can, or may, or cannot ("") come from the sources."""
    kinds = scene.known.kinds
    found = ""
    for s in sources:
        kind = kinds[s.kind]
        if s.kind == UNKNOWN and s.is_page and not _is_asked(s):
            if shift.population in ("zone-device",):
                found = found or "may"
            continue  # a pointer that is handed on: pages of the population are followed
        if kind.brings(shift.population):
            found = "can"
        elif kind.may_bring(shift.population):
            found = found or "may"
    if found and shift.part is not None and scene.guard_of(use, shift.part):
        return ""
    return found


def _is_asked(s: Source) -> bool:
    """Tell whether the callers were asked for and not found."""
    return s.why.startswith("who calls")


def _origin(sources: frozenset[Source], scene: Scene) -> str:
    """Say in words where a page comes from."""
    told = sorted(s for s in sources if s.kind != UNKNOWN)
    parts = []
    for kind in dict.fromkeys(s.kind for s in told):
        first = next(s for s in told if s.kind == kind)
        parts.append(f"{scene.known.kinds[kind].title} ({first.why})")
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
        return _undecided(f"what happens to {shift.title} cannot be followed", None, names)
    same = _same_way(use, shift, found, scene)
    if same:
        return _unaffected(same, names)
    ways = _told(found)
    again = ""
    if shift.part is not None and _only_answers(found):
        again = scene.rechecked((use.file, use.function))
    if again:
        return Judged(
            Verdict.UNAFFECTED,
            f"another answer for {shift.title}, and {again}(), which comes after it, fails for "
            "them all the same: they are in use",
            ways,
            names,
        )
    if reach == "can":
        reason = f"{shift.title} can come here, and fare otherwise now"
        return Judged(Verdict.AFFECTED, reason, ways, names)
    missing = sorted(s.why for s in sources if scene.known.kinds[s.kind].may_bring(shift.population))
    return _undecided(
        f"{shift.title} would fare otherwise, and whether they come here is not known: "
        f"{missing[0]}",
        ways,
        names,
    )


def _only_answers(found: Ways) -> bool:
    """Tell whether all that differs is what the function returns."""
    return all(
        w.kind in ("returns", "goes on", "computes")
        for before, after in found.differing
        for w in before.ways ^ after.ways
    )


def _freed(use: Use, scene: Scene) -> Judged | None:
    """Decide tests that only tell how a page is freed."""
    called = scene.program.called((use.file, use.function))
    if use.name.verb != "reads" or not called & scene.known.free:
        return None
    for shift in scene.relevant(use):
        found = scene.ways(use, shift)
        if found is None or not found.differing:
            return None
        for paths in zip(*found.differing, strict=True):
            if not all(_frees(p, scene) or _is_idle(p) for p in paths):
                return None
            if not any(_frees(p, scene) for p in paths):
                return None
    return _unaffected(
        "tells boot memory from the allocator's pages, and frees the page either way: only its "
        "owner does so, and nobody owns hotplugged pages"
    )


def _frees(path: Path, scene: Scene) -> bool:
    return any(
        w.kind == "calls" and w.what.split("(")[0] in scene.known.free for w in path.ways
    )


def _is_idle(path: Path) -> bool:
    """Tell whether nothing is done on a path: a loop over the pages may have none to free."""
    return all(w.kind in ("returns", "goes on", "computes") for w in path.ways)


def _beside(use: Use, scene: Scene) -> Judged | None:
    """Decide by another test of the new state that leaves the same way."""
    called = scene.program.called((use.file, use.function))
    told = {n for n in called if n in scene.names and scene.names[n].label != use.name.label}
    if use.name.verb != "reads" or not told:
        return None
    reasons = []
    for shift in scene.relevant(use):
        found = scene.ways(use, shift) if shift.part is None else None
        if shift.part is None:
            reason = _same_way(use, shift, found, scene) if found else ""
            if not reason or not _tells_beside(use, shift, found, scene):
                return None
            reasons.append(reason)
    return _unaffected(reasons[0]) if reasons else None


def _tells_beside(use: Use, shift: Shift, found: Ways | None, scene: Scene) -> list[str]:
    """Return the other tests by which a page is told after and was not before."""
    return sorted(
        n for n in (found.told if found else ()) if scene.space.operations[n].label != use.name.label
    )


def _same_way(use: Use, shift: Shift, found: Ways, scene: Scene) -> str:
    """Say why it is all the same for a page; nothing where it is not."""
    beside = _tells_beside(use, shift, found, scene)
    if not found.differing:
        if beside:
            return f"{beside[0]}() is tested as well, with the same way out: {_ends(found.after)}"
        return f"the same for {shift.title} before and after: {_ends(found.after)}"
    if beside and found.after <= found.before:
        ends = frozenset(
            w for b, a in found.differing for w in a.ways if w.kind in ("returns", "goes on")
        )
        return f"{beside[0]}() is tested as well, with the same way out: {_ends(ends)}"
    return ""


def _ends(ways: frozenset[Way]) -> str:
    ends = sorted(w for w in ways if w.kind in ("returns", "goes on"))
    return " or ".join(map(str, ends[:3])) or "nothing happens"


def _told(found: Ways) -> tuple[str, str]:
    """Say on one path what happens only before and only after."""
    before, after = min(found.differing, key=lambda p: len(p[0].ways ^ p[1].ways))
    return _only(before.ways - after.ways), _only(after.ways - before.ways)


def _only(ways: frozenset[Way]) -> str:
    return "; ".join(map(str, sorted(ways)[:4])) or "nothing"


def _by_its_users(use: Use, by_name: Mapping[str, list[Judged]], scene: Scene) -> Judged:
    """Judge a use inside a function that is a name itself: by the verdicts on its users."""
    word = use.function
    users = by_name.get(word, [])
    seen = _followed(use, scene)
    if seen is not None and seen.verdict is Verdict.AFFECTED:
        return seen
    if not users:
        return judge(use, scene)
    for verdict in (Verdict.AFFECTED, Verdict.UNDECIDED):
        bad = [u for u in users if u.verdict is verdict]
        if bad:
            return Judged(verdict, f"so are {len(bad)} of the {len(users)} uses of {word}()")
    return _unaffected(f"so is each of the {len(users)} uses of {word}()")


def _listed(parts: Iterable[str]) -> str:
    named = list(dict.fromkeys(parts))
    return named[0] if len(named) == 1 else f"{', '.join(named[:-1])} and {named[-1]}" if named else ""


RULES: tuple[Rule, ...] = (
    _unmoved,
    _not_built,
    _made_here,
    _followed,
    _followed_past,
    _named_only,
    _freed,
    _beside,
    _by_source,
)
