"""Define who is to blame, and for what."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.base import FunctionId, Span
from analyzer.comparison.compare import Failure


@dataclass(frozen=True, slots=True)
class Culprit:
    """The place to mend, and what stands there."""

    id: FunctionId
    span: Span
    text: str
    role: str  # "site", "writer", "initialiser", "missing", "caller"


@dataclass(frozen=True, slots=True)
class Charge:
    """A failure with who is to blame for it, under the rule that names the mistake."""

    rule: str
    failure: Failure
    culprit: Culprit
