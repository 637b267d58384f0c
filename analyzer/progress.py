"""Show on a terminal how far long work has come."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import Self, TextIO

_STEPS = 100
_WIDEST = 16  # letters of a stage's name, `analyse 100/120` among them
_PAUSE = 0.2  # seconds between two drawings
_TELLING = 0.1  # share of the work from which on the time left can be told


class Progress:
    """Draw a bar on a stream when work takes longer than patience, in seconds; wipe it at the end.

    A thread draws, so that a long stage is seen to go on. Nothing is ever written to a stream that
    is not a terminal.
    """

    def __init__(self, stream: TextIO, *, enabled: bool = True, patience: float = 1.0) -> None:
        self._stream = stream
        self._patience = patience
        self._stage = ""
        self._done = 0.0
        self._over = threading.Event()
        self._thread: threading.Thread | None = None
        if enabled and stream.isatty():
            self._thread = threading.Thread(target=self._draw, daemon=True)

    def __enter__(self) -> Self:
        if self._thread is not None:
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def __call__(self, stage: str, done: float) -> None:
        """Take note that a stage runs and which share of all work, from 0 to 1, is done."""
        self._stage, self._done = stage, max(self._done, min(done, 1.0))

    @property
    def stage(self) -> str:
        """Return what is being done; nothing before the first stage."""
        return self._stage

    def _draw(self) -> None:
        since = time.monotonic()
        if self._over.wait(self._patience):
            return
        import click

        with click.progressbar(length=_STEPS, file=self._stream, show_eta=False, width=22) as bar:
            while not self._over.is_set():
                since_start = time.monotonic() - since
                left = time_left(since_start, self._done)
                bar.label = f"{self._stage:<{_WIDEST}.{_WIDEST}} {since_start:4.0f} s{left:<16}"
                bar.update(int(self._done * _STEPS) - bar.pos)
                bar.render_progress()
                self._over.wait(_PAUSE)
        self._stream.write("\x1b[1A\x1b[2K\r")  # the bar ended its line: take the line back
        self._stream.flush()


def time_left(seconds: float, done: float) -> str:
    """Return `, about 40 s left` by the share that is done; empty while that says too little."""
    if not _TELLING <= done < 1 or seconds * (1 - done) < done:
        return ""
    left = seconds * (1 - done) / done
    return f", about {left:.0f} s left" if left < 90 else f", about {left / 60:.0f} min left"
