"""Define the command group, and turn whatever happens into one exit status."""

from __future__ import annotations

import gc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import click

from analyzer import __version__
from analyzer.base import AnalyzerError
from analyzer.budget import OutOfBudgetError
from analyzer.cli.audit import audit
from analyzer.cli.cache import cache
from analyzer.cli.check import check
from analyzer.cli.effects import effects
from analyzer.cli.explain import explain
from analyzer.cli.export import export
from analyzer.cli.output import DEFECT, EXHAUSTED, INTERRUPTED, OK, USAGE, put, remarking, say, tell
from analyzer.cli.post import post
from analyzer.cli.sweep import sweep


def _telling(names: Sequence[str], text: Callable[[click.Context], str], what: str) -> click.Option:
    """Return an option that prints a text, as all output is printed, and nothing else."""

    def callback(context: click.Context, _option: click.Parameter, wanted: Any) -> None:
        if wanted and not context.resilient_parsing:
            put(text(context) + "\n", None)
            context.exit()

    return click.Option(
        names,
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=callback,
        help=f"Show {what} and exit.",
    )


@click.group(context_settings={"max_content_width": 80})
def offlint() -> None:
    """Find the code that still assumes the page states a kernel patch has changed.

    Exit status: 0 nothing found, 1 findings, 2 wrong use or input, 3 gaps
    with --strict-gaps, 4 out of time or memory, 70 a defect of offlint, 130
    interrupted, 137 killed.
    """


# One module a command; each loads what it needs when it runs.
for command in (audit, cache, check, effects, explain, export, post, sweep):
    offlint.add_command(command)


def _with_help(command: click.Command) -> None:
    """Give a command and those below it --help."""
    command.add_help_option = False
    command.params.append(_telling(["-h", "--help"], click.Context.get_help, "this message"))
    for inner in command.commands.values() if isinstance(command, click.Group) else ():
        _with_help(inner)


offlint.params.append(_telling(["--version"], lambda _: f"offlint {__version__}", "the version"))
_with_help(offlint)


def main(arguments: Sequence[str], *, guarded: bool = False) -> int:
    """Run the tool and return its exit status; every mistake of the user is one message.

    guarded holds this process to the limits on time and memory that the command has.
    """
    return status_of(
        lambda: offlint.main(
            list(arguments), prog_name="offlint", standalone_mode=False, obj=guarded
        )
    )


def status_of(work: Callable[[], int | None]) -> int:
    """Do the work and return the exit status, whatever becomes of it."""
    try:
        return work() or OK
    except click.ClickException as error:
        _complain(error)
        return USAGE
    except AnalyzerError as error:
        say(str(error))
        return USAGE
    except (click.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except (OutOfBudgetError, MemoryError) as error:
        say(f"{str(error) or 'out of memory'}: see --timeout and --memory")
        return EXHAUSTED
    except Exception as error:
        # What comes while a class is made, a module loaded say, is wrapped.
        if isinstance(cause := error.__cause__, (KeyboardInterrupt, OutOfBudgetError, MemoryError)):
            return status_of(lambda: _raised(cause))
        import traceback

        with remarking():
            traceback.print_exc()
        say("this is a defect of offlint: please report it with the lines above and the patch")
        return DEFECT


def _raised(error: BaseException) -> NoReturn:
    raise error


def _complain(error: click.ClickException) -> None:
    """Say what is wrong with a command line, and how it should look."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    if isinstance(error, click.exceptions.NoArgsIsHelpError) and context is not None:
        tell(context.get_help())
        return
    say(" ".join(error.format_message().split()))
    if context is not None:
        tell(f"{context.get_usage()}\nTry '{context.command_path} --help' for help.")


def run() -> NoReturn:
    """Run the tool on the command line's arguments and exit."""
    _open_streams()
    # Nearly all that an analysis makes lives as long as it does: looking for garbage on the way
    # takes a quarter of its time and finds none.
    gc.disable()
    status = main(sys.argv[1:], guarded=True)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # it is over, and how is known
    gc.freeze()  # and so does looking for it at the end
    sys.exit(status)


def _open_streams() -> None:
    """Put nothing in the place of a standard stream that whoever runs the tool has closed.

    Else the next file that is opened takes its number, and is written to as if it were that. A
    report for which there is no standard output fails like one for which there is no room.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            how = os.O_RDONLY if name == "stdout" else os.O_RDWR
            nothing = os.open(os.devnull, how)  # the lowest number that is free
            if nothing != number:
                os.dup2(nothing, number)
            setattr(sys, name, os.fdopen(number, mode))
