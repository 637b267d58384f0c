"""Find the parameters by which a function is passed pages, whatever they are called."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

from analyzer.base import FunctionId
from analyzer.c import ir
from analyzer.pages.facts import Facts, Role
from analyzer.program.memo import Memo
from analyzer.program.program import Program
from analyzer.program.shape import names_in

#: The types of a page, and of the head of a list of them.
PAGE_TYPES = ("struct page", "struct folio")
LIST_TYPE = "struct list_head"
_TYPES = (*PAGE_TYPES, "struct ptdesc", "struct notifier_block")
#: What holds the address or the frame number of a page.
_ADDRESS = re.compile(r"\bvoid\s*\*|\bchar\s*\*|\bu8\s*\*|\blong\b|\bu64\b|addr_t\b|\buintptr_t\b")
#: What the types of numbers are made of.
_NUMBERS = frozenset(
    ("unsigned", "signed", "int", "long", "short", "char", "bool", "const", "size_t", "gfp_t")
) | {f"{sign}{bits}" for sign in "us" for bits in (8, 16, 32, 64)}
#: How many calls a page frame number is followed through before it becomes a page.
_DEPTH = 3


@lru_cache(maxsize=4096)
def is_of_pages(declared: str) -> bool:
    """Tell whether something of a declared type is a page, or a list of some."""
    return any(t in declared for t in (*PAGE_TYPES, LIST_TYPE))


def is_page_pointer(declared: str) -> bool:
    """Tell whether a declared type is a pointer to a page, not to a pointer or an array."""
    words = declared.replace("*", " * ").split()
    return words.count("*") == 1 and ("page" in words or "folio" in words)


def is_number(declared: str) -> bool:
    """Tell whether nothing is behind what a declared type holds."""
    words = declared.split()
    return words[:1] == ["enum"] or (bool(words) and _NUMBERS.issuperset(words))


#: What is remembered of functions, each by how deep their callees are looked at.
_PARAMS = Memo[tuple[FunctionId, int], frozenset[int]]()
_MAKERS = Memo[tuple[FunctionId, int], bool]()


def passes_pages(program: Program, facts: Facts, id: FunctionId) -> bool:
    """Tell whether a function is passed a page, by any of its names, or a list; or returns one."""
    return (
        _is_typed(program, id)
        or bool(page_params(program, facts, id))
        or bool(list_params(program, id))
        or returns_address(program, facts, id)
    )


def returns_address(program: Program, facts: Facts, id: FunctionId) -> bool:
    """Tell whether a function returns a page that it makes or holds by its address or number."""
    naming = {name for name, identity in facts.identities.items() if identity.to != "page"}
    naming |= facts.allocators
    if naming.isdisjoint(program.called(id)):  # its body need not be parsed
        return False
    return any(
        _is_named_by(variant, naming)
        for function in program.lowered(id)
        if _ADDRESS.search(function.returns)
        for variant in function.variants
    )


def _is_named_by(variant: ir.Variant, naming: Collection[str]) -> bool:
    """Tell whether what a variant returns is, through its variables, the result of such a call."""
    ends = (b.end.value for b in variant.blocks if isinstance(b.end, ir.Return))
    names = {n for e in ends if e is not None for n in names_in(e)}
    steps = list(variant.steps)
    seen: set[str] = set()
    while names - seen:
        seen |= names
        for step in steps:
            match step:
                case ir.Assign(ir.Name(id), value) if id in names:
                    names |= set(names_in(value))
                case ir.Call(ir.Name(id), ir.Name(callee)) if id in names and callee in naming:
                    return True
    return False


def list_params(program: Program, id: FunctionId) -> frozenset[int]:
    """Return the positions of parameters that are heads of lists."""
    signatures = program.signatures(id)
    return frozenset(n for s in signatures for n, p in enumerate(s.params) if LIST_TYPE in p.type)


def page_params(
    program: Program, facts: Facts, id: FunctionId, depth: int = _DEPTH
) -> frozenset[int]:
    """Return the positions of parameters that are pages or are made into pages."""
    params = program.memos.of(_PARAMS)
    known = params.get((id, depth))
    if known is None:
        with program.noting(None):  # what is remembered is not asked again
            known = params[id, depth] = _page_params(program, facts, id, depth)
    program.note(
        ("page_params", id, depth), lambda other: page_params(other, facts, id, depth), known
    )
    return known


def _page_params(program: Program, facts: Facts, id: FunctionId, depth: int) -> frozenset[int]:
    found = {
        n for s in program.signatures(id) for n, param in enumerate(s.params) if _is_page(param)
    }
    numbers = any("*" not in p.type for s in program.signatures(id) for p in s.params)
    if numbers and _makes_pages(program, facts, id, depth):
        for function in program.lowered(id):
            names = _named_pages(program, facts, function, depth)
            for n, param in enumerate(function.params):
                if param.name in names and "*" not in param.type:
                    found.add(n)
    return frozenset(found)


def _is_page(param: ir.Param) -> bool:
    return any(t in param.type for t in _TYPES)


def _is_typed(program: Program, id: FunctionId) -> bool:
    """Tell whether a page stands in a function's head."""
    return any(
        any(t in s.returns for t in _TYPES) or any(map(_is_page, s.params))
        for s in program.signatures(id)
    )


def _makes_pages(program: Program, facts: Facts, id: FunctionId, depth: int) -> bool:
    """Tell by the names that it calls whether a function can make a parameter into a page.

    Where it cannot, its body need not be parsed.
    """
    makers = program.memos.of(_MAKERS)
    known = makers.get((id, depth))
    if known is None:
        called = program.called(id)
        known = makers[id, depth] = any(
            name in facts.identities and facts.identities[name].to == "page" for name in called
        ) or (
            depth > 0
            and any(
                any(any(map(_is_page, s.params)) for s in program.signatures(callee))
                or _makes_pages(program, facts, callee, depth - 1)
                for name in called
                if not facts.speaks_of(name) and name not in facts.opaque
                for callee in program.resolve(name, id[0])
            )
        )
    return known


def role_params(function: ir.Function, facts: Facts) -> Mapping[str, str]:
    """Return which parameter of an origin plays each role that names a population."""
    found: dict[str, str] = {}
    for role in facts.roles:
        for param in function.params:
            if role.type and role.type in param.type and "*" not in param.type:
                found.setdefault(role.name, param.name)
        for name in _passed_to(function, role):
            found.setdefault(role.name, name)
        if any(param.name == role.name for param in function.params):
            found.setdefault(role.name, role.name)
    return found


def _passed_to(function: ir.Function, role: Role) -> Iterator[str]:
    """Yield the parameters that a function passes on as an argument of a call."""
    own = {param.name for param in function.params}
    for variant in function.variants:
        for step in variant.steps:
            if isinstance(step, ir.Call) and step.callee == ir.Name(role.passed_to):
                named = own & {n for a in step.args[role.argument :][:1] for n in names_in(a)}
                if len(named) == 1:
                    yield from named


def _named_pages(
    program: Program, facts: Facts, function: ir.Function, depth: int
) -> frozenset[str]:
    """Return the variables whose values are made into pages here or in callees."""
    names: set[str] = set()
    feeds: list[tuple[str, frozenset[str]]] = []
    for variant in function.variants:
        for step in variant.steps:
            if isinstance(step, ir.Assign) and isinstance(step.target, ir.Name):
                value = step.value  # of an element the index is no number of a page
                held = value.base if isinstance(value, ir.Index) else value
                feeds.append((step.target.id, frozenset(names_in(held))))
            elif isinstance(step, ir.Call) and isinstance(step.callee, ir.Name):
                if step.callee.id in facts.identities:
                    # What is made of the result stands for what was passed.
                    feeds.append((step.result.id, _names(step.args)))
                    if facts.identities[step.callee.id].to == "page":
                        names |= _names(step.args)
                names |= _passed_on(program, facts, function, step, depth)
    changed = True
    while changed:
        before = len(names)
        for target, sources in feeds:
            if target in names:
                names |= sources
        changed = len(names) > before
    return frozenset(names)


def _names(args: tuple[ir.Expr, ...]) -> frozenset[str]:
    return frozenset(n for a in args for n in names_in(a))


def _passed_on(
    program: Program, facts: Facts, function: ir.Function, step: ir.Call, depth: int
) -> frozenset[str]:
    assert isinstance(step.callee, ir.Name), "only direct calls are asked for"
    name = step.callee.id
    if depth == 0 or facts.speaks_of(name) or name in facts.opaque:
        return frozenset()
    found: set[str] = set()
    for callee in program.resolve(name, function.path):
        for n in page_params(program, facts, callee, depth - 1):
            if n < len(step.args):
                found.update(names_in(step.args[n]))
    return frozenset(found)
