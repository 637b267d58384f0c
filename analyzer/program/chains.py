"""Find the callbacks of a notifier chain in the text."""

from __future__ import annotations

import re

from analyzer.base import FunctionId
from analyzer.pages.facts import Chain
from analyzer.program.program import Program

_LAST_NAME = re.compile(r"(\w+)\W*$")


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
            for stored in program.stored(chain.field):
                if stored.path == argument.path and stored.holder in ("", name[1]):
                    for id in program.resolve(stored.value, stored.path):
                        found.setdefault(id)
    return program.in_order(found)
