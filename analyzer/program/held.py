"""Find the fields of a file's own structures from which it frees pages that it stored there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.c.ir import Expr, Function, Variant
from analyzer.pages.facts import Facts, Sink
from analyzer.program.memo import Memo
from analyzer.program.program import Program
from analyzer.program.references import sinks_of

#: A store into a field or a variable, its address, and where a field is declared a page, or an
#: address of what pages hold.
_STORED = rb"%s\b\s*(?:\[[^][]*\]\s*)*=(?!=)"
_TAKEN = rb"(?<!&)&\s*[\w.>\[\]()-]*%s\b(?!\s*->)"
_DECLARED = rb"\bstruct\s+(?:page|folio)\s*\*[\s*]*(?:\w+\s*,\s*\*\s*)*%s\s*[;,[]"
_ADDRESS = rb"\b(?:unsigned\s+long|\w+\s*\*)[\s*]*(?:\w+\s*,\s*\**\s*)*%s\s*[;,[]"
#: A page that is counted on is another one.
_STEPPED = (
    rb"%s\b\s*(?:\[[^][]*\]\s*)*(?:[-+*/%%&|^]=|<<=|>>=|\+\+|--)"
    rb"|(?:\+\+|--)\s*[\w.>\[\]-]*%s\b"
)
#: An element, and what else is done with a whole array by which nobody stores into it.
_ELEMENT = rb"%s\b\s*\["
_WHOLE = rb"%s\b(?!\s*(?:\[|=(?!=)|->))"
_HARMLESS = re.compile(rb"(?:\bk?v?free\w*\s*\(|\bsizeof\s*\(\s*\*?|!)\s*[\w.>-]*\Z")
_FIELD, _VARIABLE = rb"(?:->|\.)\s*%s", rb"(?<![\w.>])%s"


class Held(NamedTuple):
    """The fields and variables of one file that hold pages, who frees from them, who stores.

    Of those that are arrays it is the elements that hold one.
    """

    fields: frozenset[str] = frozenset()
    variables: frozenset[str] = frozenset()
    arrays: frozenset[str] = frozenset()
    freeing: frozenset[FunctionId] = frozenset()
    storing: frozenset[FunctionId] = frozenset()


NOTHING = Held()
_HELD = Memo[str, Held]()  # by path


def held_in(path: str, program: Program, facts: Facts) -> Held:
    """Return what holds pages in a file and is its own: nobody else can store there.

    Fields go by their names, of whatever structure of the file they are. Where an address is
    taken nothing is known of what is stored.
    """
    known = program.memos.of(_HELD)
    if path not in known:
        with program.noting(None):  # what is remembered is not asked again
            known[path] = _held_in(path, program, facts)
    return known[path]


def _held_in(path: str, program: Program, facts: Facts) -> Held:
    if not path.endswith(".c") or not program.has(path):
        return NOTHING
    freed: dict[FunctionId, frozenset[_Source]] = {}
    sinks = sinks_of(path, program, facts)
    for sink in sinks:
        for id in program.calling(sink):
            if id[0] == path and id not in freed:
                freed[id] = frozenset(_freed_from(id, sinks, program, facts))
    stores = {
        source: found
        for source in sorted(set().union(*freed.values()))
        if (found := _stores(source, path, program))
    }
    return Held(
        fields=frozenset(s.name for s in stores if s.is_field),
        variables=frozenset(s.name for s in stores if not s.is_field),
        arrays=frozenset(s.name for s in stores if _is_array(_spelled(s), program.unit(path).code)),
        freeing=frozenset(id for id, found in freed.items() if found & stores.keys()),
        storing=frozenset(id for found in stores.values() for id in found),
    )


class _Source(NamedTuple):
    """A field or a variable of the file."""

    name: str
    is_field: bool
    by_address: bool = False  # what it holds is the number or the address of a page


def _stores(source: _Source, path: str, program: Program) -> frozenset[FunctionId]:
    """Return the functions that store into a field or variable; none where others could as well."""
    unit, name, spelled = program.unit(path), source.name.encode(), _spelled(source)
    if source.is_field:
        form = _ADDRESS if source.by_address else _DECLARED
        declared = (m.start() for m in re.finditer(form % name, unit.flat))
        own = any(program.enclosing(path, at) is None for at in declared)
    else:
        own = program.is_private(source.name, path)
    taken = re.search(_TAKEN % spelled, unit.code) or _passes_array(spelled, unit.code)
    if not own or taken or re.search(_STEPPED % (spelled, spelled), unit.code):
        return frozenset()
    starts = (m.start() for m in re.finditer(_STORED % spelled, unit.code))
    around = (program.enclosing(path, at) for at in starts)
    return frozenset((d.path, d.name) for d in around if d is not None)


def _spelled(source: _Source) -> bytes:
    """Return the pattern of a mention."""
    return (_FIELD if source.is_field else _VARIABLE) % source.name.encode()


def _is_array(spelled: bytes, code: bytes) -> bool:
    return re.search(_ELEMENT % spelled, code) is not None


def _passes_array(spelled: bytes, code: bytes) -> bool:
    """Tell whether somebody is handed an array of pages, and may store into it."""
    if not _is_array(spelled, code):
        return False
    whole = (m.start() for m in re.finditer(_WHOLE % spelled, code))
    return any(_HARMLESS.search(code, max(0, at - 80), at) is None for at in whole)


def _freed_from(
    id: FunctionId, sinks: Mapping[str, Sink], program: Program, facts: Facts
) -> Iterator[_Source]:
    """Yield the fields and variables from which a function frees."""
    for function, variant in program.bodies(id):
        yield from _freed_in(function, variant, sinks, facts)


def _freed_in(
    function: Function, variant: Variant, sinks: Mapping[str, Sink], facts: Facts
) -> Iterator[_Source]:
    own = variant.locals.keys() | {p.name for p in function.params}
    steps = list(variant.steps)
    todo: list[tuple[Expr, bool]] = []
    for step in steps:
        if isinstance(step, ir.Call) and isinstance(step.callee, ir.Name):
            sink = sinks.get(step.callee.id)
            if sink is not None:
                todo += [(a, sink.by_address) for a in step.args[sink.arg : sink.arg + 1]]
    seen: set[tuple[str, bool]] = set()
    while todo:
        e, by_address = todo.pop()
        match e:
            case ir.Field(_, name, _):
                yield _Source(name, True, by_address)
            case ir.Name(name) if name in own or name.startswith("%"):
                if (name, by_address) not in seen:
                    seen.add((name, by_address))
                    found = _assigned(name, steps, facts)
                    todo += [(value, by_address or named) for value, named in found]
            case ir.Name(name):
                yield _Source(name, False, by_address)
            case ir.Cast(_, inside) | ir.Index(inside, _):
                todo.append((inside, by_address))


def _assigned(
    name: str, steps: Iterable[ir.Instruction], facts: Facts
) -> Iterator[tuple[Expr, bool]]:
    """Yield what a variable is assigned, and whether by a call that names the page otherwise."""
    for step in steps:
        match step:
            case ir.Assign(ir.Name(id), value) if id == name:
                yield value, False
            case ir.Call(ir.Name(id), ir.Name(callee), args) if id == name:
                if callee in facts.identities:
                    yield from ((arg, True) for arg in args[:1])
