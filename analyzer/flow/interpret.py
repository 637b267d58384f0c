"""Interpret function bodies over path states, entering callees in the context of each call."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from analyzer.base import Span
from analyzer.c import ir
from analyzer.flow import calls
from analyzer.flow.expressions import assign, evaluate, refine
from analyzer.flow.observe import Kind, Outcome
from analyzer.flow.operations import Results
from analyzer.flow.program import FunctionId
from analyzer.flow.run import Activation, Run
from analyzer.flow.shape import Shape, expressions_of, names_in, shape_of
from analyzer.flow.state import State, join_states
from analyzer.flow.values import (
    Int,
    NonZero,
    Offset,
    Page,
    Symbol,
    Unknown,
    Value,
    compare,
)
from analyzer.pages.facts import Origin
from analyzer.pages.machine import PageState


class Enter(Protocol):
    """Enter a callee: the states after it, each with the value it returned."""

    def __call__(
        self,
        id: FunctionId,
        args: Sequence[Value],
        state: State,
        act: Activation,
        span: Span,
        here: str,
        *,
        callback: bool = False,
    ) -> Results: ...


def run_root(id: FunctionId, run: Run) -> None:
    """Interpret a function with arguments of which nothing is known."""
    run.steps = 0
    start = State({}, {}, config=dict(run.program.config))
    for state, _ in _function(id, None, start, None, Span("", 0, 0, 0, 0, 0, 0), run):
        _observe_exit(id, state, run)


def _observe_exit(id: FunctionId, state: State, run: Run) -> None:
    """Observe what has become of the pages of every population that the root made."""
    for function in run.program.lowered(id)[:1]:
        act = Activation(function, function.variants[0], 0, (), id)
        for key, page in sorted(state.pages.items()):
            if page.population and page.population != "allocated":
                run.observe(
                    act,
                    function.span,
                    Kind.EXIT,
                    Outcome.SEEN,
                    page,
                    text=function.name,
                    given=state.given.get(key, ""),
                )


def _function(
    id: FunctionId,
    args: Sequence[Value] | None,
    state: State,
    caller: Activation | None,
    span: Span,
    run: Run,
) -> Results:
    """Interpret all definitions and variants of a function that the configuration allows."""
    depth = caller.depth + 1 if caller else 0
    stack = (*caller.stack, run.frame(caller, span)) if caller else ()
    results: Results = []
    run.reached.add(id)
    built = run.program.built_with(id[0])
    for function in run.program.lowered(id):
        for gap in function.gaps:
            run.gaps.setdefault(gap)
        for variant in function.variants:
            entry = _assume(state, (*built, *function.conditions, *variant.conditions))
            if entry is None:
                continue
            act = Activation(function, variant, depth, stack, caller.root if caller else id)
            for n, param in enumerate(function.params):
                known = args is not None and n < len(args)
                value = args[n] if args is not None and known else Unknown(act.place(param.name))
                entry = entry.put(act.place(param.name), value)
            results.extend(_Body(act, run, shape_of(variant)).interpret(entry))
    return results


def _assume(state: State, conditions: Iterable[tuple[str, bool]]) -> State | None:
    """Return the state with conditions assumed, or None where it contradicts them."""
    for symbol, held in conditions:
        decided = state.config.get(symbol)
        if decided is None:
            state = state.assume(symbol, held)
        elif decided is not held:
            return None
    return state


@dataclass(frozen=True)
class _Place:
    """A block to go on at; turns counts how often each loop around it was closed (at most 2)."""

    block: int
    turns: tuple[tuple[int, int], ...]


@dataclass
class _Body:
    """Walk one activation's graph, path by path, joining paths only when there are too many."""

    act: Activation
    run: Run
    shape: Shape
    seen: dict[_Place, dict[object, State]] = field(default_factory=dict)
    visits: dict[int, int] = field(default_factory=dict)
    ranges: dict[int, bool] = field(default_factory=dict)
    todo: list[tuple[int, int, _Place, State]] = field(default_factory=list)
    results: dict[object, tuple[State, Value]] = field(default_factory=dict)
    order: int = 0

    def interpret(self, entry: State) -> Results:
        """Return the states at the function's returns, each with its value."""
        self._push(_Place(0, ()), entry)
        while self.todo:
            _, _, place, state = heapq.heappop(self.todo)
            self.run.steps += 1
            if self.run.steps > self.run.limits.steps:
                self.run.gap("budget", self.act, self.act.function.span.line, "too many steps")
                break
            block = self.act.variant.blocks[place.block]
            states = [state]
            for step in block.instructions:
                states = self._each(step, states)
                if not states:
                    break
            for after in states:
                self._leave(place, block.end, after)
        return _origin(self.act, list(self.results.values()), self.run)

    def _each(self, step: ir.Instruction, states: Sequence[State]) -> list[State]:
        after: dict[object, State] = {}
        for state in states:
            for s in self._step(step, state):
                after.setdefault(s.key(), s)
        return list(after.values())

    def _step(self, step: ir.Instruction, state: State) -> list[State]:
        act, run = self.act, self.run
        match step:
            case ir.Assign(target, value):
                return [assign(target, evaluate(value, state, act, run), state, act, run)]
            case ir.Call():
                return calls.call(step, state, act, run, self._enter)
            case ir.Iterate():
                return calls.iterate(step, state, act, run)
            case ir.Check():
                self._check(step, state)
                return []  # a page whose assertion failed is finished
            case ir.Havoc(names):
                for name in sorted(names):
                    if act.is_local(name):
                        place = act.place(name)
                        state = state.put(place, Unknown(f"{place}:{step.span.start}"))
                return [state]
        return [state]

    def _check(self, step: ir.Check, state: State) -> None:
        """Observe a failed assertion, if the page's state left no other way."""
        if state.forced is None:
            return
        key, dimension = state.forced
        page = state.pages.get(key)
        if page is not None:
            self.run.observe(
                self.act,
                step.span,
                Kind.CHECK,
                Outcome.FAILED,
                page,
                operation=step.macro,
                dimension=dimension,
            )

    def _leave(self, place: _Place, end: ir.Terminator, state: State) -> None:
        match end:
            case ir.Jump(target):
                self._go(place, target, state)
            case ir.Branch(cond, then, orelse):
                for held, after in refine(cond, state, self.act, self.run):
                    self._go(place, then if held else orelse, after)
            case ir.Return(value):
                returned: Value = Int(0)
                if value is not None:
                    returned = evaluate(value, state, self.act, self.run)
                self.results.setdefault((state.key(), returned), (state, returned))

    def _go(self, place: _Place, target: int, state: State) -> None:
        """Follow an edge, minding the loops that it enters, closes or leaves."""
        turns = dict(place.turns)
        around, into = self.shape.inner[place.block], self.shape.inner[target]
        for n in around:
            loop = self.act.variant.loops[n]
            over_range = self._is_range(n, state)
            closing = target == loop.header and place.block in loop.blocks
            if closing:
                if over_range and not self.shape.leaves_at_header[n]:
                    return
                done = turns.get(n, 0)
                if done >= 1:
                    state = self._widen(n, state)
                turns[n] = min(done + 1, 2)
            elif place.block == loop.header and over_range and self.shape.leaves_at_header[n]:
                # A range is not empty, and its pages are one abstract page: once through.
                inside = target in loop.blocks
                if inside == (turns.get(n, 0) > 0):
                    return
            if n not in into:
                turns.pop(n, None)
        self._push(_Place(target, tuple(sorted(turns.items()))), state)

    def _is_range(self, n: int, state: State) -> bool:
        if n not in self.ranges or not self.ranges[n]:
            self.ranges[n] = _walks_range(self.act, n, self.shape.advanced[n], state, self.run)
        return self.ranges[n]

    def _widen(self, n: int, state: State) -> State:
        for name in self.act.variant.loops[n].assigns:
            place = self.act.place(name)
            if isinstance(state.store.get(place), Int):
                state = state.put(place, Unknown(f"{place}:turn{n}"))
        return state

    def _push(self, place: _Place, state: State) -> None:
        state = self._pruned(place.block, state)
        seen = self.seen.setdefault(place, {})
        key = state.key()
        if key in seen:
            return
        if len(seen) >= self.run.limits.states:
            joined = self._joined(seen, state)
            if joined.key() in seen:
                return
            state, key = joined, joined.key()
            self.visits[place.block] = self.visits.get(place.block, 0) + 1
            if self.visits[place.block] > self.run.limits.visits:
                self.run.gap("budget", self.act, self.act.function.span.line, "too many paths")
                return
        seen[key] = state
        self.order += 1
        heapq.heappush(self.todo, (place.block, self.order, place, state))

    def _joined(self, seen: dict[object, State], state: State) -> State:
        """Join a state with one that knows the same of the pages, or with the last one."""
        near = [s for s in seen.values() if s.pages == state.pages and s.given == state.given]
        return join_states(near[-1] if near else next(reversed(seen.values())), state)

    def _pruned(self, block: int, state: State) -> State:
        live, depth = self.shape.live[block], f"{self.act.depth}:"
        if self.act.function.name in self.run.facts.origins:  # its parameters name the population
            live = live | {p.name for p in self.act.function.params}

        def dead(place: str) -> bool:
            if not place.startswith(depth):
                return False
            name = place[len(depth) :]
            for i, c in enumerate(name):
                if c in ".[":
                    name = name[:i]
                    break
            return name not in live

        return state.forget(dead)

    def _enter(
        self,
        id: FunctionId,
        args: Sequence[Value],
        state: State,
        act: Activation,
        span: Span,
        here: str,
        *,
        callback: bool = False,
    ) -> Results:
        run = self.run
        on_stack = any(f.id == id for f in act.stack) or act.id == id
        if on_stack or act.depth >= run.limits.depth:
            if not on_stack:
                run.gap("budget", act, span.line, f"calls nested too deep at {id[1]}")
            return [(state, Unknown(here))]
        results: dict[object, tuple[State, Value]] = {}
        for after, value in _function(id, args, state, act, span, run):
            left, renamed = _returned(after, value, act.depth, here, state)
            if callback:
                _observe_return(id, args, left, act, span, run)
            results.setdefault((left.key(), renamed), (left, renamed))
        found = list(results.values())
        if len(found) > run.limits.states:
            found = _fewer(found, run.limits.states)
        return found


def _fewer(found: Results, most: int) -> Results:
    """Join results that know the same of the pages until few enough are left."""
    groups: dict[object, tuple[State, Value]] = {}
    for state, value in found:
        key = (frozenset(state.pages.items()), frozenset(state.given.items()), value)
        held = groups.get(key)
        groups[key] = (state, value) if held is None else (join_states(held[0], state), value)
    kept = list(groups.values())
    while len(kept) > most:
        (one, a), (other, b) = kept.pop(), kept.pop()
        kept.append((join_states(one, other), a if a == b else Unknown("joined")))
    return kept


def _walks_range(
    act: Activation, n: int, advanced: frozenset[str], state: State, run: Run
) -> bool:
    """Tell whether a loop steps through a range of pages."""
    for name in advanced:
        if isinstance(state.store.get(act.place(name)), Page):
            return True
    loop = act.variant.loops[n]
    if loop.kind == "iterator" or not advanced:
        return False
    for b in loop.blocks:
        for step in act.variant.blocks[b].instructions:
            if isinstance(step, ir.Call) and isinstance(step.callee, ir.Name):
                names = {x for a in step.args for x in names_in(a)}
                if step.callee.id in run.facts.identities and names & advanced:
                    return True
            for e in expressions_of(step):
                if _steps_page(e, advanced, state, act, run):
                    return True
    return False


def _steps_page(
    e: ir.Expr, advanced: frozenset[str], state: State, act: Activation, run: Run
) -> bool:
    match e:
        case ir.Binary("+" | "-", left, right) | ir.Index(left, right):
            for base, other in ((left, right), (right, left)):
                if set(names_in(other)) & advanced and isinstance(base, ir.Name):
                    value = state.store.get(act.place(base.id))
                    if isinstance(value, Page):
                        return True
                    if value is None and "struct page *" in act.type_of(base.id):
                        return True
            return _steps_page(left, advanced, state, act, run)
        case ir.Unary(_, operand) | ir.Cast(_, operand) | ir.Field(operand, _, _):
            return _steps_page(operand, advanced, state, act, run)
    return False


def _returned(
    state: State, value: Value, depth: int, here: str, entry: State
) -> tuple[State, Value]:
    """Leave a frame: drop its locals, name what it made after the call."""
    inner = f"{depth + 1}:"
    fresh = _made_inside(value, inner, entry)
    renamed = value
    state = state.forget(
        lambda place: place.startswith(inner)
        or (place.startswith("*") and place not in entry.store)
    )
    if fresh is not None:
        match value:
            case Page(_, form):
                renamed = Page(here, form)
            case NonZero():
                renamed = NonZero(here)
            case Offset():
                renamed = Offset(here)
            case Unknown():
                renamed = Unknown(here)
        if fresh in state.pages or fresh in state.given:
            state = _rename_page(state, fresh, here)
        state = state.substitute(value, renamed)
    held = {v.key for v in state.store.values() if isinstance(v, Page | Unknown | Offset | NonZero)}
    if isinstance(renamed, Page | Unknown | Offset | NonZero):
        held.add(renamed.key)
    pages = {
        k: p
        for k, p in state.pages.items()
        if k in held or k in entry.pages or p.population not in ("", "allocated")
    }
    given = {k: g for k, g in state.given.items() if k in held or k in entry.pages or k in pages}
    unequal = frozenset(u for u in state.unequal if not u[0].startswith(inner))
    return replace(state, pages=pages, given=given, unequal=unequal, forced=entry.forced), renamed


def _made_inside(value: Value, inner: str, entry: State) -> str | None:
    if isinstance(value, Page | Unknown | Offset | NonZero) and value.key.startswith(inner):
        return value.key
    return None


def _rename_page(state: State, old: str, new: str) -> State:
    pages = {new if k == old else k: p for k, p in state.pages.items() if k != new}
    given = {new if k == old else k: g for k, g in state.given.items() if k != new}
    store = {
        k: Page(new, v.form) if isinstance(v, Page) and v.key == old else v
        for k, v in state.store.items()
    }
    return replace(state, pages=pages, given=given, store=store)


def _observe_return(
    id: FunctionId, args: Sequence[Value], state: State, act: Activation, span: Span, run: Run
) -> None:
    """Observe how a callback left the page that it was handed."""
    for arg in args:
        if isinstance(arg, Page) and arg.key in (state.pages.keys() | state.given.keys()):
            page = state.pages.get(arg.key, PageState(run.space.every))
            for function in run.program.lowered(id)[:1]:
                inner = Activation(
                    function,
                    function.variants[0],
                    act.depth + 1,
                    (*act.stack, run.frame(act, span)),
                    act.root,
                )
                run.observe(
                    inner,
                    function.span,
                    Kind.RETURNED,
                    Outcome.SEEN,
                    page,
                    text=function.name,
                    given=state.given.get(arg.key, ""),
                )


def _origin(act: Activation, results: Results, run: Run) -> Results:
    """Name the population of the pages that an origin function has just made."""
    origin = run.facts.origins.get(act.function.name)
    if origin is None:
        return results
    named: Results = []
    for state, value in results:
        key = _origin_key(act, origin, state)
        page = state.pages.get(key) if key else None
        if key is None or page is None or not page.history:
            named.append((state, value))
            continue
        population = _population(act, state, run)
        page = page.of_population(population)
        run.observe(
            act, act.function.span, Kind.BIRTH, Outcome.SEEN, page, text=act.function.name
        )
        named.append((state.with_page(key, page), value))
    return named


def _origin_key(act: Activation, origin: Origin, state: State) -> str | None:
    """Return the key of the page that the origin was asked to make."""
    born = [
        k
        for k, p in state.pages.items()
        if p.history and p.history[0].kind == "birth" and p.history[0].owner == act.id
    ]
    return born[0] if born else None


def _population(act: Activation, state: State, run: Run) -> str:
    """Return the first population whose conditions the origin's parameters meet."""
    for population in run.facts.populations:
        for name, wanted in population.when:
            value = state.store.get(act.place(name))
            number = run.numbers.get(wanted)
            meant: Value = Symbol(wanted) if number is None else Int(number)
            if value is None or compare("==", value, meant) is not True:
                break
        else:
            return population.name
    return "unnamed"
