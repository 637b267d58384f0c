"""Give every use a verdict, and the reason that the analysis found for it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from analyzer.audit.freeing import freed
from analyzer.audit.judged import (
    Judged,
    Rule,
    is_shared,
    late,
    listed,
    same_way,
    told_ways,
    unaffected,
    undecided,
)
from analyzer.audit.moved import Shift
from analyzer.audit.origins import beside, by_source
from analyzer.audit.scene import Scene
from analyzer.audit.uses import Use
from analyzer.budget import ENDS, UNBOUND, Budget, OutOfBudgetError, reason_of
from analyzer.flow.domain.observe import Kind, Observation, Outcome
from analyzer.pages.machine import TYPE, Verb
from analyzer.parallel import later
from analyzer.sites import Site, Verdict
from analyzer.ways.state import Held, Way, spell
from analyzer.ways.ways import Ways

#: From here on judging takes longer than starting a process.
_MANY = 40
_PAGE_TYPES = ("struct page", "struct folio", "struct ptdesc", "pfn")


def judge_all(
    uses: Iterable[Use], scene: Scene, jobs: int = 1, budget: Budget = UNBOUND
) -> tuple[Site, ...]:
    """Return a site for each use, in order; those that are not reached in time are undecided."""
    listed = tuple(uses)
    judged = _each_judged([u for u in listed if u.function not in scene.names], scene, jobs, budget)
    by_name: dict[str, list[Use]] = {}
    for use in listed:
        by_name.setdefault(use.name.word, []).append(use)
    for use in listed:
        _judge_by_users(use, by_name, judged, scene)
    return tuple(_site(use, judged[use]) for use in listed)


def _judge_by_users(
    use: Use, by_name: Mapping[str, Sequence[Use]], judged: dict[Use, Judged], scene: Scene
) -> None:
    """Judge a use inside a function that is a name itself, after all that use that name."""
    todo, open_ = [use], set[Use]()
    while todo:
        at = todo[-1]
        users = by_name.get(at.function, ())
        wanted = [u for u in users if u not in judged and u not in open_]
        open_.add(at)
        if at not in judged and wanted:
            todo += wanted
            continue
        todo.pop()
        if at not in judged:  # a function that uses itself adds nothing
            judged[at] = _by_its_users(at, [judged[u] for u in users if u in judged], scene)


def _each_judged(uses: list[Use], scene: Scene, jobs: int, budget: Budget) -> dict[Use, Judged]:
    """Judge uses one by one, half of them in another process where there are many."""
    aside = jobs > 1 and len(uses) >= _MANY
    mine = uses[::2] if aside else uses
    with later(lambda: list(_in_time(uses[1::2], scene, budget)), aside=aside) as others:
        judged = dict(zip(mine, _in_time(mine, scene, budget), strict=True))
        if aside:
            theirs = _late(uses[1::2], budget.spent) if budget.spent else others.value()
            judged.update(zip(uses[1::2], theirs, strict=True))
    return {use: judged[use] for use in uses}


def _in_time(uses: Sequence[Use], scene: Scene, budget: Budget) -> Iterator[Judged]:
    """Judge uses one by one as long as there is time."""
    for n, use in enumerate(uses):
        try:
            if end := budget.spent:
                raise OutOfBudgetError(end)
            judged = judge(use, scene)
        except ENDS as error:
            yield from _late(uses[n:], reason_of(error))
            return
        yield judged


def _late(uses: Sequence[Use], reason: str) -> Iterator[Judged]:
    """Yield the same for each use; what ended the work comes first."""
    return (late(f"{reason}: it was not judged") for _ in uses)


def unjudged(uses: Iterable[Use], reason: str) -> tuple[Site, ...]:
    """Return a site for each use where nothing of them could be judged."""
    listed = tuple(uses)
    return tuple(map(_site, listed, _late(listed, reason)))


def judge(use: Use, scene: Scene) -> Judged:
    """Return the verdict of the first rule that can decide."""
    for rule in _WITHOUT_PAGES if scene.cut else RULES:
        found = rule(use, scene)
        if found is not None:
            return found
    if scene.cut:
        return late(f"{scene.cut}: the pages were not followed to their end")
    return undecided("nothing that is known decides it")


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
        pasted=use.pasted,
    )


# -- the rules, cheapest and surest first ---------------------------------------------------------


def _unmoved(use: Use, scene: Scene) -> Judged | None:
    """Decide where the flag is no other for any population."""
    if not scene.relevant(use):
        return unaffected("no population has this flag or lacks it because of the migration")
    return None


def _not_built(use: Use, scene: Scene) -> Judged | None:
    """Decide where the pages cannot be where the code is built."""
    reason = scene.excluded(use, scene.relevant(use))
    return unaffected(reason) if reason else None


def _made_here(use: Use, scene: Scene) -> Judged | None:
    """Decide writes in the function that makes the populations."""
    if use.function not in scene.facts.origins:
        return None
    made = sorted(
        {
            o.page.population
            for o in scene.after.behaviour.births()
            if any((e.path, e.at) == (use.file, use.span.start) for e in o.page.history)
        }
    )
    if not made:
        return None
    titles = listed(scene.facts.title(p) for p in made)
    moved = [s.population for s in scene.shifts if s.population in made]
    if not moved:
        reason = f"gives {titles} their first state, which stays what it was"
        return unaffected(reason, tuple(made))
    titles = listed(scene.facts.title(p) for p in moved)
    if scene.is_in:
        return Judged(
            Verdict.MIGRATED,
            f"gives {titles} the state that they start in now",
            populations=tuple(made),
        )
    return Judged(
        Verdict.AFFECTED,
        f"gives {titles} the state that they are not to start in any more",
        populations=tuple(made),
    )


def _followed(use: Use, scene: Scene) -> Judged | None:
    """Decide by the pages of a moved population that were followed to the use."""
    shifts = {s.population: s for s in scene.relevant(use)}
    after = [o for o in scene.after.at(use) if o.page.population in shifts and _is_about(o, use)]
    if not after:
        return None
    before = [o for o in scene.before.at(use) if o.page.population in shifts and _is_about(o, use)]
    names = tuple(sorted({o.page.population for o in after}))
    titles = listed(scene.facts.title(p) for p in names)
    failed = [o for o in after if o.outcome is Outcome.TRAP] or _leaks(use, shifts, scene)
    if failed:
        return Judged(Verdict.AFFECTED, _failure(failed[0], titles, scene), populations=names)
    if any(o.outcome is Outcome.MAY_TRAP for o in after):
        return undecided(f"{titles} come here and may trap in {use.name.word}()", None, names)
    if use.name.verb == "reads":
        return _tested(use, shifts[names[0]], titles, names, scene)
    works = any(o.outcome is Outcome.EFFECTIVE for o in after)
    worked = any(o.outcome is Outcome.EFFECTIVE for o in before)
    if works and not worked:
        state = _as(shifts[names[0]].after)
        if scene.is_ahead:
            return undecided(f"{titles} come here, and it acts on them, as it did not", None, names)
        if not scene.is_in:
            reason = f"{titles} would come here {state}, and it would act on them then"
            return Judged(Verdict.AFFECTED, reason, None, names)
        reason = f"{titles} come here {state}, as it needs them"
        return Judged(Verdict.MIGRATED, reason, None, names)
    if works:
        return unaffected(f"does the same to {titles} as they are now and as they were", names)
    label = use.name.label
    if scene.is_in or scene.is_ahead:
        reason = f"{titles} come here, and their {label} is as it makes it already"
        return unaffected(reason, names)
    return unaffected(f"{titles} would come here with their {label} as it makes it already", names)


def _followed_past(use: Use, scene: Scene) -> Judged | None:
    """Decide where pages were followed through the function, or came here before, and not now."""
    moved = {s.population for s in scene.relevant(use)}
    came = {
        o.page.population
        for o in scene.before.at(use)
        if o.page.population in moved and _is_about(o, use)
    }
    through = {
        o.page.population
        for o in scene.after.behaviour.observations
        if o.id == (use.file, use.function) and o.page.population in moved
    }
    failed = _failed_before(use, came, scene)
    if through and failed and failed.function != use.function:
        failed = None
    if not through and not failed:
        return None
    titles = listed(scene.facts.title(p) for p in sorted(through or came))
    if failed:
        come, do, fail = ("came", "do", "fail") if scene.is_in else ("come", "would", "would fail")
        where = "" if failed.function == use.function else f" in {failed.function}()"
        reason = f"{titles} {come} here, and {do} not any more: they {fail} at {failed.operation}()"
        return unaffected(f"{reason}{where} before")
    now = "would" if came and not scene.is_in else "do"
    more = " any more" if came else ""
    return unaffected(
        f"{titles} are followed through {use.function}() and {now} not take this way{more}"
    )


def _failed_before(use: Use, came: Collection[str], scene: Scene) -> Observation | None:
    """Return where pages now trap in the file of a use that they came to; None where none do."""
    found = [
        o
        for o in scene.after.behaviour.observations
        if o.page.population in came and o.outcome is Outcome.TRAP and o.path == use.file
    ]
    return min(found, key=lambda o: (o.function != use.function, o.span.start), default=None)


def _is_about(o: Observation, use: Use) -> bool:
    """Tell whether an observation is about the operation that a use makes, or calls for."""
    if o.kind is not Kind.OPERATION:
        return False
    return o.operation == use.name.word or use.name.through != ""


def _leaks(use: Use, shifts: Mapping[str, Shift], scene: Scene) -> list[Observation]:
    """Return where pages of a moved population go to the buddy with their type still set."""
    return [
        o
        for o in scene.after.behaviour.observations
        if o.kind is Kind.SINK
        and o.outcome is Outcome.LEAK
        and o.page.population in shifts
        and o.id == (use.file, use.function)
    ]


def _failure(o: Observation, titles: str, scene: Scene) -> str:
    held = scene.space.describe(o.page.types) if o.dimension == TYPE else o.dimension
    come = "come" if scene.is_in or scene.is_ahead else "would come"
    if o.outcome is Outcome.TRAP:
        trap = "traps" if come == "come" else "would trap"
        return f"{titles} {come} here {held}, and {o.operation}() {trap}"
    hand = "hands" if come == "come" else "would hand"
    return f"{titles} come here, and {o.operation}() {hand} them to the buddy {held}"


def _as(held: Held) -> str:
    """Say in which state pages come: `as Offline`, `with neither`."""
    return f"as {spell(held)}" if held.flags or held.type else "with neither flag nor type"


def _tested(use: Use, shift: Shift, titles: str, names: tuple[str, ...], scene: Scene) -> Judged:
    """Decide a test to which pages were followed: by what happens for either outcome."""
    found = scene.ways(use, shift)
    if found is None:
        return undecided(
            f"{titles} come here, and what then happens cannot be followed", None, names
        )
    same = same_way(use, shift, found, scene)
    if same:
        return unaffected(f"{titles} come here: {same}", names)
    ways = told_ways(use, shift, found, scene)
    if is_shared(use, shift, found, scene):
        reason = f"{titles} come here, and what differs for them does not hang on this alone"
        return undecided(reason, ways, names)
    if scene.is_in:
        reason = f"{titles} come here {_as(shift.after)}, and it goes by that"
        return Judged(Verdict.MIGRATED, reason, ways, names)
    if _only_sets(use, shift, found, scene):
        label = use.name.label
        return unaffected(f"sets {label} on {titles} where they lack it, before and after", names)
    reason = f"{titles} come here {_as(shift.before)}, and it goes by that"
    return Judged(Verdict.AFFECTED, reason, ways, names)


def _only_sets(use: Use, shift: Shift, found: Ways, scene: Scene) -> bool:
    """Tell whether a test only spares pages of the new state what gives others that state."""
    label = use.name.label
    sets = {
        Way("writes", f"{label} by {op.name}()")
        for op in scene.space.operations.values()
        if op.label == label and op.verb is Verb.SET
    }
    parts = [(s.lost, s.gained) for s in scene.shares(use, shift) or ()]
    parts = parts or [(b.ways - a.ways, a.ways - b.ways) for b, a in found.differing]
    return shift.gains(label) and all(lost <= sets and not gained for lost, gained in parts)


def _named_only(use: Use, scene: Scene) -> Judged | None:
    """Decide bits that are named: only where no page is at hand."""
    if use.name.verb != "names":
        return None
    if use.spelled:
        return unaffected("stands beside its name in words: what a page has is told to a reader")
    if not use.function:
        return undecided("stands in a table; who reads the table is not followed")
    for function in scene.program.lowered((use.file, use.function)):
        for variant in function.variants:
            types = (*(p.type for p in function.params), *variant.locals.values())
            named = (*(p.name for p in function.params), *variant.locals)
            if any(t in text for text in (*types, *named) for t in _PAGE_TYPES):
                return undecided("names the bit; what becomes of it is not followed")
    return unaffected("names the constant; no page is at hand")


def _by_its_users(use: Use, users: Sequence[Judged], scene: Scene) -> Judged:
    """Judge a use inside a function that is a name itself: by the verdicts on its users."""
    word = use.function
    seen = _followed(use, scene)
    if seen is not None and seen.verdict is Verdict.AFFECTED:
        return seen
    if not users:
        return unaffected(f"nothing uses {word}()")
    for verdict in (Verdict.AFFECTED, Verdict.UNDECIDED, Verdict.MIGRATED):
        bad = [u for u in users if u.verdict is verdict]
        if unknown := next((u for u in bad if u.is_late), None):
            return unknown
        if bad and len(users) > 1:
            are = "is" if len(bad) == 1 else "are"
            return Judged(verdict, f"so {are} {len(bad)} of the {len(users)} uses of {word}()")
        if bad:
            return Judged(verdict, f"so is the only use of {word}()")
    if len(users) == 1:
        return unaffected(f"so is the only use of {word}()")
    return unaffected(f"so is each of the {len(users)} uses of {word}()")


#: The rules that do not ask which pages were followed where.
_WITHOUT_PAGES: tuple[Rule, ...] = (_unmoved, _not_built)
RULES: tuple[Rule, ...] = (
    *_WITHOUT_PAGES,
    _made_here,
    _followed,
    _followed_past,
    _named_only,
    freed,
    beside,
    by_source,
)
