"""Know the calls that make memory zero, and the loops that go through it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

from analyzer.c import ir
from analyzer.flow.callsite import CallSite
from analyzer.flow.domain import memory
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.memory import is_inside
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import FROM, STEPPED, ZERO, NonZero, Ref, Unknown, Value
from analyzer.flow.operations import Results
from analyzer.flow.ranges import is_stepped
from analyzer.program.shape import names_in, written


def zeroed(site: CallSite, state: State) -> Results | None:
    """Return what comes of a call that makes memory zero; None for any other.

    What an allocator gives goes by its call, as its value does.
    """
    facts, args = site.run.facts, site.args
    fill = facts.filled.get(site.name)
    if fill is not None and fill.to < len(args):
        place, by = memory_of(args[fill.to]), ZERO if fill.by is None else args[fill.by]
        return _made_zero(place, site.here, state) if by == ZERO and place is not None else None
    flag = facts.zeroed.get(site.name)
    if flag is None or (flag and not any(flag in names_in(a) for a in site.step.args)):
        return None
    return _made_zero(f"*{site.here}", site.here, state)


def memory_of(value: Value) -> str | None:
    """Name the memory that an address is the beginning of."""
    match value:
        case Ref(place):
            return place
        case Unknown(key) | NonZero(key):
            return f"*{key}"
    return None


def stepped_on(step: ir.Assign, value: Value, state: State, act: Activation) -> State:
    """Return the state in which a pointer through memory that was zero is stepped on by a loop."""
    if not is_stepped(value) or not isinstance(step.target, ir.Name):
        return state
    assert isinstance(value, Unknown), "what is stepped is not known"
    base = value.key.removesuffix(STEPPED)
    if f"*{base.partition(FROM)[0]}" not in state.store:
        return state
    first = state.store.get(act.place(step.target.id)) != value
    return state.with_store(memory.stepped(base, state.store, first=first))


def turned_on(name: str, n: int, state: State, act: Activation, done: int) -> tuple[State, str]:
    """Return the state in which a loop's next turn is about another element, and the index's key.

    done counts the turns before the last one, up to two. An index that a loop only raises is not
    below their number.
    """
    key = f"{act.place(name)}:turn{n}"
    if name in _raised(act.variant, n):
        key += f"+{min(done, 1) + 1}"
    if done < 2:
        state = _turned(key, _turned(key + STEPPED, state, first=True), first=True)
    else:
        state = _turned(key, state, first=False)
    return state, key


def stepped_turn(key: str, state: State) -> State:
    """Return the state in which a loop's next turn is about an element further on."""
    return _turned(key, state, first=False)


def _turned(key: str, state: State, *, first: bool) -> State:
    name = memory.element_of(Unknown(key))
    if not any(f"{name}]" in place for place in state.store):
        return state
    return state.with_store(memory.turned(name, state.store, first=first))


@lru_cache(maxsize=4096)
def _raised(variant: ir.Variant, n: int) -> frozenset[str]:
    """Return the variables that a loop does nothing with but raise them."""

    def raises(step: ir.Assign) -> bool:
        match step.value:
            case ir.Binary("+", of, ir.Const(by)):
                return of == step.target and by > 0
        return False

    return _only(raises, variant, n)


@lru_cache(maxsize=4096)
def collected(variant: ir.Variant, n: int) -> frozenset[str]:
    """Return the words in which a loop only sets bits: one that is zero was zero in each turn."""

    def sets(step: ir.Assign) -> bool:
        match step.value:
            case ir.Binary("|", of):
                return of == step.target
        return False

    return _only(sets, variant, n)


def _only(does: Callable[[ir.Assign], bool], variant: ir.Variant, n: int) -> frozenset[str]:
    """Return the variables of which a loop writes nothing but what does so."""
    steps = [s for b in variant.loops[n].blocks for s in variant.blocks[b].instructions]
    found = {
        s.target.id
        for s in steps
        if isinstance(s, ir.Assign) and isinstance(s.target, ir.Name) and does(s)
    }
    return frozenset(
        found.difference(*(written(s) for s in steps if not (isinstance(s, ir.Assign) and does(s))))
    )


def _made_zero(place: str, here: str, state: State) -> Results:
    state = state.forget(lambda other: is_inside(other, place))
    return [(state.put(place, ZERO), Unknown(here))]
