"""Audit a tree, or what a series does to it: the pipeline of `offlint audit`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from analyzer.audit.change import audit_change
from analyzer.audit.run import audit_tree, search_ahead
from analyzer.base import Pair
from analyzer.flow.analyse import prepare
from analyzer.flow.cache import Cache
from analyzer.migrations import Described
from analyzer.pages.facts import load_facts
from analyzer.patch.model import Series
from analyzer.patch.steps import apply_series
from analyzer.pipeline import found_in, sides_of
from analyzer.rules import load_rules
from analyzer.settle import Clock, Progress
from analyzer.sites import Audit
from analyzer.tree import Tree


def audit(
    tree: Tree,
    migration: Described,
    series: Series | None = None,
    *,
    config: Mapping[str, bool] | None = None,
    progress: Progress | None = None,
    jobs: int = 1,
) -> Audit:
    """Return a verdict on every use of a migration's flags in a tree.

    With a series, on those uses of the tree after it that the states it changes can reach. jobs
    bounds the processes that work at once; the result does not depend on it.
    """
    clock, cache = Clock(progress), Cache()
    notes: list[str] = []
    if series is None:
        clock.enter("search and read")
        ahead = search_ahead(tree, cache, load_facts(), migration)
        prepared = prepare(tree.read, tree.search, cache, load_facts(), config or {})
        clock.enter("audit")
        audited = audit_tree(prepared, tree, migration, ahead, jobs=jobs)
    else:
        clock.enter("apply")
        trees, changed, notes = _whole(tree, series)
        sides = sides_of(trees, changed, cache, config or {}, clock, [migration], jobs)
        if isinstance(sides, str):  # nothing moves: what the migration says of the tree is left
            notes.append(sides)
            return replace(
                audit(trees.after, migration, config=config, jobs=jobs), notes=tuple(notes)
            )
        clock.enter("audit")
        audited = audit_change(
            sides, trees, changed, found_in(sides, changed, load_rules()), migration
        )
    clock.enter("")
    others = Counter(m.kind for m in audited.found.mentions)
    return Audit(
        tree=tree.name,
        migration=migration.name,
        title=migration.title,
        moves=audited.moves,
        sites=audited.sites,
        words=audited.found.words,
        others=tuple(sorted(others.items())),
        patch="" if series is None else series.patches[0].subject if series.patches else "",
        gaps=tuple(sorted(set(audited.behaviour.gaps))),
        files_read=len(audited.program.paths),
        seconds=tuple(clock.seconds.items()),
        notes=tuple(dict.fromkeys(notes)),
    )


def _whole(tree: Tree, series: Series) -> tuple[Pair[Tree], tuple[str, ...], list[str]]:
    """Return the trees around a whole series, the files it changes, and remarks."""
    steps = apply_series(series.patches, tree)
    if not steps:
        return Pair(tree, tree), (), list(series.notes)
    notes = [*series.notes, *(n for s in steps for n in (*s.patch.notes, *s.notes))]
    changed = tuple(dict.fromkeys(path for s in steps for path in s.changed))
    return Pair(steps[0].trees.before, steps[-1].trees.after), changed, notes
