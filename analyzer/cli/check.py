"""Check a patch or series."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from analyzer.base import AnalyzerError, Severity
from analyzer.cli.accepting import accepted, remember
from analyzer.cli.bounds import bounded, count, working
from analyzer.cli.caching import looked_over, opened_store
from analyzer.cli.fixing import proved_fixes, written_fixes
from analyzer.cli.guard import Guard
from analyzer.cli.nipa import nipa_descriptor, tell_nipa
from analyzer.cli.options import configured, reading, speaking
from analyzer.cli.output import (
    BLIND,
    EXHAUSTED,
    FORMATS,
    FOUND,
    INTERRUPTED,
    OK,
    chosen_outputs,
    file_path,
    new_path,
    report_path,
    say,
    say_left_out,
    tell,
    write_reports,
)

if TYPE_CHECKING:
    from analyzer.base import Gap
    from analyzer.baseline import Entry
    from analyzer.findings import Result
    from analyzer.request import Request
    from analyzer.select import Selection
    from analyzer.tree import Tree

# Everything else is imported where it is used: `offlint --help` must not load a parser.

_SEVERITIES = click.Choice([str(s) for s in reversed(Severity)])


@click.command()
@click.argument("patches", nargs=-1, metavar="[PATCH... | - | REV..REV]")
@reading
@click.option("--reroll", type=count, metavar="N", help="Version of the series, of several.")
@configured
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT[=FILE]",
    help=f"{', '.join(FORMATS)}; repeatable with files. [default: text]",
)
@click.option("--output", type=report_path, metavar="FILE", help="Write the report to a file.")
@click.option(
    "--anchor",
    type=click.Choice(["site", "hunk"]),
    default="site",
    show_default=True,
    help="Where forges show a finding: where to mend, or in the diff.",
)
@click.option(
    "--all", "everything", is_flag=True, help="Show fixed and pre-existing findings and gaps, too."
)
@click.option(
    "--level", type=_SEVERITIES, default=None, help="Show nothing below.  [default: note]"
)
@click.option(
    "--fail-on",
    type=click.Choice([*_SEVERITIES.choices, "never"]),
    default=None,
    help="Exit 1 for new findings from this severity on.  [default: warning]",
)
@click.option("--rule", "rules", multiple=True, metavar="RULE", help="Only this rule; repeatable.")
@click.option(
    "--ignore", "ignored", multiple=True, metavar="RULE", help="Not this rule; repeatable."
)
@click.option("--alone", is_flag=True, help="Judge a single patch without its siblings from git.")
@click.option(
    "--partial", is_flag=True, help="Leave out the hunks that do not apply, and say which."
)
@click.option(
    "--baseline",
    type=file_path,
    metavar="FILE",
    help="Hide the findings that this file knows.",
)
@click.option(
    "--write-baseline",
    type=new_path,
    metavar="FILE",
    help="Write the findings to a baseline; they then fail nothing.",
)
@click.option("--fix", is_flag=True, help="Print a diff of proved fixes in place of the report.")
@click.option(
    "--fix-output",
    type=new_path,
    metavar="FILE",
    help="Write the diff of proved fixes to a file.",
)
@speaking
@working
@click.option("--stats", is_flag=True, help="Say on stderr where the time went.")
@click.option(
    "--strict-gaps",
    is_flag=True,
    help="Exit 3 where a function that the patch touches could not be analysed.",
)
@click.option("--nipa", is_flag=True, help="Exit 0, 250 or 1, and write one line to $DESC_FD.")
@bounded("each patch")
@click.pass_context
def check(
    context: click.Context,
    patches: tuple[str, ...],
    *,
    tree: str | None,
    revision: str | None,
    reroll: int | None,
    config_file: Path | None,
    formats: tuple[str, ...],
    output: Path | None,
    anchor: str,
    everything: bool,
    level: str | None,
    fail_on: str | None,
    rules: tuple[str, ...],
    ignored: tuple[str, ...],
    alone: bool,
    partial: bool,
    baseline: Path | None,
    write_baseline: Path | None,
    fix: bool,
    fix_output: Path | None,
    color: str,
    quiet: bool,
    jobs: int | None,
    no_cache: bool,
    stats: bool,
    strict_gaps: bool,
    nipa: bool,
    timeout: float | None,
    memory: int | None,
) -> None:
    """Report what a patch or series makes stale, anywhere in the tree.

    PATCH is a diff, a mail, an mbox or a directory of these, several are one
    series; `-` or nothing reads standard input; REV..REV takes commits from
    git. The base is the tree as it is, and the tree is never changed.
    """
    from analyzer.parallel import usable_cores

    outputs = chosen_outputs(formats, output)
    workers = jobs or usable_cores()
    looked = looked_over(context, tree, revision, patches or ("-",), workers, cached=not no_cache)
    selection = _selection(everything, level, rules, ignored)
    known = _known(baseline)
    config = _config(config_file)
    descriptor = nipa_descriptor() if nipa else None
    # From here on the run is no typing mistake, and worth loading a parser for.
    from analyzer.progress import Progress
    from analyzer.request import open_request
    from analyzer.select import is_failure, select
    from analyzer.settings import bounds, failing, read_settings, settings_of, with_settings

    with Guard(*bounds(timeout, memory), enabled=bool(context.obj)) as guard:
        with Progress(sys.stderr, enabled=not quiet) as progress:
            request = open_request(
                patches,
                tree,
                revision,
                reroll,
                guard.awaited(sys.stdin.buffer),
                partial=partial,
                alone=alone,
            )
            settings = settings_of(request.trees.before)
            guard.allow(*bounds(timeout, memory, settings))
            selection = with_settings(selection, settings, level=level)
            from analyzer.migrations import known_migrations
            from analyzer.recall import recall_check

            migrations = known_migrations(settings.migrations)

            def is_quick() -> bool:
                from analyzer.idle.nearby import idle_at_once

                # Of several patches each is to be placed and read first.
                alone = len(request.series.patches) == 1
                return alone and idle_at_once(request.trees, request.files, migrations.values())

            def checked(tree: Tree) -> Result:
                # Half of the time of a run that is answered from the cache would go into this.
                from analyzer.pipeline import check as check_series

                # Read anew, so that the answer is known to depend on it.
                known = known_migrations(read_settings(tree.read, request.tree.name).migrations)
                return check_series(
                    request.series,
                    tree,
                    config=config,
                    partial=partial,
                    migrations=known,
                    progress=progress,
                    jobs=workers,
                    budgets=guard.begin,
                )

            with (
                guard.finishing(),
                opened_store(progress, wanted=not no_cache, quiet=quiet) as store,
            ):
                found = recall_check(
                    store,
                    request.series,
                    request.tree,
                    config,
                    checked,
                    partial=partial,
                    is_quick=is_quick,
                    looked=looked,
                )
            guard.begin()
            found = request.of_given(found)
            result = accepted(found, request, selection, settings, known=known, name=str(baseline))
            diff = None
            if fix or fix_output is not None:
                offers = proved_fixes(
                    result, found, request, selection, config, progress, migrations
                )
                result, diff = offers.result, offers.diff
        if write_baseline is not None:
            remember(write_baseline, found, request, selection, settings, quiet=quiet)
        outputs = written_fixes(diff, fix_output, outputs, asked=bool(formats))
        if not quiet:
            for note in result.notes:
                say(note)
        selected = select(result, selection)
        write_reports(selected, request, outputs, color=color, anchor=anchor)
        blind = [g for g in result.gaps if strict_gaps and _is_blind(g, request)]
    if not quiet:
        say_left_out(result.gaps, "--all")
    if stats:
        _say_stats(result)
    if blind:
        from analyzer.report.words import counted
        from analyzer.report.words import gap as gap_words

        say(
            f"{counted(len(blind), 'gap')} in what the patch touches (--strict-gaps); the first: "
            f"{gap_words(blind[0])}"
        )
    if descriptor is not None:
        context.exit(tell_nipa(selected, descriptor))
    limit = None if write_baseline is not None else failing(fail_on, settings)
    failed = is_failure(result, selection, limit)
    if result.stopped == "interrupted":
        context.exit(INTERRUPTED)
    context.exit(FOUND if failed else EXHAUSTED if result.stopped else BLIND if blind else OK)


def _is_blind(gap: Gap, request: Request) -> bool:
    return gap.kind == "budget" or request.touches(gap)


def _selection(
    everything: bool, level: str | None, rules: Sequence[str], ignored: Sequence[str]
) -> Selection:
    from analyzer.rules import rule_named
    from analyzer.select import Selection

    wanted, unwanted = (frozenset(rule_named(r).id for r in named) for named in (rules, ignored))
    if both := sorted(wanted & unwanted):
        raise AnalyzerError(f"{both[0]}: --rule asks for it and --ignore refuses it")
    return Selection(
        everything=everything,
        level=Severity(level or "note"),
        rules=wanted or None,
        ignored=unwanted,
    )


def _known(baseline: Path | None) -> tuple[Entry, ...]:
    if baseline is None:
        return ()
    from analyzer.baseline import read_baseline

    return read_baseline(baseline)


def _config(path: Path | None) -> Mapping[str, bool]:
    if path is None:
        return {}
    from analyzer.config import read_config

    return read_config(path)


def _say_stats(result: Result) -> None:
    for stage, seconds in result.seconds:
        tell(f"{seconds:9.3f} s  {stage}")
    tell(f"{sum(s for _, s in result.seconds):9.3f} s  in all")
    tell(f"{result.files_read:9}    files read")
    tell(f"{result.functions:9}    functions")
    tell(f"{len(result.gaps):9}    gaps")
