"""Tell which pages of a range a call reaches, in terms of its function: from where, how far."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache

from analyzer.c import ir
from analyzer.pages.facts import Facts
from analyzer.program.defs import Place, call_from, predecessors
from analyzer.program.shape import addressed_in
from analyzer.program.sums import BITS, Extent, Sum, computed, one

#: Begins the name of how far a loop has come that is not walked through.
TURN = "turn "


def loops_at(variant: ir.Variant, at: int) -> frozenset[int]:
    """Return the numbers of the loops that the call at an offset stands in."""
    found = call_from(variant, at)
    loops = enumerate(variant.loops)
    return frozenset(n for n, loop in loops if found and found[0].block in loop.blocks)


def leads_around(variant: ir.Variant, clear: int, freed: int) -> bool:
    """Tell whether a way leads from a function's entry to one block around another one.

    A loop around that one alone is as good as it: it has a turn.
    """
    return freed in _around(variant, clear, 0, freed)


def leads_past(variant: ir.Variant, made: int, marked: int) -> bool:
    """Tell whether a way leads from one block around another one out of a function.

    A loop around that one alone is as good as it: it has a turn.
    """
    ways = _around(variant, marked, made, made)
    return any(isinstance(variant.blocks[b].end, ir.Return) for b in ways)


def leads_on(variant: ir.Variant, one: int, other: int) -> bool:
    """Tell whether a way leads from one block to another within a turn of the loops around both."""
    shut = {x.header for x in variant.loops if one in x.blocks and other in x.blocks}
    return other in ir.reached(variant.blocks, (one,), shut)


def _around(variant: ir.Variant, block: int, begin: int, other: int) -> set[int]:
    """Return the blocks to which a way leads around one, or a loop in which other ones are not."""
    shut = {block}
    for loop in variant.loops:
        if block in loop.blocks and other not in loop.blocks:
            shut |= loop.blocks
    return ir.reached(variant.blocks, (begin,), shut) - shut


class Reader:
    """Read expressions of a variant as sums of what its function is passed and what it computes.

    Of the loops in which both of two calls stand, the variables are names: a turn is a turn.
    """

    def __init__(self, variant: ir.Variant, facts: Facts, shared: frozenset[int]) -> None:
        """Take a variant and the numbers of its loops that are not walked through."""
        self._variant = variant
        self._facts = facts
        self._shared = shared

    def argument(self, at: int, n: int) -> Extent | None:
        """Return the pages that an argument of the call at an offset names; None if not known."""
        found = call_from(self._variant, at)
        if found is None or n >= len(found[1].args):
            return None
        e, loops = found[1].args[n], loops_at(self._variant, at) - self._shared
        steps: dict[str, Sum] = {}
        first = self._sum(e, found[0], steps)
        if first is None:
            return None
        if not steps:
            return one(first)
        if any(not by.terms and by.number <= 0 for by in steps.values()):
            return None  # where it ends is where the pages begin
        return Extent(first, self._end(first, found[0].block, loops, steps), is_range=True)

    def value(self, e: ir.Expr, at: Place) -> Sum | None:
        """Return what an expression at a place is; None where that is not one known number."""
        steps: dict[str, Sum] = {}
        value = self._sum(e, at, steps)
        return None if steps else value

    def number(self, at: int, n: int, *, power: bool = False) -> Sum | None:
        """Return what an argument of the call at an offset is, or two to the power of that.

        None where it is not known, or another number in the turns of a loop that is walked.
        """
        found = call_from(self._variant, at)
        if found is None or n >= len(found[1].args):
            return None
        e = found[1].args[n]
        return self.value(ir.Binary("<<", ir.Const(1), e) if power else e, found[0])

    def _end(
        self, first: Sum, block: int, loops: frozenset[int], steps: Mapping[str, Sum]
    ) -> Sum | None:
        """Return where the pages end that one loop steps through one by one, in a block of it."""
        if len(steps) != 1 or any(s != Sum((), 1) for s in steps.values()):
            return None
        # A loop around the one that steps begins with other pages in each turn.
        stores = {store.block for name in steps for store, _ in _stores(self._variant, name)}
        around = (self._variant.loops[n] for n in loops)
        stepping = [loop for loop in around if not stores.isdisjoint(loop.blocks)]
        inner = min(stepping, key=lambda loop: len(loop.blocks), default=None)
        if inner is None or any(not inner.blocks & loop.blocks for loop in stepping):
            return None
        turns = self._turns(inner, block)
        return None if turns is None else first.plus(turns)

    def _turns(self, loop: ir.Loop, block: int) -> Sum | None:
        """Return how often a loop comes by a block of it, where one place asks whether it goes on.

        That is at its head or at its end. What stands in front of the question is done once more.
        """
        blocks = self._variant.blocks
        exits = [
            b for b in loop.blocks for to in ir.successors(blocks[b].end) if to not in loop.blocks
        ]
        if len(exits) != 1:
            return None
        asks, end = exits[0], blocks[exits[0]].end
        is_last = loop.header in ir.successors(end)
        if not is_last and asks != loop.header:
            return None
        if not isinstance(end, ir.Branch) or end.then not in loop.blocks:
            return None
        at = Place(asks, len(blocks[asks].instructions))
        more = Sum((), int(is_last or block == asks))
        match end.cond:
            case ir.Binary("<" | "!=" | "<=" as op, counter, bound) if bound != ir.Const(0):
                steps: dict[str, Sum] = {}
                low, high = self._sum(counter, at, steps), self._sum(bound, at, {})
                if low is None or high is None or list(steps.values()) != [Sum((), 1)]:
                    return None
                return high.plus(low, -1).plus(Sum((), int(op == "<="))).plus(more)
            case ir.Name(counter) | ir.Binary(">" | "!=", ir.Name(counter), ir.Const()):
                turns = self._counted_down(counter, loop, asks, is_last=is_last)
                least = end.cond.right if isinstance(end.cond, ir.Binary) else ir.Const(0)
                assert isinstance(least, ir.Const), "what the pattern says"
                return None if turns is None else turns.plus(more).plus(Sum((), -least.value))
        return None

    def _counted_down(self, name: str, loop: ir.Loop, asks: int, *, is_last: bool) -> Sum | None:
        """Return the turns of `while (n--)`, `for (; n; n--)` and, one less, `while (--n)`."""
        asking = self._variant.blocks[asks].instructions
        less = 0
        if name.startswith("%"):
            copies = [s for s in asking if isinstance(s, ir.Assign) and s.target == ir.Name(name)]
            if len(copies) != 1 or not isinstance(copies[0].value, ir.Name):
                return None
            name = copies[0].value.id
        elif is_last or any(isinstance(s, ir.Assign) and s.target == ir.Name(name) for s in asking):
            less = 1
        low, by = self._stepped(name, loop)
        return low.plus(Sum((), -less)) if low is not None and by == Sum((), -1) else None

    def _stepped(self, name: str, loop: ir.Loop) -> tuple[Sum | None, Sum | None]:
        """Return where a variable begins that a loop steps, and by how much it does."""
        inside = [at for at, _ in _stores(self._variant, name) if at.block in loop.blocks]
        if len(inside) != 1:
            return None, None
        step = self._variant.blocks[inside[0].block].instructions[inside[0].index]
        match step:
            case ir.Assign(target, ir.Binary("+" | "-" as op, left, right)) if left == target:
                by = self._sum(right, inside[0], {})
            case _:
                return None, None
        begun = self._before(name, loop)
        return begun, None if by is None else Sum().plus(by, 1 if op == "+" else -1)

    def _before(self, name: str, loop: ir.Loop) -> Sum | None:
        """Return what a variable is when a loop begins."""
        outside = [
            Place(b, len(self._variant.blocks[b].instructions))
            for b in predecessors(self._variant)[loop.header]
            if b not in loop.blocks
        ]
        if loop.header == 0:
            return None
        found = {self._sum(ir.Name(name), at, {}) for at in outside}
        return found.pop() if len(found) == 1 else None

    def _sum(self, e: ir.Expr, at: Place, steps: dict[str, Sum]) -> Sum | None:
        """Return an expression as a sum; steps takes what a loop that is walked steps in it."""
        match e:
            case ir.Const(value):
                return Sum((), value)
            case ir.Cast(_, operand):
                return self._sum(operand, at, steps)
            case ir.Name(name):
                return self._named(name, at, steps)
            case ir.Unary("&", ir.Field(base, _, True)):
                return self._sum(base, at, steps)  # a structure's member says which it is
            case ir.Unary("&", ir.Index(base, index)):
                return self._sum(ir.Binary("+", base, index), at, steps)
            case ir.Binary(op, left, right):
                a, b = self._sum(left, at, steps), self._sum(right, at, steps)
                if a is None or b is None:
                    return None
                if op in "+-":
                    return a.plus(b, 1 if op == "+" else -1)
                if steps:
                    return None  # what is stepped is not itself any more
                if op == "<<" and not (a.terms or b.terms) and 0 <= b.number < BITS:
                    return Sum((), a.number << b.number)
                return computed(op, a, b)
        return None

    def _named(self, name: str, at: Place, steps: dict[str, Sum]) -> Sum | None:
        stores = [store for store, _ in _stores(self._variant, name)]
        if any(not plain for _, plain in _stores(self._variant, name)):
            return None
        if not stores:
            return Sum(((name, 1),))
        loops = self._variant.loops
        around = [n for n, loop in enumerate(loops) if at.block in loop.blocks]
        for n in sorted(around, key=lambda n: len(loops[n].blocks)):
            if not any(store.block in loops[n].blocks for store in stores):
                continue
            seen = self._seen(stores, at, loops[n])
            if seen != {None}:
                last = next(iter(seen)) if len(seen) == 1 else None
                return None if last is None else self._stored(name, last, steps)
            begun, by = self._stepped(name, loops[n])
            if begun is None or by is None:
                return Sum(((f"{name} in {n}", 1),)) if n in self._shared else None
            if n in self._shared:
                return begun.plus(_turn(n, by))
            steps[name] = by
            return begun
        seen = self._seen(stores, at, None)
        last = next(iter(seen)) if len(seen) == 1 else None
        if seen == {None}:
            return Sum(((name, 1),))
        outside = (loop for loop in loops if at.block not in loop.blocks)
        if last is None or any(last.block in loop.blocks for loop in outside):
            places = sorted((s.block, s.index) for s in seen if s is not None)
            return Sum(((f"{name} of {places}", 1),))
        return self._stored(name, last, steps)

    def _stored(self, name: str, at: Place, steps: dict[str, Sum]) -> Sum | None:
        step = self._variant.blocks[at.block].instructions[at.index]
        if isinstance(step, ir.Assign):
            found = self._sum(step.value, at, steps)
            if found is not None:
                return found
        elif isinstance(step, ir.Call) and isinstance(step.callee, ir.Name):
            identity = self._facts.identities.get(step.callee.id)
            if identity is not None and step.args:
                n = identity.distance
                base = self._sum(step.args[0], at, steps)
                far = Sum() if n is None else self._sum(step.args[n], at, steps)
                return None if base is None or far is None else base.plus(far)
        return Sum(((f"{name} of {step.span.start}", 1),))

    def _seen(self, stores: list[Place], at: Place, loop: ir.Loop | None) -> set[Place | None]:
        """Return the stores that a place sees, within a loop's turn where there is one.

        None stands for what was there before the function, or the turn.
        """
        found: set[Place | None] = set()
        done: set[int] = set()
        todo = [at]
        while todo:
            here = todo.pop()
            above = [s for s in stores if s.block == here.block and s.index < here.index]
            if above:
                found.add(max(above, key=lambda s: s.index))
                continue
            if here.block == (0 if loop is None else loop.header):
                found.add(None)
                continue
            for b in predecessors(self._variant)[here.block]:
                if b not in done:
                    done.add(b)
                    todo.append(Place(b, len(self._variant.blocks[b].instructions)))
        return found


def _turn(n: int, by: Sum) -> Sum:
    """Return how far a loop has come in a turn."""
    return Sum(((f"{TURN}{n} of {by}", 1),)) if by.terms else Sum(((f"{TURN}{n}", by.number),))


@lru_cache(maxsize=4096)
def _stores(variant: ir.Variant, name: str) -> tuple[tuple[Place, bool], ...]:
    """Return where a variable is stored to, and whether it is by an assignment or a call's result.

    Whoever is passed its address may store to it.
    """
    return tuple(
        (Place(b, n), plain)
        for b, block in enumerate(variant.blocks)
        for n, step in enumerate(block.instructions)
        for stored, plain in _written(step)
        if stored == name
    )


def _written(step: ir.Instruction) -> Iterator[tuple[str, bool]]:
    match step:
        case ir.Assign(target, value):
            if isinstance(target, ir.Name):
                yield target.id, True
            yield from ((name, False) for name in addressed_in(value))
        case ir.Call(ir.Name(name), _, args):
            yield name, True
            for a in args:
                if isinstance(a, ir.Unary) and a.op == "&" and isinstance(a.operand, ir.Name):
                    yield a.operand.id, False
        case ir.Havoc(names):
            yield from ((name, False) for name in names)
        case ir.Iterate(_, _, args):
            yield from ((a.id, False) for a in args if isinstance(a, ir.Name))
