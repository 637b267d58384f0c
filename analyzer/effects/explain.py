"""Say why a line is or is not reported: what reaches it, in which states, by which way."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from difflib import SequenceMatcher

from analyzer.audit.names import Name, names_of
from analyzer.audit.uses import find_uses
from analyzer.base import FunctionId, Pair
from analyzer.clock import Clock, Progress
from analyzer.comparison.compare import Sides
from analyzer.contracts import Explanation, Happening, Place, Remark, Ruling
from analyzer.effects.find import line_of
from analyzer.effects.run import code_at, function_at, is_bare, read_both, told
from analyzer.effects.words import STRANGE, state_words, title
from analyzer.findings import Finding, Status
from analyzer.flow.analyse import Prepared
from analyzer.flow.domain.observe import Behaviour, Kind, Observation, Outcome
from analyzer.flow.run import Watched
from analyzer.idle.nearby import question_of
from analyzer.judge import findings_of
from analyzer.migrations import Described, load_migrations
from analyzer.pages.machine import TYPE
from analyzer.program.callers import callers_of
from analyzer.program.interest import Interest
from analyzer.settle import settle
from analyzer.sites import Site
from analyzer.tree import Tree

_NAMED = re.compile(r"\w+\(")  # begins with the name of a function
_OUTCOMES = {
    Outcome.EFFECTIVE: "changes it",
    Outcome.NO_EFFECT: "changes nothing",
    Outcome.TRAP: "traps",
    Outcome.MAY_TRAP: "may trap",
    Outcome.LEAK: "leaks",
    Outcome.MAY_LEAK: "may leak",
    Outcome.CLEAN: "is handed a clean page",
    Outcome.FAILED: "fails",
    Outcome.LATE: "comes after the page was given away",
    Outcome.SEEN: "looks at it",
}
_BAD = frozenset({"traps", "leaks", "fails"})


def explain(
    path: str,
    line: int,
    trees: Pair[Tree],
    changed: Iterable[str] = (),
    *,
    config: Mapping[str, bool] | None = None,
    progress: Progress | None = None,
    migrations: Mapping[str, Described] | None = None,
    jobs: int = 1,
) -> Explanation:
    """Return why a line of the tree after is or is not reported, without what an audit says.

    migrations are the described ones (None: those that are shipped). jobs bounds the processes
    that work at once; the result does not depend on it.
    Raise AnalyzerError where there is no such line.
    """
    clock, changed = Clock(progress), tuple(changed)
    clock.enter("search and read")
    text = line_of(trees.after, path, line)
    was = _line_before(trees, path, line)
    described = load_migrations() if migrations is None else migrations
    # Of a patch no more is asked than the check asks of it.
    beside = () if changed else code_at(path, line, trees.after)
    question = question_of(trees, changed, described.values(), beside)
    question, prepared = read_both(trees, changed, config, question)
    prepared.map(lambda p: p.program.add([path]))
    watched = Watched(frozenset(((path, line), *(((path, was),) if was else ()))))
    interest, behaviours = settle(prepared, clock, lambda _: watched, jobs=jobs)
    clock.enter("compare")
    compared = prepared.before is not prepared.after
    found: tuple[Finding, ...] = ()
    if compared:
        behaved = (interest, behaviours)
        sides = Sides.of(prepared, behaved, question.facts, question.described)
        found = findings_of(sides, changed)
    after = _happenings(path, line, prepared.after, behaviours.after)
    before = None
    if compared and was is not None:
        before = _happenings(path, was, prepared.before, behaviours.before)
    place = Place(path, line, function_at(path, line, prepared.after))
    remarks = tuple(_remarks(place, found))
    id = (path, place.function)
    way = {id, *_on_the_way(path, line, behaviours.after)}
    clock.enter("find uses")
    used = tuple(_used(path, line, prepared.after, trees.after, described))
    clock.enter("")
    return Explanation(
        place=place,
        text=text,
        tree=trees.after.name,
        compared=compared,
        reason=_reason(
            place,
            remarks,
            before,
            after,
            prepared.after,
            interest,
            behaviours.after,
            compared=compared,
        ),
        before=before,
        after=after,
        remarks=remarks,
        migrations=used,
        gaps=tuple(g for g in behaviours.after.gaps if (g.file, g.function) in way),
    )


def _line_before(trees: Pair[Tree], path: str, line: int) -> int | None:
    """Return where a line stood before; None where it is new."""
    if trees.before is trees.after:
        return line
    before, after = trees.before.read(path), trees.after.read(path)
    if before is None or after is None:
        return None
    if before == after:
        return line
    matcher = SequenceMatcher(None, before.split(b"\n"), after.split(b"\n"), autojunk=False)
    for was, now, size in matcher.get_matching_blocks():
        if now <= line - 1 < now + size:
            return was + line - now
    return None


def _happenings(
    path: str, line: int, tree: Prepared, behaviour: Behaviour
) -> tuple[Happening, ...]:
    """Return what happens to pages at a line; where nothing does, what is known after it."""
    found: dict[Happening, Happening] = {}
    for o in behaviour.observations:
        here = o.path == path and o.span.is_on(line)
        if here and o.kind in (Kind.OPERATION, Kind.SINK, Kind.CHECK):
            happening = _observed(o, tree, behaviour)
            found.setdefault(happening, happening)
    for s in behaviour.sights if not found else ():
        if (s.path, s.line) == (path, line):
            pages, state, given = told(s, tree, behaviour.space)
            where = f"given to {given}" if given else ""
            happening = Happening(
                pages=pages,
                state="; ".join(w for w in (state, where) if w),
                way=(*(f"{f.function}()" for f in s.stack), f"{s.function}()"),
            )
            found.setdefault(happening, happening)
    order = {STRANGE: 1}
    return tuple(
        sorted(found.values(), key=lambda h: (order.get(h.pages, 0), h.pages, h.state, h.operation))
    )


def _observed(o: Observation, tree: Prepared, behaviour: Behaviour) -> Happening:
    flags = () if o.dimension == TYPE else (o.dimension,)
    return Happening(
        pages=title(o.page.population, tree),
        state=state_words(o.page, behaviour.space, flags),
        operation=o.operation,
        outcome=_OUTCOMES.get(o.outcome, str(o.outcome)),
        way=(*(f"{f.function}()" for f in o.stack), f"{o.function}()"),
    )


def _on_the_way(path: str, line: int, behaviour: Behaviour) -> set[FunctionId]:
    return {
        frame.id
        for o in behaviour.observations
        if o.path == path and o.span.is_on(line)
        for frame in o.stack
    }


def _used(
    path: str, line: int, tree: Prepared, source: Tree, described: Mapping[str, Described]
) -> Iterator[str]:
    """Yield the migrations of whose flags there is a use on a line.

    Which words are uses is known when all wrappers are: the line need not name a flag.
    """
    names: dict[str, Name] = {}
    for migration in described.values():
        names |= names_of(tree.law.space, migration)
    uses = find_uses(names, tree.program, source).uses
    held = {u.name.label for u in uses if u.file == path and u.span.is_on(line)}
    for name, migration in sorted(described.items()):
        if not held.isdisjoint((*migration.flags, *migration.types)):
            yield name


def ruled(e: Explanation, sites_of: Callable[[str], Iterable[Site]]) -> Explanation:
    """Return an explanation with what the audit of each migration says of the uses on the line.

    sites_of audits the tree after for a migration; it is asked only where there is such a use.
    """
    rulings = (
        Ruling(name, s.operation, str(s.verdict), s.reason)
        for name in e.migrations
        for s in sites_of(name)
        if s.file == e.place.file and s.span.is_on(e.place.line)
    )
    return replace(e, rulings=tuple(dict.fromkeys(rulings)))


def _remarks(place: Place, found: Iterable[Finding]) -> Iterable[Remark]:
    for f in found:
        relation = ""
        if f.file == place.file and f.span.is_on(place.line):
            relation = "here"
        elif any((s.span.file, s.span.line) == (place.file, place.line) for s in f.trace):
            relation = "trace"
        elif (f.file, f.function) == (place.file, place.function) and f.function:
            relation = "function"
        if relation:
            at = Place(f.file, f.span.line, f.function)
            yield Remark(relation, f.rule, str(f.severity), str(f.status), f.message, at)


def _reason(
    place: Place,
    remarks: tuple[Remark, ...],
    before: tuple[Happening, ...] | None,
    after: tuple[Happening, ...],
    tree: Prepared,
    interest: Interest,
    behaviour: Behaviour,
    *,
    compared: bool,
) -> str:
    """Say in one sentence why the line is or is not reported."""
    for remark in remarks:
        if remark.status == Status.INTRODUCED and remark.relation == "here":
            return "It is reported: see below."
        if remark.status == Status.INTRODUCED and remark.relation == "trace":
            return "It is on the way of what is reported elsewhere: see below."
    if not after:
        why = _unreached(place, tree, interest, behaviour)
        # A name of C keeps its case: it is Not_that() that a capital would make of it.
        first = why[:1] if _NAMED.match(why) else why[:1].upper()
        return f"Not reported: {why}." if compared else f"{first}{why[1:]}."
    known = [h for h in after if h.pages != STRANGE]
    bad = [h for h in known if h.outcome in _BAD]
    if before is None and compared:
        if bad:
            return "The line is new and goes wrong; the mistake is charged to another function."
        return "Not reported: the line is new, and no page comes here that it goes wrong for."
    if before is None:
        return (
            "It fails for pages that come here; what a patch makes of that, --patch tells."
            if bad
            else "No page that comes here is in a state in which it goes wrong."
        )
    if bad and all(h in before for h in bad):
        return "Not reported as new: it goes wrong before the patch as well."
    if not known:
        return (
            "Not reported: only pages of unknown origin come here, and of them nothing is certain."
        )
    if set(before) == set(after) and not any(h.operation for h in after):
        return "Not reported: what is known of pages after this line is the same before and after."
    if set(before) == set(after):
        return "Not reported: the same pages come here in the same states before and after."
    if bad:
        return "It goes wrong here; the mistake is charged to another function."
    return "Not reported: pages come here in another state than before, and nothing goes wrong."


def _unreached(place: Place, tree: Prepared, interest: Interest, behaviour: Behaviour) -> str:
    """Say why no page is known to come to a line."""
    id = (place.file, place.function)
    if not place.function:
        return "it stands in no function"
    if id in behaviour.reached:
        if is_bare(place.file, place.line, tree):
            return "nothing is done on this line"
        return (
            "its function is reached, but no page that is followed is in a variable there, or none "
            "gets that far"
        )
    if not interest.role(id).matters:
        return (
            f"{id[1]}() does not come to any operation on the states that are followed, so it is "
            "not looked into"
        )
    callers = [f"{c[1]}()" for c in callers_of(tree.program, id)]
    known = f"known callers: {', '.join(callers[:6])}" if callers else "no caller of it is known"
    return f"no page that is followed gets to {id[1]}(); {known}"
