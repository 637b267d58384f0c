"""Tell loops over a range of pages from all others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from analyzer.c import ir
from analyzer.flow.asks.questions import leaves
from analyzer.flow.domain.activation import Activation
from analyzer.flow.domain.state import State
from analyzer.flow.domain.values import Page, page_key
from analyzer.flow.run import Run
from analyzer.program.params import is_page_pointer
from analyzer.program.shape import addressed_in, expressions_of, names_in, shape_of


def range_counts(act: Activation, run: Run) -> frozenset[str]:
    """Return the parameters that bound a loop over a range of pages: a range is not empty."""
    found: set[str] = set()
    shape = shape_of(act.variant)
    params = {p.name for p in act.function.params if "*" not in p.type and p.type != "bool"}
    for n, loop in enumerate(act.variant.loops):
        if not _stepped(act, n, shape.advanced[n], run)[0]:
            continue
        for b in asking(act.variant, loop):
            found |= decided_by(act.variant.blocks[b]) & params
    return frozenset(found)


def asking(variant: ir.Variant, loop: ir.Loop) -> Iterator[int]:
    """Yield the blocks that ask whether a loop goes on: its head, or what `while` it ends with."""
    for b in loop.blocks:
        to = ir.successors(variant.blocks[b].end)
        if leaves(variant, b, loop) and (b == loop.header or loop.header in to):
            yield b


def decided_by(block: ir.Block) -> set[str]:
    """Return the variables from which a block computes where it goes on."""
    found = set(names_in(block.end.cond)) if isinstance(block.end, ir.Branch) else set()
    for step in reversed(block.instructions):
        written = step.target if isinstance(step, ir.Assign) else getattr(step, "result", None)
        if isinstance(written, ir.Name) and written.id in found:
            found |= {x for e in expressions_of(step) for x in names_in(e)}
    return found


def range_positions(act: Activation, run: Run) -> frozenset[str]:
    """Return the variables with which loops step through the frame numbers of a range."""
    shape = shape_of(act.variant)
    return frozenset(
        name
        for n in range(len(act.variant.loops))
        if _stepped(act, n, shape.advanced[n], run)[0]
        for name in shape.advanced[n]
    )


def _names_pages(act: Activation, loop: ir.Loop, advanced: frozenset[str], run: Run) -> bool:
    """Tell whether a loop turns what it steps, or what is computed from that, into pages."""
    steps = [step for b in sorted(loop.blocks) for step in act.variant.blocks[b].instructions]
    names = _with_computed(advanced, steps)
    named = any(
        isinstance(step, ir.Call)
        and isinstance(step.callee, ir.Name)
        and step.callee.id in run.facts.identities
        and names & {x for a in step.args for x in names_in(a)}
        for step in steps
    )
    return named or any(is_page_pointer(act.type_of(name)) for name in names - advanced)


def _with_computed(names: frozenset[str], steps: Sequence[ir.Instruction]) -> frozenset[str]:
    """Return variables, and those that are computed from them, or by calls that are passed one."""
    found = set(names)
    while new := {name for step in steps for name in _given(step, found)} - found:
        found |= new
    return frozenset(found)


def _given(step: ir.Instruction, names: set[str]) -> Iterator[str]:
    """Yield the variables that a step gives what goes by some names."""
    if not any(x in names for e in expressions_of(step) for x in names_in(e)):
        return
    match step:
        case ir.Assign(ir.Name(id)):
            yield id
        case ir.Call(result, _, args):
            yield result.id
            yield from (x for a in args for x in addressed_in(a))


def _with_copies(names: frozenset[str], steps: Sequence[ir.Instruction]) -> frozenset[str]:
    """Return variables, and those that hold a copy of one, such as `pfn++` leaves."""
    copies = [
        (s.target.id, s.value.id)
        for s in steps
        if isinstance(s, ir.Assign)
        and isinstance(s.target, ir.Name)
        and isinstance(s.value, ir.Name)
    ]
    found = set(names)
    while new := {copy for copy, of in copies if of in found} - found:
        found |= new
    return frozenset(found)


def walks_range(act: Activation, n: int, advanced: frozenset[str], state: State, run: Run) -> bool:
    """Tell whether a loop steps through a range of pages."""
    for name in advanced:
        if is_page_pointer(act.type_of(name)) or isinstance(state.store.get(act.place(name)), Page):
            return True
    if act.variant.loops[n].kind == "iterator" or not advanced:
        return False
    always, bases = _stepped(act, n, advanced, run)
    return always or any(_is_page(base, state, act) for base in bases)


def _is_page(name: str, state: State, act: Activation) -> bool:
    held = state.store.get(act.place(name))
    if held is not None and page_key(held) in state.pages:
        return True
    return isinstance(held, Page) or is_page_pointer(act.type_of(name))


def _stepped(
    act: Activation, n: int, advanced: frozenset[str], run: Run
) -> tuple[bool, frozenset[str]]:
    """Tell whether a loop names pages whatever is known, and which variables it steps from."""
    key = (act.variant, n)
    found = run.stepped.get(key)
    if found is None:
        loop = act.variant.loops[n]
        steps = [step for b in loop.blocks for step in act.variant.blocks[b].instructions]
        stepped = _with_copies(advanced, steps)
        bases = frozenset(
            base for step in steps for e in expressions_of(step) for base in _bases(e, stepped)
        )
        found = run.stepped[key] = (_names_pages(act, loop, advanced, run), bases)
    return found


def _bases(e: ir.Expr, advanced: frozenset[str]) -> Iterator[str]:
    """Yield the variables to which something that the loop advances is added."""
    match e:
        case ir.Binary("+" | "-", left, right) | ir.Index(left, right):
            for base, other in ((left, right), (right, left)):
                if isinstance(base, ir.Name) and advanced & set(names_in(other)):
                    yield base.id
            yield from _bases(left, advanced)
        case ir.Unary(_, operand) | ir.Cast(_, operand) | ir.Field(operand, _, _):
            yield from _bases(operand, advanced)
