"""Find pages that are marked under a condition, and freed from a list where nobody asks or unmarks.

What one call puts on a list with a type or without it is of either: who takes it off may ask for
the same condition. Where nothing in the folder does, nor asks for the type, it goes as it was put.
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterator
from dataclasses import replace

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.comparison.compare import Failure, Sides
from analyzer.comparison.guards import Guards, guarded_steps
from analyzer.comparison.mixed import as_text
from analyzer.findings import Step
from analyzer.flow.domain.observe import Behaviour, Observation, Outcome
from analyzer.idle.leads import Leads
from analyzer.pages.facts import ALLOCATED
from analyzer.pages.machine import TYPE, UNTYPED, Verb
from analyzer.program.callers import callers_of
from analyzer.program.params import is_page_pointer
from analyzer.program.program import Program


def never_cleared(sides: Sides) -> Iterator[Failure]:
    """Yield pages that may be marked where they are freed, on a way on which nothing is asked."""
    before, after = sides.behaviours.before, sides.behaviours.after
    known = {as_text(o) for o, _ in _found(before, sides.programs.before)}
    for o, mark in _found(after, sides.programs.after):
        if as_text(o) not in known and _is_touched({o.root, mark.root}, sides):
            flag = f"Page{after.space.operations[mark.operation].label}"
            says = (
                f"{o.function}() frees pages on which {mark.function}() may have set {flag}, "
                "and nothing clears it"
            )
            steps = (
                Step(mark.span, mark.function, f"{mark.function}() sets {flag} under a condition"),
                Step(o.span, o.function, f"{o.function}() frees the page under none"),
            )
            at = replace(o, page=replace(o.page, history=()))  # where it is freed is to be mended
            yield Failure("leak-to-buddy", at, definite=False, says=says, steps=steps)


def _is_touched(roots: set[FunctionId], sides: Sides) -> bool:
    """Tell whether the patch changes a function to which names lead from some roots.

    What else it takes out of the folder has never had to do with their pages.
    """
    near = sides.programs.map(lambda p: Leads(p, sides.facts).near(roots))
    return any(
        sides.is_edited(id) or not sides.programs.before.has(id[0])
        for id in near.before | near.after
    )


def _found(behaviour: Behaviour, program: Program) -> Iterator[tuple[Observation, Observation]]:
    """Yield where such pages are freed, each with one of the places that mark them."""
    for o in behaviour.observations:
        may = o.is_typed_sink and o.outcome is Outcome.MAY_LEAK
        made = any(e.kind == "birth" for e in o.page.history)
        if not may or not made or o.page.population or not o.page.types & UNTYPED:
            continue
        files = {path for path, _ in o.chain}
        folders = {posixpath.dirname(path) for path in files}
        marks = [m for m in _marks(behaviour, o.page.types) if posixpath.dirname(m.path) in folders]
        marks.sort(key=lambda m: m.path not in files)
        label = behaviour.space.operations[marks[0].operation].label if marks else ""
        if label and not _is_asked(label, folders, behaviour, program):
            ways = (*((f.id, f.span.start) for f in o.stack), (o.id, o.span.start))
            if all(_is_plain(id, at, program) for id, at in ways) and _is_called(o.root, program):
                yield o, marks[0]


def _marks(behaviour: Behaviour, types: int) -> Iterator[Observation]:
    """Yield where allocated pages get the one type that some pages may have."""
    for o, op in behaviour.operations():
        if op.dimension != TYPE or not op.is_set or o.page.population != ALLOCATED:
            continue
        marked = types & ~UNTYPED
        if marked and not marked & ~behaviour.space.holding(op.label):
            yield o


def _is_asked(label: str, folders: set[str], behaviour: Behaviour, program: Program) -> bool:
    """Tell whether a function in some folders does anything with a type but to set it."""
    space = behaviour.space
    asking = {op.name for op in space.operations.values() if op.label == label}
    asking -= {op.name for op in space.operations.values() if op.verb is Verb.SET}
    asking |= space.readers.keys()
    return any(
        posixpath.dirname(id[0]) in folders and not asking.isdisjoint(program.called(id))
        for id in program.functions()
    )


def _is_called(id: FunctionId, program: Program) -> bool:
    """Tell whether all who call a function by its name do so in any case."""
    for caller in callers_of(program, id):
        for _, variant in program.bodies(caller):
            for guards, step in _calls(variant):
                if step.callee == ir.Name(id[1]) and guards:
                    return False
    return True


def _is_plain(id: FunctionId, at: int, program: Program) -> bool:
    """Tell whether nothing decides about a call but whether there is a page."""
    found = False
    for _, variant in program.bodies(id):
        pages = {name for name, spelled in variant.locals.items() if is_page_pointer(spelled)}
        for guards, step in _calls(variant):
            if step.span.start == at:
                found = True
                if not all(_is_of_list(text, pages) for text, _ in guards):
                    return False
    return found


def _is_of_list(text: str, pages: set[str]) -> bool:
    """Tell whether a condition asks for the next page of a list, or for none."""
    text = text.lstrip("!")
    page = any(text == repr(ir.Name(name)) for name in pages)
    return page or text.startswith(("%", repr(ir.Name("list_empty"))))  # % is an iterator's result


def _calls(variant: ir.Variant) -> Iterator[tuple[Guards, ir.Call]]:
    for guards, step in guarded_steps(variant):
        if isinstance(step, ir.Call):
            yield guards, step
