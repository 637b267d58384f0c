"""Give commands the options that say how they work: what they may cost, with what help."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from analyzer.budget import OutOfBudgetError, reason_of

if TYPE_CHECKING:
    from analyzer.progress import Progress

_Command = TypeVar("_Command", bound=Callable[..., Any])


def working(command: _Command) -> _Command:
    """Add --jobs and --no-cache to a command."""
    jobs = click.option(
        "--jobs",
        type=click.IntRange(1),
        metavar="N",
        help="Processes that work at once. [default: as many as there are processors]",
    )
    cache = click.option("--no-cache", is_flag=True, help="Neither use nor fill the cache.")
    return jobs(cache(command))


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


@contextmanager
def towards(answer: str, progress: Progress) -> Iterator[None]:
    """Say, where time or memory runs out, how far it came and what is not known therefore."""
    try:
        yield
    except (OutOfBudgetError, MemoryError) as end:
        at = f" ({progress.stage})" if progress.stage else ""
        raise OutOfBudgetError(f"{reason_of(end)}{at} before {answer} was known") from None
