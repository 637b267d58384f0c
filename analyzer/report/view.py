"""Define what every format is given: what is shown, the sources behind it, and how to show it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from analyzer.report.paint import PLAIN, Glyphs
from analyzer.rules import Rule
from analyzer.select import Selected

if TYPE_CHECKING:
    from analyzer.report.letter import Letter
    from analyzer.sites import Site

#: (path, patch) -> the file as it is after that patch of the series; 0 is the tree before it.
Read = Callable[[str, int], bytes | None]
#: (path, patch) -> the lines of the file that the patch changes, as they are after it.
Changed = Callable[[str, int], Sequence[range]]


class Anchor(StrEnum):
    """Say where a finding is shown: at the place to mend, or at the change that makes it stale."""

    SITE = "site"
    HUNK = "hunk"


def _nothing(_path: str, _patch: int) -> None:
    return None


def _nowhere(_path: str, _patch: int) -> tuple[range, ...]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A selected result and what it takes to render it. Formats take of it what they need."""

    selected: Selected
    read: Read = _nothing
    changed: Changed = _nowhere
    rules: Mapping[str, Rule] = field(default_factory=dict)
    letters: tuple[Letter, ...] = ()
    sender: str = ""  # whom a reply is from; without it the reply is a draft
    sites: Sequence[Site] = ()
    remarks: tuple[str, ...] = ()  # on an audit as a whole
    anchor: Anchor = Anchor.SITE
    width: int = 80
    colour: bool = False
    glyphs: Glyphs = PLAIN


#: What every module of a format offers as `render`.
Renderer = Callable[[View], str | bytes]
