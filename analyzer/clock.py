"""Tell how long each stage of a run takes, and how far the running one has come."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from analyzer.tree import Hits, Read, Search, Tree

#: Told what is being done, and which share of all is behind.
Progress = Callable[[str, float], None]

#: Which share of the work on a patch is done when a stage begins, as measured.
_SHARES = {"search and read": 0.02, "analyse": 0.6, "compare": 0.93}
#: What a stage is called once it is known how much there is to do.
_COUNTED = {"search and read": "read", "analyse": "analyse"}


@dataclass
class Clock:
    """Add up the seconds of each stage, and tell how far the running one has come."""

    report: Progress | None
    patches: int = 1
    seconds: dict[str, float] = field(default_factory=dict)
    _applied: int = 0
    _stage: str = ""
    _since: float = 0.0
    _done: int = 0
    _all: int = 0
    _ahead: int = 0

    def enter(self, stage: str) -> None:
        """Close the running stage and open the next."""
        now = time.perf_counter()
        if self._stage:
            self.seconds[self._stage] = self.seconds.get(self._stage, 0.0) + now - self._since
        self._stage, self._since = stage, now
        self._applied += stage == "apply"
        self._done = self._all = self._ahead = 0
        self._tell(stage, 0.0)

    def expect(self, more: int) -> None:
        """Take note that the stage has so many files or functions more to do."""
        self._all += more

    def step(self) -> None:
        """Take note that the next file or function of the stage is begun."""
        if not self._all or self._stage not in _COUNTED:
            return
        self._done = min(self._done + 1, self._all)
        name = f"{_COUNTED[self._stage]} {self._done}/{self._all}"
        self._tell(name, (self._done - 1) / self._all)

    def counted(self, tree: Tree) -> tuple[Read, Search]:
        """Return how to read and search a tree, so that the files to read are counted."""

        def read(path: str) -> bytes | None:
            self.step()
            return tree.read(path)

        def search(words: Iterable[str], folders: tuple[str, ...] = ()) -> Hits:
            found = tree.search(words, folders)
            # The other tree, which is searched next, is much the same.
            self.expect(2 * len(found) - self._ahead)
            self._ahead = 0 if self._ahead else len(found)
            return found

        return read, search

    def _tell(self, what: str, part: float) -> None:
        """Report what is being done, and which part of the stage is behind."""
        if self.report is None:
            return
        start = _SHARES.get(self._stage, 0.0)
        end = min((share for share in _SHARES.values() if share > start), default=1.0)
        done = max(self._applied - 1, 0) + start + part * (end - start)
        self.report(what, done / self.patches)
