"""Find calls that still pass the old arguments of a function whose signature the patch changed."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from analyzer.base import Pair, Span
from analyzer.c.blank import blank_text
from analyzer.c.ir import Definition
from analyzer.c.unit import Unit
from analyzer.findings import Cause, Finding, Step
from analyzer.program.arguments import argument_spans, sizes_of
from analyzer.program.program import Program
from analyzer.rules import Rule

_LIBRARY = re.compile(r"<(?:std(?:io|lib)|unistd|fcntl|string|errno|sys/\w+)\.h>")
#: A word that may be a type, as in front of what is declared.
_TYPE = rb"\b(?!(?:return|else|do)\b)\w+"
#: What stands behind the parameters of a definition, and hardly ever behind what a call passes.
_HEAD = re.compile(rb"\)\s*(?:[\w{#]|\)\s*\()")


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
    written = _written(after, {d.name for d, _, _ in resized if not d.static})
    found: dict[object, Finding] = {}
    for definition, was, now in resized:
        stale = was - now - elsewhere(after, definition)
        wrong = written.get(definition.name, {}).items() if stale else ()
        after.add(path for path, sizes in wrong if not stale.isdisjoint(sizes))
        for path, unit, at, size in calls_of(after, definition.name, definition):
            if size in stale:
                finding = _finding(rule, definition, after, path, unit, at, was, now)
                found.setdefault((path, at), finding)
    return tuple(found.values())


def _written(program: Program, names: Collection[str]) -> Mapping[str, dict[str, frozenset[int]]]:
    """Return for names the files that call them, as far as their text tells, with what is passed.

    Files that may define one are read; a common name stands in many that do not call it.
    """
    found: dict[str, dict[str, frozenset[int]]] = {name: {} for name in names}
    for path, text, words in program.texts(names):
        calls = {name: _call(name) for name in words}
        if not any(call.search(text) for call in calls.values()):
            continue
        code = blank_text(text)
        for name, call in calls.items():
            ways = [argument_spans(code, m.end()) for m in call.finditer(code)]
            found[name][path] = frozenset(_count_of(code, spans) for spans, _ in ways)
            if any(whole and _HEAD.match(code, spans[-1][1]) for spans, whole in ways):
                program.add([path])
    return found


def _call(name: str) -> re.Pattern[bytes]:
    """Match a name and the parenthesis behind it; not a field or a part of another name."""
    spelled = re.escape(name.encode())  # the name first: that much is quickly found
    return re.compile(rb"%b(?<![\w.>]%b)\s*\(" % (spelled, spelled))


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
) -> Iterator[tuple[str, Unit, int, int]]:
    """Yield the calls of a name that can mean the definition: file, unit, offset, size.

    The size is how many arguments are passed.
    """
    call = _call(name)
    own = "" if definition is None else definition.path
    beside = program.has(own) and _is_program(program.unit(own))
    for path in program.paths:
        if definition is not None and definition.static and path != own:
            continue
        unit = program.unit(path)
        if name.encode() not in unit.code:
            continue
        if path != own and (has_own(unit, name) or (_is_program(unit) and not beside)):
            continue
        for m in call.finditer(unit.code):
            around = program.enclosing(path, m.start())
            if around is None or _is_shadowed(program, (path, around.name), name):
                continue  # a prototype, a definition's head, a macro, a local of the same name
            spans, _ = argument_spans(unit.code, m.end())
            yield path, unit, m.start(), _count_of(unit.code, spans)


def _count_of(code: bytes, spans: Sequence[tuple[int, int]]) -> int:
    """Return how many arguments stand there: nothing between two parentheses is none."""
    return 0 if len(spans) == 1 and not code[slice(*spans[0])].strip() else len(spans)


def _is_shadowed(program: Program, id: tuple[str, str], name: str) -> bool:
    """Tell whether a name is a parameter or local variable of a function."""
    unit = program.unit(id[0])
    spelled = rb"(?<!\w)%b(?!\w)" % re.escape(name.encode())
    declared = re.compile(rb"%b(?!\s*\()|(?:\*|%b)\s*%b" % (spelled, _TYPE, spelled))
    return any(
        declared.search(unit.code, d.span.start, d.span.end) for d in unit.definitions[id[1]]
    ) and any(
        name in variant.locals or any(p.name == name for p in function.params)
        for function, variant in program.bodies(id)
    )


def _is_program(unit: Unit) -> bool:
    """Tell whether a file includes the C library: what it calls is not in the kernel."""
    depth = 0  # what is for others than the kernel stands within an #if
    for line in unit.directives:
        if line.keyword == "include" and not depth and _LIBRARY.search(line.argument):
            return True
        depth += line.keyword.startswith("if") - (line.keyword == "endif")
    return False


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
