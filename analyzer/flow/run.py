"""Hold what one run of the interpreter shares: the tree's functions, the law, what matters."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

from analyzer.base import Gap, Span
from analyzer.budget import Budget
from analyzer.c.ir import (
    Assign,
    Binary,
    Call,
    Check,
    Const,
    Expr,
    Field,
    Function,
    Index,
    Name,
    Unary,
    Variant,
)
from analyzer.flow.asked import Asked
from analyzer.flow.common import Common, common_in
from analyzer.flow.contents import few, is_own, is_some, kinds
from analyzer.flow.held import Held, held_in
from analyzer.flow.interest import Heard, Interest, Role
from analyzer.flow.observe import Kind, Observation, Outcome, Passage
from analyzer.flow.params import LIST_TYPE, PAGE_TYPES, is_page_pointer
from analyzer.flow.program import FunctionId, Program
from analyzer.flow.seen import Seen
from analyzer.flow.shape import names_in
from analyzer.flow.slices import Slice, slice_of
from analyzer.flow.state import State
from analyzer.flow.storing import is_word
from analyzer.flow.values import Value
from analyzer.pages.facts import Facts
from analyzer.pages.machine import TYPE, Event, Frame, PageState, Space

_WORD = re.compile(r"\w+")


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


@dataclass(frozen=True, slots=True)
class Activation:
    """One call of a function: its variant, depth, and the calls that led to it."""

    function: Function
    variant: Variant
    depth: int
    stack: tuple[Frame, ...]
    root: FunctionId
    _types: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_types", _types_of(self.function, self.variant))

    @property
    def id(self) -> FunctionId:
        """Return the function as (path, name)."""
        return (self.function.path, self.function.name)

    def place(self, name: str) -> str:
        """Return the place of a local variable."""
        return f"{self.depth}:{name}"

    def is_local(self, name: str) -> bool:
        """Tell whether a name is a parameter, local variable or temporary."""
        return name in self._types or name.startswith("%")

    def type_of(self, name: str) -> str:
        """Return the source text of a local's type, or nothing."""
        return self._types.get(name, "")


@lru_cache(maxsize=4096)
def _types_of(function: Function, variant: Variant) -> Mapping[str, str]:
    """Return the types of parameters and locals; of parameters with one name the first counts."""
    return {**variant.locals, **{p.name: p.type for p in reversed(function.params)}}


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
    weighed: dict[int, bool] = field(default_factory=dict)  # by the identity of a step
    named: dict[tuple[str, str], str] = field(default_factory=dict)  # by name and path
    steps: int = 0
    watched: Watched = Watched()

    def slice_of(self, act: Activation) -> Slice:
        """Return the slice of an activation's variant."""
        self.common(act.function.path)  # it is asked for where the slice is made
        if act.variant not in self.slices:
            asked: Asked = {}
            held, self.heard = self.heard, {}
            with self.program.noting(asked):
                made = slice_of(
                    act.variant,
                    lambda step: self.matters(act, step),
                    lambda step: self._marks(act, step),
                )
            self.slices[act.variant] = Sliced(made, asked, self.heard)
            self.heard = held
        found, asked, heard = self.slices[act.variant]
        if self.program.asked is not None:
            self.program.asked.update(asked)
        self.heard.update(heard)
        return found

    def hear(self, name: str, path: str) -> Heard:
        """Return which of the functions that a name can mean in a file matter.

        Another run, which has read more functions that do not matter, is answered the same.
        """
        if (name, path) not in self.heard:
            self.heard[name, path] = self._hear(name, path)
        return self.heard[name, path]

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
        self.weighed.clear()
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

    def matters(self, act: Activation, step: Call | Check | Assign) -> bool:
        """Tell whether a call or a store may do something to a page, or a check is about one."""
        # A step belongs to one variant, which the cache of lowered functions keeps alive.
        known = self.weighed.get(id(step))
        if known is None:
            known = self.weighed[id(step)] = self._weigh(act, step)
        return known

    def _weigh(self, act: Activation, step: Call | Check | Assign) -> bool:
        if isinstance(step, Assign):
            word = is_word(step.target, self.facts.words) and _may_be_page(step.target, act)
            told = self._is_flag(act, step) or _is_page_told(act, step)
            return word or told or self._is_kept(act, step.target)
        if isinstance(step, Check):
            return any(name in self.space.operations for name in _WORD.findall(step.condition))
        if not isinstance(step.callee, Name) or act.is_local(step.callee.id):
            return True
        name, facts = step.callee.id, self.facts
        if any(isinstance(a, Unary) and is_word(a.operand, facts.words) for a in step.args):
            return name not in facts.words.read_by
        if name in facts.words.set_by | facts.words.cleared_by and len(step.args) > 1:
            match step.args[1]:
                case Unary("&", Field(name=held) | Name(held)):
                    return held in self.common(act.function.path).read
        op = self.space.operations.get(name)
        if op is not None:
            return op.dimension == TYPE or op.dimension in self.interest.flags
        if name in facts.opaque:
            return False
        if facts.speaks_of(name):
            return True
        path = act.function.path
        if any(self.hear(name, path)):
            return True
        concerns = self.program.stored(name) or any(
            _may_be_page(a, act) or self._is_kept(act, a) for a in step.args
        )
        return bool(concerns) and not self.program.resolve(name, path)

    @cached_property
    def setters(self) -> frozenset[str]:
        """Return the accessors that mark pages."""
        return frozenset(
            op.name
            for op in self.space.operations.values()
            if op.dimension == TYPE and op.is_set and not op.is_test
        )

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

    def _marks(self, act: Activation, step: Call) -> bool:
        """Tell whether a call may change the type of a page that is followed."""
        if not isinstance(step.callee, Name) or act.is_local(step.callee.id):
            return False
        name = step.callee.id
        op = self.space.operations.get(name)
        if op is not None:
            return op.dimension == TYPE and not op.is_test
        return any(self.role(id).strong for id in self.hear(name, act.function.path).matter)

    def _is_flag(self, act: Activation, step: Assign) -> bool:
        """Tell whether a constant or a bit is stored that decides what becomes of pages."""
        value, target = step.value, step.target
        constant = isinstance(value, Const) or (isinstance(value, Name) and value.id.isupper())
        if not constant and not (isinstance(value, Binary) and value.left == target):
            return False
        return self.is_asked_for(act, target)

    def is_asked_for(self, act: Activation, e: Expr) -> bool:
        """Tell whether what is in memory decides for functions of the folder what they do.

        So may what is behind the address of a variable of the caller's.
        """
        match e:
            case Unary("*", Name(name)):
                return act.is_local(name)
            case Name(name) if not act.is_local(name):
                return name in self.common(act.function.path).read
            case Field(name=name):
                return name in self.common(act.function.path).read
        return False

    def _is_kept(self, act: Activation, e: Expr) -> bool:
        """Tell whether an expression is where functions look for a page to free."""
        match e.base if isinstance(e, Index) else e:
            case Field(name=name):
                return name in self.held(act.function.path).fields
            case Name(name) if not act.is_local(name):
                return name in self.held(act.function.path).variables
        return False

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
        unit = self.program.unit(act.function.path)
        return " ".join(unit.text[span.start : span.end].decode("utf-8", "replace").split())

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

    def event(self, act: Activation, span: Span, kind: str, dimension: str) -> Event:
        """Return the event that an operation at a span leaves in a page's history."""
        return Event(
            kind,
            dimension,
            act.function.path,
            act.function.name,
            span.start,
            span.line,
            self.text(act, span),
            act.stack,
        )

    def draw(self, place: str) -> tuple[PageState, ...]:
        """Return what stands on a list that is drawn from, as far as that is known by now."""
        if is_some(place):
            return ()
        known = self.lists.get(place)
        if known is None:
            self.waits = self.waits or (self.early and not is_own(place))
            known = () if place in self.altered else few(self.puts.get(place, ()))
        self.drawn.setdefault(place, set()).add(kinds(known))
        return known

    def change(self, key: str, state: State) -> None:
        """Take note that a page is changed, which may stand on a list."""
        if key in state.stands:
            self.changed.add(state.stands[key])

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
                self.end(act, "too many steps")
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


def _is_page_told(act: Activation, step: Assign) -> bool:
    """Tell whether a page is stored behind an address, where a caller may look for it."""
    match step.target, step.value:
        case ((Unary("*", Name(to)) | Field(Name(to), _, True)), Name(page)):
            return act.is_local(to) and is_page_pointer(act.type_of(page))
    return False


def _may_be_page(e: Expr, act: Activation) -> bool:
    """Tell whether an argument is, by a declared type in it, a page or a list of some."""
    types = (*PAGE_TYPES, LIST_TYPE)
    return any(t in act.type_of(name) for name in names_in(e) for t in types)
