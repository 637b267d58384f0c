"""Ask small functions of the same file what they answer about a page, where that is all they do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from analyzer.c import ir
from analyzer.program.defs import Place
from analyzer.ways.page import body_of
from analyzer.ways.state import Held
from analyzer.ways.walk import Choices, Walk, World

#: A function of more blocks, or of more paths, is not entered.
_BLOCKS, _PATHS = 24, 64


class Answer(NamedTuple):
    """What a function returns for a page, and the tests that were true of the page."""

    value: int
    told: frozenset[str]


@dataclass
class Answers:
    """What functions answer for a page in either of two states.

    There is an answer only where both states have one: what one run knows and the other does not
    would look like a difference.
    """

    world: World
    values: Mapping[str, int]
    states: tuple[Held, ...]
    _known: dict[tuple[str, int, Held], Answer | None] = field(default_factory=dict)

    def of(self, name: str, argument: int, held: Held) -> Answer | None:
        """Return what a function answers that is handed the page as one of its arguments.

        None where it is not known, large, or does anything else than to return one number.
        """
        found = [self._asked(name, argument, h) for h in dict.fromkeys((*self.states, held))]
        return None if None in found else self._asked(name, argument, held)

    def _asked(self, name: str, argument: int, held: Held) -> Answer | None:
        key = (name, argument, held)
        if key not in self._known:
            self._known[key] = None  # a function that calls itself does not answer
            function = self.world.small(name)
            if function is not None:
                self._known[key] = self._walked(function, argument, held)
        return self._known[key]

    def _walked(self, function: ir.Function, argument: int, held: Held) -> Answer | None:
        """Return what a function returns on each of its paths, where that is the same number."""
        if len(function.variants) != 1 or argument >= len(function.params):
            return None
        variant = function.variants[0]
        if len(variant.blocks) > _BLOCKS or _writes_elsewhere(function, variant):
            return None
        page = ir.Name(function.params[argument].name)
        body = body_of(function, variant, page, (), self.world, self.of)
        todo: list[tuple[Choices, Walk]] = [
            ({}, Walk(body, self.values, self.world, Place(0, 0), held))
        ]
        numbers: set[str] = set()
        told: frozenset[str] = frozenset()
        for _ in range(_PATHS):
            if not todo:
                break
            choices, walk = todo.pop()
            open_ = walk.go(choices)
            if open_ is not None:
                todo.append(({**choices, open_: False}, walk.fork()))
                todo.append(({**choices, open_: True}, walk))
                continue
            path = walk.path
            if len(path.ways) != 1 or next(iter(path.ways)).kind != "returns":
                return None
            numbers |= {w.what for w in path.ways}
            told |= path.told
        number = next(iter(numbers)) if len(numbers) == 1 and not todo else ""
        return Answer(int(number), told) if number.lstrip("-").isdecimal() else None


def _writes_elsewhere(function: ir.Function, variant: ir.Variant) -> bool:
    """Tell whether a body assigns to a variable that is not its own."""
    own = {p.name for p in function.params} | variant.locals.keys()
    return any(
        isinstance(step, ir.Assign)
        and isinstance(step.target, ir.Name)
        and step.target.id not in own
        and not step.target.id.startswith("%")
        for step in variant.steps
    )
