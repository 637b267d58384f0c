"""Tell which arguments of a call decide what happens to its pages, and write them as people do."""

from __future__ import annotations

import re
from collections.abc import Mapping

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.flow.analyse import Prepared
from analyzer.flow.domain.sight import Entrance
from analyzer.flow.domain.values import Int, Symbol, Value
from analyzer.program.arguments import split_arguments
from analyzer.program.params import role_params
from analyzer.program.shape import names_in

#: The known arguments of a call: (parameter, value as it is written).
Arguments = tuple[tuple[str, str], ...]

_ENUMERATOR = re.compile(r"[A-Z][A-Z0-9_]*")
#: How many calls an argument is followed through before it decides something.
_DEPTH = 3


def deciding_params(id: FunctionId, tree: Prepared, depth: int = _DEPTH) -> frozenset[int]:
    """Return the positions of parameters that a branch depends on, here or where they are passed.

    The number of turns of a loop decides nothing: all pages of a range are treated alike.
    """
    found: set[int] = set()
    for function in tree.program.lowered(id):
        names: set[str] = set()
        for variant in function.variants:
            headers = {loop.header for loop in variant.loops}
            feeds: dict[str, set[str]] = {}
            for b, block in enumerate(variant.blocks):
                for step in block.instructions:
                    if isinstance(step, ir.Assign) and isinstance(step.target, ir.Name):
                        feeds.setdefault(step.target.id, set()).update(names_in(step.value))
                    elif isinstance(step, ir.Call) and isinstance(step.callee, ir.Name):
                        names |= _passed_on(step, step.callee.id, function, tree, depth)
                if isinstance(block.end, ir.Branch) and b not in headers:
                    names |= set(names_in(block.end.cond))
            names |= {n for name in tuple(names) for n in feeds.get(name, ())}
        found |= {n for n, p in enumerate(function.params) if p.name in names}
    return frozenset(found)


def _passed_on(
    step: ir.Call, name: str, function: ir.Function, tree: Prepared, depth: int
) -> set[str]:
    facts = tree.facts
    if depth == 0 or facts.speaks_of(name) or name in facts.opaque:
        return set()
    found: set[str] = set()
    for callee in tree.program.resolve(name, function.path):
        if callee != (function.path, function.name):
            for n in deciding_params(callee, tree, depth - 1):
                found.update(x for a in step.args[n : n + 1] for x in names_in(a))
    return found


def named_arguments(
    id: FunctionId, known: Mapping[int, Value], e: Entrance, tree: Prepared
) -> Arguments:
    """Write the known arguments of a call as people do: enumerators, true, NULL."""
    unit = tree.program.unit(e.caller.function.path)
    written = split_arguments(unit.code, unit.code.find(b"(", e.span.start) + 1)
    function = tree.program.lowered(id)[0]
    roles = {param: role for role, param in role_params(function, tree.facts).items()}
    numbers = {**tree.program.enumerators(e.caller.function.path), **tree.numbers}
    named = []
    for n, value in sorted(known.items()):
        if n < len(function.params):
            param = function.params[n]
            text = written[n] if n < len(written) else ""
            wanted = _by_role(roles.get(param.name, ""), value, tree)
            named.append((param.name, wanted or _value_name(value, text, param.type, numbers)))
    return tuple(named)


def _by_role(role: str, value: Value, tree: Prepared) -> str:
    """Return the enumerator that a condition of a population compares a parameter with."""
    for population in tree.facts.populations:
        for name, wanted in population.when:
            if name == role and isinstance(value, Int) and tree.numbers.get(wanted) == value.value:
                return wanted
    return ""


def _value_name(value: Value, text: str, type_: str, numbers: Mapping[str, int]) -> str:
    if isinstance(value, Symbol):
        return value.name
    assert isinstance(value, Int), "constants are numbers or symbols"
    if _ENUMERATOR.fullmatch(text) and numbers.get(text) == value.value:
        return text
    if "bool" in type_.split():
        return "true" if value.value else "false"
    return "NULL" if "*" in type_ and value.value == 0 else str(value.value)
