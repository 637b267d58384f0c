"""Hold what one run of the interpreter shares: the tree's functions, the law, what matters."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from analyzer.base import FunctionId, Gap, Span
from analyzer.budget import Budget
from analyzer.c.ir import Variant
from analyzer.flow.asks.common import Common, common_in
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.contents import few, is_own, is_some, kinds
from analyzer.flow.domain.observe import Kind, Observation, Outcome, Passage
from analyzer.flow.domain.seen import Seen
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import Page, Value
from analyzer.pages.facts import Facts
from analyzer.pages.machine import TYPE, Event, Frame, PageState, Space
from analyzer.program.asked import Asked
from analyzer.program.finishing import finishing
from analyzer.program.held import Held, held_in
from analyzer.program.interest import Heard, Interest, Role
from analyzer.program.program import Program
from analyzer.program.slices import Slice

#: What ended a run that took more steps than any that comes to an end.
TOO_LONG = "too many steps"


#: From a block of a variant to another one.
Edge = tuple[Variant, int, int]


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one run; what they cut is a gap."""

    depth: int = 16
    states: int = 24  # per block, then states are joined
    visits: int = 48  # joins per block and activation
    steps: int = 40_000  # per root


@dataclass(frozen=True, slots=True)
class Watched:
    """What to look at on the way: lines as (path, line), and calls of functions."""

    lines: frozenset[tuple[str, int]] = frozenset()
    calls: frozenset[FunctionId] = frozenset()


class Sliced(NamedTuple):
    """What of a variant matters, and what was asked to find that."""

    slice: Slice
    asked: Asked
    heard: dict[tuple[str, str], Heard]


class Context(NamedTuple):
    """What a callee is entered with: all that its results depend on."""

    id: FunctionId
    args: tuple[Value, ...]
    pages: frozenset[tuple[str, PageState]]
    state: object  # the key of the whole state
    span: Span
    stack: tuple[Frame, ...]
    caller: FunctionId


@dataclass
class Run(Seen):
    """Collect what a root shows, with what it is found with: one tree, one root, one round."""

    program: Program
    space: Space
    facts: Facts
    numbers: Mapping[str, int]
    interest: Interest
    types_forgotten: bool  # freeing a page resets its type in this tree
    lists: Mapping[str, tuple[PageState, ...]]
    slices: dict[Variant, Sliced]
    starts: Mapping[str, PageState] = field(default_factory=dict)  # populations, as if born so
    limits: Limits = field(default_factory=Limits)
    budget: Budget = field(default_factory=Budget)
    early: bool = False  # not all roots have run yet: what stands on their lists is not known
    asked: Asked = field(default_factory=dict)  # of the program, while the run was under way
    roles: dict[FunctionId, Role] = field(default_factory=dict)  # asked of the interest meanwhile
    heard: dict[tuple[str, str], Heard] = field(default_factory=dict)  # by name and path
    shared: dict[str, Common] = field(default_factory=dict)  # by folder
    holders: dict[str, Held] = field(default_factory=dict)  # by path
    cells: dict[str, str] = field(default_factory=dict)  # by place
    memory: dict[Context, list[tuple[State, Value]]] = field(default_factory=dict)
    stepped: dict[tuple[Variant, int], tuple[bool, frozenset[str]]] = field(default_factory=dict)
    changing: dict[tuple[Variant, int], bool] = field(default_factory=dict)  # walks over lists
    weighed: dict[int, bool] = field(default_factory=dict)  # by the identity of a step
    computed: dict[str, frozenset[str]] = field(default_factory=dict)  # keys, by what they made
    apart: dict[str, tuple[Page, Page]] = field(default_factory=dict)  # by the distance's key
    named: dict[tuple[str, str], str] = field(default_factory=dict)  # by name and path
    steps: int = 0
    block: int = 0  # of the function that is being walked
    watched: Watched = Watched()
    closed: frozenset[Edge] = frozenset()  # branches that are not taken, as if they could not be

    def hear(self, name: str, path: str) -> Heard:
        """Return which of the functions that a name can mean in a file matter.

        Another run, which has read more functions that do not matter, is answered the same.
        """
        if (name, path) not in self.heard:
            self.heard[name, path] = self._hear(name, path)
        return self.heard[name, path]

    def marks(self, name: str, path: str) -> bool:
        """Tell whether a function that a name can mean in a file marks or unmarks pages."""
        return any(self.role(id).strong for id in self.hear(name, path).matter)

    def _hear(self, name: str, path: str) -> Heard:
        with self.program.noting(None):
            found = self.program.resolve(name, path)
            ends = bool(found) and not any(map(self.program.returns, found))
        return Heard(tuple(id for id in found if any(self.interest.role(id))), ends)

    def forget(self, passages: tuple[Passage, ...]) -> None:
        """Keep what became of pages in functions; drop what only helped to find it."""
        self.passages = passages
        self.memory.clear()
        self.stepped.clear()
        self.changing.clear()
        self.weighed.clear()
        self.computed.clear()
        self.apart.clear()
        self.named.clear()

    def answers(self, old: Run) -> bool:
        """Tell whether this run would be told what another one was told."""
        return (
            self.interest.flags == old.interest.flags
            and all(self.interest.role(id) == role for id, role in old.roles.items())
            and all(self._hear(*asked) == heard for asked, heard in old.heard.items())
            and all(
                common_in(folder, self.program, self.interest, self.space) == found
                for folder, found in old.shared.items()
            )
            and all(
                held_in(path, self.program, self.facts) == found
                for path, found in old.holders.items()
            )
            and all(again(self.program) == answer for again, answer in old.asked.values())
        )

    def role(self, id: FunctionId) -> Role:
        """Return what a function is to the analysis."""
        if id not in self.roles:
            self.roles[id] = self.interest.role(id)
        return self.roles[id]

    @cached_property
    def setters(self) -> frozenset[str]:
        """Return the accessors that mark pages."""
        return frozenset(
            op.name for op in self.space.operations.values() if op.dimension == TYPE and op.is_set
        )

    @cached_property
    def finishing(self) -> frozenset[FunctionId]:
        """Return the functions that mark what they have an origin make."""
        return finishing(self.program, self.space, self.facts)

    def common(self, path: str) -> Common:
        """Return what the functions beside a file that mark pages ask for."""
        folder = posixpath.dirname(path)
        if folder not in self.shared:
            self.shared[folder] = common_in(folder, self.program, self.interest, self.space)
        return self.shared[folder]

    def held(self, path: str) -> Held:
        """Return what holds pages in a file."""
        found = self.holders.get(path)
        if found is None:
            found = self.holders[path] = held_in(path, self.program, self.facts)
        return found

    def global_place(self, name: str, path: str) -> str:
        """Return the place of a variable of a file; one that is static is no other file's."""
        return f"g:{self.own_name(name, path)}"

    def own_name(self, name: str, path: str) -> str:
        """Return a name of a file, told from the same in other files where it is private."""
        found = self.named.get((name, path))
        if found is None:
            private = self.program.is_private(name, path)
            found = self.named[name, path] = f"{path}#{name}" if private else name
        return found

    def text(self, act: Activation, span: Span) -> str:
        """Return the source text of a span with blanks folded."""
        return self.program.unit(act.function.path).said(span)

    def observe(
        self,
        act: Activation,
        span: Span,
        kind: Kind,
        outcome: Outcome,
        page: PageState,
        *,
        operation: str = "",
        dimension: str = "",
        text: str | None = None,
        given: str = "",
        conditions: tuple[tuple[str, bool], ...] = (),
    ) -> None:
        """Record one observation, once."""
        seen = Observation(
            kind,
            outcome,
            act.function.path,
            act.function.name,
            span,
            self.text(act, span) if text is None else text,
            operation,
            dimension,
            page,
            act.stack,
            act.root,
            given,
            conditions,
        )
        self.observations.setdefault(seen)

    def event(
        self, act: Activation, span: Span, kind: str, dimension: str, accessor: str = ""
    ) -> Event:
        """Return the event that an operation at a span leaves in a page's history.

        Without an accessor it is what the text there calls.
        """
        text = self.text(act, span)
        return Event(
            kind,
            dimension,
            act.function.path,
            act.function.name,
            span.start,
            span.line,
            text,
            act.stack,
            accessor or text.split("(")[0].strip(),
        )

    def draw(self, place: str) -> tuple[PageState, ...]:
        """Return what stands on a list that is drawn from, as far as that is known by now."""
        if is_some(place):
            return ()
        known = self.lists.get(place)
        if known is None:
            self.waits = self.waits or (self.early and not is_own(place))
            known = () if place in self.altered else few(self.puts.get(place, ()))
        self.drawn.setdefault(place, set()).add(kinds(known, self.space.every))
        return known

    def take(self, key: str, state: State) -> State:
        """Return the state with a page taken from wherever it is."""
        if key in state.stands:
            self.taken.add(state.stands[key])
        return state.take(key)

    def step(self, act: Activation) -> bool:
        """Count a step; tell whether there is neither time nor patience for it."""
        self.steps += 1
        if not self.cut:
            if self.steps > self.limits.steps:
                self.end(act, TOO_LONG)
            elif self.steps % self.budget.every == 0 and (reason := self.budget.spent):
                self.end(act, reason)
        return self.waits or bool(self.cut)

    def end(self, act: Activation, reason: str) -> None:
        """Let the run end where it is, and say what is left out."""
        self.cut = reason
        path, name = act.root
        detail = f"{reason}: what else is called from {name}() ({path}) is not followed"
        self.gap("budget", act, act.function.span.line, detail)

    def gap(self, kind: str, act: Activation, line: int, detail: str) -> None:
        """Admit that something was not followed."""
        self.gaps.setdefault(Gap(kind, act.function.path, line, act.function.name, detail))

    def frame(self, act: Activation, span: Span) -> Frame:
        """Return the frame that a call at a span pushes."""
        return Frame(act.function.path, act.function.name, span, self.text(act, span))
