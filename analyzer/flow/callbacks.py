"""Find the functions that a pointer can hold, or that a notifier chain calls."""

from __future__ import annotations

import re

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.flow.run import Run
from analyzer.pages.facts import Chain
from analyzer.program.roots import registered

_LAST_NAME = re.compile(r"(\w+)\W*$")


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
    """Return the callbacks of a notifier chain: `x.notifier_call = f` where x is registered."""
    slot = f"chain:{chain.call}"
    known = run.callbacks.get(slot)
    if known is not None:
        return known
    found: dict[FunctionId, None] = {}
    for register in chain.register:
        for argument in run.program.arguments(register, 0):
            name = _LAST_NAME.search(argument.text)
            if name is None:
                continue
            for id in run.program.resolve(name[1], argument.path):
                found.setdefault(id)
            for stored in run.program.stored(chain.field):
                if stored.path == argument.path and stored.holder in ("", name[1]):
                    for id in run.program.resolve(stored.value, stored.path):
                        found.setdefault(id)
    run.callbacks[slot] = run.program.in_order(found)
    return run.callbacks[slot]
