"""Find where a page comes from within a function; what comes in is asked of its callers."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field, replace

from analyzer.audit.memory import returns_of, stores_of
from analyzer.audit.sources import Source, Spot, is_amount, text_of
from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.pages.facts import Facts
from analyzer.pages.provenance import Provenance, is_of_type
from analyzer.program.defs import Place, passed_to, reaching, variable, writes_through
from analyzer.program.program import Program

Sources = frozenset[Source]
_NONE: Sources = frozenset()
_STORED = "this file stores it in "
#: In the types of what stands on a list by itself.
_LISTED = ("struct page", "struct folio")
#: Calls that make a page of a number.
_FROM_NUMBERS = ("pfn", "__pfn", "phys", "__phys", "boot_pfn", "PFN", "PHYS")


@dataclass
class Values:
    """Trace values backwards through the bodies of one tree."""

    program: Program
    facts: Facts
    known: Provenance
    _locals: dict[tuple[ir.Variant, str, Place, bool, bool], Sources] = field(default_factory=dict)
    _open: set[object] = field(default_factory=set)
    _cut: int = 0

    @abstractmethod
    def param(self, at: Spot, name: str) -> Sources:
        """Return the sources of what a function's callers pass for a parameter."""

    # -- expressions -------------------------------------------------------------------------

    def of(self, e: ir.Expr, at: Spot) -> Sources:
        """Return the sources of an expression that names a page, a frame or an address."""
        typed = self._by_type(e, at)
        if typed:
            return typed
        match e:
            case ir.Index(ir.Field() as field, _):
                return self._field(field, at, is_element=True)
            case ir.Cast(_, inner) | ir.Index(inner, _) | ir.Unary("&", ir.Index(inner, _)):
                return self.of(inner, at)
            case ir.Unary("&", ir.Field(base, _, _)):
                return self.of(base, at)
            case ir.Name(id) | ir.Unary("&", ir.Name(id)):
                return self._name(id, at)
            case ir.Unary("*", operand):
                if ("written", at.id, variable(operand)) in self._open:
                    self._cut += 1
                    return _NONE  # it is made of what it held before: that adds nothing
                found = self._written(variable(operand), at)
                text = text_of(operand)
                read = "what a call's answer points to" if text == "it" else f"*{text}"
                return found or at.unknown(f"{read} is read from memory")
            case ir.Binary(op, left, right):
                return self._computed(op, left, right, at)
            case ir.Field():
                return self._field(e, at)
            case ir.Const():
                return _NONE
        return at.unknown("an expression that is not understood")

    def _by_type(self, e: ir.Expr, at: Spot) -> Sources:
        """Return a source by the declared type of what an expression starts from."""
        match e:
            case ir.Name(id) | ir.Field(ir.Name(id), _, _):
                declared = at.type_of(id)
                for name, kind in self.known.types.items():
                    if is_of_type(name, declared):
                        return at.told(kind, f"{id} is a {name}")
        return _NONE

    def _computed(self, op: str, left: ir.Expr, right: ir.Expr, at: Spot) -> Sources:
        """Return the sources of a computed value: of the part that is no mere amount."""
        if op not in ("+", "-"):
            return self.of(right if isinstance(left, ir.Const) else left, at.number)
        if at.is_page:
            return self.of(left, at)
        at = at.counted(left, right)
        one, other = (_NONE if self._is_added(x, at) else self.of(x, at) for x in (left, right))
        told = [s for s in (one, other) if s and not any(x.is_open for x in s)]
        return told[0] if len(told) == 1 else one | other

    def _is_added(self, e: ir.Expr, at: Spot) -> bool:
        """Tell whether an operand of a sum is what is added: a constant or a common variable."""
        if isinstance(e, ir.Name) and not at.is_local(e.id):
            return e.id not in self.known.objects
        return is_amount(e)

    def _field(self, e: ir.Field, at: Spot, *, is_element: bool = False) -> Sources:
        """Return the sources of a field: of its object, or of what this file stores in it."""
        if e.name in self.known.fields:
            return at.told(self.known.fields[e.name], f"from {text_of(e)} on")
        if e.name in self.facts.lists.members or e.name in ("page", "folio"):
            inner = self.of(e.base, at)
            if any(not s.is_open for s in inner):
                return inner
        found = self._stored(e, at, is_element=is_element)
        if not found and isinstance(e.base, ir.Name) and at.is_param(e.base.id) and at.depth:
            found = frozenset(s for s in self.param(at.number.deeper, e.base.id) if s.tells)
        # A number that was made of a pointer, wherever it was stored, is that page's; and a pointer
        # that was made of a number is no more known than the number.
        counted = any(s.is_open and not s.is_page for s in found)
        if not found or counted:
            spot = at.number if counted else at
            return spot.unknown(f"{text_of(e)} is read from memory")
        return found

    def _stored(self, e: ir.Field, at: Spot, *, is_element: bool) -> Sources:
        """Return the sources of what this file stores in a field.

        Of an element that is what is stored in elements, where anything is: who makes the array
        does not make the pages that it points to.
        """
        key = (at.function.path, e.name)
        if at.depth == 0 or key in self._open:
            return _NONE
        self._open.add(key)
        found: set[Source] = set()
        stores = tuple(stores_of(self.program, at.function.path, e.name))
        if is_element and any(s.is_element for s in stores):
            stores = tuple(s for s in stores if s.is_element or s.value is None)
        for function, variant, place, value, _ in stores:
            spot = at.inside(function, variant, place)
            if value is None:
                found |= self._filled(e.name, spot)
            elif not is_amount(value):  # NUMA_NO_NODE says that nothing is there
                found |= self.of(value, spot)
        self._open.discard(key)
        return frozenset(
            replace(
                s,
                kind="allocated-kept" if s.kind == "allocated-now" else s.kind,
                why=f"{_STORED}{text_of(e)}: {s.why}",
            )
            for s in found
        )

    # -- variables ---------------------------------------------------------------------------

    def _name(self, id: str, at: Spot) -> Sources:
        assigned = any(r.step is not None for r in reaching(at.variant, id, at.place))
        kind = self.known.objects.get(id)
        if kind is not None and not assigned and not at.is_param(id):  # `extern`, maybe right here
            return at.told(kind, f"{id} lies in it")
        if assigned or at.is_local(id):
            return self._local(id, at)
        return at.unknown(f"{id} is a variable of the file")

    def _local(self, name: str, at: Spot) -> Sources:
        key = (at.variant, name, at.place, at.walked, at.is_page)
        if key in self._locals:
            return self._locals[key]
        if key in self._open:
            self._cut += 1
            return _NONE
        self._open.add(key)
        cut = self._cut
        found = self._assigned(name, at)
        self._open.discard(key)
        if cut == self._cut:  # nothing was left out because it was being looked at already
            self._locals[key] = found
        return found

    def _assigned(self, name: str, at: Spot) -> Sources:
        """Return the sources of the assignments to a variable that reach a place."""
        found: set[Source] = set(self._written(name, at))
        if not at.is_page:
            at = at.counted(ir.Name(name))
        assigned = list(reaching(at.variant, name, at.place))
        for reached in assigned:
            spot = at.at(reached.place)
            match reached.step:
                case None:
                    if at.is_param(name):
                        found |= self.param(at, name)
                case ir.Assign(_, ir.Binary("+" | "-", ir.Name(id), _)) if id == name:
                    found |= self._name(name, spot)  # what it is moved on by is an amount
                case ir.Assign(_, value):
                    if not (found and isinstance(value, ir.Opaque)):  # an array's initialiser
                        found |= self.of(value, spot)
                case ir.Call() as call:
                    found |= self._call(call, spot)
                case ir.Iterate(_, macro, _) if macro in self.known.iterators:
                    found |= at.told(self.known.iterators[macro], f"{macro}() gives it")
                case ir.Iterate(_, macro, args):
                    why = f"{name} steps by {macro}()"
                    is_listed = self._is_link(args) and any(t in at.type_of(name) for t in _LISTED)
                    found |= at.told("listed", why) if is_listed else at.unknown(why)
                case _:
                    found |= at.unknown(f"{name} is not understood")
        if not found and not assigned:
            return at.unknown(f"nothing is assigned to {name}")
        return frozenset(found)

    def _filled(self, name: str, at: Spot) -> Sources:
        """Return the sources of a variable or field that calls are passed to fill it in."""
        found: set[Source] = set()
        for callee in passed_to(at.variant).get(name, ()):
            if callee in self.known.fills:
                found.add(Source(self.known.fills[callee], f"{callee}() gives it"))
        return frozenset(found)

    def _written(self, name: str, at: Spot) -> Sources:
        """Return the sources of what is written through a pointer, or to an array's elements."""
        key = ("written", at.id, name)
        if not name or key in self._open:
            return _NONE
        self._open.add(key)
        found: set[Source] = set(self._filled(name, at))
        for place, step, index in writes_through(at.variant).get(name, ()):
            match step:
                case ir.Assign(_, value):
                    found |= self.of(value, at.at(place))
                case ir.Call(_, ir.Name(callee), _) if at.depth > 0:
                    found |= self._by_callee(callee, index, at)
        self._open.discard(key)
        return frozenset(found)

    def _by_callee(self, name: str, index: int, at: Spot) -> Sources:
        """Return the sources of what a function of this file writes through a parameter."""
        found: set[Source] = set()
        for id in self.program.resolve(name, at.function.path):
            for function in self.program.lowered(id) if id[0] == at.function.path else ():
                if index < len(function.params) and "*" in function.params[index].type:
                    for variant in function.variants:
                        spot = at.inside(function, variant, Place(0, 0))
                        found |= self._written(function.params[index].name, spot)
        return frozenset(found)

    # -- calls -------------------------------------------------------------------------------

    def _call(self, call: ir.Call, at: Spot) -> Sources:
        """Return the sources of what a call returns."""
        if not isinstance(call.callee, ir.Name):
            return at.unknown("a call through a pointer gives it")
        name, args = call.callee.id, call.args
        if name in self.facts.handers:
            return at.unknown(f"{name}() hands it on")
        if name in self.known.calls:
            return self.narrowed(at.told(self.known.calls[name], f"{name}() gives it"), at)
        if name in self.facts.allocators or name in self.facts.range_allocators:
            return at.told("allocated-now", f"{name}() gives it")
        if not args:
            return self._returned(call, name, at)
        if name in self.facts.lists.first and self._is_link(args) and at.is_page:
            return self.narrowed(at.told("listed", f"{name}() gives it"), at)
        if name in self.known.online:
            inner = self.of(args[0], at.number)
            if inner and all(s.tells for s in inner):
                return inner
            return frozenset((Source("online", f"{name}() gives no other"),))
        if name in self.known.addresses:
            return self._by_address(name, args[0], at)
        if name in self.facts.identities:
            pages = self.facts.identities[name].to == "page"
            is_page = pages and not name.startswith(_FROM_NUMBERS)
            return self.of(args[0], replace(at, is_page=is_page or name.startswith("page_")))
        if name in self.known.same:
            found = [self.of(a, at) for a in args if not is_amount(a)]
            told = [s for s in found if s and all(x.tells for x in s)]
            return _NONE.union(*(told or found))
        return self._returned(call, name, at)

    def _is_link(self, args: tuple[ir.Expr, ...]) -> bool:
        """Tell whether what a macro is passed ends with the field by which pages stand on lists."""
        return bool(args) and variable(args[-1]) in self.facts.lists.members

    def _by_address(self, name: str, address: ir.Expr, at: Spot) -> Sources:
        """Return the sources of a page by its address; somebody holds an address."""
        inner = self.of(address, at.number)
        held = [s for s in inner if not s.why.startswith(_STORED)]
        if held and all(s.tells or s.kind == "walker" for s in inner):
            return inner
        why = f"{name}() takes an address that is in use"
        return frozenset((Source(self.known.addresses[name], why),))

    def narrowed(self, sources: Sources, at: Spot) -> Sources:
        """Return sources with what the types at hand in the function tell of them."""
        return frozenset(n for s in sources for n in self._narrowed(s, at))

    def _narrowed(self, source: Source, at: Spot) -> Sources:
        for name, beside in self.known.beside.items():
            if source.kind in beside.of and any(is_of_type(name, t) for t in at.types):
                why = f"{source.why}, and a {name} is at hand"
                return frozenset((Source(beside.kind, why, source.is_page),))
        return frozenset((source,))

    def _returned(self, call: ir.Call, name: str, at: Spot) -> Sources:
        """Return the sources of what a function that was read returns."""
        found: set[Source] = set()
        ids: tuple[FunctionId, ...] = ()
        if at.depth > 0:
            ids = self.program.resolve(name, at.function.path)[:2]
        for id in ids:
            for function in self.program.lowered(id):
                for variant, place, value in returns_of(function):
                    spot = replace(at.inside(function, variant, place), walked=False, is_page=True)
                    found |= self._inside(value, spot, call, at)
        return frozenset(found) or at.unknown(f"what {name}() returns is not known")

    def _inside(self, value: ir.Expr, spot: Spot, call: ir.Call, at: Spot) -> Sources:
        """Return the sources of a returned value; its parameters are the call's arguments."""
        match value:
            case ir.Name(id):
                for n, param in enumerate(spot.function.params):
                    if param.name == id and n < len(call.args):
                        return self.of(call.args[n], replace(at.deeper, walked=False))
            case ir.Const() | ir.Cast(_, ir.Const()):
                return _NONE
            case ir.Cast(_, inner):
                return self._inside(inner, spot, call, at)
            case ir.Binary(_, inner, amount) if is_amount(amount):
                return self._inside(inner, spot.number, call, at.number)
        return self.of(value, spot)
