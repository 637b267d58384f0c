"""Define how a call enters its callee."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from analyzer.base import FunctionId, Span
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import Value
from analyzer.flow.operations import Results


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
