"""Find what asks in front of a loop whether there is anything to walk: a range is not empty.

`if (!nr) goto done; do { ... } while (--nr); done:` is the same loop as one that asks first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from analyzer.c import ir
from analyzer.flow.asks.tested import AT_ZERO, plain
from analyzer.flow.loops import asking, decided_by


@lru_cache(maxsize=4096)
def guards_of(variant: ir.Variant) -> Mapping[int, tuple[tuple[int, int], ...]]:
    """Return by the block that asks: the loop that it asks for, and where it goes if there is one.

    Where it goes else is where the loop ends, and nothing but assignments is on that way.
    """
    found: dict[int, tuple[tuple[int, int], ...]] = {}
    for n, loop in enumerate(variant.loops):
        for b, block in enumerate(variant.blocks):
            if isinstance(block.end, ir.Branch) and b not in loop.blocks:
                to = _way_in(variant, loop, block.end)
                if to is not None and _leads_around(variant, loop, b, block.end, to):
                    found[b] = (*found.get(b, ()), (n, to))
    return found


def _way_in(variant: ir.Variant, loop: ir.Loop, end: ir.Branch) -> int | None:
    """Return where a branch goes where a loop would have a turn; None if it asks for another thing.

    It asks what the loop asks, or for the number that this asks for.
    """
    tested, test, negated = plain(end.cond)
    for b in asking(variant, loop):
        last = variant.blocks[b].end
        if isinstance(tested, ir.Name):
            if test in AT_ZERO and tested.id in decided_by(variant.blocks[b]):
                return end.then if negated else end.orelse
        elif isinstance(last, ir.Branch):
            *same, opposite = plain(last.cond)
            if same == [tested, test]:
                alike = negated is opposite
                return end.then if alike is (last.then in loop.blocks) else end.orelse
    return None


def _leads_around(variant: ir.Variant, loop: ir.Loop, b: int, end: ir.Branch, to: int) -> bool:
    """Tell whether one way of a branch leads into a loop, and the other only leaves it out."""
    other = end.orelse if to == end.then else end.then
    leads = (loop.header in ir.reached(variant.blocks, (way,), {b}) for way in (to, other))
    if [*leads] != [True, False]:
        return False  # as where another loop asks the same, on another way
    behind = [
        n
        for last in asking(variant, loop)
        for out in ir.successors(variant.blocks[last].end)
        if out not in loop.blocks
        for n in _quiet(variant, out)
    ]
    returned = [e.value for n in behind if isinstance(e := variant.blocks[n].end, ir.Return)]
    for n in _quiet(variant, other):
        match variant.blocks[n].end:
            case _ if n in behind:
                return True
            case ir.Return(value) if value in returned and _only_assigns(variant.blocks[n]):
                return True
    return False


def _quiet(variant: ir.Variant, block: int) -> Iterator[int]:
    """Yield the blocks that follow for certain from one on, as long as they only assign."""
    seen: set[int] = set()
    while block not in seen:
        yield block
        seen.add(block)
        end = variant.blocks[block].end
        if not isinstance(end, ir.Jump) or not _only_assigns(variant.blocks[block]):
            return
        block = end.target


def _only_assigns(block: ir.Block) -> bool:
    return all(isinstance(step, ir.Assign) for step in block.instructions)
