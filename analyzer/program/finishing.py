"""Tell who has an origin make pages and marks them itself: that is a part of how they start."""

from __future__ import annotations

from analyzer.base import FunctionId
from analyzer.pages.facts import Facts
from analyzer.pages.machine import Space
from analyzer.program.program import Program


def finishing(program: Program, space: Space, facts: Facts) -> frozenset[FunctionId]:
    """Return the functions that call an origin and set a tracked type or flag themselves.

    Who only takes one off puts the pages to use; so does who has made those of one population.
    """
    told = {*facts.types, *facts.flags}
    setting = {op.name for op in space.operations.values() if op.label in told and op.is_set}
    return frozenset(
        id
        for origin in facts.origins - facts.makes.keys()
        for id in program.calling(origin)
        if not setting.isdisjoint(program.called(id))
    )
