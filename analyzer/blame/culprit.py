"""Define who is to blame, and for what."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.base import FunctionId, Span
from analyzer.comparison.compare import Failure
from analyzer.flow.domain.observe import Observation
from analyzer.pages.machine import Frame


@dataclass(frozen=True, slots=True)
class Culprit:
    """The place to mend, and what stands there."""

    id: FunctionId
    span: Span
    text: str
    role: str  # "site", "writer", "initialiser", "missing", "caller"

    @property
    def place(self) -> object:
        """Return where what is to be mended stands."""
        return (self.id, self.span.start)


@dataclass(frozen=True, slots=True)
class Charge:
    """A failure with who is to blame for it, under the rule that names the mistake."""

    rule: str
    failure: Failure
    culprit: Culprit


def culprit_at(place: Frame | Observation, role: str) -> Culprit:
    """Return as the culprit the function that makes a call, or in which something is observed."""
    return Culprit(place.id, place.span, place.text, role)


def charge_site(failure: Failure) -> Charge:
    """Charge the place itself at which it breaks."""
    return Charge(failure.rule, failure, culprit_at(failure.seen, "site"))
