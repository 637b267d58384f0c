"""Hold a run to its time and memory whatever it does: the last resorts, and interrupts.

The analysis looks at its budget itself and leaves out what is too much. What follows is for the
case that it cannot: an alarm that raises, a limit of the kernel on memory, and at the very end a
process that looks on from outside and kills.
"""

from __future__ import annotations

import os
import resource
import select
import signal
import struct
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, BinaryIO, Self

from analyzer.budget import Budget, OutOfBudgetError

#: Parts of the time: the analysis ends by itself, an alarm raises; then the process is killed.
_GENTLY, _FIRMLY = 0.8, 0.95
#: Part of the memory at which the analysis ends by itself.
_ROOM = 0.85
#: Seconds between two looks at the memory, and after which an interrupt is no request any more.
_GLANCE, _PATIENCE = 0.1, 3.0
_LIMITS = struct.Struct("dQ")  # when to kill, and from how many bytes on

#: What Python takes and gives as a signal's handler.
_Handler = Callable[[int, FrameType | None], Any] | int | None


@dataclass(frozen=True, slots=True)
class Awaited:
    """A stream that somebody else fills in a time of his own."""

    stream: BinaryIO
    waiting: Callable[[], object]
    begun: Callable[[], object]

    def isatty(self) -> bool:
        """Tell whether a person types."""
        return self.stream.isatty()

    def read(self, size: int = -1, /) -> bytes:
        """Return what comes; the time does not run meanwhile, and starts anew."""
        self.waiting()
        data = self.stream.read(size)
        self.begun()
        return data


class Guard:
    """Bound a run by seconds for each patch and by bytes; 0 is no bound.

    enabled=False does nothing but hand out budgets: for runs inside another program's process.
    """

    def __init__(self, seconds: float, memory: int, *, enabled: bool) -> None:
        self._seconds, self._memory, self._enabled = seconds, memory, enabled
        self._interrupts = 0
        self._limits = resource.getrlimit(resource.RLIMIT_DATA)
        self._watcher = self._pipe = -1
        self._before: _Handler = None

    def __enter__(self) -> Self:
        if not self._enabled:
            return self
        self._watcher, self._pipe = _watched(self._seconds, self._memory)
        self._confine()
        self._before = signal.signal(signal.SIGALRM, self._raise)
        self.begin()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if not self._enabled:
            return
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._before)
        resource.setrlimit(resource.RLIMIT_DATA, self._limits)
        os.close(self._pipe)
        os.waitpid(self._watcher, 0)

    def allow(self, seconds: float, memory: int) -> None:
        """Bound the run otherwise from now on: its tree has settings of its own."""
        if (seconds, memory) == (self._seconds, self._memory):
            return
        self._seconds, self._memory = seconds, memory
        if self._enabled:
            self._confine()
            self.begin()

    def _confine(self) -> None:
        """Let the kernel refuse memory beyond the bound."""
        soft, most = self._limits
        if self._memory:
            soft = self._memory if most < 0 else min(self._memory, most)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, most))

    def begin(self) -> Budget:
        """Start the time anew, and return the budget for what now begins."""
        seconds = self._seconds
        if self._enabled:
            self._set(seconds)
        if not seconds:
            return Budget(memory=int(self._memory * _ROOM), interrupted=self._asked)
        deadline = time.monotonic() + seconds * _GENTLY
        return Budget(deadline, int(self._memory * _ROOM), self._asked)

    @contextmanager
    def finishing(self) -> Iterator[None]:
        """Take an interrupt as a request for what there is by now; a second one is none."""
        if not self._enabled:
            yield
            return
        before = signal.signal(signal.SIGINT, self._interrupt)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, before)

    def awaited(self, stream: BinaryIO) -> Awaited:
        """Return a stream for which the time stands still while it is read."""
        return Awaited(stream, self._stop, self.begin)

    def _stop(self) -> None:
        if self._enabled:
            self._set(0.0)

    def _set(self, seconds: float) -> None:
        os.write(self._pipe, _LIMITS.pack(_last(seconds), self._memory))
        signal.setitimer(signal.ITIMER_REAL, seconds * _FIRMLY)

    def _asked(self) -> bool:
        return self._interrupts > 0

    def _interrupt(self, _number: int, _frame: FrameType | None) -> None:
        self._interrupts += 1
        if self._interrupts > 1:
            raise KeyboardInterrupt
        signal.setitimer(signal.ITIMER_REAL, _PATIENCE)

    def _raise(self, _number: int, _frame: FrameType | None) -> None:
        if self._interrupts:
            raise KeyboardInterrupt
        raise OutOfBudgetError("out of time")


def _last(seconds: float) -> float:
    """Return when to kill: at the end, but half a second after the alarm; 0 is never."""
    return time.monotonic() + max(seconds, seconds * _FIRMLY + 0.5) if seconds else 0.0


def _watched(seconds: float, memory: int) -> tuple[int, int]:
    """Start the process that looks on; return its id and the pipe that tells it deadlines."""
    reading, writing = os.pipe()
    watched = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        os.close(reading)
        return child, writing
    status = 1
    try:
        # A pipe of the watched process ends when that closes it, whoever looks on.
        os.closerange(3, reading)
        os.closerange(reading + 1, os.sysconf("SC_OPEN_MAX"))
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        for stream in (0, 1):  # whoever reads our output must not wait for the onlooker
            os.dup2(os.open(os.devnull, os.O_RDWR), stream)
        _look_on(watched, reading, _last(seconds), memory)
        status = 0
    finally:
        os._exit(status)


def _look_on(watched: int, pipe: int, deadline: float, memory: int) -> None:
    while True:
        if select.select([pipe], [], [], _GLANCE)[0]:
            message = os.read(pipe, 4096)
            if len(message) < _LIMITS.size:
                return
            deadline, memory = _LIMITS.unpack(message[-_LIMITS.size :])
        if deadline and time.monotonic() > deadline:
            _kill(watched, "out of time (--timeout)")
            return
        if memory and _resident(watched) > memory:
            _kill(watched, "out of memory (--memory)")
            return


def _kill(watched: int, reason: str) -> None:
    if os.getppid() != watched:
        return
    there_may_be_a_bar = os.isatty(2) and os.environ.get("TERM") != "dumb"
    wiped = "\r\x1b[K" if there_may_be_a_bar else ""
    with suppress(OSError):  # the disk may be full
        os.write(2, f"{wiped}offlint: {reason}, and it did not stop by itself: killed\n".encode())
    os.kill(watched, signal.SIGKILL)


def _resident(process: int) -> int:
    try:
        text = Path(f"/proc/{process}/statm").read_bytes()
        return int(text.split()[1]) * resource.getpagesize()
    except (OSError, IndexError, ValueError):
        return 0
