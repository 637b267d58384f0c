"""Walk one function body with the states of its paths, through branches and around loops."""

from __future__ import annotations

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from analyzer.c import ir
from analyzer.flow import calls, left, lists, structures, words
from analyzer.flow.asks import bits, exact, raised
from analyzer.flow.asks.counters import counters_of, placed, stepped
from analyzer.flow.asks.once import Once, is_contrary, marked_once
from analyzer.flow.asks.questions import Questions, questions_of
from analyzer.flow.asks.repeats import after_call, decided, turned_back
from analyzer.flow.callsite import Enter
from analyzer.flow.cells import leave_in_cells, without_lost
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.observe import Kind, Outcome
from analyzer.flow.domain.state import State, join_states
from analyzer.flow.domain.values import ZERO, Int, NonZero, Unknown, Value
from analyzer.flow.expressions import assign
from analyzer.flow.guarded import guards_of
from analyzer.flow.loops import walks_range
from analyzer.flow.operations import Results, lose
from analyzer.flow.populations import name_population
from analyzer.flow.ranges import is_stepped, passed
from analyzer.flow.refine import refine, valued
from analyzer.flow.run import Run
from analyzer.flow.steps import jumped, searches, stored_into, switches
from analyzer.flow.turns import turned
from analyzer.flow.unentered import weightless
from analyzer.flow.watch import Lookout
from analyzer.flow.weight import matters
from analyzer.flow.zeroing import collected, stepped_on, stepped_turn, turned_on
from analyzer.pages.machine import Verb
from analyzer.program.shape import Shape, root_name
from analyzer.program.slices import Slice


@lru_cache(maxsize=65536)
def _variable(place: str) -> str:
    """Return the local variable that a place such as `3:arg.start_pfn` belongs to."""
    return place.partition(":")[2].partition(".")[0].partition("[")[0]


class _Place(NamedTuple):
    """A block to go on at; turns counts how often each loop around it was closed (at most 2)."""

    block: int
    turns: tuple[tuple[int, int], ...]


@dataclass
class Body:
    """Walk one activation's graph, path by path, joining paths only when there are too many."""

    act: Activation
    run: Run
    shape: Shape
    slice: Slice
    enter: Enter
    seen: dict[_Place, dict[object, State]] = field(default_factory=dict)
    visits: dict[int, int] = field(default_factory=dict)
    ranges: dict[int, bool] = field(default_factory=dict)
    kept: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    gone: dict[int, set[str]] = field(default_factory=lambda: defaultdict(set))
    todo: list[tuple[int, int, _Place, State]] = field(default_factory=list)
    results: dict[object, tuple[State, Value]] = field(default_factory=dict)
    order: int = 0
    watch: Lookout | None = None
    questions: Questions = field(init=False)
    once: Mapping[int, Once] = field(init=False)
    counters: frozenset[ir.Expr] = field(init=False)
    guards: Mapping[int, Sequence[tuple[int, int]]] = field(init=False)

    def __post_init__(self) -> None:
        self.questions = questions_of(self.act.variant, self.act.function.path, self.run.program)
        self.once = marked_once(self.act, self.questions, self.run)
        self.counters = counters_of(self.act, self.run)
        self.guards = guards_of(self.act.variant)

    def interpret(self, entry: State) -> Results:
        """Return the states at the function's returns, each with its value."""
        outside = self.run.block
        self._push(_Place(0, ()), entry)
        while self.todo:
            _, _, place, state = heapq.heappop(self.todo)
            if self.run.step(self.act):
                break
            block = self.act.variant.blocks[place.block]
            self.run.block, states = place.block, [state]
            for n, step in enumerate(block.instructions):
                states = self._each(step, states)
                if not states:
                    break
                if self.watch is not None:
                    self.watch.after(place.block, n, states)
            for after in states:
                self._leave(place, block.end, after)
        self.run.block = outside
        return name_population(self.act, entry, list(self.results.values()), self.run)

    def _each(self, step: ir.Instruction, states: Sequence[State]) -> list[State]:
        if len(states) == 1:
            return self._step(step, states[0])
        after: dict[object, State] = {}
        for state in states:
            for s in self._step(step, state):
                after.setdefault(s.key, s)
        return list(after.values())

    def _step(self, step: ir.Instruction, state: State) -> list[State]:
        act, run = self.act, self.run
        match step:
            case ir.Assign(target):
                if root_name(target) not in self.slice.names:
                    return [state]
                stored = words.stored(step, state, act, run)
                if stored is not None:
                    return [stored]
                value = stepped(step, self.counters, state, act, run)
                stores = []
                for found, known in valued(value, state, act, run):
                    told = stepped_on(step, found, known, act)
                    new = assign(target, raised.stepped(step, found, act), told, act, run)
                    new = bits.written(step, told, new, act, run)
                    new = structures.assigned(step, new, act, run)
                    stores.append(exact.assigned(step, told, new, act, run))
                return stores
            case ir.Call(result):
                if result.id not in self.slice.names and not matters(step, act, run):
                    after = [weightless(step, state, act, run, self.enter)]
                else:
                    after = calls.call(step, state, act, run, self.enter)
                if len(after) > 1 and not self._decides(step):
                    place = act.place(step.result.id)
                    after = [state.without([place]) if place in state.store else state]
                return [after_call(step, s, act, run) for s in after]
            case ir.Iterate():
                return lists.iterate(step, state, act, run)
            case ir.Check():
                return self._check(step, state)
            case ir.Havoc(names):
                return [lose(names, step.span.start, state, act, run)]
        return [state]

    def _decides(self, step: ir.Call) -> bool:
        """Tell whether something hangs on a test of a page: what is only printed tells nothing."""
        if not isinstance(step.callee, ir.Name):
            return True
        op = self.run.space.operations.get(step.callee.id)
        return op is None or op.verb is not Verb.TEST or self.slice.hangs_on(step.result.id)

    def _check(self, step: ir.Check, state: State) -> list[State]:
        """Finish a page whose assertion failed; observe it if its state left no other way.

        An assertion about a page of which too little is known is believed, and so is every other.
        """
        if state.forced is None:
            return [state]
        key, dimension, certain = state.forced
        page = state.pages.get(key)
        if page is not None and certain:
            self.run.observe(
                self.act,
                step.span,
                Kind.CHECK,
                Outcome.FAILED,
                page,
                operation=step.macro,
                dimension=dimension,
            )
        return []

    def _leave(self, place: _Place, end: ir.Terminator, state: State) -> None:
        match end:
            case ir.Jump(target):
                self._go(place, target, state)
            case ir.Branch(_, then, orelse) if place.block not in self.slice.branches:
                state = state.deciding(None)  # what decides here is no page
                self._go(place, then, state)
                self._go(place, orelse, state)
            case ir.Branch():
                self._branch(place, end, state)
            case ir.Return(value):
                answers: Results = [(state, ZERO)]
                if value is not None:
                    told = valued(value, state, self.act, self.run)
                    answers = [(s, structures.whole(value, v, s, self.act)) for v, s in told]
                if self.watch is not None:
                    self.watch.leave(place.block, None, state)
                for left, answer in answers:
                    self.results.setdefault((left.key, answer), (left, answer))

    def _branch(self, place: _Place, end: ir.Branch, state: State) -> None:
        """Go on where a condition leads that decides something for a page."""
        cond, then, orelse = end.cond, end.then, end.orelse
        state = placed(cond, self.counters, state, self.act, self.run)
        outcomes = refine(cond, state, self.act, self.run)
        if len(outcomes) > 1:
            turns = sum(n for _, n in place.turns)
            known = exact.told(cond, place.block, turns, state, self.act, self.run)
            outcomes = [o for o in outcomes if known in (None, o[0])]
        if (asked := self.questions.asked.get(place.block)) is not None:
            shared = place.block in self.slice.guards
            outcomes = decided(asked, outcomes, state, self.act, self.run, shared=shared)
        if (once := self.once.get(place.block)) is not None and len(outcomes) > 1:
            outcomes = [
                (held, after)
                for held, after in outcomes
                if not is_contrary(once, held, after, self.act, self.run)
            ]
        sure = len(outcomes) == 1
        there = None if sure else self._to_pages(place.block, state)
        for held, after in outcomes:
            to = then if held else orelse
            if there in (None, to) and (self.act.variant, place.block, to) not in self.run.closed:
                self._go(place, to, after, sure=sure)

    def _go(self, place: _Place, target: int, state: State, *, sure: bool = False) -> None:
        """Follow an edge, minding the loops that it enters, closes or leaves; sure: no other is."""
        if target <= place.block:
            state = self._back(place.block, target, state)
        around, into = self.shape.inner[place.block], self.shape.inner[target]
        turns = dict(place.turns)
        for n in around:
            loop = self.act.variant.loops[n]
            over_range = self._is_range(n, state)
            empty = sure and not turns.get(n, 0) and target not in loop.blocks
            closing = target == loop.header and place.block in loop.blocks
            if closing:
                if over_range and not self.shape.leaves_at_header[n]:
                    if self.watch is not None:
                        self.watch.leave(place.block, target, state)
                    return
                done = turns.get(n, 0)
                if done >= 1 or over_range:  # once through stands for any number of turns
                    state = self._widen(n, state, done)
                if not over_range:
                    state = self._turned(loop, state)
                turns[n] = min(done + 1, 2)
            elif place.block == loop.header and over_range and self.shape.leaves_at_header[n]:
                # Its pages are one abstract page: once through, unless it is known to be empty.
                inside = target in loop.blocks
                if inside == (turns.get(n, 0) > 0) and not empty:
                    return
            if n not in into:
                turns.pop(n, None)
                passes = over_range or searches(self.act.variant, n)
                if passes and place.block == loop.header and not empty:
                    state = passed(n, self.shape.advanced[n], state, self.act, self.run)
        if self.watch is not None:
            self.watch.leave(place.block, target, state)
        self._push(_Place(target, tuple(sorted(turns.items())) if turns else ()), state)

    def _back(self, block: int, target: int, state: State) -> State:
        """Return the state after a jump back, with which a loop's next turn begins."""
        loop = jumped(self.act.variant, target, block)
        if self.questions.asked:
            state = turned_back(self.questions.asked, loop, state, self.act, self.run)
        return state if self._closes(block, target) else self._turned(loop, state)

    def _turned(self, loop: ir.Loop, state: State) -> State:
        leave_in_cells(state, self.act.root, self.run)
        after = left.turned(loop, state, turned(loop, state, self.act), self.act)
        return without_lost(state, after, self.run)

    def _closes(self, block: int, target: int) -> bool:
        """Tell whether an edge is the end of a loop's turn."""
        loops = self.act.variant.loops
        return any(loops[n].header == target for n in self.shape.inner[block])

    def _is_range(self, n: int, state: State) -> bool:
        if n not in self.ranges or not self.ranges[n]:
            self.ranges[n] = walks_range(self.act, n, self.shape.advanced[n], state, self.run)
        return self.ranges[n]

    def _to_pages(self, block: int, state: State) -> int | None:
        """Return where a branch goes if there are pages; None where it does not ask for any."""
        ways = self.guards.get(block, ())
        return next((to for n, to in ways if self._is_range(n, state)), None)

    def _widen(self, n: int, state: State, done: int) -> State:
        """Forget what a loop has counted, so that walking it comes to an end."""
        for name in self.act.variant.loops[n].assigns - switches(self.act.variant):
            if not self._is_range(n, state) and name in raised.raised_in(self.act.variant):
                state = raised.widened(name, n, state, self.act, self.run)
                continue
            place = self.act.place(name)
            held = state.store.get(place)
            if held == ZERO and name in collected(self.act.variant, n):
                continue
            whole = held == ZERO or not isinstance(held, Int)
            if whole and name in stored_into(self.act.variant, n):
                continue  # the array that it is or points to is the same, whatever it holds
            if isinstance(held, Unknown) and is_stepped(held):
                state = stepped_turn(held.key, state)
            elif isinstance(held, Int | Unknown | NonZero) and not name.startswith("%"):
                state, key = turned_on(name, n, state, self.act, done)
                state = state.put(place, Unknown(key))
        return state

    def _push(self, place: _Place, state: State) -> None:
        state = self._pruned(place.block, state)
        seen = self.seen.setdefault(place, {})
        key = state.key
        if key in seen:
            return
        if len(seen) >= self.run.limits.states:
            joined = self._joined(seen, state)
            if joined.key in seen:
                return
            state, key = joined, joined.key
            self.visits[place.block] = self.visits.get(place.block, 0) + 1
            if self.visits[place.block] > self.run.limits.visits:
                self.run.gap("budget", self.act, self.act.function.span.line, "too many paths")
                return
        seen[key] = state
        self.order += 1
        heapq.heappush(self.todo, (place.block, self.order, place, state))

    def _joined(self, seen: dict[object, State], state: State) -> State:
        """Join a state with one that knows the same of the pages, or with the last one."""
        leave_in_cells(state, self.act.root, self.run)
        near = [s for s in seen.values() if s.pages == state.pages and s.given == state.given]
        return join_states(near[-1] if near else next(reversed(seen.values())), state)

    def _pruned(self, block: int, state: State) -> State:
        """Forget the locals that nobody reads any more; kept and gone remember which those are."""
        kept, gone = self.kept[block], self.gone[block]
        found = state.store.keys() - kept
        if new := found - gone:
            doomed = self._unread(block, new)
            gone |= doomed
            kept |= new - doomed
        return state.without(found & gone)

    def _unread(self, block: int, places: Iterable[str]) -> set[str]:
        """Return those of some places that are locals which nobody reads from a block on."""
        live, depth = self.shape.live[block], f"{self.act.depth}:"
        if self.act.function.name in self.run.facts.origins:  # its parameters name the population
            live = live | {p.name for p in self.act.function.params}
        if self.watch is not None:
            live = live | self.watch.keep
        live = live | self.questions.variables
        return {p for p in places if p.startswith(depth) and _variable(p) not in live}
