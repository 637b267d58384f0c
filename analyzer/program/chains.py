"""Find the callbacks of a notifier chain in the text."""

from __future__ import annotations

import re

from analyzer.base import FunctionId
from analyzer.pages.facts import Chain
from analyzer.program.cache import Stored
from analyzer.program.program import Program

_LAST_NAME = re.compile(r"(\w+)\W*$")
_INITIALISED = re.compile(rb"\b(\w++)\s*+(?:\[[^][]*+\]\s*+)?=\s*+$")


def in_chain(chain: Chain, program: Program) -> tuple[FunctionId, ...]:
    """Return the callbacks of a notifier chain: `x.notifier_call = f` where x is registered."""
    found: dict[FunctionId, None] = {}
    for register in chain.register:
        for argument in program.arguments(register, 0):
            name = _LAST_NAME.search(argument.text)
            if name is None:
                continue
            for id in program.resolve(name[1], argument.path):
                found.setdefault(id)
            for stored in _held_by(name[1], argument.path, chain, program):
                for id in program.resolve(stored.value, stored.path):
                    found.setdefault(id)
    return program.in_order(found)


def _held_by(name: str, path: str, chain: Chain, program: Program) -> list[Stored]:
    """Return what a file stores into the field of a variable.

    A name that nothing is stored by may be that of a pointer, to any variable with an initialiser.
    """
    own = [stored for stored in program.stored(chain.field) if stored.path == path]
    named = [s for s in own if name == (s.holder or _initialised(s, program))]
    return named or [s for s in own if not s.holder]


def _initialised(stored: Stored, program: Program) -> str:
    """Return the variable or field whose initialiser a field stands in, or nothing."""
    code = program.unit(stored.path).code
    depth, at = 0, stored.at
    while depth >= 0:
        at = max(code.rfind(b"{", 0, at), code.rfind(b"}", 0, at))
        if at < 0:
            return ""
        depth += 1 if code[at] == ord("}") else -1
    found = _INITIALISED.search(code, max(0, at - 100), at)
    return "" if found is None else found[1].decode("latin-1")
