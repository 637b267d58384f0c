"""Slice a body down to what can matter to a page: all else is walked past without a look."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from analyzer.c import ir
from analyzer.program.shape import expressions_of, names_in, root_name


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """What of one variant matters.

    names are the variables whose values decide what happens to a page; branches are the blocks
    whose condition decides it. Other assignments are skipped, other branches taken both ways.
    guards are the branches that decide whether a page is marked or unmarked. mixed are the names of
    which an assertion asks where it may hold whatever they are: it tells nothing of them. told are
    those that decide nothing but what the function answers: how many, or what it goes on after.
    """

    names: frozenset[str]
    branches: frozenset[int]
    guards: frozenset[int]
    mixed: frozenset[str]
    told: frozenset[str]

    def hangs_on(self, name: str) -> bool:
        """Tell whether something that matters is decided by a name, whatever else is so."""
        return name in self.names and name not in self.mixed and name not in self.told


#: Tells whether a call or a store may do something to a page, or an assertion is about one.
Matters = Callable[[ir.Call | ir.Check | ir.Assign], bool]
#: Tells whether a call marks or unmarks a page, or whether it gives a number near another one.
Tells = Callable[[ir.Call], bool]


def slice_of(
    variant: ir.Variant, matters: Matters, marks: Tells, rounds: Tells, tests: Tells
) -> Slice:
    """Return the slice of a variant; tests tells whether a call only looks at a page."""
    blocks = variant.blocks
    regions = regions_of(blocks)
    names, branches = _grown(blocks, regions, _seeds(blocks, matters), rounds)
    marking = {
        b
        for b, block in enumerate(blocks)
        if any(isinstance(step, ir.Call) and marks(step) for step in block.instructions)
    }
    guards = frozenset(b for b in branches if not marking.isdisjoint(regions[b]))
    answers = {**_left_behind(blocks, matters, tests), **_counted(variant, regions, matters)}
    told: set[str] = set()
    if not names.isdisjoint(answers):
        deciding, _ = _grown(blocks, regions, _seeds(blocks, matters, answers=False), rounds)
        told = {test for test, name in answers.items() if name not in deciding}
    return Slice(
        frozenset(names), frozenset(branches), guards, _mixed(blocks, regions), frozenset(told)
    )


def _grown(
    blocks: tuple[ir.Block, ...],
    regions: Mapping[int, Sequence[int]],
    seeds: tuple[set[str], list[bool]],
    rounds: Tells,
) -> tuple[set[str], set[int]]:
    """Return the names that matter, and the branches that decide what does."""
    names, weighty = seeds
    branches: set[int] = set()
    behind = _addressed(blocks)
    changed = True
    while changed:
        changed = False
        for b, block in enumerate(blocks):
            for step in block.instructions:
                if isinstance(step, ir.Assign) and not names.isdisjoint(_stored_in(step, behind)):
                    weighty[b] = True
                elif not (isinstance(step, ir.Call) and step.result.id in names and rounds(step)):
                    continue
                needed = {n for e in expressions_of(step) for n in names_in(e)}
                if not needed <= names:
                    names |= needed
                    changed = True
        for b, region in regions.items():
            if b not in branches and any(weighty[n] for n in region):
                branches.add(b)
                end = blocks[b].end
                assert isinstance(end, ir.Branch), "only branches have regions"
                names.update(names_in(end.cond))
                changed = True
    return names, branches


def _addressed(blocks: tuple[ir.Block, ...]) -> Mapping[str, set[str]]:
    """Return for each variable those of which it holds the address, or of a part of them."""
    found: dict[str, set[str]] = {}
    for block in blocks:
        for step in block.instructions:
            match step:
                case ir.Assign(ir.Name(pointer), ir.Unary("&", whole)):
                    found.setdefault(pointer, set()).add(root_name(whole))
    return found


def _stored_in(step: ir.Assign, behind: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield the variables into which an assignment stores: its own, and what that leads to."""
    root = root_name(step.target)
    yield root
    if not isinstance(step.target, ir.Name):
        yield from behind.get(root, ())


def _left_behind(blocks: tuple[ir.Block, ...], matters: Matters, tests: Tells) -> dict[str, str]:
    """Return the answers of tests behind which a function goes on with pages, each with itself."""
    calls = [
        (b, n, step)
        for b, block in enumerate(blocks)
        for n, step in enumerate(block.instructions)
        if isinstance(step, ir.Call) and matters(step)
    ]
    found: dict[str, str] = {}
    for b, n, test in calls:
        if tests(test):
            behind = ir.reached(blocks, ir.successors(blocks[b].end))
            later = (c for a, m, c in calls if a in behind or (a == b and m > n))
            if any(not tests(call) for call in later):
                found[test.result.id] = test.result.id
    return found


def _counted(
    variant: ir.Variant, regions: Mapping[int, Sequence[int]], matters: Matters
) -> dict[str, str]:
    """Return the answers of calls on which nothing hangs but a step of a counter, with that."""
    blocks = variant.blocks
    counting = {
        b: {root_name(s.target)}
        for b, block in enumerate(blocks)
        for s in block.instructions
        if isinstance(s, ir.Assign) and _counts(s)
    }
    found: dict[str, str] = {}
    for b, region in regions.items() if counting else ():
        counters = {name for n in region for name in counting.get(n, ())}
        if len(counters) != 1 or not all(ir.successors(blocks[n].end) for n in region):
            continue
        steps = (s for n in region for s in blocks[n].instructions if not _counts(s))
        if not any(not isinstance(s, ir.Call) or matters(s) for s in steps):
            end = blocks[b].end
            assert isinstance(end, ir.Branch), "only branches have regions"
            found.update((name, min(counters)) for name in names_in(end.cond))
    read = _uses(variant) if found else []
    return {name: by for name, by in found.items() if read.count(name) == 1}


def _uses(variant: ir.Variant) -> list[str]:
    """Return the names that expressions read, each as often as one does."""
    found = [n for step in variant.steps for e in expressions_of(step) for n in names_in(e)]
    for block in variant.blocks:
        match block.end:
            case ir.Branch(cond):
                found += set(names_in(cond))
            case ir.Return(value) if value is not None:
                found += names_in(value)
    return found


def _counts(step: ir.Instruction) -> bool:
    """Tell whether a step counts something."""
    match step:
        case ir.Assign(target, ir.Binary("+" | "-", left, ir.Const() | ir.Cast(_, ir.Const()))):
            return left == target
    return False


def _mixed(blocks: tuple[ir.Block, ...], regions: Mapping[int, Sequence[int]]) -> frozenset[str]:
    """Return what assertions ask for that may hold either way: `WARN_ON(!PageX(page) && order)`."""
    found: set[str] = set()
    checks = [
        (b, s.span)
        for b, block in enumerate(blocks)
        for s in block.instructions
        if isinstance(s, ir.Check)
    ]
    for check, span in checks:
        for b, region in regions.items():
            end = blocks[b].end
            assert isinstance(end, ir.Branch), "only branches have regions"
            inside = check in region and span.start <= end.span.start < span.end
            if inside and all(_passes(blocks, to, check, region) for to in ir.successors(end)):
                found.update(names_in(end.cond))
    return frozenset(found)


def _passes(blocks: tuple[ir.Block, ...], start: int, check: int, region: Sequence[int]) -> bool:
    """Tell whether a way from a block leaves a region past an assertion that fails."""
    seen, todo = {check}, [start]
    while todo:
        b = todo.pop()
        if b not in region:
            return True
        if b not in seen:
            seen.add(b)
            after = ir.successors(blocks[b].end)
            if not after:
                return True
            todo += after
    return False


def _seeds(
    blocks: tuple[ir.Block, ...], matters: Matters, *, answers: bool = True
) -> tuple[set[str], list[bool]]:
    """Return the names that matter by themselves, and which blocks do."""
    names: set[str] = set()
    weighty = [False] * len(blocks)
    for b, block in enumerate(blocks):
        for step in block.instructions:
            if isinstance(step, ir.Iterate | ir.Havoc) or (
                isinstance(step, ir.Call | ir.Check | ir.Assign) and matters(step)
            ):
                weighty[b] = True
                names.update(n for e in expressions_of(step) for n in names_in(e))
                if isinstance(step, ir.Assign):
                    names.add(root_name(step.target))
        if answers and isinstance(block.end, ir.Return) and block.end.value is not None:
            names.update(names_in(block.end.value))
            weighty[b] = True
    return names, weighty


def regions_of(blocks: tuple[ir.Block, ...]) -> dict[int, tuple[int, ...]]:
    """Return for each branch the blocks that run or not depending on it."""
    count = len(blocks)
    everything = (1 << count + 1) - 1
    leaving = 1 << count  # a virtual block behind every return
    after = [everything] * count
    changed = True
    while changed:
        changed = False
        for b in range(count - 1, -1, -1):
            targets = ir.successors(blocks[b].end)
            held = everything if targets else leaving
            for t in targets:
                held &= after[t]
            held |= 1 << b
            if held != after[b]:
                after[b] = held
                changed = True
    found = {}
    for b, block in enumerate(blocks):
        if isinstance(block.end, ir.Branch):
            always = after[block.end.then] & after[block.end.orelse] & ~(1 << b)
            found[b] = _between(blocks, b, always)
    return found


def _between(blocks: tuple[ir.Block, ...], branch: int, always: int) -> tuple[int, ...]:
    """Return what is reached from a branch before a block that is reached in any case."""
    shut = {b for b in range(len(blocks)) if always >> b & 1}
    return tuple(sorted(ir.reached(blocks, {*ir.successors(blocks[branch].end)} - shut, shut)))
