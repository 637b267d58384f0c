"""Print what a rule means, or why a line is or is not reported."""

from __future__ import annotations

import functools
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from analyzer.base import AnalyzerError
from analyzer.cli.bounds import bounded, towards, working
from analyzer.cli.caching import looked_over, opened_store
from analyzer.cli.effects import line_named
from analyzer.cli.guard import Guard
from analyzer.cli.options import WithPatch, reading, speaking
from analyzer.cli.output import is_coloured, put, say, width_of

if TYPE_CHECKING:
    from analyzer.contracts import Explanation
    from analyzer.migrations import Described
    from analyzer.sites import Audit, Site
    from analyzer.tree import Tree


@click.command(
    cls=WithPatch, short_help="Print what a rule means, or why a line is (not) reported."
)
@click.argument("subject", metavar="RULE | MIGRATION | FILE:LINE")
@click.option("--patch", metavar="PATCH", help="What the line is asked of: a patch or series.")
@reading
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print it; a rule's page is text.",
)
@speaking
@working
@bounded("the answer")
@click.pass_context
def explain(
    context: click.Context,
    subject: str,
    *,
    patch: str | None,
    tree: str | None,
    revision: str | None,
    format_: str,
    color: str,
    quiet: bool,
    jobs: int | None,
    no_cache: bool,
    timeout: float | None,
    memory: int | None,
) -> None:
    """Print a rule's or migration's page, or why a line is or is not reported.

    A rule's page says what should hold, what breaks, how to mend it; that of a
    migration what moves and what code must not do any more. For a line:
    which pages come there, in which states and by which way, what happens to
    them, and what was not followed. With --patch lines count in the tree after.
    """
    colour = is_coloured(color, None)
    if ":" not in subject and "/" not in subject:
        put(_page(subject, patch, tree, revision, colour=colour), None)
        return
    path, line = line_named(subject)
    from analyzer.parallel import usable_cores

    workers = jobs or usable_cores()
    looked = looked_over(context, tree, revision, (patch,), workers, cached=not no_cache)
    from analyzer.cli.trees import open_base, trees_around
    from analyzer.effects.explain import ruled
    from analyzer.migrations import known_migrations, migration_named
    from analyzer.progress import Progress
    from analyzer.recall import recall_audit, recall_explanation
    from analyzer.report.explain import render, render_json
    from analyzer.select import Selection
    from analyzer.settings import bounds, read_settings, settings_of

    progress = Progress(sys.stderr, enabled=not quiet)
    with (
        towards(f"what happens at {path}:{line}", progress),  # outermost: time may be out at once
        Guard(*bounds(timeout, memory), enabled=bool(context.obj)) as guard,
        progress,
    ):
        stdin = guard.awaited(sys.stdin.buffer)
        series, base = open_base(patch, tree, revision, stdin, quiet=quiet)
        settings = settings_of(base)
        guard.allow(*bounds(timeout, memory, settings))

        def known(where: Tree) -> Mapping[str, Described]:  # read anew: the answer depends on it
            return known_migrations(read_settings(where.read, base.name).migrations)

        def derived(where: Tree) -> Explanation:
            from analyzer.effects.explain import explain as derive

            trees, changed = trees_around(series, where)
            return derive(
                path,
                line,
                trees,
                changed,
                progress=progress,
                migrations=known(where),
                jobs=workers,
            )

        def audited(name: str, where: Tree) -> Audit:
            from analyzer.auditing import audit

            after = trees_around(series, where)[0].after
            migration = migration_named(name, known(where))
            return audit(after, migration, progress=progress, jobs=workers)

        with opened_store(progress, wanted=not no_cache, quiet=quiet) as store:
            found = recall_explanation(store, series, base, path, line, derived, looked=looked)

            def sites_of(name: str) -> tuple[Site, ...]:
                of_tree = functools.partial(audited, name)
                if series is not None:
                    return of_tree(base).sites
                return recall_audit(store, None, base, name, {}, of_tree, looked=looked).sites

            found = ruled(found, sites_of)
    if not quiet and not Selection(paths=settings.paths).covers(path):
        say(f"{path}: .offlint.toml ignores this path: check shows no finding in it")
    if format_ == "json":
        put(render_json(found), None)
    else:
        put(render(found, width=width_of(), colour=colour), None)


def _page(
    subject: str, patch: str | None, tree: str | None, revision: str | None, *, colour: bool
) -> str:
    """Return the page of a rule, or of a migration: one that is shipped or the tree's own."""
    from analyzer.report.rule import render as render_rule
    from analyzer.rules import rule_named

    try:
        rule = rule_named(subject)
    except AnalyzerError as unknown:
        if patch is None and (page := _page_of_migration(subject, tree, revision, colour=colour)):
            return page
        from analyzer.migrations import load_migrations

        more = f"; the migrations are {', '.join(load_migrations())}"
        raise AnalyzerError(f"{unknown}{'' if 'did you mean' in str(unknown) else more}") from None
    if patch is not None or tree is not None or revision is not None:
        raise AnalyzerError(f"{subject}: a rule; --patch, --tree and --git go with FILE:LINE")
    return render_rule(rule, width=width_of(), colour=colour)


def _page_of_migration(
    name: str, tree: str | None, revision: str | None, *, colour: bool
) -> str | None:
    """Return the page of a migration; None where no name is like it."""
    from difflib import get_close_matches

    from analyzer.migrations import known_migrations, migration_named
    from analyzer.pages.facts import load_facts
    from analyzer.report.migration import render as render_migration
    from analyzer.rules import load_rules
    from analyzer.settings import settings_of
    from analyzer.tree import open_tree

    known = known_migrations(settings_of(open_tree(tree, revision)).migrations)
    if name not in known and not {*get_close_matches(name, [*load_rules(), *known], n=1)} & {
        *known
    }:
        return None
    titles = {p.name: p.title for p in load_facts().populations}
    return render_migration(migration_named(name, known), titles, width=width_of(), colour=colour)
