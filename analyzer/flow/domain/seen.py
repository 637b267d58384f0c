"""Keep what a run of one root has shown, apart from what it was found with."""

from __future__ import annotations

from dataclasses import dataclass, field, fields

from analyzer.base import FunctionId, Gap
from analyzer.flow.domain.contents import Kinds, Put
from analyzer.flow.domain.observe import Observation, Passage
from analyzer.flow.domain.sight import Entrance, Sight
from analyzer.flow.domain.state import Stand


@dataclass(kw_only=True)
class Seen:
    """What the run of a root has shown."""

    observations: dict[Observation, None] = field(default_factory=dict)
    puts: dict[str, dict[Put, None]] = field(default_factory=dict)  # by the list's place
    drawn: dict[str, set[Kinds]] = field(default_factory=dict)  # what was seen on each list
    changed: set[Stand] = field(default_factory=set)  # where pages were changed as they stood
    taken: set[Stand] = field(default_factory=set)  # of which the pages left the list
    waits: bool = False  # it ended where it would have drawn from a list that is not known yet
    cut: str = ""  # what ran out and ended the run; nothing where it went to its end
    met: dict[tuple[str, str], None] = field(default_factory=dict)  # names that pages go to
    reached: set[FunctionId] = field(default_factory=set)
    callbacks: dict[str, tuple[FunctionId, ...]] = field(default_factory=dict)
    gaps: dict[Gap, None] = field(default_factory=dict)
    unsure: set[str] = field(default_factory=set)  # cells whose pages were looked at or changed
    passages: tuple[Passage, ...] = ()
    sights: dict[Sight, None] = field(default_factory=dict)
    entrances: dict[object, Entrance] = field(default_factory=dict)

    @property
    def altered(self) -> frozenset[str]:
        """Return the lists on which pages were changed and left: what was put says no more."""
        return frozenset(place for place, _ in self.changed - self.taken)

    def alone(self) -> Seen:
        """Return what was seen without what it was found with; gaps can be added to it."""
        found = Seen(**{f.name: getattr(self, f.name) for f in fields(Seen)})
        found.gaps = dict(self.gaps)
        return found
