"""Define what somebody sees who looks on: pages after a line, calls of a function."""

from __future__ import annotations

from dataclasses import dataclass, field

from analyzer.base import FunctionId, Span
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import Value
from analyzer.pages.machine import Frame, PageState


@dataclass(frozen=True, slots=True)
class Sight:
    """One page in one state, right after a line; stack holds a way there, outermost call first.

    given says where the page has gone ("buddy" or a list's place); its state is then the one in
    which it went, as far as that is known.
    """

    path: str
    line: int
    function: str
    variable: str
    page: PageState | None
    given: str
    stack: tuple[Frame, ...] = field(compare=False)


@dataclass(frozen=True)
class Entrance:
    """One call of a watched function, as it was interpreted."""

    id: FunctionId
    args: tuple[Value, ...]
    state: State
    caller: Activation
    span: Span

    @property
    def key(self) -> object:
        """Return what makes two entrances the same."""
        return (self.id, self.args, self.state.key, self.span, self.caller.stack)
