"""Offer the tool on the command line: the only module that prints or exits."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from analyzer import __version__
from analyzer.base import AnalyzerError, Severity

if TYPE_CHECKING:
    from analyzer.findings import Result
    from analyzer.request import Request
    from analyzer.select import Selected, Selection

# Everything else is imported where it is used: `offlint --help` must not load a parser.

FORMATS = ("text", "terse", "json")
OK, FOUND, USAGE, BLIND, DEFECT, INTERRUPTED = 0, 1, 2, 3, 70, 130
_SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 80}
_SEVERITIES = click.Choice([str(s) for s in reversed(Severity)])


@dataclass(frozen=True, slots=True)
class Output:
    """One report to write: its format, and the file it goes to or None for standard output."""

    format: str
    path: Path | None


@click.group(context_settings=_SETTINGS)
@click.version_option(__version__, message="offlint %(version)s")
def offlint() -> None:
    """Find the code that still assumes the page states a kernel patch has changed.

    Exit status: 0 nothing found, 1 findings, 2 wrong use or input, 3 gaps
    with --strict-gaps, 70 a defect of offlint.
    """


@offlint.command()
@click.argument("patch", required=False, metavar="[PATCH | - | REV..REV]")
@click.option("--tree", metavar="DIR", help="The kernel tree. [default: .]")
@click.option("--git", "revision", metavar="REV", help="Read the tree at this git revision.")
@click.option("--reroll", type=click.IntRange(1), help="Version of the series, of several.")
@click.option(
    "--config",
    "config_file",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="A .config: leave out what it leaves out.",
)
@click.option(
    "--format",
    "formats",
    multiple=True,
    metavar="FORMAT[=FILE]",
    help="text, terse or json; repeatable with files. [default: text]",
)
@click.option(
    "--output", type=click.Path(path_type=Path), metavar="FILE", help="Write the report to a file."
)
@click.option(
    "--all", "everything", is_flag=True, help="Show fixed and pre-existing findings and gaps, too."
)
@click.option(
    "--level", type=_SEVERITIES, default="note", show_default=True, help="Show nothing below."
)
@click.option(
    "--fail-on",
    type=click.Choice([*_SEVERITIES.choices, "never"]),
    default="warning",
    show_default=True,
    help="Exit 1 for new findings from this severity on.",
)
@click.option("--rule", "rules", multiple=True, metavar="RULE", help="Only this rule; repeatable.")
@click.option(
    "--ignore", "ignored", multiple=True, metavar="RULE", help="Not this rule; repeatable."
)
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    show_default=True,
    help="Colour the text.",
)
@click.option("--quiet", is_flag=True, help="No remarks and no progress on stderr.")
@click.option("--stats", is_flag=True, help="Say on stderr where the time went.")
@click.option(
    "--strict-gaps",
    is_flag=True,
    help="Exit 3 where a function that the patch touches could not be analysed.",
)
@click.pass_context
def check(
    context: click.Context,
    patch: str | None,
    *,
    tree: str | None,
    revision: str | None,
    reroll: int | None,
    config_file: Path | None,
    formats: tuple[str, ...],
    output: Path | None,
    everything: bool,
    level: str,
    fail_on: str,
    rules: tuple[str, ...],
    ignored: tuple[str, ...],
    color: str,
    quiet: bool,
    stats: bool,
    strict_gaps: bool,
) -> None:
    """Report what a patch or series makes stale, anywhere in the tree.

    PATCH is a diff, a mail or an mbox; `-` or nothing reads standard input;
    REV..REV takes commits from git. The base is the tree as it is, and the
    tree is never changed.
    """
    outputs = _outputs(formats, output)
    selection = _selection(everything, level, rules, ignored)
    config = _config(config_file)
    # From here on the run is no typing mistake, and worth loading a parser for.
    from analyzer.progress import Progress
    from analyzer.request import open_request
    from analyzer.select import is_failure, select

    with Progress(sys.stderr, enabled=not quiet) as progress:
        request = open_request(patch, tree, revision, reroll, sys.stdin.buffer)
        from analyzer.pipeline import check as check_series

        result = check_series(request.series, request.tree, config=config, progress=progress)
    if not quiet:
        for note in result.notes:
            _say(note)
    _write(select(result, selection), request, outputs, color)
    if stats:
        _say_stats(result)
    blind = [g for g in result.gaps if strict_gaps and request.touches(g)]
    if blind:
        _say(
            f"{len(blind)} gaps in what the patch touches (--strict-gaps); the first: "
            f"{blind[0].file}:{blind[0].line}: {blind[0].detail}"
        )
    failed = is_failure(result, selection, None if fail_on == "never" else Severity(fail_on))
    context.exit(FOUND if failed else BLIND if blind else OK)


@offlint.command(short_help="Print what a rule means.")
@click.argument("rule")
@click.option(
    "--color",
    type=click.Choice(["auto", "always", "never"]),
    default="auto",
    help="Colour the text.",
)
def explain(rule: str, *, color: str) -> None:
    """Print a rule's page: what should hold, what breaks, how to mend it."""
    from analyzer.report.rule import render
    from analyzer.rules import rule_named

    page = render(rule_named(rule), width=_width(), colour=_is_coloured(color, None))
    _put(page, None)


def _outputs(formats: Sequence[str], output: Path | None) -> tuple[Output, ...]:
    """Return the reports to write; at most one goes where no file is named."""
    outputs = []
    for wanted in formats or ("text",):
        name, equals, path = wanted.partition("=")
        if name not in FORMATS:
            raise AnalyzerError(f"--format: unknown format {name!r}: one of {', '.join(FORMATS)}")
        if equals and not path:
            raise AnalyzerError(f"--format {wanted}: no file behind the `=`")
        outputs.append(Output(name, Path(path) if equals else output))
    targets = [o.path for o in outputs]
    for target in targets:
        if targets.count(target) > 1:
            where = target or "standard output"
            raise AnalyzerError(f"--format: two reports go to {where}: use --format FORMAT=FILE")
    if output is not None and output not in targets:
        raise AnalyzerError("--output: every --format names its own file already")
    return tuple(outputs)


def _selection(
    everything: bool, level: str, rules: Sequence[str], ignored: Sequence[str]
) -> Selection:
    from analyzer.rules import rule_named
    from analyzer.select import Selection

    return Selection(
        everything=everything,
        level=Severity(level),
        rules=frozenset(rule_named(r).id for r in rules) or None,
        ignored=frozenset(rule_named(r).id for r in ignored),
    )


def _config(path: Path | None) -> Mapping[str, bool]:
    if path is None:
        return {}
    from analyzer.config import read_config

    return read_config(path)


def _write(selected: Selected, request: Request, outputs: Sequence[Output], color: str) -> None:
    for output in outputs:
        _put(_rendered(selected, request, output, color), output.path)


def _rendered(selected: Selected, request: Request, output: Output, color: str) -> str:
    match output.format:
        case "terse":
            from analyzer.report import terse

            return terse.render(selected)
        case "json":
            from analyzer.report import json

            return json.render(selected)
    from analyzer.report import text

    colour = _is_coloured(color, output.path)
    return text.render(selected, request.read, width=_width(output.path), colour=colour)


def _is_coloured(wish: str, path: Path | None) -> bool:
    """Tell whether to colour; NO_COLOR and a dumb terminal say no unless the user insists."""
    if wish != "auto":
        return wish == "always"
    refused = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
    return path is None and sys.stdout.isatty() and not refused


def _width(path: Path | None = None) -> int:
    """Return the width to wrap at: the terminal's within reason, else 80."""
    if path is not None or not sys.stdout.isatty():
        return 80
    return max(40, min(shutil.get_terminal_size((80, 24)).columns, 100))


def _put(text: str, path: Path | None) -> None:
    """Write a report to a file or to standard output; a reader that has left is no error."""
    data = text.encode("utf-8", "backslashreplace")
    if path is not None:
        try:
            path.write_bytes(data)
        except OSError as error:
            raise AnalyzerError(f"{path}: cannot write the report: {error.strerror}") from error
        return
    try:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        # What is left in the buffer must go somewhere, or the interpreter complains at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _say(message: str) -> None:
    """Write a message to stderr, wrapped where that is a terminal."""
    from analyzer.report.plain import harmless, wrap

    for n, line in enumerate(message.splitlines() or [""]):
        text = f"offlint: {harmless(line)}" if n == 0 else harmless(line)
        width = _stderr_width() if sys.stderr.isatty() else len(text) + 2
        click.echo("\n".join(wrap(text, max(width, 40), rest="  ")), err=True)


def _stderr_width() -> int:
    return shutil.get_terminal_size((80, 24)).columns


def _say_stats(result: Result) -> None:
    for stage, seconds in result.seconds:
        click.echo(f"{seconds:9.3f} s  {stage}", err=True)
    click.echo(f"{sum(s for _, s in result.seconds):9.3f} s  in all", err=True)
    click.echo(f"{result.files_read:9}    files read", err=True)
    click.echo(f"{result.functions:9}    functions", err=True)
    click.echo(f"{len(result.gaps):9}    gaps", err=True)


def main(arguments: Sequence[str]) -> int:
    """Run the tool and return its exit status; every mistake of the user is one message."""
    return status_of(
        lambda: offlint.main(list(arguments), prog_name="offlint", standalone_mode=False)
    )


def status_of(work: Callable[[], int | None]) -> int:
    """Do the work and return the exit status, whatever becomes of it."""
    try:
        return work() or OK
    except click.ClickException as error:
        error.show()
        return USAGE
    except AnalyzerError as error:
        _say(str(error))
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except Exception:
        import traceback

        traceback.print_exc()
        _say("this is a defect of offlint: please report it with the lines above and the patch")
        return DEFECT


def run() -> NoReturn:
    """Run the tool on the command line's arguments and exit."""
    sys.exit(main(sys.argv[1:]))
