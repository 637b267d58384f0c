"""Find the loops that a jump back makes: `next: ...; if (++p != end) goto next;`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set

from analyzer.c.ir import Assign, Binary, Block, Name, successors


def loops_by_jumps(
    blocks: Sequence[Block], headers: Collection[int]
) -> Iterator[tuple[int, frozenset[int]]]:
    """Yield the header and the blocks of each loop that is none by its syntax.

    It steps a variable, and nothing jumps into it but to its header. headers are those of the
    loops that are known.
    """
    before: dict[int, set[int]] = {n: set() for n in range(len(blocks))}
    for n, block in enumerate(blocks):
        for to in successors(block.end):
            before[to].add(n)
    for header in range(len(blocks)):
        latches = {n for n in before[header] if n >= header}
        if not latches or header in headers:
            continue
        inside = _behind(latches, header, before)
        outside = (inside - {header}).union(*(before[n] for n in inside - {header})) - inside
        if not outside and header <= min(inside) and any(_steps(blocks[n]) for n in inside):
            yield header, frozenset(inside)


def _behind(latches: Set[int], header: int, before: Mapping[int, Set[int]]) -> set[int]:
    """Return the blocks from which jumps back are reached without passing the header."""
    inside, todo = {header, *latches}, list(latches - {header})
    while todo:
        new = before[todo.pop()] - inside
        inside |= new
        todo += new
    return inside


def _steps(block: Block) -> bool:
    """Tell whether a block steps a variable."""
    return any(
        isinstance(step, Assign)
        and isinstance(step.target, Name)
        and isinstance(step.value, Binary)
        and step.value.left == step.target
        for step in block.instructions
    )
