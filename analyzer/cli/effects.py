"""Print the contract of a function, before and after a patch."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import click

from analyzer.base import AnalyzerError
from analyzer.cli.bounds import bounded, towards, working
from analyzer.cli.caching import looked_over, opened_store
from analyzer.cli.guard import Guard
from analyzer.cli.options import WithPatch, reading, speaking
from analyzer.cli.output import is_coloured, put, width_of

if TYPE_CHECKING:
    from analyzer.contracts import Effects
    from analyzer.tree import Tree


@click.command(cls=WithPatch, short_help="Print what a function does to pages.")
@click.argument("function", metavar="FUNCTION")
@click.option("--patch", metavar="PATCH", help="Compare with the tree after this patch or series.")
@reading
@click.option(
    "--at", "places", multiple=True, metavar="FILE:LINE", help="Say what is known after this line."
)
@click.option(
    "--format",
    "format_",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="How to print it.",
)
@speaking
@working
@bounded("the answer")
@click.pass_context
def effects(
    context: click.Context,
    function: str,
    *,
    patch: str | None,
    tree: str | None,
    revision: str | None,
    places: tuple[str, ...],
    format_: str,
    color: str,
    quiet: bool,
    jobs: int | None,
    no_cache: bool,
    timeout: float | None,
    memory: int | None,
) -> None:
    """Print the contract of a function: what becomes of a page in each state.

    FUNCTION is a name, or FILE:NAME where several files define it. With --patch
    a line that starts with `-` holds before it only, one with `+` after it only;
    lines for --at count in the tree after it.
    """
    lines = tuple(line_named(p) for p in places)
    function = function.removesuffix("()")
    from analyzer.parallel import usable_cores

    workers = jobs or usable_cores()
    looked = looked_over(context, tree, revision, (patch,), workers, cached=not no_cache)
    from analyzer.cli.trees import open_base, trees_around
    from analyzer.migrations import known_migrations
    from analyzer.progress import Progress
    from analyzer.recall import recall_effects
    from analyzer.report.effects import render, render_json
    from analyzer.settings import bounds, read_settings, settings_of

    progress = Progress(sys.stderr, enabled=not quiet)
    with (
        towards(f"the contract of {function}", progress),  # outermost: time may be out at once
        Guard(*bounds(timeout, memory), enabled=bool(context.obj)) as guard,
        progress,
    ):
        stdin = guard.awaited(sys.stdin.buffer)
        series, base = open_base(patch, tree, revision, stdin, quiet=quiet)
        settings = settings_of(base)
        guard.allow(*bounds(timeout, memory, settings))

        def derived(where: Tree) -> Effects:
            # Half of the time of a run that is answered from the cache would go into this.
            from analyzer.effects.run import effects as derive

            trees, changed = trees_around(series, where)
            # Read anew, so that the answer is known to depend on it.
            known = known_migrations(read_settings(where.read, base.name).migrations)
            return derive(
                function,
                trees,
                changed,
                lines=lines,
                progress=progress,
                migrations=known,
                jobs=workers,
            )

        with opened_store(progress, wanted=not no_cache, quiet=quiet) as store:
            found = recall_effects(store, series, base, function, lines, derived, looked=looked)
    if format_ == "json":
        put(render_json(found), None)
    else:
        put(render(found, width=width_of(), colour=is_coloured(color, None)), None)


def line_named(place: str) -> tuple[str, int]:
    """Return the file and the line of FILE:LINE, with a column or without, as reports print it.

    Raise AnalyzerError where it is none.
    """
    found = re.fullmatch(r"(?:\./)?(.+?):(\d+)(?::\d+)?:?", place, re.ASCII)
    if found is None or int(found[2]) == 0:
        raise AnalyzerError(f"{place}: expected FILE:LINE, as mm/mm_init.c:900")
    return found[1], int(found[2])
