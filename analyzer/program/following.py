"""Tell what a function does next to a page, in one straight line."""

from __future__ import annotations

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.pages.facts import Facts
from analyzer.program.program import Program
from analyzer.program.shape import names_in


def next_calls(id: FunctionId, at: int, program: Program, facts: Facts) -> tuple[str, ...]:
    """Return what the page of the call at an offset is passed to next, by each way to compile it.

    Nothing where no call of the same block gives that page up, or another page may be meant.
    """
    return tuple(
        _next_with(variant.blocks[b].instructions[n + 1 :], step.args[0], facts)
        for _, variant in program.bodies(id)
        for b in range(len(variant.blocks))
        for n, step in enumerate(variant.blocks[b].instructions)
        if isinstance(step, ir.Call) and step.span.start == at and step.args
    )


def is_freed_next(id: FunctionId, at: int, program: Program, facts: Facts) -> bool:
    """Tell whether the page of the call at an offset is handed to the buddy right after it."""
    found = next_calls(id, at, program, facts)
    return bool(found) and all(name in facts.sinks for name in found)


def _next_with(steps: tuple[ir.Instruction, ...], page: ir.Expr, facts: Facts) -> str:
    """Return the call that a page is passed to next; nothing where another page may be meant."""
    names = set(names_in(page))
    for step in steps:
        if isinstance(step, ir.Assign) and names & set(names_in(step.target)):
            return ""
        if not isinstance(step, ir.Call):
            continue
        passed = names & {n for a in step.args for n in names_in(a)}
        if not passed or not isinstance(step.callee, ir.Name):
            continue
        if step.callee.id in facts.lists.take:  # it leaves a list, whatever its type
            continue
        fact = facts.frees.get(step.callee.id)
        same = fact is not None and len(step.args) > fact.arg and step.args[fact.arg] == page
        return step.callee.id if same else ""
    return ""
