"""Give commands the options that several of them have: which tree, and how they speak."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from analyzer.cli.output import file_path

_Command = TypeVar("_Command", bound=Callable[..., Any])


class WithPatch(click.Command):
    """A command that takes its patch with --patch, and says so to who names it without."""

    allow_extra_args = True

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Return what is left over, which is nothing; else it is a mistake."""
        if left := super().parse_args(ctx, args):
            ctx.fail(f"Got unexpected extra argument ({left[0]}): a patch goes with --patch")
        return left


def reading(command: _Command) -> _Command:
    """Add --tree and --git to a command that reads a kernel tree."""
    tree = click.option("--tree", metavar="DIR", help="The kernel tree. [default: .]")
    revision = click.option(
        "--git", "revision", metavar="REV", help="Read the tree at this git revision."
    )
    return tree(revision(command))


def configured(command: _Command) -> _Command:
    """Add --config to a command."""
    option = click.option(
        "--config",
        "config_file",
        type=file_path,
        metavar="FILE",
        help="A .config: leave out what it leaves out.",
    )
    return option(command)


def speaking(command: _Command) -> _Command:
    """Add --color and --quiet to a command."""
    colour = click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        default="auto",
        show_default=True,
        help="Colour the text.",
    )
    quiet = click.option("--quiet", is_flag=True, help="No remarks and no progress on stderr.")
    return colour(quiet(command))
