"""Find the functions that a pointer can hold, or that a notifier chain calls."""

from __future__ import annotations

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.flow.run import Run
from analyzer.pages.facts import Chain
from analyzer.program.callers import registered
from analyzer.program.chains import in_chain


def slot_of(callee: ir.Expr) -> str:
    """Return the variable or field that a pointer is called through; empty for any other."""
    match callee:
        case ir.Name(id):
            return id
        case ir.Unary("*", operand):
            return slot_of(operand)
        case ir.Field(_, name, _):
            return name
    return ""


def candidates(slot: str, run: Run) -> tuple[FunctionId, ...]:
    """Return the functions that are stored into a variable or field, also through registrars."""
    known = run.callbacks.get(slot)
    if known is not None:
        return known
    found: dict[FunctionId, None] = {}
    program = run.program
    for stored in program.stored(slot):
        for id in program.resolve(stored.value, stored.path):
            found.setdefault(id)
        registrar = program.enclosing(stored.path, stored.at)
        if registrar is not None and not program.is_function(stored.value):
            program.look_up([registrar.name])
            for id in registered(program, stored):
                found.setdefault(id)
    run.callbacks[slot] = run.program.in_order(found)
    return run.callbacks[slot]


def registered_in_chain(chain: Chain, run: Run) -> tuple[FunctionId, ...]:
    """Return the callbacks of a notifier chain."""
    slot = f"chain:{chain.call}"
    if slot not in run.callbacks:
        run.callbacks[slot] = in_chain(chain, run.program)
    return run.callbacks[slot]
