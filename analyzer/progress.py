"""Show on a terminal how far long work has come."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self, TextIO

_BAR = 22  # letters
_WIDEST = 16  # letters of a stage's name, `analyse 100/120` among them
_PAUSE = 0.2  # seconds between two drawings
_TELLING = 0.1  # share of the work from which on the time left can be told


class Progress:
    """Draw a bar on a stream when work takes longer than patience, in seconds; wipe it at the end.

    It is drawn from the first stage on: what is read before may be what somebody types. A thread
    draws, so that a long stage is seen to go on. Nothing is ever written to a stream that is not a
    terminal, or a dumb one. Whatever else is written meanwhile is written within aside().
    """

    def __init__(self, stream: TextIO, *, enabled: bool = True, patience: float = 1.0) -> None:
        self._stream = stream
        self._patience = patience
        self._stage = ""
        self._done = 0.0
        self._over = threading.Event()
        self._drawing = threading.Lock()
        self._is_drawn = False
        self._thread: threading.Thread | None = None
        # A dumb terminal would show what wipes the bar.
        if enabled and stream.isatty() and os.environ.get("TERM") != "dumb":
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

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Take the bar away while something else is written; later it comes back by itself."""
        with self._drawing:
            self._wipe()
            yield

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
        while not self._over.is_set():
            with self._drawing:
                if self._stage:
                    self._write(f"\r{self._line(time.monotonic() - since)}\x1b[K")
                    self._is_drawn = True
            self._over.wait(_PAUSE)
        self._wipe()

    def _line(self, seconds: float) -> str:
        """Return the bar and what is done; what does not fit on the terminal's line is left out."""
        left = time_left(seconds, self._done)
        full = int(self._done * _BAR)
        line = (
            f"{self._stage:<{_WIDEST}.{_WIDEST}} {seconds:4.0f} s{left:<16}  "
            f"[{'#' * full}{'-' * (_BAR - full)}]  {self._done:4.0%}"
        )
        return line[: self._columns() - 1]

    def _columns(self) -> int:
        try:
            return os.get_terminal_size(self._stream.fileno()).columns or 80
        except (OSError, ValueError):  # it is none after all
            return 80

    def _wipe(self) -> None:
        if self._is_drawn:
            self._write("\x1b[2K\r")
            self._is_drawn = False

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def time_left(seconds: float, done: float) -> str:
    """Return `, about 40 s left` by the share that is done; empty while that says too little."""
    if not _TELLING <= done < 1 or seconds * (1 - done) < done:
        return ""
    left = seconds * (1 - done) / done
    return f", about {left:.0f} s left" if left < 90 else f", about {left / 60:.0f} min left"
