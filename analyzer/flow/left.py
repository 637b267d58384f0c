"""Know in what state a walk over all of a list has left the pages that stay on it.

Where pages are changed as they stand on a list, what was put there says no more what they are, and
nothing is known of them to whoever comes by another way. Who goes on where the walk has ended finds
each of them as the walk has left it. A list that was walked to its end has one page here, of each
way through the loop's body: other ways are other states. That is so of a list in a local variable;
others change any other while somebody looks away.
"""

from __future__ import annotations

from collections.abc import Iterable

from analyzer.c import ir
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.contents import own_place
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import Listed, NonZero, Ref, Unknown, Value
from analyzer.flow.run import Run
from analyzer.pages.machine import PageState

#: What follows the place of a list where it is kept what a walk has left there.
_LEFT = ".~"


def left_on(place: str, state: State) -> tuple[PageState, ...] | None:
    """Return what a walk has left on a list, nothing where that is empty; None if it is unknown."""
    found = state.store.get(place + _LEFT)
    return found.pages if isinstance(found, Listed) and not found.walk else None


def without_left(place: str, state: State) -> State:
    """Return the state in which it is not known any more what a walk has left on a list."""
    at = place + _LEFT
    return state.without([at]) if at in state.store else state


def looked_at(args: Iterable[Value], state: State) -> State:
    """Return the state in which nothing is known of lists that were handed to who is not read.

    It may have told that one is empty, which this way through the code leads on from.
    """
    for arg in args:
        match arg:
            case Ref(place) | Unknown(place) | NonZero(place):
                state = without_left(place, state)
    return state


def changes(step: ir.Iterate, act: Activation, run: Run) -> bool:
    """Tell whether a walk marks or unmarks pages of a list as they stand, and takes none off.

    One that does not begin at the list's head leaves those as they are that stand before.
    """
    if step.macro in run.facts.lists.rest:
        return False
    key = (act.variant, step.span.start)
    if key not in run.changing:
        names = _called(act.variant, run.block)
        lists, path = run.facts.lists, act.function.path
        run.changing[key] = names.isdisjoint(lists.take | lists.put) and any(
            name in run.space.operations or run.marks(name, path) for name in sorted(names)
        )
    return run.changing[key]


def _called(variant: ir.Variant, block: int) -> frozenset[str]:
    """Return what the innermost loop around a block calls."""
    around = [loop.blocks for loop in variant.loops if block in loop.blocks]
    return frozenset(
        step.callee.id
        for b in min(around, key=len, default=())
        for step in variant.blocks[b].instructions
        if isinstance(step, ir.Call) and isinstance(step.callee, ir.Name)
    )


def walked(place: str, key: str, state: State) -> State:
    """Return the state in which a walk has come to a page of a list, by a key."""
    return state.put(place + _LEFT, Listed((), key, ended=False))


def turned(loop: ir.Loop, before: State, after: State, act: Activation) -> State:
    """Return the state in which the next turn of a walk begins: the last page is known no more."""
    walks = _walks(loop, act)
    for at, value in before.store.items() if walks else ():
        if isinstance(value, Listed) and value.walk in walks:
            after = after.put(at, Listed(_staying(at, value.walk, before, act), value.walk))
    return after


def at_end(place: str, key: str, state: State) -> State:
    """Return the state in which a walk, by the key of what it meets, has come to a list's end."""
    at = place + _LEFT
    match state.store.get(at):
        case Listed(pages, walk, True) if walk == key:
            return state.put(at, Listed(pages))
    return state.put(at, Listed(()))  # no turn was made: the list is empty


def _walks(loop: ir.Loop, act: Activation) -> frozenset[str]:
    """Return the keys of what the walks that a loop is meet in a turn."""
    steps = act.variant.blocks[loop.header].instructions
    return frozenset(f"{act.depth}:{s.span.start}" for s in steps if isinstance(s, ir.Iterate))


def _staying(at: str, key: str, state: State, act: Activation) -> tuple[PageState, ...]:
    """Return the page that a walk has come to, unless it was taken off the list."""
    place = own_place(at.removesuffix(_LEFT), act.stack, act.id)
    page = state.pages.get(key)
    return (page,) if page is not None and state.stands_on(key) == place else ()
