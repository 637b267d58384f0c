"""Know what a page on a list is that its own function changes behind the call that put it there.

Where every way from there comes by the change, the page stands on the list as the change leaves it.
Else it may be either, and what was put there says no more what stands there.
"""

from __future__ import annotations

from functools import lru_cache

from analyzer.base import Span
from analyzer.c import ir
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.contents import Put
from analyzer.flow.domain.state import State
from analyzer.flow.run import Run
from analyzer.pages.machine import PageState
from analyzer.program.defs import call_from
from analyzer.program.shape import names_in, written


def note_changed(
    key: str,
    before: PageState,
    after: PageState,
    state: State,
    act: Activation,
    span: Span,
    run: Run,
) -> None:
    """Take note that an accessor at a span changes a page, which may stand on a list."""
    stand = state.stands.get(key)
    if stand is None:
        return
    place, call = stand
    puts, by = run.puts.get(place, {}), (act.stack, call)
    old, new = Put(before, by), Put(after, by)
    if (old in puts or new in puts) and _is_changed_next(call[1], span.start, act, run):
        puts.pop(old, None)
        puts.setdefault(new)
    else:
        run.changed.add(stand)


def _is_changed_next(here: str, at: int, act: Activation, run: Run) -> bool:
    """Tell whether what follows a call that puts a page on a list is that the page is changed.

    Nobody else who has to do with pages is called before.
    """
    between = _between(act.variant, int(here.partition(":")[2]), at)
    path = act.function.path
    return between is not None and not any(
        name is None or run.hear(name, path).matter for name in between
    )


@lru_cache(maxsize=4096)
def _between(variant: ir.Variant, put: int, change: int) -> frozenset[str | None] | None:
    """Return what is called between two calls that pass the same page, None for a pointer.

    None where the second one does not follow for certain, or on the same page.
    """
    first, last = call_from(variant, put), call_from(variant, change)
    page = None if first is None else _page_of(first[1])
    if first is None or last is None or page is None or page != _page_of(last[1]):
        return None
    called: set[str | None] = set()
    todo = [(first[0].block, first[0].index + 1)]
    seen: set[int] = set()
    while todo:
        n, begin = todo.pop()
        for step in variant.blocks[n].instructions[begin:]:
            if step is last[1]:
                break
            if page in written(step) or isinstance(step, ir.Iterate):
                return None
            if isinstance(step, ir.Call):
                called.add(step.callee.id if isinstance(step.callee, ir.Name) else None)
        else:
            end = variant.blocks[n].end
            if isinstance(end, ir.Return):
                return None
            todo += [(to, 0) for to in ir.successors(end) if to not in seen]
            seen.update(ir.successors(end))
    return frozenset(called)


def _page_of(call: ir.Call) -> str | None:
    """Return the only variable in what a call is passed first."""
    names = set(names_in(call.args[0])) if call.args else set()
    return names.pop() if len(names) == 1 else None
