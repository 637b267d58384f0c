"""Lower calls, and the macros of the kernel that look like calls and are none."""

from __future__ import annotations

import re
from collections.abc import Callable

from analyzer.c.body import Body
from analyzer.c.constants import BITS, FUNCTIONS, evaluate
from analyzer.c.counters import lower_counted
from analyzer.c.expansion import expansion_of
from analyzer.c.facts import Assertion, Declarer, macros
from analyzer.c.ir import (
    Assign,
    Binary,
    Branch,
    Call,
    Check,
    Const,
    Expr,
    Name,
    Opaque,
    Return,
    Stop,
    Unary,
)
from analyzer.c.own import static_name
from analyzer.c.parser import ERROR, Syntax

_NUMBER = re.compile(
    r"(?:__)?(?:[usUS]|le|be)\d+|bool|u?int|u?long|char|short|unsigned|s?size_t|[a-z]*off_t|gfp_t"
)
_TYPE = re.compile(r"(?:__)?(?:[usUS]|le|be)\d+|\w+_t|bool|uint|ulong|ushort|uchar|u_int|u_long")


def arguments(node: Syntax) -> tuple[Syntax, ...]:
    """Return the arguments of a call."""
    found = node.child("arguments")
    return () if found is None else tuple(c for c in found.children if c.kind != ERROR)


def is_type_name(b: Body, name: str) -> bool:
    """Tell whether a name is one that C or the kernel gives to a type."""
    return _TYPE.fullmatch(name) is not None and not b.is_local(name)


def is_cast(b: Body, node: Syntax) -> bool:
    """Tell whether `(name)(value)`, which reads like a call, is a cast."""
    function = node.child("function")
    if function is None or function.kind != "parenthesized_expression":
        return False
    inner = function.children[0] if function.children else None
    return inner is not None and inner.kind == "identifier" and not b.is_local(b.text(inner))


def assertion_of(b: Body, node: Syntax) -> Assertion | None:
    """Return what kind of assertion a call is; None where it is none, or lacks its condition."""
    function = node.child("function")
    if function is None or function.kind != "identifier":
        return None
    found = macros().assertions.get(b.text(function))
    return found if found is not None and found.condition < len(arguments(node)) else None


def lower_assertion(b: Body, node: Syntax, failed_to: int, passed_to: int) -> None:
    """Branch on an assertion's condition; where it fails a Check stands, then maybe a Stop."""
    assertion = assertion_of(b, node)
    assert assertion is not None, "callers have asked"
    given = arguments(node)
    condition = given[assertion.condition]
    failed = b.graph.block()
    b.branch(condition, failed, passed_to)
    b.graph.place(failed)
    for n, argument in enumerate(given):
        if n != assertion.condition:
            b.effect(argument)
    name = b.text(node.children[0])
    b.emit(Check(name, assertion.fatal, b.plain(condition), b.span(node)))
    if assertion.fatal:
        b.graph.end(Stop(b.span(node)))
    else:
        b.jump(failed_to)


def lower_call(b: Body, node: Syntax, truth: Callable[[Body, Syntax], Expr]) -> Expr:
    """Return the value of a call; truth materialises a condition."""
    function = node.child("function")
    if function is None:
        return b.opaque(node)
    given = arguments(node)
    if function.kind == "call_expression":
        guard = function.child("function")
        if guard is not None and b.text(guard) in macros().guards:
            return _guard(b, node, function)
    if function.kind != "identifier":
        callee = b.value(function)
        return _call(b, node, Unary("*", callee) if isinstance(callee, Name) else callee)
    name = b.text(function)
    expanded = expansion_of(b, node, name)
    if expanded is not None:
        return expanded
    if _is_pointer(b, name):
        return _call(b, node, Unary("*", Name(b.resolve(name))))
    if assertion_of(b, node) is not None:
        return truth(b, node)
    if name in b.own.ends:
        return _end(b, node, name)
    if name in b.own.functions:
        return _call(b, node, Name(static_name(name)))
    replaced = _replacement(b, node, name, given)
    if replaced is None:
        replaced = _run(b, node, name, given)
    return _call(b, node, Name(name)) if replaced is None else replaced


def _replacement(b: Body, node: Syntax, name: str, given: tuple[Syntax, ...]) -> Expr | None:
    """Lower a macro that is no call; None where a name is that of a function."""
    known = macros()
    if name in known.noreturn:
        return _end(b, node, name if known.noreturn[name] else "")
    if name in known.transparent and known.transparent[name] < len(given):
        return b.value(given[known.transparent[name]])
    if name in known.compared and len(given) == 1:
        return Binary(known.compared[name], b.value(given[0]), Const(0))
    if name in known.configuration and len(given) == 1:
        return Name(b.text(given[0]))
    if name in known.nothing:
        return Const(0)
    if name in known.opaque:
        return b.opaque(node)
    if name in FUNCTIONS and (number := evaluate(b.plain(node), lambda _: None)) is not None:
        return Const(number)
    if name in BITS and len(given) == 1:
        return Binary("<<", Const(1), b.value(given[0]))
    counted = lower_counted(b, node, name, given)
    return _access(b, node, name, given) if counted is None else counted


def _run(b: Body, node: Syntax, name: str, given: tuple[Syntax, ...]) -> Expr | None:
    """Lower a call that runs a function as a call of that; None where it is passed none by name."""
    known = macros().runs.get(name)
    if known is None or len(given) <= max(known.function, *known.handed):
        return None
    run = b.plain(given[known.function]).lstrip("& ")
    if not run.isidentifier() or b.is_local(run):
        return None
    callee = Name(static_name(run) if run in b.own.functions else run)
    return _call(b, node, callee, tuple(given[n] for n in known.handed))


def _end(b: Body, node: Syntax, name: str) -> Expr:
    """End the path at a call that does not come back; without a name there is no call to see."""
    if name:
        _call(b, node, Name(static_name(name) if name in b.own.functions else name))
    b.graph.end(Stop(b.span(node)))
    return Const(0)


def _is_pointer(b: Body, name: str) -> bool:
    """Tell whether a variable is called, not a function or macro of the same name.

    A type that is one word and no number's may stand for a pointer to a function.
    """
    declared = b.type_of(name)
    if declared is None:
        return False
    one_word = len(declared.split()) == 1
    return "(" in declared or (one_word and _NUMBER.fullmatch(declared) is None)


def _access(b: Body, node: Syntax, name: str, given: tuple[Syntax, ...]) -> Expr | None:
    """Lower a macro that reads or writes a place; None where it is none."""
    known = macros()
    if name in known.loads and given:
        return _pointee(b.value(given[0]))
    if name in known.stores and len(given) == 2:
        place = b.value(given[0])
        target = _pointee(place) if known.stores[name] else place
        value = b.value(given[1])
        b.assign(target, value, node)
        return target
    if name in known.taken and len(given) == 1:
        place, kept = b.value(given[0]), b.temporary()
        b.assign(kept, place, node)
        b.assign(place, Const(0), node)
        if known.taken[name]:
            b.graph.end(Return(kept, b.span(node)))
        return kept
    if name in known.exchanges and len(given) == 2:
        left, right, kept = b.value(given[0]), b.value(given[1]), b.temporary()
        b.assign(kept, left, node)
        b.assign(left, right, node)
        b.assign(right, kept, node)
        return Const(0)
    return None


def _pointee(address: Expr) -> Expr:
    match address:
        case Unary("&", place):
            return place
    return Unary("*", address)


def _call(b: Body, node: Syntax, callee: Expr, given: tuple[Syntax, ...] | None = None) -> Name:
    args = tuple(b.value(a) for a in (arguments(node) if given is None else given))
    result = b.temporary()
    b.emit(Call(result, callee, args, b.span(node)))
    for a in args:
        if isinstance(a, Name) and a.id in b.targets:  # a macro that is given a label may jump
            on = b.graph.block()
            condition = Opaque(f"goto {a.id}", frozenset())
            b.graph.end(Branch(condition, b.label(a.id), on, b.span(node)))
            b.graph.place(on)
    return result


def _guard(b: Body, node: Syntax, head: Syntax) -> Expr:
    """Lower `guard(class)(arguments)` and `CLASS(class, variable)(arguments)`."""
    result = _call(b, node, Opaque(b.plain(head), frozenset()))
    given = arguments(head)
    if len(given) > 1:
        variable = b.declare(b.text(given[1]), "")
        b.emit(Assign(variable, result, b.span(node)))
    return result


def declarer_of(b: Body, node: Syntax) -> Declarer | None:
    """Return how a call in statement position declares a variable; None where it does not."""
    function = node.child("function")
    if function is None or function.kind != "identifier":
        return None
    name = b.text(function)
    if not name.isupper():
        return None
    found = next((d for d in macros().declarers if d.pattern.fullmatch(name)), None)
    given = arguments(node)
    if found is None or found.name >= len(given) or given[found.name].kind != "identifier":
        return None
    return found
