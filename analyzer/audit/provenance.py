"""Find where a page comes from: within the function, and through its callers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from analyzer.audit.defs import (
    Place,
    call_at,
    calls_of,
    passed_to,
    reaching,
    target_of,
    variable,
    writes_through,
)
from analyzer.audit.facts import UNKNOWN, Provenance
from analyzer.c import ir
from analyzer.flow.program import FunctionId, Program
from analyzer.flow.shape import names_in, shape_of
from analyzer.pages.facts import Facts

#: How many calls are followed outwards, and inwards to what a callee returns.
_DEPTH = 4
#: Functions that are called from more places than this are not followed outwards.
_MANY = 40


@dataclass(frozen=True, slots=True, order=True)
class Source:
    """Where a page comes from: the kind, and in words what says so (or what is missing).

    is_page tells whether a pointer to the page was at hand there, and not a mere number.
    """

    kind: str
    why: str
    is_page: bool = True


@dataclass(frozen=True, slots=True)
class _Spot:
    """A place in a variant of a function."""

    function: ir.Function
    variant: ir.Variant
    place: Place

    @property
    def id(self) -> FunctionId:
        return (self.function.path, self.function.name)


@dataclass
class Tracer:
    """Trace pages backwards through one tree. Callers that were not read yet are in wanted."""

    program: Program
    facts: Facts
    known: Provenance
    wanted: dict[str, None] = field(default_factory=dict)
    known_callers: set[str] = field(default_factory=set)
    _params: dict[tuple[FunctionId, str, bool, bool], frozenset[Source]] = field(
        default_factory=dict
    )
    _locals: dict[tuple[ir.Variant, str, Place, bool, bool], frozenset[Source]] = field(
        default_factory=dict
    )
    _open: set[object] = field(default_factory=set)
    _cut: int = 0

    def page_at(
        self, id: FunctionId, start: int, end: int, is_page: bool = True
    ) -> frozenset[Source]:
        """Return where the page comes from that the call at an offset is handed first.

        is_page is false where it is handed a frame number or an address.
        """
        found: set[Source] = set()
        for function in self.program.lowered(id):
            for variant in function.variants:
                at = call_at(variant, start, end)
                if at is None:
                    continue
                place, call = at
                for arg in call.args[:1]:
                    found |= self._of(arg, _Spot(function, variant, place), _DEPTH, False, is_page)
        return frozenset(found)

    def forget(self) -> None:
        """Forget what was traced, because more callers are known now."""
        self._params.clear()
        self._locals.clear()
        self.wanted.clear()

    # -- expressions -------------------------------------------------------------------------

    def _of(
        self, e: ir.Expr, at: _Spot, depth: int, walked: bool, is_page: bool
    ) -> frozenset[Source]:
        """Return the sources of an expression that names a page, a frame or an address."""
        typed = self._by_type(e, at)
        if typed:
            return frozenset((typed,))
        match e:
            case ir.Cast(_, operand):
                return self._of(operand, at, depth, walked, is_page)
            case ir.Unary("&", ir.Index(base, _)):
                return self._of(base, at, depth, walked, is_page)
            case ir.Unary("&", ir.Field(base, _, _)):
                return self._of(base, at, depth, walked, is_page)
            case ir.Unary("&", ir.Name(id)):
                return self._name(id, at, depth, walked, is_page)
            case ir.Unary("*", operand):
                return self._through(operand, at, depth, walked, is_page)
            case ir.Name(id):
                return self._name(id, at, depth, walked, is_page)
            case ir.Index(base, _):
                return self._of(base, at, depth, walked, is_page)
            case ir.Binary("+" | "-", left, right):
                return self._sum(left, right, at, depth, walked, is_page)
            case ir.Binary("<<" | ">>" | "&" | "|" | "*" | "/", left, right):
                if isinstance(left, ir.Const):
                    left = right
                return self._of(left, at, depth, walked, False)
            case ir.Field(_, name, _) if name in self.known.fields:
                why = f"from {_text(e)} on"
                return frozenset((Source(self.known.fields[name], why, is_page),))
            case ir.Field(base, name, _):
                if name in self.facts.lists.members or name in ("page", "folio"):
                    inner = self._of(base, at, depth, walked, is_page)
                    if any(s.kind != UNKNOWN for s in inner):
                        return inner
                return self._field(e, at, depth, walked, is_page)
            case ir.Const():
                return frozenset()
        return frozenset((self._unknown("an expression that is not understood", walked, is_page),))

    def _unknown(self, why: str, walked: bool, is_page: bool) -> Source:
        if walked and not is_page:
            return Source("walker", why, False)
        return Source(UNKNOWN, why, is_page)

    def _by_type(self, e: ir.Expr, at: _Spot) -> Source | None:
        """Return a source by the declared type of what an expression starts from."""
        match e:
            case ir.Name(id) | ir.Field(ir.Name(id), _, _):
                declared = _type_of(id, at)
                for name, kind in self.known.types.items():
                    if name in declared:
                        return Source(kind, f"{id} is a {name}", "page" in declared)
        return None

    def _steps(self, e: ir.Expr, at: _Spot) -> bool:
        """Tell whether an expression counts something through in a loop."""
        names = set(names_in(e))
        return any(names & advanced for advanced in shape_of(at.variant).advanced)

    def _sum(
        self, left: ir.Expr, right: ir.Expr, at: _Spot, depth: int, walked: bool, is_page: bool
    ) -> frozenset[Source]:
        """Return the sources of a sum: of the part that is no mere counter."""
        if is_page:
            return self._of(left, at, depth, walked, is_page)
        walked = walked or self._steps(left, at) or self._steps(right, at)
        one, other = (
            frozenset[Source]() if self._is_step(x, at) else self._of(x, at, depth, walked, is_page)
            for x in (left, right)
        )
        told = [s for s in (one, other) if s and all(x.kind not in (UNKNOWN, "walker") for x in s)]
        return told[0] if len(told) == 1 else one | other

    def _is_step(self, e: ir.Expr, at: _Spot) -> bool:
        """Tell whether an operand of a sum is what is added: a constant or a common variable."""
        match e:
            case ir.Name(id) if not self._is_local(id, at):
                return id not in self.known.objects
        return _is_amount(e)

    def _name(
        self, id: str, at: _Spot, depth: int, walked: bool, is_page: bool
    ) -> frozenset[Source]:
        kind = self.known.objects.get(id)
        if kind is not None:
            return frozenset((Source(kind, f"{id} lies in it", is_page),))
        if self._is_local(id, at):
            return self._local(id, at, depth, walked, is_page)
        if any(r.step is not None for r in reaching(at.variant, id, at.place)):
            return self._local(id, at, depth, walked, is_page)
        return frozenset((self._unknown(f"{id} is a variable of the file", walked, is_page),))

    def _field(
        self, e: ir.Field, at: _Spot, depth: int, walked: bool, is_page: bool
    ) -> frozenset[Source]:
        """Return the sources of what the functions of this file store in a field of this name."""
        key = (at.function.path, e.name)
        found: set[Source] = set()
        if depth > 0 and key not in self._open:
            self._open.add(key)
            for spot, value in self._stores(at.function.path, e.name):
                if value is None:
                    found |= self._filled(e.name, spot)
                else:
                    found |= self._of(value, spot, depth - 1, walked, is_page)
            self._open.discard(key)
        if not found:
            found |= self._told_base(e, at, depth, walked)
        if not found or any(s.kind in (UNKNOWN, "walker") for s in found):
            why = f"{_text(e)} is read from memory"
            return frozenset((self._unknown(why, walked, is_page),))
        return frozenset(
            Source(s.kind, f"this file stores it in {_text(e)}: {s.why}", s.is_page) for s in found
        )

    def _told_base(
        self, e: ir.Field, at: _Spot, depth: int, walked: bool
    ) -> frozenset[Source]:
        """Return the sources of the object that a field belongs to, where callers tell of it."""
        match e.base:
            case ir.Name(id) if any(p.name == id for p in at.function.params) and depth > 0:
                found = self.param(at, id, depth - 1, walked, False)
                return frozenset(s for s in found if self._tells(s))
        return frozenset()

    def _stores(self, path: str, name: str) -> Iterator[tuple[_Spot, ir.Expr | None]]:
        """Yield every value that a file stores in a field; None for one that a call fills in."""
        unit = self.program.unit(path)
        written = re.compile(rb"(?:\.|->)" + name.encode() + rb"\b(?:\[\w*\])?\s*(?:=[^=]|[,)])")
        for found in unit.definitions.values():
            for d in found:
                if not written.search(unit.flat, d.body, d.span.end):
                    continue
                for function in self.program.lowered((path, d.name)):
                    yield from _stored(function, name)

    def _is_local(self, id: str, at: _Spot) -> bool:
        return (
            id.startswith("%")
            or id in at.variant.locals
            or any(p.name == id for p in at.function.params)
        )

    def _through(
        self, e: ir.Expr, at: _Spot, depth: int, walked: bool, is_page: bool
    ) -> frozenset[Source]:
        """Return the sources of what a pointer points to: where a call or this body writes it."""
        found = self._written(variable(e), at, depth, walked, is_page)
        if found:
            return found
        return frozenset((self._unknown(f"*{_text(e)} is read from memory", walked, is_page),))

    def _written(
        self, name: str, at: _Spot, depth: int, walked: bool, is_page: bool
    ) -> frozenset[Source]:
        """Return the sources of what is written through a pointer, or to an array's elements."""
        key = ("written", at.id, name)
        if not name or key in self._open:
            return frozenset()
        self._open.add(key)
        found: set[Source] = set(self._filled(name, at))
        for place, step, index in writes_through(at.variant).get(name, ()):
            spot = _Spot(at.function, at.variant, place)
            match step:
                case ir.Assign(_, value):
                    found |= self._of(value, spot, depth, walked, is_page)
                case ir.Call(_, ir.Name(callee), _) if depth > 0:
                    found |= self._by_callee(callee, index, spot, depth - 1, walked, is_page)
        self._open.discard(key)
        return frozenset(found)

    def _by_callee(
        self, name: str, index: int, at: _Spot, depth: int, walked: bool, is_page: bool
    ) -> frozenset[Source]:
        """Return the sources of what a function of this file writes through a parameter."""
        found: set[Source] = set()
        for id in self.program.resolve(name, at.function.path):
            for function in self.program.lowered(id) if id[0] == at.function.path else ():
                if index < len(function.params) and "*" in function.params[index].type:
                    for variant in function.variants:
                        spot = _Spot(function, variant, Place(0, 0))
                        param = function.params[index].name
                        found |= self._written(param, spot, depth, walked, is_page)
        return frozenset(found)

    def _filled(self, name: str, at: _Spot) -> frozenset[Source]:
        """Return the sources of a variable whose address (or array) calls are passed."""
        found: set[Source] = set()
        for callee in passed_to(at.variant).get(name, ()):
            kind = self.known.fills.get(callee)
            if kind is not None:
                found.add(Source(kind, f"{callee}() gives it"))
        return frozenset(found)

    # -- variables ---------------------------------------------------------------------------

    def _local(
        self, name: str, at: _Spot, depth: int, walked: bool, is_page: bool
    ) -> frozenset[Source]:
        key = (at.variant, name, at.place, walked, is_page)
        if key in self._locals:
            return self._locals[key]
        if key in self._open:
            self._cut += 1
            return frozenset()
        self._open.add(key)
        cut = self._cut
        found: set[Source] = set(self._written(name, at, depth, walked, is_page))
        if not is_page:
            walked = walked or any(name in a for a in shape_of(at.variant).advanced)
        assigned = False
        for reached in reaching(at.variant, name, at.place):
            assigned = True
            spot = _Spot(at.function, at.variant, reached.place)
            match reached.step:
                case None:
                    if any(p.name == name for p in at.function.params):
                        found |= self.param(at, name, depth, walked, is_page)
                case ir.Assign(_, ir.Opaque()) if found:
                    pass  # an array's initialiser
                case ir.Assign(_, value):
                    found |= self._of(value, spot, depth, walked, is_page)
                case ir.Call() as call:
                    found |= self._call(call, spot, depth, walked, is_page)
                case ir.Iterate(_, macro, _):
                    kind = self.known.iterators.get(macro)
                    if kind is None:
                        found.add(self._unknown(f"{name} steps by {macro}()", walked, is_page))
                    else:
                        found.add(Source(kind, f"{macro}() gives it", is_page))
                case _:
                    found.add(self._unknown(f"{name} is not understood", walked, is_page))
        self._open.discard(key)
        if not found and not assigned:
            found.add(self._unknown(f"nothing is assigned to {name}", walked, is_page))
        if cut == self._cut:  # nothing was left out because it was being looked at already
            self._locals[key] = frozenset(found)
        return frozenset(found)

    def _call(
        self, call: ir.Call, at: _Spot, depth: int, walked: bool, is_page: bool
    ) -> frozenset[Source]:
        """Return the sources of what a call returns."""
        if not isinstance(call.callee, ir.Name):
            return frozenset((self._unknown("a call through a pointer gives it", walked, is_page),))
        name = call.callee.id
        kind = self.known.calls.get(name)
        if kind is not None:
            return self._narrowed(Source(kind, f"{name}() gives it", is_page), at)
        if name in self.known.online:
            inner = self._of(call.args[0], at, depth, walked, False) if call.args else frozenset()
            if inner and all(self._tells(s) for s in inner):
                return inner
            return frozenset((Source("online", f"{name}() gives no other"),))
        if name in self.facts.allocators or name in self.facts.range_allocators:
            return frozenset((Source("allocated", f"{name}() gives it", is_page),))
        if name in self.known.addresses and call.args:
            inner = self._of(call.args[0], at, depth, walked, False)
            known = [s for s in inner if "this file stores it" not in s.why]
            if known and all(self._tells(s) or s.kind == "walker" for s in inner):
                return inner
            kind = self.known.addresses[name]
            return frozenset((Source(kind, f"{name}() takes an address that is in use"),))
        if name in self.facts.identities and call.args:
            pages = self.facts.identities[name].to == "page" and not name.startswith(("pfn", "__pfn", "phys", "boot_pfn"))
            return self._of(call.args[0], at, depth, walked, pages or "page" in name[:5])
        if name in self.known.same:
            found = [self._of(a, at, depth, walked, is_page) for a in call.args if not _is_amount(a)]
            told = [s for s in found if s and all(map(self._tells, s))]
            return frozenset().union(*(told or found))
        return self._returned(call, name, at, depth, walked, is_page)

    def _tells(self, source: Source) -> bool:
        return source.kind not in (UNKNOWN, "walker", "mapped", "any")

    def _narrowed(self, source: Source, at: _Spot) -> frozenset[Source]:
        """Return a source with what the other variables of the function tell of it."""
        declared = [p.type for p in at.function.params] + list(at.variant.locals.values())
        for name, beside in self.known.beside.items():
            if source.kind in beside.of and any(name in t for t in declared):
                why = f"{source.why}, and a {name} is at hand"
                return frozenset((Source(beside.kind, why, source.is_page),))
        return frozenset((source,))

    def _returned(
        self, call: ir.Call, name: str, at: _Spot, depth: int, walked: bool, is_page: bool
    ) -> frozenset[Source]:
        """Return the sources of what a function of this file returns."""
        found: set[Source] = set()
        ids = [i for i in self.program.resolve(name, at.function.path) if depth > 0]
        for id in ids[:2]:
            for function in self.program.lowered(id):
                for variant in function.variants:
                    for b, block in enumerate(variant.blocks):
                        if isinstance(block.end, ir.Return) and block.end.value is not None:
                            spot = _Spot(function, variant, Place(b, len(block.instructions)))
                            found |= self._inside(block.end.value, spot, call, at, depth)
        if not found:
            why = f"what {name}() returns is not known"
            return frozenset((self._unknown(why, walked, is_page),))
        return frozenset(found)

    def _inside(
        self, e: ir.Expr, spot: _Spot, call: ir.Call, at: _Spot, depth: int
    ) -> frozenset[Source]:
        """Return the sources of a returned value; its parameters are the call's arguments."""
        match e:
            case ir.Name(id):
                for n, param in enumerate(spot.function.params):
                    if param.name == id and n < len(call.args):
                        return self._of(call.args[n], at, depth - 1, False, True)
            case ir.Const():
                return frozenset()
            case ir.Cast(_, ir.Const()):
                return frozenset()
        return self._of(e, spot, depth - 1, False, True)

    # -- callers -----------------------------------------------------------------------------

    def param(
        self, at: _Spot, name: str, depth: int, walked: bool, is_page: bool
    ) -> frozenset[Source]:
        """Return the sources of what a function's callers pass for a parameter."""
        key = (at.id, name, walked, is_page)
        if key not in self._params:
            self._params[key] = frozenset()  # a function that calls itself adds nothing
            self._params[key] = self._passed(at, name, depth, walked, is_page)
        return self._params[key]

    def _passed(
        self, at: _Spot, name: str, depth: int, walked: bool, is_page: bool
    ) -> frozenset[Source]:
        function = at.function
        kind = self.known.handed.get(function.name)
        if kind is not None:
            return frozenset((Source(kind, f"{function.name}() is handed it", is_page),))
        if self.is_early(at.id):
            return frozenset((Source("boot", f"{function.name}() runs early", is_page),))
        index = next(n for n, p in enumerate(function.params) if p.name == name)
        found: set[Source] = set()
        if depth > 0:
            for caller in self.callers(at.id, function.static):
                found |= self._from(caller, at, index, depth - 1, walked, is_page)
            found |= self._as_callback(at, depth - 1, walked)
        if not found:
            why = f"who calls {function.name}() is not known"
            found.add(self._unknown(why, walked, is_page))
        return frozenset(n for s in found for n in self._narrowed(s, at))

    def callers(self, id: FunctionId, static: bool) -> tuple[FunctionId, ...]:
        """Return the functions that call one, or mention it; ask for them where it is global."""
        path, name = id
        if not static and name not in self.known_callers:
            self.wanted.setdefault(name)
        found = [c for c in self.program.calling(name) if self.program.visible(c, id) and c != id]
        return tuple(sorted(set(found)))[:_MANY]

    def _from(
        self, caller: FunctionId, callee: _Spot, index: int, depth: int, walked: bool, is_page: bool
    ) -> frozenset[Source]:
        """Return the sources of one argument of every call in a caller."""
        found: set[Source] = set()
        for function in self.program.lowered(caller):
            for variant in function.variants:
                for place, call in calls_of(variant):
                    if call.callee == ir.Name(callee.function.name) and index < len(call.args):
                        spot = _Spot(function, variant, place)
                        found |= self._of(call.args[index], spot, depth, walked, is_page)
        return frozenset(found)

    def _as_callback(self, at: _Spot, depth: int, walked: bool) -> frozenset[Source]:
        """Return the sources of what walkers are told to walk that call the function back."""
        name = at.function.name
        unit = self.program.unit(at.function.path)
        mention = re.compile(rb"[(,]\s*&?" + name.encode() + rb"\s*[,)]")
        found: set[Source] = set()
        for definitions in unit.definitions.values():
            for d in definitions:
                if not mention.search(unit.flat, d.body, d.span.end):
                    continue
                for function in self.program.lowered((unit.path, d.name)):
                    for variant in function.variants:
                        for place, call in calls_of(variant):
                            if any(variable(a) == name for a in call.args[1:]):
                                spot = _Spot(function, variant, place)
                                found |= self._of(call.args[0], spot, depth, walked, False)
        return frozenset(found)

    def is_early(self, id: FunctionId, depth: int = 3) -> bool:
        """Tell whether a function runs only before memory can be added."""
        if id[1] in self.known.early:
            return True
        functions = self.program.lowered(id)
        if depth == 0 or not functions or not any(
            b"__init" in head or b"__meminit" in head for head in self.program.heads(id)
        ):
            return False
        callers = self.callers(id, functions[0].static)
        return bool(callers) and all(self.is_early(c, depth - 1) for c in callers)


def _is_amount(e: ir.Expr) -> bool:
    """Tell whether an expression is a mere number: a constant, or named as one."""
    match e:
        case ir.Const():
            return True
        case ir.Name(id):
            return id.isupper() and not id.startswith("%")
        case ir.Binary(_, left, right):
            return _is_amount(left) and _is_amount(right)
        case ir.Cast(_, operand) | ir.Unary(_, operand):
            return _is_amount(operand)
    return False


def _stored(function: ir.Function, name: str) -> Iterator[tuple[_Spot, ir.Expr | None]]:
    for variant in function.variants:
        for b, block in enumerate(variant.blocks):
            for n, step in enumerate(block.instructions):
                spot = _Spot(function, variant, Place(b, n))
                match step:
                    case ir.Assign(ir.Field(_, field, _) | ir.Index(ir.Field(_, field, _), _), value):
                        if field == name:
                            yield spot, value
                    case ir.Call(_, _, args):
                        if any(target_of(a) == name and not isinstance(a, ir.Name) for a in args):
                            yield spot, None


def _type_of(id: str, at: _Spot) -> str:
    for p in at.function.params:
        if p.name == id:
            return p.type
    return at.variant.locals.get(id, "")


def _text(e: ir.Expr) -> str:
    match e:
        case ir.Name(id):
            return "it" if id.startswith("%") else id
        case ir.Field(base, name, arrow):
            return f"{_text(base)}{'->' if arrow else '.'}{name}"
        case ir.Unary(op, operand):
            return f"{op}{_text(operand)}"
        case ir.Index(base, _):
            return f"{_text(base)}[]"
        case ir.Cast(_, operand):
            return _text(operand)
    return "a value"


def trace_all(
    tracer: Tracer, spots: Iterable[tuple[FunctionId, int, int, bool]], *, rounds: int = _DEPTH
) -> dict[tuple[FunctionId, int], frozenset[Source]]:
    """Trace every spot, reading the files of callers until no more are asked for."""
    todo = list(spots)
    found: dict[tuple[FunctionId, int], frozenset[Source]] = {}
    for _ in range(rounds):
        tracer.forget()
        found = {(s[0], s[1]): tracer.page_at(*s) for s in todo}
        wanted = [n for n in tracer.wanted if n not in tracer.known_callers]
        if not wanted:
            break
        tracer.known_callers.update(wanted)
        places: dict[str, list[str]] = {}
        for path, words in tracer.program.search(wanted).items():
            for word in words:
                places.setdefault(word, []).append(path)
        tracer.program.add(p for w in wanted for p in places.get(w, ()) if len(places[w]) <= _MANY)
    return found
