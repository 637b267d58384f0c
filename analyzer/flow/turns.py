"""Forget at the end of a loop's turn what it did to pages that are others in the next turn."""

from __future__ import annotations

from functools import lru_cache

from analyzer.c import ir
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import page_key
from analyzer.pages.machine import PageState


def turned(loop: ir.Loop, state: State, act: Activation) -> State:
    """Return the state with which a loop that is over no range of pages begins its next turn.

    A page that the turn did something to is the same in the next one where a variable that the
    loop does not assign holds it. Any other may be another one: what names it, an element of an
    array, a member of what the loop steps through, the result of a call, means something else.
    """
    touched = [key for key, page in state.pages.items() if _is_touched(page, loop, act)]
    if not touched:
        return state
    held = {page_key(value) for place, value in state.store.items() if _is_steady(place, loop, act)}
    for key in touched:
        if key not in held:
            state = state.lose(key)
    return state


def _is_steady(place: str, loop: ir.Loop, act: Activation) -> bool:
    """Tell whether a place is a variable of this function or a caller that the loop leaves be."""
    depth, _, name = place.partition(":")
    if not depth.isdigit() or not name.isidentifier():
        return False  # memory, an array, a temporary; what is global may change anywhere
    return int(depth) < act.depth or name not in loop.assigns


def _is_touched(page: PageState, loop: ir.Loop, act: Activation) -> bool:
    """Tell whether something happened to a page in this function's loop, or below it."""
    level, (start, end) = len(act.stack), _extent(act.variant, loop)
    for event in page.history:
        if len(event.chain) == level:
            here = (event.path, event.function) == act.id and start <= event.at < end
        else:
            here = len(event.chain) > level and start <= event.chain[level].span.start < end
        if here:
            return True
    return False


@lru_cache(maxsize=4096)
def _extent(variant: ir.Variant, loop: ir.Loop) -> tuple[int, int]:
    """Return where the code of a loop stands in its file."""
    spans = [s.span for b in loop.blocks for s in variant.blocks[b].instructions]
    spans += [e.span for b in loop.blocks if isinstance(e := variant.blocks[b].end, ir.Branch)]
    return (min(s.start for s in spans), max(s.end for s in spans)) if spans else (0, 0)
