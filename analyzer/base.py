"""Define the words that every stage uses: pairs, spans, gaps, severities, errors."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Generic, TypeVar

T = TypeVar("T")
U = TypeVar("U")

#: A function is named by its file and its name: static functions share names.
FunctionId = tuple[str, str]


class Severity(StrEnum):
    """Say how much a finding weighs: an error must happen, a warning may, a note informs."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"

    @property
    def rank(self) -> int:
        """Order severities: note 0, warning 1, error 2."""
        return _RANKS[self]


_RANKS = {Severity.NOTE: 0, Severity.WARNING: 1, Severity.ERROR: 2}


class Confidence(StrEnum):
    """Say how sure the tool is that a finding is true."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


@dataclass(frozen=True, slots=True)
class Pair(Generic[T]):
    """Hold the same thing for the tree before and the tree after a patch."""

    before: T
    after: T

    def map(self, f: Callable[[T], U]) -> Pair[U]:
        """Lift a function of one tree to both; the function cannot tell which side it sees."""
        return Pair(f(self.before), f(self.after))

    @property
    def swapped(self) -> Pair[T]:
        """Return the pair for the reverse patch."""
        return Pair(self.after, self.before)


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """Name a stretch of a file: byte offsets from 0, end exclusive; lines and columns from 1.

    Columns count bytes. end_column is one past the last byte.
    """

    file: str
    start: int
    end: int
    line: int
    column: int
    end_line: int
    end_column: int

    @classmethod
    def of_line(cls, file: str, line: int) -> Span:
        """Return the span that stands for a line where nothing more of it is known."""
        return cls(file, 0, 0, line, 1, line, 1)

    def is_on(self, line: int) -> bool:
        """Tell whether some of it stands on a line."""
        return self.line <= line <= self.end_line


@dataclass(frozen=True, slots=True, order=True)
class Gap:
    """Admit one thing that the tool could not read or decide.

    kind is kebab-case from a small vocabulary (syntax, variants, budget, callback, search ...);
    line counts from 1, and is 0 where the gap concerns a whole file; function may be empty.
    """

    kind: str
    file: str
    line: int
    function: str
    detail: str


def unspaced(text: str) -> str:
    """Return a text without blanks: by it pieces of C are the same however they are laid out."""
    return "".join(text.split())


class AnalyzerError(Exception):
    """Report that the user's patch, rule, tree or flag is wrong.

    The message stands alone: it names the file, key or line, what was found and what to try.
    """
