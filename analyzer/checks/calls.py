"""Find calls that still pass the old arguments of a function whose signature the patch changed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from analyzer.base import Pair, Span
from analyzer.c.ir import Definition
from analyzer.c.unit import Unit
from analyzer.findings import Cause, Finding, Step
from analyzer.program.arguments import sizes_of, split_arguments
from analyzer.program.program import Program
from analyzer.rules import Rule


def find_calls(
    programs: Pair[Program], changed: Iterable[str], rules: Mapping[str, Rule]
) -> tuple[Finding, ...]:
    """Return the calls in the tree after that have the number of arguments of before.

    changed names the files that the patch touches. A function of which several definitions exist
    under different configurations is stale only where no definition takes the call.
    """
    rule = rules["stale-call"]
    resized = _resized(programs, sorted(set(changed)))
    if not resized:
        return ()
    after = programs.after
    after.look_up({d.name for d, _, _ in resized if not d.static})
    found: dict[object, Finding] = {}
    for definition, was, now in resized:
        fits = now | elsewhere(after, definition)
        for path, unit, at, arguments in calls_of(after, definition.name, definition):
            if len(arguments) in was and len(arguments) not in fits:
                finding = _finding(rule, definition, after, path, unit, at, was, now)
                found.setdefault((path, at), finding)
    return tuple(found.values())


def _resized(
    programs: Pair[Program], changed: Iterable[str]
) -> list[tuple[Definition, frozenset[int], frozenset[int]]]:
    """Return definitions that take another number of arguments than before, with both numbers."""
    found = []
    for path in changed:
        if not (programs.before.has(path) and programs.after.has(path)):
            continue
        before, after = programs.before.unit(path), programs.after.unit(path)
        for name in sorted(before.definitions.keys() & after.definitions.keys()):
            if _heads(before, name) == _heads(after, name):
                continue
            was, now = sizes_of(before, name), sizes_of(after, name)
            if was and now and was != now:
                found.append((after.definitions[name][0], was, now))
    return found


def elsewhere(program: Program, definition: Definition) -> frozenset[int]:
    """Return what definitions of the name in other files take.

    They are stubs under other configurations, or those of architectures that bring their own.
    """
    if definition.static:
        return frozenset()
    paths = {path for path, name in program.defining(definition.name) if path != definition.path}
    return frozenset().union(*(sizes_of(program.unit(p), definition.name) for p in sorted(paths)))


def _heads(unit: Unit, name: str) -> list[bytes]:
    return [unit.code[d.span.start : d.body] for d in unit.definitions[name]]


def calls_of(
    program: Program, name: str, definition: Definition | None = None
) -> Iterator[tuple[str, Unit, int, tuple[str, ...]]]:
    """Yield every call of a name that can mean the definition: file, unit, offset, arguments."""
    call = re.compile(rb"(?<![\w.>])" + re.escape(name.encode()) + rb"\s*\(")
    own = "" if definition is None else definition.path
    for path in program.paths:
        if definition is not None and definition.static and path != own:
            continue
        unit = program.unit(path)
        if name.encode() not in unit.code:
            continue
        if path != own and has_own(unit, name):
            continue
        for m in call.finditer(unit.code):
            around = program.enclosing(path, m.start())
            if around is None or _is_shadowed(program, (path, around.name), name):
                continue  # a prototype, a definition's head, a macro, a local of the same name
            arguments = split_arguments(unit.code, m.end())
            yield path, unit, m.start(), () if arguments == ("",) else arguments


def _is_shadowed(program: Program, id: tuple[str, str], name: str) -> bool:
    """Tell whether a name is a parameter or local variable of a function."""
    return any(
        name in variant.locals or any(p.name == name for p in function.params)
        for function, variant in program.bodies(id)
    )


def has_own(unit: Unit, name: str) -> bool:
    """Tell whether a file defines a static function or a macro of the name for itself."""
    macro = re.compile(rb"#[ \t]*define[ \t]+" + re.escape(name.encode()) + rb"\b")
    return macro.search(unit.code) is not None or any(
        d.static for d in unit.definitions.get(name, ())
    )


def _finding(
    rule: Rule,
    definition: Definition,
    program: Program,
    path: str,
    unit: Unit,
    at: int,
    was: frozenset[int],
    now: frozenset[int],
) -> Finding:
    function, span, text = call_at(program, path, unit, at)
    takes, passed = max(now), max(was)
    return Finding(
        rule=rule.id,
        function=function,
        file=path,
        operation=text,
        span=span,
        severity=rule.severity,
        confidence=rule.confidence,
        message=(
            f"{function}() still calls {definition.name}() with {_count(passed)}; "
            f"it now takes {takes}"
        ),
        cause=Cause(definition.span, definition.name),
        trace=(
            Step(definition.span, definition.name, f"{definition.name}() takes {_count(takes)}"),
            Step(span, function, f"{function}() passes {passed}"),
        ),
    )


def call_at(program: Program, path: str, unit: Unit, at: int) -> tuple[str, Span, str]:
    """Return the function around a call of calls_of(), the span of the call, and its text."""
    around = program.enclosing(path, at)
    assert around is not None, "calls outside of functions were left out"
    span = unit.span(at, _closing(unit.code, at))
    return around.name, span, unit.said(span)


def _count(n: int) -> str:
    return "one argument" if n == 1 else f"{n} arguments"


def _closing(code: bytes, at: int) -> int:
    """Return the offset behind the parenthesis that closes the call at an offset."""
    depth = 0
    for i in range(code.index(b"(", at), len(code)):
        if code[i : i + 1] == b"(":
            depth += 1
        elif code[i : i + 1] == b")":
            depth -= 1
            if depth == 0:
                return i + 1
    return len(code)
