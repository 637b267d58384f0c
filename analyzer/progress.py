"""Show on a terminal how far long work has come."""

from __future__ import annotations

import time
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

if TYPE_CHECKING:
    from click._termui_impl import ProgressBar

_STEPS = 100
_WIDEST = 18  # letters of a stage's name


class Progress:
    """Draw a bar on a stream when work takes longer than patience, in seconds; wipe it at the end.

    Nothing is ever written to a stream that is not a terminal.
    """

    def __init__(self, stream: TextIO, *, enabled: bool = True, patience: float = 1.0) -> None:
        self._stream = stream
        self._enabled = enabled and stream.isatty()
        self._patience = patience
        self._since = time.monotonic()
        self._stack = ExitStack()
        self._bar: ProgressBar[int] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        if self._bar is not None:
            self._stream.write("\x1b[1A\x1b[2K\r")  # the bar ends its line; take the line back
            self._stream.flush()

    def __call__(self, stage: str, done: float) -> None:
        """Take note that a stage runs and which share of all work, from 0 to 1, is done."""
        if not self._enabled or time.monotonic() - self._since < self._patience:
            return
        if self._bar is None:
            self._bar = self._open()
        self._bar.label = f"{stage:<{_WIDEST}.{_WIDEST}}"
        self._bar.update(max(0, min(int(done * _STEPS), _STEPS) - self._bar.pos))
        self._bar.render_progress()

    def _open(self) -> ProgressBar[int]:
        import click

        bar = click.progressbar(length=_STEPS, file=self._stream, show_eta=False, width=30)
        return self._stack.enter_context(bar)
