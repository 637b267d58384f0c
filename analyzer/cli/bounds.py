"""Give commands the options that bound their work."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

_Command = TypeVar("_Command", bound=Callable[..., Any])


def bounded(what: str) -> Callable[[_Command], _Command]:
    """Return a decorator that adds --timeout, of what is named, and --memory to a command."""
    timeout = click.option(
        "--timeout",
        type=click.FloatRange(0, 1_000_000),
        metavar="SECONDS",
        help=f"For {what}; 0 is no limit.  [default: 120]",
    )
    memory = click.option(
        "--memory",
        type=click.IntRange(0, 1 << 20),
        metavar="MB",
        help="At most; 0 is no limit.  [default: 1024]",
    )

    def decorated(command: _Command) -> _Command:
        return timeout(memory(command))

    return decorated
