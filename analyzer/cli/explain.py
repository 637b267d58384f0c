"""Print what a rule means, or why a line is or is not reported."""

from __future__ import annotations

import sys

import click

from analyzer.base import AnalyzerError
from analyzer.cli.bounds import bounded, towards
from analyzer.cli.effects import line_named
from analyzer.cli.guard import Guard
from analyzer.cli.output import is_coloured, put, say, width_of


@click.command(short_help="Print what a rule means, or why a line is (not) reported.")
@click.argument("subject", metavar="RULE | FILE:LINE")
@click.option("--patch", metavar="PATCH", help="What the line is asked of: a patch or series.")
@click.option("--tree", metavar="DIR", help="The kernel tree. [default: .]")
@click.option("--git", "revision", metavar="REV", help="Read the tree at this git revision.")
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print it; a rule's page is text.",
)
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the text.",
)
@click.option("--quiet", is_flag=True, help="No remarks and no progress on stderr.")
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
    timeout: float | None,
    memory: int | None,
) -> None:
    """Print a rule's page, or why a line is or is not reported.

    A rule's page says what should hold, what breaks, how to mend it. For a line:
    which pages come there, in which states and by which way, what happens to
    them, and what was not followed. With --patch lines count in the tree after.
    """
    colour = is_coloured(color, None)
    if ":" not in subject and "/" not in subject:
        if patch is not None or tree is not None or revision is not None:
            raise AnalyzerError(f"{subject}: a rule; --patch, --tree and --git go with FILE:LINE")
        from analyzer.report.rule import render as render_rule
        from analyzer.rules import rule_named

        put(render_rule(rule_named(subject), width=width_of(), colour=colour), None)
        return
    path, line = line_named(subject)
    from analyzer.cli.trees import open_trees
    from analyzer.effects.explain import explain as derive
    from analyzer.migrations import known_migrations
    from analyzer.progress import Progress
    from analyzer.report.explain import render, render_json
    from analyzer.select import Selection
    from analyzer.settings import bounds, settings_of

    progress = Progress(sys.stderr, enabled=not quiet)
    with (
        towards(f"what happens at {path}:{line}", progress),  # outermost: time may be out at once
        Guard(*bounds(timeout, memory), enabled=bool(context.obj)) as guard,
        progress,
    ):
        stdin = guard.awaited(sys.stdin.buffer)
        trees, changed = open_trees(patch, tree, revision, stdin, quiet=quiet)
        settings = settings_of(trees.before)
        guard.allow(*bounds(timeout, memory, settings))
        migrations = known_migrations(settings.migrations)
        found = derive(path, line, trees, changed, progress=progress, migrations=migrations)
    if not quiet and not Selection(paths=settings.paths).covers(path):
        say(f"{path}: .offlint.toml ignores this path: check shows no finding in it")
    if format_ == "json":
        put(render_json(found), None)
    else:
        put(render(found, width=width_of(), colour=colour), None)
