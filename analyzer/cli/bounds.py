"""Give commands the options that say how they work: what they may cost, with what help."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, TypeVar

import click

from analyzer.budget import LONGEST, MOST, OutOfBudgetError, reason_of

if TYPE_CHECKING:
    from analyzer.progress import Progress

_Command = TypeVar("_Command", bound=Callable[..., Any])


def count(text: str) -> int:
    """Return the number that an option names: a whole one, and at least one."""
    if not text.isdecimal() or not int(text):
        raise click.BadParameter(f"expected a whole number from 1 on, found {text!r}")
    return int(text)


def seconds(text: str) -> float:
    """Return the seconds that an option names."""
    with suppress(ValueError):
        if 0 <= float(text) <= LONGEST:
            return float(text)
    raise click.BadParameter(f"expected seconds from 0 to {LONGEST}, found {text!r}")


def megabytes(text: str) -> int:
    """Return the megabytes that an option names."""
    if not text.isdecimal() or int(text) > MOST:
        raise click.BadParameter(f"expected a whole number of MB from 0 to {MOST}, found {text!r}")
    return int(text)


def working(command: _Command) -> _Command:
    """Add --jobs and --no-cache to a command."""
    jobs = click.option(
        "--jobs",
        type=count,
        metavar="N",
        help="Processes that work at once.  [default: as many as there are processors]",
    )
    cache = click.option("--no-cache", is_flag=True, help="Neither use nor fill the cache.")
    return jobs(cache(command))


def bounded(what: str) -> Callable[[_Command], _Command]:
    """Return a decorator that adds --timeout, of what is named, and --memory to a command."""
    timeout = click.option(
        "--timeout",
        type=seconds,
        metavar="SECONDS",
        help=f"For {what}; 0 is no limit.  [default: 120]",
    )
    memory = click.option(
        "--memory",
        type=megabytes,
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
