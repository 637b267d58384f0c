"""Find old habits: what a described migration forbids, in a tree that has it.

The rules that compare two trees are blind to code that was not there before. What it would have
done with the pages as they used to be is known from the migration that a file describes.
"""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.base import FunctionId, Pair
from analyzer.checks.early import find_early
from analyzer.checks.evidence import is_asserted
from analyzer.comparison.compare import Failure, Sides
from analyzer.flow.domain.observe import Behaviour, Observation, Outcome, by_site
from analyzer.migrations import Described, Forbidden, Moved, Obligation
from analyzer.pages.machine import CLEAR, SET, TYPE, Operation, PageState, Space, Verb
from analyzer.program.callers import callers_of
from analyzer.program.params import page_params
from analyzer.spelling import NEITHER

_VERBS = {
    Verb.SET: Forbidden.SET,
    Verb.TEST_SET: Forbidden.SET,
    Verb.CLEAR: Forbidden.CLEAR,
    Verb.TEST_CLEAR: Forbidden.CLEAR,
    Verb.TEST: Forbidden.TEST,
}
#: What all pages that come to a test answer: yes, no, or (None) not all the same.
Answer = bool | None


def find(sides: Sides) -> Iterator[Failure]:
    """Yield what a patch adds, or leaves behind, for a state in which pages no longer start."""
    sites = sides.behaviours.map(lambda b: by_site(o for o, _ in b.operations()))
    before, after = sides.behaviours.before, sides.behaviours.after
    for migration in sides.described:
        has = having(migration, sides)
        if not has.after:
            continue
        for site, seen in sorted(sites.after.items(), key=repr):
            was = sites.before.get(site, [])
            yield from _stale(seen, was, migration, has, sides)
        earlier = find_early(migration, before, sides.programs.before, sides.facts)
        known = {f.key for f in earlier if has.before}
        later = find_early(migration, after, sides.programs.after, sides.facts)
        early = {f.key: f for f in later}
        yield from (failure for key, failure in early.items() if key not in known)


def having(migration: Described, sides: Sides) -> Pair[bool]:
    """Tell which trees have a migration; where it does not show before, it counts as after."""
    before, after = (_has(migration, b) for b in (sides.behaviours.before, sides.behaviours.after))
    return Pair(bool(after) if before is None else before, bool(after))


def _has(migration: Described, behaviour: Behaviour) -> bool | None:
    """Tell whether a tree has a migration: its populations start as they do after it.

    None is a tree that does not show it: nobody calls the functions that hand the pages on.
    """
    if migration.forbids(Forbidden.CLEAR_BEFORE_FREEING) and not behaviour.types_forgotten:
        return False
    if any(not behaviour.space.holding(label) for label in migration.become_types):
        return False
    shown = bool(migration.become_types)
    for moved in migration.populations:
        born = [
            o.page
            for o in behaviour.births(moved.name)
            # What comes off a list that nobody is seen to fill shows nothing.
            if not (moved.handed_on_by and o.page.types == behaviour.space.every)
        ]
        if not born and not moved.handed_on_by:
            return False
        if not all(_is_in(page, moved.after, migration, behaviour.space) for page in born):
            return False
        shown = shown or bool(born)
    return True if shown or behaviour.types_forgotten else None


def _is_in(page: PageState, state: str, migration: Described, space: Space) -> bool:
    """Tell whether a page certainly is in a state, as far as a migration speaks of it."""
    words = state.split(", ")
    for label in migration.types:
        held = space.holding(label)
        if not held or page.types & (~held if label in words else held):
            return False
    return all(page.flag(f) == (SET if f in words else CLEAR) for f in migration.flags)


def _stale(
    seen: list[Observation],
    was: list[Observation],
    migration: Described,
    has: Pair[bool],
    sides: Sides,
) -> Iterator[Failure]:
    """Yield the first observation of a site that only makes sense for pages as they were."""
    first = next((o for o in seen if migration.moved(o.page.population)), None)
    if first is None:
        return
    space = sides.behaviours.after.space
    op, moved = space.operations[first.operation], migration.moved(first.page.population)
    obligation = _forbids(migration, _VERBS[op.verb], op.label, first, sides)
    if moved is None or obligation is None or not _judged(op, first, was, has, sides):
        return
    answers = {_answer(o, op, space) for o in seen}
    if answers != {not _had(op.label, moved)} or not all(_is_as_started(o, sides) for o in seen):
        return
    if not op.is_test and any(o.outcome is not Outcome.NO_EFFECT for o in seen):
        return
    if op.is_test and was and {_answer(o, op, space) for o in was} != {_had(op.label, moved)}:
        return
    if _is_closed(first.id, sides) and not is_asserted(first, sides):
        yield Failure("stale-test" if op.is_test else "dead-op", first, because=obligation.text)


def _judged(
    op: Operation, first: Observation, was: list[Observation], has: Pair[bool], sides: Sides
) -> bool:
    """Tell whether a site is judged here: what traps, is redundant or now dead is found elsewhere.

    A site that was there before counts where it is a test of a type and the migration is new.
    """
    if op.dimension == TYPE and not op.is_test:
        return False
    if not was:
        in_core = sides.is_core(first.path)
        # What the patch did not write is only reached by another way.
        return has.before and not (in_core and not sides.is_changed(first.id, first.dimension))
    return not has.before and op.dimension == TYPE


def _had(label: str, moved: Moved) -> bool:
    """Tell whether pages had a flag or type before the migration."""
    return moved.before != NEITHER and label in moved.before.split(", ")


def _answer(o: Observation, op: Operation, space: Space) -> Answer:
    """Return whether a page certainly has the flag or type of an operation."""
    if op.dimension == TYPE:
        held = o.page.types & space.holding(op.label)
        return True if held == o.page.types else None if held else False
    return {CLEAR: False, SET: True}.get(o.page.flag(op.dimension))


def _is_as_started(o: Observation, sides: Sides) -> bool:
    """Tell whether a page is as its origin made it, or as it was handed on."""
    source = o.source
    if source is None:
        return False
    if o.page.population in sides.facts.handers.values():
        return source.path != o.path
    return source.kind == "birth" or sides.facts.is_initial(source, o.page)


def _is_closed(id: FunctionId, sides: Sides, below: frozenset[FunctionId] = frozenset()) -> bool:
    """Tell whether only functions that were followed can get pages into a function.

    It is static, and so is all that calls it, up to callbacks and to core itself. A function
    that is passed nothing takes its pages from where it was followed to.
    """
    program, reached = sides.programs.after, sides.behaviours.after.reached
    if sides.is_core(id[0]) or id in below:
        return id in reached
    if id not in reached:
        return False
    if not page_params(program, sides.facts, id):
        return True
    if not all(f.static for f in program.lowered(id)):
        return False
    return all(_is_closed(c, sides, below | {id}) for c in callers_of(program, id))


def _forbids(
    migration: Described, verb: Forbidden, label: str, seen: Observation, sides: Sides
) -> Obligation | None:
    for obligation in migration.obligations:
        if (obligation.must_not, obligation.what) != (verb, label):
            continue
        if not obligation.callbacks or _is_below(seen, obligation.callbacks, sides):
            return obligation
    return None


def _is_below(seen: Observation, registrars: tuple[str, ...], sides: Sides) -> bool:
    """Tell whether an observation is made in a function that is registered so, or below one."""
    program = sides.programs.after
    registered = {id for registrar in registrars for id in program.passed(registrar, 0)}
    return bool(registered & set(seen.chain))
