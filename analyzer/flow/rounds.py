"""Run the roots of a tree, and again, until what stands on lists is settled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from analyzer.base import FunctionId, Gap
from analyzer.flow.domain.contents import MOST, Kinds, Lists, Put, few, is_own, kinds, united
from analyzer.flow.domain.seen import Seen
from analyzer.flow.remember import run_or_recall
from analyzer.flow.run import Run
from analyzer.pages.machine import PageState

#: Lists settle in two rounds where pages pass one list, in three where they pass two.
_ROUNDS = 5
#: After so many rounds what stood on a list once stays there: a page that fails on its way to one
#: list, and so is missing there, could else let two that feed each other change for ever.
_SETTLED = 2


class Begin(Protocol):
    """Return a run in which nothing was seen yet, in which lists say what stands on each list."""

    def __call__(self, lists: Lists, *, early: bool) -> Run:
        """Let the run end where it draws from a list of others that is not known, if early."""
        ...


class Ran(NamedTuple):
    """The last run of each root, and what stood on the lists in it."""

    runs: Mapping[FunctionId, Seen]
    lists: Mapping[FunctionId, Lists]

    @property
    def places(self) -> frozenset[str]:
        """Return the lists that pages are put on or drawn from, where others may use them, too."""
        used = (p for run in self.runs.values() for p in (*run.puts, *run.altered, *run.drawn))
        return frozenset(place for place in used if not is_own(place))

    def contents(self, roots: Sequence[FunctionId]) -> Lists:
        """Return what stands on all lists that some of the roots use."""
        found: dict[str, tuple[PageState, ...]] = {}
        drawn: dict[str, tuple[PageState, ...]] = {}
        for root in roots:
            found.update(_standing(root, roots, self.runs))
            held = self.lists[root]
            drawn.update((p, held[p]) for p in self.runs[root].drawn if p in held)
        return {**found, **drawn}


def joined(parts: Sequence[Ran]) -> Ran | None:
    """Return what the roots of all parts have shown, each of which ran by itself.

    None where a list leads from one part to another: what stood on it was not known there.
    """
    uses = [{p for run in part.runs.values() for p in (*run.puts, *run.altered)} for part in parts]
    for n, part in enumerate(parts):
        drawn = {p for run in part.runs.values() for p in run.drawn if not is_own(p)}
        if any(drawn & used for other, used in enumerate(uses) if other != n):
            return None
    return Ran(
        {root: run for part in parts for root, run in part.runs.items()},
        {root: lists for part in parts for root, lists in part.lists.items()},
    )


@dataclass
class Rounds:
    """The last run of each root, and what stood on the lists in it, as far as they have come."""

    roots: Sequence[FunctionId]
    begin: Begin
    every: int  # all that the type of a page can be
    runs: dict[FunctionId, Seen] = field(default_factory=dict)
    lists: dict[FunctionId, Lists] = field(default_factory=dict)

    def settle(self) -> Ran:
        """Run every root until none of them has drawn from a list that holds other pages now.

        Who draws from the lists of others waits for them. So nobody is handed a page of which
        nothing is known because it is early, and puts that on a list for the next.
        """
        waiting = [root for root in self.roots if not self._run(root, {}, early=True)]
        for root in waiting:
            self._run(root, self._settled(root))
        todo: Sequence[FunctionId] = self.roots
        for n in range(_ROUNDS):
            now = {root: self._settled(root, keep=n >= _SETTLED) for root in self.roots}
            todo = [root for root in self.roots if self._news(root, now[root])]
            for root in todo:
                self._run(root, now[root])
            self.lists = now
            if not todo:
                break
        self._admit(todo)
        return Ran(self.runs, self.lists)

    def _run(self, root: FunctionId, lists: Lists, *, early: bool = False) -> bool:
        """Run a root; tell whether it need not wait for others."""
        run = self.begin(lists, early=early)
        if run.cut:
            run.gaps.setdefault(_not_started(root, run.cut))
        else:
            run = run_or_recall(root, run)
        if run.waits:
            return False
        self.runs[root], self.lists[root] = run.alone(), lists
        return True

    def _settled(self, root: FunctionId, *, keep: bool = False) -> Lists:
        """Return what stands on each list that a root can draw from; keep what stood there before.

        A page of a known kind with another history is no news: or lists that feed each other
        would never settle.
        """
        held = self.lists.get(root, {})
        found = _standing(root, self.roots, self.runs)
        if keep:
            for place, pages in held.items():
                if found.get(place) != ():  # of which nothing is known
                    found[place] = united(pages, found.get(place, ()))
        return {
            p: held[p] if p in held and self._kinds(held[p]) == self._kinds(pages) else pages
            for p, pages in found.items()
        }

    def _news(self, root: FunctionId, now: Lists) -> bool:
        """Tell whether a list that a root has drawn from holds other kinds of pages now."""
        return any(
            seen != self._kinds(now.get(place, ()))
            for place, sets in self.runs[root].drawn.items()
            for seen in sets
        )

    def _kinds(self, pages: Sequence[PageState]) -> Kinds:
        return kinds(pages, self.every)

    def _admit(self, unsettled: Sequence[FunctionId]) -> None:
        """Admit what of the lists was cut: rounds, and kinds of pages."""
        for path, name in unsettled:
            detail = f"what {name}() takes from lists still changes after {_ROUNDS} rounds"
            self.runs[path, name].gaps.setdefault(Gap("budget", path, 0, name, detail))
        for (path, name), run in self.runs.items():
            for place in sorted(run.drawn):
                if any(len(seen) == MOST for seen in run.drawn[place]):
                    detail = f"{MOST} kinds of pages or more on {place}: not all are followed"
                    run.gaps.setdefault(Gap("budget", path, 0, name, detail))


def _standing(
    root: FunctionId, roots: Sequence[FunctionId], runs: Mapping[FunctionId, Seen]
) -> dict[str, tuple[PageState, ...]]:
    """Return what the latest runs of roots leave on each list that one of them can draw from."""
    puts: dict[str, dict[Put, None]] = {}
    for other in roots:
        for place, put in runs[other].puts.items() if other in runs else ():
            if other == root or not is_own(place):
                puts.setdefault(place, {}).update(put)
    found = {place: few(put) for place, put in sorted(puts.items())}
    for other in roots:
        for place in runs[other].altered if other in runs else ():
            if other == root or not is_own(place):
                found[place] = ()
    return found


def _not_started(root: FunctionId, reason: str) -> Gap:
    path, name = root
    return Gap("budget", path, 0, name, f"{reason}: nothing that {name}() calls is followed")
