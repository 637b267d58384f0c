"""Find who calls a function: by its name, or through what it is stored into."""

from __future__ import annotations

from collections.abc import Mapping

from analyzer.base import FunctionId
from analyzer.program.cache import Stored
from analyzer.program.params import is_number
from analyzer.program.program import Program


def callers_of(program: Program, id: FunctionId) -> tuple[FunctionId, ...]:
    """Return the functions that call a function by its name."""
    found = program.calling(program.called_as(id))
    return program.in_order(c for c in found if c != id and program.visible(c, id))


def slots_of(program: Program) -> Mapping[FunctionId, tuple[str, ...]]:
    """Return for each function the variables and fields that it is stored into.

    A field that many functions are stored into (`probe`) says nothing and is left out.
    """
    values: dict[str, set[str]] = {}
    ids: dict[FunctionId, list[str]] = {}
    called = set(program.slots)
    for stored in program.stores():
        values.setdefault(stored.slot, set()).add(stored.value)
    for stored in program.stores():
        if stored.slot in called and len(values[stored.slot]) <= 12:
            for id in program.resolve(stored.value, stored.path):
                ids.setdefault(id, []).append(stored.slot)
    for slot in program.slots:
        for stored in program.stored(slot):
            for id in registered(program, stored):
                ids.setdefault(id, []).append(slot)
    return {id: tuple(dict.fromkeys(s)) for id, s in ids.items()}


def called_through(program: Program) -> Mapping[str, list[FunctionId]]:
    """Return what can be called through a variable or field."""
    found: dict[str, list[FunctionId]] = {}
    for id, slots in slots_of(program).items():
        for slot in slots:
            found.setdefault(slot, []).append(id)
    return found


def registered(program: Program, stored: Stored) -> tuple[FunctionId, ...]:
    """Return what is stored through a registrar: `slot = parameter`, and its callers' arguments."""
    found: dict[FunctionId, None] = {}
    for name, index in registrars(program, stored):
        found.update(dict.fromkeys(program.passed(name, index)))
    return tuple(found)


def registrars(program: Program, stored: Stored) -> tuple[tuple[str, int], ...]:
    """Return who stores a function that it is passed, and where that is among its parameters."""
    registrar = program.enclosing(stored.path, stored.at)
    if registrar is None:
        return ()
    return tuple(
        (registrar.name, index)
        for signature in program.signatures((registrar.path, registrar.name))[:1]
        for index, param in enumerate(signature.params)
        if param.name == stored.value and not is_number(param.type)
    )
