"""Run the analysis of both trees with an eye on one function and some lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from analyzer.base import FunctionId, Pair
from analyzer.c.unit import scan_unit
from analyzer.clock import Clock, Progress
from analyzer.contracts import Effects, Known, Place, Sighting
from analyzer.effects.contract import contract_of, unread_by
from analyzer.effects.find import find_function, line_of
from analyzer.effects.words import GIVEN, place_words, state_words, taken_words, title
from analyzer.flow.analyse import Prepared, prepare
from analyzer.flow.domain.observe import Behaviour
from analyzer.flow.domain.sight import Sight
from analyzer.flow.run import Watched
from analyzer.idle.nearby import Question, question_of
from analyzer.idle.touched import with_touched
from analyzer.migrations import Described, load_migrations
from analyzer.pages.facts import Facts
from analyzer.pages.machine import Space
from analyzer.program.cache import Cache
from analyzer.program.interest import Interest
from analyzer.program.params import is_page_pointer
from analyzer.settle import read_on, settle
from analyzer.tree import Tree, only_c

#: A line of code without comments on which nothing is done.
_BARE = re.compile(rb"[\s{}]*(?:else\b[\s{}]*)?")


def effects(
    name: str,
    trees: Pair[Tree],
    changed: Iterable[str] = (),
    *,
    lines: Sequence[tuple[str, int]] = (),
    config: Mapping[str, bool] | None = None,
    progress: Progress | None = None,
    migrations: Mapping[str, Described] | None = None,
    jobs: int = 1,
) -> Effects:
    """Return the contract of a function in two trees, which may be one and the same.

    name is a function, or FILE:FUNCTION. lines are places of the tree after, of which is told what
    is known there. migrations are the described ones (None: those that are shipped): what those of
    which the function or the patch speaks are about is followed. jobs bounds the processes that
    work at once; the result does not depend on it.
    Raise AnalyzerError where the name means no function, or several, or there is no such line.
    """
    clock = Clock(progress)
    clock.enter("search and read")
    for path, line in lines:
        line_of(trees.after, path, line)
    changed = tuple(changed)
    described = tuple((load_migrations() if migrations is None else migrations).values())
    question = question_of(trees, changed, described)
    _, prepared = read_both(trees, changed, config, question)
    id = find_function(name, prepared, trees)
    code = [c for path, line in lines for c in code_at(path, line, trees.after)]
    code += [c for side in (prepared.before, prepared.after) for c in _code_of(id, side)]
    whole = question_of(trees, changed, described, code)
    if whole != question:  # it speaks of more than the patch does
        _, prepared = read_both(trees, changed, config, whole)
        find_function(name, prepared, trees)  # which reads what it did before
    prepared.map(lambda p: p.program.add(path for path, _ in lines))
    watched = Watched(frozenset(lines), frozenset((id,)))
    interest, behaviours = _settled(id, prepared, watched, clock, jobs)
    clock.enter("contract")
    one_tree = prepared.before is prepared.after
    after = contract_of(id, prepared.after, interest, behaviours.after)
    before = after if one_tree else contract_of(id, prepared.before, interest, behaviours.before)
    gaps = [g for g in behaviours.after.gaps if (g.file, g.function) == id]
    clock.enter("")
    return Effects(
        function=id[1],
        tree=trees.after.name,
        compared=not one_tree,
        contracts=Pair(before, after),
        sightings=tuple(sighting(at, prepared.after, behaviours.after) for at in lines),
        gaps=tuple(gaps),
        taken=taken_words(id[1], prepared.after.facts),
    )


def _settled(
    id: FunctionId, prepared: Pair[Prepared], watched: Watched, clock: Clock, jobs: int
) -> tuple[Interest, Pair[Behaviour]]:
    """Analyse both trees, reading on until a function's pages go nowhere that was not read."""
    while True:
        interest, found = settle(prepared, clock, lambda _: watched, jobs=jobs)
        after = unread_by(id, prepared.after, interest, found.after)
        before = after
        if prepared.before is not prepared.after:
            before = unread_by(id, prepared.before, interest, found.before)
        unread = Pair(
            replace(found.before, unresolved=before), replace(found.after, unresolved=after)
        )
        if not read_on(prepared, unread, clock):
            return interest, found


def code_at(path: str, line: int, tree: Tree) -> tuple[bytes, ...]:
    """Return the function around a line, and the line."""
    unit = scan_unit(path, tree.read(path) or b"")
    found = (d for named in unit.definitions.values() for d in named)
    around = (unit.code[d.span.start : d.span.end] for d in found if d.span.is_on(line))
    return (*around, *unit.code.split(b"\n")[line - 1 : line])


def _code_of(id: FunctionId, tree: Prepared) -> Iterator[bytes]:
    """Yield the definitions of a function."""
    for unit in (tree.program.unit(id[0]),) if tree.program.has(id[0]) else ():
        for d in unit.definitions.get(id[1], ()):
            yield unit.code[d.span.start : d.span.end]


def read_both(
    trees: Pair[Tree],
    changed: Iterable[str],
    config: Mapping[str, bool] | None,
    question: Question,
) -> tuple[Question, Pair[Prepared]]:
    """Read both trees as far as a question needs them, and return what it is then.

    One tree is read once.
    """
    cache, paths = Cache(), only_c(changed)

    def read(facts: Facts, tree: Tree) -> Prepared:
        prepared = prepare(tree.read, tree.search, cache, facts, config or {})
        prepared.program.add(paths)
        return prepared

    def both(facts: Facts) -> Pair[Prepared]:
        after = read(facts, trees.after)
        return Pair(after if trees.before is trees.after else read(facts, trees.before), after)

    return with_touched(question, both(question.facts), both)


def sighting(at: tuple[str, int], tree: Prepared, behaviour: Behaviour) -> Sighting:
    """Return what is known right after a line."""
    path, line = at
    function = function_at(path, line, tree)
    pointers = _page_pointers((path, function), tree)
    known: dict[tuple[str, str, str], set[str]] = {}
    for s in behaviour.sights:
        if (s.path, s.line) == at:
            known.setdefault(told(s, tree, behaviour.space), set()).add(s.variable)
    return Sighting(
        place=Place(path, line, function),
        bare=is_bare(path, line, tree),
        known=tuple(
            sorted(
                Known(variable, *what)
                for what, variables in known.items()
                for variable in variables & pointers or variables
            )
        ),
    )


def function_at(path: str, line: int, tree: Prepared) -> str:
    """Return the function around a line; nothing where there is none."""
    if tree.program.has(path):
        for found in tree.program.unit(path).definitions.values():
            for d in found:
                if d.span.is_on(line):
                    return d.name
    return ""


def is_bare(path: str, line: int, tree: Prepared) -> bool:
    """Tell whether nothing stands on a line that is done: comments, blanks, braces, `else`."""
    code = tree.program.unit(path).code.split(b"\n") if tree.program.has(path) else []
    return 0 < line <= len(code) and _BARE.fullmatch(code[line - 1]) is not None


def _page_pointers(id: FunctionId, tree: Prepared) -> frozenset[str]:
    """Return the variables of a function that are pages by their type: numbers tell no more."""
    return frozenset(
        name
        for f in tree.program.lowered(id)
        for v in f.variants
        for name, type_ in (*((p.name, p.type) for p in f.params), *v.locals.items())
        if is_page_pointer(type_)
    )


def told(s: Sight, tree: Prepared, space: Space) -> tuple[str, str, str]:
    """Say of a sight which pages they are, in which state, and where they have gone."""
    gone = s.page is None or s.given == "buddy"
    pages = GIVEN if gone or s.page is None else title(s.page.population, tree)
    state = "" if gone or s.page is None else state_words(s.page, space)
    return pages, state, place_words(s.given)
