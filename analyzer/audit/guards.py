"""Find what keeps the pages of a part of a population from a use, on every way to it."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from analyzer.audit.moved import Shift
from analyzer.audit.scene import Scene
from analyzer.audit.uses import Use
from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.comparison.guards import guards_of
from analyzer.pages.provenance import Apart, Part, is_of_type
from analyzer.program.defs import Place, calls_of, reaching, writes
from analyzer.program.shape import names_in

#: How far up the callers a test is looked for.
_CLIMB = 5
#: More states than this are not walked: then nothing is known to keep a page out.
_MOST = 2000

#: What names a page, and where that comes into a function.
_Origin = tuple[str, Place]
_COMPARED = {"==": operator.eq, "!=": operator.ne, "<": operator.lt, ">": operator.gt}


def guard_of(use: Use, shift: Shift, scene: Scene) -> str:
    """Return what every way to a use passes and a population's pages fail; nothing if nothing."""
    found = "" if shift.part is None else _value_guard(use, shift.part, scene)
    apart = scene.known.apart.get(shift.population)
    return found or ("" if apart is None else _use_guard(use, apart, scene))


def _value_guard(use: Use, part: Part, scene: Scene) -> str:
    """Return a variable that must be NULL at a use and is not for a part's pages."""
    guarded = []
    for function, variant, place, _ in scene.places(use):
        typed = {**{p.name: p.type for p in function.params}, **variant.locals}
        names = [n for n, t in typed.items() if any(is_of_type(w, t) for w in part.excluded_where)]
        held = guards_of(variant)[place.block]
        guarded.append(next((n for n in names if (repr(ir.Name(n)), False) in held), ""))
    return f"{guarded[0]} is NULL here" if guarded and all(guarded) else ""


def _use_guard(use: Use, apart: Apart, scene: Scene) -> str:
    """Return a test that a population's pages fail, in the use's function or its callers."""
    argument, _ = scene.handed(use)
    places = [p for p in scene.places(use) if argument < len(p[3].args)]
    found = [
        _test_before(function, variant, place, call.args[argument], apart, scene, _CLIMB)
        or _zone_before(function, variant, place, call.args[argument], apart, scene)
        for function, variant, place, call in places
    ]
    return found[0] if found and all(found) else ""


def _zone_before(
    function: ir.Function,
    variant: ir.Variant,
    place: Place,
    page: ir.Expr,
    apart: Apart,
    scene: Scene,
) -> str:
    """Return the test of a zone without which a page that is asked to be of it does not come."""
    if not apart.zone:
        return ""
    origins = origins_of(variant, place, page, scene)
    held = guards_of(variant)[place.block]
    zones = {
        call.result.id: Place(at.block, at.index + 1)
        for at, call in calls_of(variant)
        if call.callee == ir.Name("page_zone")
        and any(origins & origins_of(variant, at, a, scene) for a in call.args)
    }
    told = replace(apart, page=apart.zone, zone={})
    for block in variant.blocks:
        match block.end:
            case ir.Branch(ir.Binary("==" | "!=" as op, ir.Name(of), ir.Name() as zone) as cond):
                if of in zones and (repr(cond), op == "==") in held:
                    at = zones[of]
                    if found := _test_before(function, variant, at, zone, told, scene, _CLIMB):
                        return found
    return ""


def _test_before(
    function: ir.Function,
    variant: ir.Variant,
    place: Place,
    page: ir.Expr,
    apart: Apart,
    scene: Scene,
    depth: int,
) -> str:
    """Return the test without which a page does not come to a place, here or in each caller."""
    id = (function.path, function.name)
    origins = origins_of(variant, place, page, scene)
    asked = {
        call.result.id: (at, call.callee.id, shared)
        for at, call in calls_of(variant)
        if isinstance(call.callee, ir.Name)
        and call.callee.id in apart.page
        and (shared := origins & _origins_of_any(variant, at, call.args, scene))
        and not (apart.is_each and _is_once(variant, at, place))
    }
    answers = {result: apart.page[name] for result, (_, name, _) in asked.items()}
    values = _Known(answers, apart, scene.program.unit(id[0]).flat)
    starts = {at for _, at in origins}
    if apart.is_each:  # it is asked anew, wherever the walk stands
        starts = {at for _, at in origins.difference(*(o for _, _, o in asked.values()))}
        starts.add(Place(0, 0))
    if asked and not _is_reached(variant, starts, place, values):
        return f"{min(name for _, name, _ in asked.values())}() in {id[1]}()"
    if not apart.zone and (macro := _stepped_by(variant, place, page, apart)):  # asked of a zone
        return f"{macro}() in {id[1]}()"
    params = [n for n, p in enumerate(function.params) if (p.name, Place(0, 0)) in origins]
    if depth == 0 or len(params) != 1 or len(origins) != 1:
        return ""
    calls = list(_calls(id, scene, is_static=function.static))
    above = [
        _test_before(f, v, at, call.args[params[0]], apart, scene, depth - 1)
        if params[0] < len(call.args)
        else ""
        for f, v, at, call in calls
    ]
    return above[0] if above and all(above) else ""


def _stepped_by(variant: ir.Variant, place: Place, zone: ir.Expr, apart: Apart) -> str:
    """Return the macro that gives a zone and leaves out those of a population; nothing if none."""
    steps = [r.step for name in _bases(zone) for r in reaching(variant, name, place)]
    macros = {s.macro if isinstance(s, ir.Iterate) else "" for s in steps}
    return min(macros) if macros and macros <= apart.zones_left_out_by else ""


def _origins_of_any(
    variant: ir.Variant, at: Place, args: Iterable[ir.Expr], scene: Scene
) -> set[_Origin]:
    return {o for a in args for o in origins_of(variant, at, a, scene)}


def _is_once(variant: ir.Variant, asked: Place, place: Place) -> bool:
    """Tell whether a loop around a place goes on without what is asked before it."""
    around = [loop for loop in variant.loops if place.block in loop.blocks]
    return bool(around) and not any(asked.block in loop.blocks for loop in around)


def _calls(
    id: FunctionId, scene: Scene, *, is_static: bool
) -> Iterator[tuple[ir.Function, ir.Variant, Place, ir.Call]]:
    """Yield every call of a function that is known, but its own."""
    for caller in scene.tracer.callers(id, is_static=is_static):
        for function in scene.program.lowered(caller):
            for variant in function.variants:
                for place, call in calls_of(variant):
                    if call.callee == ir.Name(id[1]):
                        yield function, variant, place, call


def origins_of(variant: ir.Variant, at: Place, page: ir.Expr, scene: Scene) -> set[_Origin]:
    """Return what names a page, or the range that it is of, where that comes into a function."""
    todo = [(name, at) for name in _bases(page)]
    seen, found = set(todo), set[_Origin]()
    while todo:
        name, place = todo.pop()
        for reached in reaching(variant, name, place):
            here, names = reached.place, list[str]()
            match reached.step:
                case ir.Assign(_, value) if isinstance(value, ir.Name | ir.Binary):
                    names = _bases(value)
                case ir.Call(_, ir.Name(callee), args) if callee in scene.facts.identities:
                    names = [n for a in args[:1] for n in _bases(a)]
            if not names:
                after = here if reached.step is None else Place(here.block, here.index + 1)
                found.add((name, after))
            new = [(n, here) for n in names if (n, here) not in seen]
            seen.update(new)
            todo += new
    return found


def _bases(e: ir.Expr) -> list[str]:
    """Return the names that an expression stands for, without what is added to them."""
    match e:
        case ir.Binary(_, left, _) | ir.Index(left, _) | ir.Cast(_, left):
            return _bases(left)
    return list(names_in(e))


class _Known:
    """What is known of variables on the way of a population's pages: what tests of one answer."""

    def __init__(self, answers: Mapping[str, int], apart: Apart, flat: bytes) -> None:
        self._answers, self._apart, self._flat = answers, apart, flat

    def step(self, step: ir.Instruction, known: dict[str, int]) -> None:
        """Do one step: learn what a variable holds, or forget it."""
        for name in [n for n in known if writes(step, n)]:
            del known[name]
        match step:
            case ir.Call(ir.Name(id)) if id in self._answers:
                known[id] = self._answers[id]
            case ir.Assign(ir.Name(id), value) if (number := self.value(value, known)) is not None:
                known[id] = number

    def value(self, e: ir.Expr, known: Mapping[str, int]) -> int | None:
        """Return a number that is known; an error's is any that is negative."""
        match e:
            case ir.Const(value):
                return value
            case ir.Name(id):
                return 1 if id == self._apart.built_with else known.get(id)
            case ir.Cast(_, operand):
                return self.value(operand, known)
            case ir.Unary("-", ir.Name(id)) if id.startswith("E") and id.isupper():
                return -1
            case ir.Unary("!", operand):
                held = self.value(operand, known)
                return None if held is None else int(not held)
            case ir.Binary(op, left, ir.Const(0)) if op in _COMPARED:
                held = self.value(left, known)
                return None if held is None else int(_COMPARED[op](held, 0))
            case ir.Field(_, name) if self._counts(name):
                return 0  # Unsound: the first of a walk is asked, and stands for those after it.
        return None

    def _counts(self, name: str) -> bool:
        """Tell whether the file counts up a field of a name."""
        counted = rb"(?:->|\.)" + name.encode() + rb"\s*\+(?:\+|=)"
        return re.search(counted, self._flat) is not None


def _is_reached(variant: ir.Variant, starts: Iterable[Place], place: Place, values: _Known) -> bool:
    """Tell whether a page comes to a place from where it comes into the function."""
    todo: list[tuple[Place, dict[str, int]]] = [(s, {}) for s in starts]
    seen: set[object] = set()
    while todo:
        at, known = todo.pop()
        key = (at, frozenset(known.items()))
        if key in seen:
            continue
        seen.add(key)
        if (at.block == place.block and at.index <= place.index) or len(seen) > _MOST:
            return True
        block = variant.blocks[at.block]
        for step in block.instructions[at.index :]:
            values.step(step, known)
        match block.end:
            case ir.Jump(target):
                todo.append((Place(target, 0), known))
            case ir.Branch(cond, then, orelse):
                held = values.value(cond, known)
                todo += [(Place(then, 0), dict(known))] if held != 0 else []
                todo += [(Place(orelse, 0), dict(known))] if not held else []
    return False
