"""Define a call that a path has come to, and how it enters its callee."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from analyzer.base import FunctionId, Span
from analyzer.c import ir
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import Unknown, Value
from analyzer.flow.operations import Results
from analyzer.flow.run import Run


class Enter(Protocol):
    """Enter a callee: the states after it, each with the value it returned."""

    def __call__(
        self,
        id: FunctionId,
        args: Sequence[Value],
        state: State,
        act: Activation,
        span: Span,
        here: str,
        *,
        callback: bool = False,
    ) -> Results:
        """Interpret the callee in the state of the call."""
        ...


class CallSite(NamedTuple):
    """A call, with what it is passed, the body that it stands in, and how a callee is entered.

    name is empty where a pointer is called; here is the key of what the call gives.
    """

    step: ir.Call
    name: str
    args: Sequence[Value]
    here: str
    act: Activation
    run: Run
    interpret: Enter

    def enter(self, id: FunctionId, state: State) -> Results:
        """Return the states after one of the functions that are called."""
        return self.interpret(id, self.args, state, self.act, self.step.span, self.here)

    def enter_callback(self, id: FunctionId, args: Sequence[Value], state: State) -> Results:
        """Return the states after a function that somebody has registered, with its arguments."""
        return self.interpret(id, args, state, self.act, self.step.span, self.here, callback=True)

    def unknown(self, state: State) -> Results:
        """Return a state with nothing known of what the call gives."""
        return [(state, Unknown(self.here))]

    def admit(self, kind: str) -> None:
        """Admit with a gap of a kind that what the call does is not followed."""
        self.run.gap(kind, self.act, self.step.span.line, self.run.text(self.act, self.step.span))


def call_site(
    step: ir.Call, args: Sequence[Value], act: Activation, run: Run, enter: Enter
) -> CallSite:
    """Return the call that an instruction is, with what it is passed."""
    callee = step.callee
    name = callee.id if isinstance(callee, ir.Name) and not act.is_local(callee.id) else ""
    return CallSite(step, name, args, f"{act.depth}:{step.span.start}", act, run, enter)
