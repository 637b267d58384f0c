"""Define who is to blame, and what blame asks of the two sides."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.base import FunctionId, Span
from analyzer.comparison.compare import Failure, Sides


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


def is_core(id: FunctionId, sides: Sides) -> bool:
    """Tell whether a function stands beside those that make pages."""
    return id[0].rpartition("/")[0] in sides.core
