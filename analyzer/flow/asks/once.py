"""Find branches that mark a page the first time only: what they ask for is stored with the mark.

Or it is a number that is counted up, with the mark or after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Set
from functools import lru_cache
from typing import NamedTuple

from analyzer.c import ir
from analyzer.flow.asks.conditions import Asked
from analyzer.flow.asks.counters import is_count
from analyzer.flow.asks.questions import Questions
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import page_key
from analyzer.flow.expressions import evaluate
from analyzer.flow.run import Run
from analyzer.pages.facts import ALLOCATED
from analyzer.pages.machine import TYPE, UNTYPED
from analyzer.program.shape import names_in


class Once(NamedTuple):
    """A branch that marks pages where it goes one way, and stores what sends it the other way."""

    held: bool
    pages: tuple[ir.Expr, ...]


def marked_once(act: Activation, questions: Questions, run: Run) -> Mapping[int, Once]:
    """Return the branches of a function that mark a page unless that was done before, by block."""
    if not _is_marking(act.variant, run.setters):
        return {}
    # Who is only asked stores nothing; of a function that was read that is not taken for granted.
    known = run.facts.words.set_by | run.facts.words.cleared_by
    asking = run.facts.words.read_by | frozenset(
        name
        for asked in questions.asked.values()
        for name in asked.calls - known
        if not run.program.resolve(name, act.function.path)
    )
    return _marked_once(act.function, act.variant, questions, run.setters, asking)


def is_contrary(once: Once, held: bool, state: State, act: Activation, run: Run) -> bool:
    """Tell whether a branch cannot go the way it does: the page is new, and nobody has marked it.

    A flag says of the structure that it belongs to that its page is marked. It was not, at the
    time when there was no page.
    """
    if held is once.held:
        return False
    for e in once.pages:
        key = page_key(evaluate(e, state, act, run))
        page = state.pages.get(key) if key is not None else None
        if page is None or page.types != UNTYPED or page.population != ALLOCATED:
            return False
        source = page.source(TYPE)
        if source is None or source.kind != "birth" or source.entry != act.root:
            return False
    return True


@lru_cache(maxsize=4096)
def _is_marking(variant: ir.Variant, setters: frozenset[str]) -> bool:
    return any(page for block in variant.blocks for page in _marks(block, setters))


@lru_cache(maxsize=4096)
def _marked_once(
    function: ir.Function,
    variant: ir.Variant,
    questions: Questions,
    setters: frozenset[str],
    asking: frozenset[str],
) -> Mapping[int, Once]:
    own = variant.locals.keys() | {p.name for p in function.params}
    found: dict[int, Once] = {}
    for n, asked in questions.asked.items():
        end = variant.blocks[n].end
        if not asked.is_flag or not isinstance(end, ir.Branch):
            continue
        below = {held: _below(variant, to) for held, to in ((True, end.then), (False, end.orelse))}
        for held in (True, False):
            alone = [variant.blocks[b] for b in sorted(below[held] - below[not held])]
            pages = tuple(page for block in alone for page in _marks(block, setters))
            if not pages:
                continue
            steps = [s for block in (variant.blocks[n], *alone) for s in block.instructions]
            steps += _counting(variant, below[held] & below[not held])
            beside = _beside(asked, questions)
            steps += (s for m in beside for s in _around(variant, m))
            if not _read(asked, steps).isdisjoint(_stored(steps, own, asking)):
                found[n] = Once(held, pages)
                for m, other in beside.items():
                    found[m] = Once((held != asked.negated) != other.negated, pages)
    return found


def _beside(asked: Asked, questions: Questions) -> Mapping[int, Asked]:
    """Return the other branches for the same of what was kept of a place, by block.

    So `cmpxchg()` stores where the place held a number, and whoever called it asks for that again.
    """
    match asked.tested:
        case ir.Name(id) if id.startswith("%"):
            alike = questions.asked.items()
            return {n: x for n, x in alike if x is not asked and x.text == asked.text}
    return {}


def _around(variant: ir.Variant, n: int) -> Iterator[ir.Instruction]:
    """Yield the instructions before a branch and right behind it."""
    for b in (n, *ir.successors(variant.blocks[n].end)):
        yield from variant.blocks[b].instructions


def _counting(variant: ir.Variant, blocks: Iterable[int]) -> Iterator[ir.Assign]:
    """Yield the instructions that count up."""
    for b in sorted(blocks):
        for step in variant.blocks[b].instructions:
            match step:
                case ir.Assign(_, ir.Binary("+")) if is_count(step):
                    yield step


def _below(variant: ir.Variant, start: int) -> frozenset[int]:
    """Return the blocks behind one, without another turn of a loop."""
    seen, todo = {start}, [start]
    while todo:
        b = todo.pop()
        for to in ir.successors(variant.blocks[b].end):
            if to > b and to not in seen:
                seen.add(to)
                todo.append(to)
    return frozenset(seen)


def _marks(block: ir.Block, setters: frozenset[str]) -> Iterator[ir.Expr]:
    """Yield the pages that a block marks."""
    for step in block.instructions:
        match step:
            case ir.Call(_, ir.Name(name), (page, *_)) if name in setters:
                yield page


def _read(asked: Asked, steps: Iterable[ir.Instruction]) -> frozenset[str]:
    """Return the fields and variables that a condition asks for, also by way of a temporary."""
    names = {n for e in asked.reads for n in names_in(e)}
    behind = {
        step.value.name if isinstance(step.value, ir.Field) else step.value.id
        for step in steps
        if isinstance(step, ir.Assign)
        and isinstance(step.target, ir.Name)
        and step.target.id in names
        and isinstance(step.value, ir.Field | ir.Name)
    }
    return asked.fields | behind | {n for n in names if not n.startswith("%")}


def _stored(steps: Iterable[ir.Instruction], own: Set[str], asking: Set[str]) -> Iterator[str]:
    """Yield what instructions may store into but own variables, also through an address."""
    for step in steps:
        match step:
            case ir.Assign(ir.Field(_, name, _)):
                yield name
            case ir.Assign(ir.Name(name)) if name not in own and not name.startswith("%"):
                yield name
            case ir.Call(_, ir.Name(callee), args) if callee not in asking:
                for arg in args:
                    match arg:
                        case ir.Unary("&", ir.Field(_, name, _)) | ir.Unary("&", ir.Name(name)):
                            yield name
