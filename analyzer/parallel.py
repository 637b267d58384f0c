"""Do something in a process of its own while this one does something else.

The process is forked, so it has everything that this one has; what it returns comes back through a
pipe. Where no process is to be had, or it dies, the work is done here: no result depends on it.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Later(Generic[T]):
    """A value that is being computed."""

    def __init__(self, work: Callable[[], T], child: tuple[int, int] | None) -> None:
        """Take the work, and the process that does it with the pipe that it writes to."""
        self._work, self._child = work, child

    def value(self) -> T:
        """Return the value; wait for it, or compute it where nobody else does."""
        if self._child is None:
            return self._work()
        process, pipe = self._child
        self._child = None
        with open(pipe, "rb") as stream:  # noqa: PTH123 (a descriptor)
            data = stream.read()
        _, status = os.waitpid(process, 0)
        if status != 0:
            return self._work()  # whatever went wrong there shows here
        value: T = pickle.loads(data)  # noqa: S301 (from our own process)
        return value

    def drop(self) -> None:
        """Stop the process where nobody has waited for it."""
        if self._child is not None:
            process, pipe = self._child
            self._child = None
            os.close(pipe)
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)


@contextlib.contextmanager
def later(work: Callable[[], T], *, aside: bool) -> Iterator[Later[T]]:
    """Start work in a process of its own, or (aside is false) put it off until it is asked for.

    What the work changes in memory is lost where it runs aside: it must only return something.
    """
    task = Later(work, _forked(work) if aside else None)
    try:
        yield task
    finally:
        task.drop()


def shared_out(works: Sequence[Callable[[], T]], jobs: int) -> list[T]:
    """Return what works give, in their order; up to jobs processes do them, this one among them."""
    with sharing_out(works, jobs) as joined:
        return joined()


@contextlib.contextmanager
def sharing_out(works: Sequence[Callable[[], T]], jobs: int) -> Iterator[Callable[[], list[T]]]:
    """Start works in processes; give what lends a hand with them, and returns what they give.

    In their order; up to jobs processes do them, this one among them. Whoever is free takes the
    next one, so the longest should come first. At most 30,000 of them: so many numbers fit into a
    pipe.
    """
    waiting, numbers = os.pipe()
    os.write(numbers, b"".join(n.to_bytes(2, "big") for n in range(len(works))))
    os.close(numbers)

    def share() -> dict[int, T]:
        found: dict[int, T] = {}
        while number := os.read(waiting, 2):
            n = int.from_bytes(number, "big")
            found[n] = works[n]()
        return found

    with contextlib.ExitStack() as stack:
        stack.callback(os.close, waiting)
        helpers = [stack.enter_context(later(share, aside=True)) for _ in works[1 : max(jobs, 1)]]

        def joined() -> list[T]:
            found = share()
            for helper in helpers:
                found.update(helper.value())
            # What a process had taken that has died is done here.
            return [found[n] if n in found else work() for n, work in enumerate(works)]

        yield joined


def _forked(work: Callable[[], object]) -> tuple[int, int] | None:
    reading, writing = os.pipe()
    try:
        process = os.fork()
    except OSError:
        os.close(reading)
        os.close(writing)
        return None
    if process == 0:
        status = 1
        try:
            os.close(reading)
            data = pickle.dumps(work(), pickle.HIGHEST_PROTOCOL)
            with open(writing, "wb") as stream:  # noqa: PTH123 (a descriptor)
                stream.write(data)
            status = 0
        finally:
            os._exit(status)  # nothing of the parent's may run twice: no flush, no handler
    os.close(writing)
    return process, reading


def usable_cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
