"""Audit every use of a migration's flags."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analyzer.base import AnalyzerError
from analyzer.cli.bounds import bounded, working
from analyzer.cli.caching import looked_over, opened_store
from analyzer.cli.guard import Guard
from analyzer.cli.options import WithPatch, configured, reading, speaking
from analyzer.cli.output import (
    EXHAUSTED,
    FOUND,
    INTERRUPTED,
    OK,
    Output,
    is_coloured,
    outputs_of,
    put,
    report_path,
    say,
    say_left_out,
    tell,
    width_of,
)
from analyzer.cli.trees import open_base

if TYPE_CHECKING:
    from analyzer.select import Selection
    from analyzer.sites import Audit
    from analyzer.tree import Tree

# Everything else is imported where it is used: `offlint --help` must not load a parser.

_FORMATS = ("text", "json", "html", "html-table")


@click.command(cls=WithPatch)
@reading
@click.option(
    "--migration",
    default="hotplug-offline",
    show_default=True,
    metavar="NAME",
    help="Whose flags are looked for.",
)
@click.option(
    "--patch",
    metavar="PATCH | - | REV..REV",
    help="Audit what this patch or series can reach, with what it adds and removes.",
)
@configured
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT[=FILE]",
    help="text, json, html or html-table; repeatable with files. [default: text]",
)
@click.option("--output", type=report_path, metavar="FILE", help="Write the report to a file.")
@click.option(
    "--fail-on",
    type=click.Choice(["affected", "undecided", "never"]),
    default="affected",
    show_default=True,
    help="Exit 1 for a use with this verdict (undecided: or affected).",
)
@speaking
@working
@click.option("--stats", is_flag=True, help="Say on stderr where the time went.")
@bounded("the audit")
@click.pass_context
def audit(
    context: click.Context,
    *,
    tree: str | None,
    revision: str | None,
    migration: str,
    patch: str | None,
    config_file: Path | None,
    formats: tuple[str, ...],
    output: Path | None,
    fail_on: str,
    color: str,
    quiet: bool,
    jobs: int | None,
    no_cache: bool,
    stats: bool,
    timeout: float | None,
    memory: int | None,
) -> None:
    """Give every use of a migration's flags a verdict, with the reason.

    Readers, setters and clearers are found in the whole tree, in headers and
    through macros and wrappers too. Each is affected, migrated, unaffected
    for a reason, or undecided with what is missing. The tree is never changed.
    """
    from analyzer.parallel import usable_cores

    outputs = outputs_of(formats, output, _FORMATS)
    workers = jobs or usable_cores()
    looked = looked_over(context, tree, revision, (patch,), workers, cached=not no_cache)
    # From here on the run is no typing mistake, and worth loading a parser for.
    from analyzer.migrations import known_migrations, migration_named
    from analyzer.progress import Progress
    from analyzer.settings import bounds, read_settings, settings_of

    with (
        Guard(*bounds(timeout, memory), enabled=bool(context.obj)) as guard,
        Progress(sys.stderr, enabled=not quiet) as progress,
    ):
        from analyzer.config import read_config
        from analyzer.recall import recall_audit
        from analyzer.select import Selection

        config: Mapping[str, bool] = {} if config_file is None else read_config(config_file)
        stdin = guard.awaited(sys.stdin.buffer)
        # What there is to remark on the patch stands in the result.
        series, where = open_base(patch, tree, revision, stdin, quiet=True)
        settings = settings_of(where)
        guard.allow(*bounds(timeout, memory, settings))
        migration_named(migration, known_migrations(settings.migrations))  # or it is a mistake

        def audited(tree: Tree) -> Audit:
            # Half of the time of a run that is answered from the cache would go into this.
            from analyzer.auditing import audit as audit_tree

            # Read anew, so that the answer is known to depend on it.
            known = known_migrations(read_settings(tree.read, where.name).migrations)
            return audit_tree(
                tree,
                migration_named(migration, known),
                series,
                config=config,
                progress=progress,
                jobs=workers,
                budget=guard.begin(),
            )

        with guard.finishing(), opened_store(progress, wanted=not no_cache, quiet=quiet) as store:
            result = recall_audit(store, series, where, migration, config, audited, looked=looked)
        guard.begin()
        result = _without(result, Selection(paths=settings.paths))
    if not quiet:
        for note in result.notes:
            say(note)
    for wanted in outputs:
        put(_rendered(result, wanted, color), wanted.path)
    if not quiet:
        say_left_out(result.gaps, "--format json")
    if stats:
        _say_stats(result)
    counts = result.counts
    failing = {"affected": ("affected",), "undecided": ("affected", "undecided"), "never": ()}
    bad = sum(counts[v] for v in failing[fail_on])
    bad += sum(s.absent and str(s.verdict) in failing[fail_on] for s in result.sites)
    if result.stopped == "interrupted":
        context.exit(INTERRUPTED)
    context.exit(FOUND if bad else EXHAUSTED if result.stopped else OK)


def _without(result: Audit, selection: Selection) -> Audit:
    """Return an audit without the places that the tree ignores; a remark counts them."""
    sites = tuple(s for s in result.sites if selection.covers(s.file))
    if not (left_out := len(result.sites) - len(sites)):
        return result
    uses = "use stands" if left_out == 1 else "uses stand"
    remark = f"{left_out} {uses} in paths that .offlint.toml ignores, and not in the report"
    return replace(result, sites=sites, notes=(*result.notes, remark))


def _rendered(result: Audit, output: Output, color: str) -> str:
    match output.format:
        case "json":
            from analyzer.report import audit_json

            return audit_json.render(result)
        case "html":
            from analyzer.report import audit_page

            return audit_page.render(result)
        case "html-table":
            from analyzer.report import audit_html

            return audit_html.render(result)
        case "text":
            from analyzer.report import audit_text

            colour = is_coloured(color, output.path)
            return audit_text.render(result, width=width_of(output.path), colour=colour)
    raise AnalyzerError(f"--format: unknown format {output.format!r}")


def _say_stats(result: Audit) -> None:
    for stage, seconds in result.seconds:
        tell(f"{seconds:9.3f} s  {stage}")
    tell(f"{sum(s for _, s in result.seconds):9.3f} s  in all")
    tell(f"{result.files_read:9}    files read")
    tell(f"{result.counts['uses']:9}    uses")
    tell(f"{len(result.gaps):9}    gaps")
