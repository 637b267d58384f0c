"""Look on while functions run: the states that leave a line, the calls of a function."""

from __future__ import annotations

from collections.abc import Iterator

from analyzer.base import Span
from analyzer.c import ir
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.sight import Sight
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import page_key
from analyzer.flow.run import Run
from analyzer.program.params import is_page_pointer


class Lookout:
    """Record what leaves the watched lines of one activation."""

    def __init__(self, act: Activation, run: Run, lines: frozenset[int]) -> None:
        self._act, self._run = act, run
        self._lines = sorted(lines)
        self._spans = [_spans(block) for block in act.variant.blocks]
        #: Variables to keep in sight after their last use.
        self.keep = frozenset(
            name
            for name in (*(p.name for p in act.function.params), *act.variant.locals)
            if is_page_pointer(act.type_of(name))
        )

    def after(self, block: int, n: int, states: list[State]) -> None:
        """Record the states after an instruction, where the next one stands on another line."""
        following = self._spans[block][n + 1 :]
        ahead = following or self._ahead(block)
        for line in self._on(self._spans[block][n]):
            if not ahead or not ahead[0].is_on(line):
                for state in states:
                    self._record(line, state)

    def leave(self, block: int, target: int | None, state: State) -> None:
        """Record the state on an edge, or at a return, that leads away from a line."""
        end = self._act.variant.blocks[block].end
        if isinstance(end, ir.Jump):
            return
        ahead = self._first(target, set()) if target is not None else []
        for line in self._on(end.span):
            if not ahead or not ahead[0].is_on(line):
                self._record(line, state)

    def _on(self, span: Span) -> Iterator[int]:
        return (line for line in self._lines if span.is_on(line))

    def _ahead(self, block: int) -> list[Span]:
        """Return what stands first where a block jumps to."""
        targets = ir.successors(self._act.variant.blocks[block].end)
        return self._first(targets[0], {block}) if len(targets) == 1 else []

    def _first(self, block: int, seen: set[int]) -> list[Span]:
        if self._spans[block] or block in seen:
            return self._spans[block][:1]
        targets = ir.successors(self._act.variant.blocks[block].end)
        return self._first(targets[0], seen | {block}) if len(targets) == 1 else []

    def _record(self, line: int, state: State) -> None:
        act = self._act
        for name in (*(p.name for p in act.function.params), *act.variant.locals):
            held = state.store.get(act.place(name))
            key = None if held is None else page_key(held)
            if key is None or (key not in state.pages and key not in state.given):
                continue
            seen = Sight(
                act.function.path,
                line,
                act.function.name,
                name,
                state.pages.get(key),
                state.given.get(key, ""),
                act.stack,
            )
            self._run.sights.setdefault(seen)


def lookout(act: Activation, run: Run) -> Lookout | None:
    """Return who looks on in an activation; None where no line of it is watched."""
    span = act.function.span
    lines = frozenset(
        line for path, line in run.watched.lines if path == act.function.path and span.is_on(line)
    )
    return Lookout(act, run, lines) if lines else None


def _spans(block: ir.Block) -> list[Span]:
    spans = [step.span for step in block.instructions]
    return spans if isinstance(block.end, ir.Jump) else [*spans, block.end.span]
