"""Complete a call whose function has other parameters now, where it is plain what to pass."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from analyzer.base import Pair
from analyzer.c.ir import Definition
from analyzer.c.lower import lower
from analyzer.c.unit import Unit, scan_unit
from analyzer.findings import Finding
from analyzer.program.arguments import split_arguments

Read = Callable[[str], bytes | None]

#: What means the same wherever it stands: a number or the name of a constant.
_CONSTANT = re.compile(r"-?(?:0x)?[0-9A-Fa-f]+\Z|[A-Z][A-Z0-9_]+\Z|NULL\Z|true\Z|false\Z")


def complete_call(
    finding: Finding, unit: Unit, read: Pair[Read], paths: tuple[str, ...]
) -> Iterator[tuple[bytes | None, str]]:
    """Yield the file with a stale call completed, if what to pass is plain.

    What the function took before keeps its argument. What is new must be one and the same
    constant in all other calls of the function around, in the file, or in the files of the patch.
    """
    if finding.cause is None:
        return
    name, where = finding.cause.function, finding.cause.span.file
    was, now = (_parameters(side(where), where, name) for side in (read.before, read.after))
    m = re.compile(rb"\b" + re.escape(name.encode()) + rb"\s*\(").match(
        unit.code, finding.span.start
    )
    if m is None or was is None or now is None:
        return
    passed = split_arguments(unit.code, m.end())
    if len(passed) != len(was):
        return
    new = []
    for at, parameter in enumerate(now):
        if parameter in was:
            new.append(passed[was.index(parameter)])
            continue
        decided = _decided(name, at, len(now), finding, unit, read.after, paths)
        if decided is None:
            return
        new.append(decided)
    call = f"{name}({', '.join(new)})"
    start, end = finding.span.start, finding.span.end
    yield unit.text[:start] + call.encode() + unit.text[end:], f"call {call}"


def _parameters(text: bytes | None, path: str, name: str) -> tuple[str, ...] | None:
    """Return the names of a function's parameters; None where it is not defined once."""
    if text is None:
        return None
    unit = scan_unit(path, text)
    found = unit.definitions.get(name, ())
    if len(found) != 1:
        return None
    names = tuple(p.name for p in lower(unit, found[0]).params)
    return names if all(names) and len(set(names)) == len(names) else None


def _decided(
    name: str,
    at: int,
    count: int,
    finding: Finding,
    unit: Unit,
    read: Read,
    paths: tuple[str, ...],
) -> str | None:
    """Return the constant that others pass at a position: those nearest decide."""
    around = [
        d
        for d in unit.definitions.get(finding.function, ())
        if d.span.start <= finding.span.start < d.span.end
    ]
    circles = [
        _passed(unit, name, at, count, around),
        _passed(unit, name, at, count, None),
    ]
    for path in paths:
        text = read(path)
        if text is not None and path != unit.path and path.endswith(".c"):
            circles.append(_passed(scan_unit(path, text), name, at, count, None))
    near = next((c for c in circles[:2] if c), frozenset().union(*circles[2:]))
    value = next(iter(near)) if len(near) == 1 else None
    return value if value is not None and _CONSTANT.match(value) else None


def _passed(
    unit: Unit, name: str, at: int, count: int, around: list[Definition] | None
) -> frozenset[str]:
    call = re.compile(rb"(?<![\w.>])" + re.escape(name.encode()) + rb"\s*\(")
    heads = [(d.span.start, d.body) for found in unit.definitions.values() for d in found]
    found = set()
    for m in call.finditer(unit.code):
        arguments = split_arguments(unit.code, m.end())
        inside = around is None or any(d.body <= m.start() < d.span.end for d in around)
        defines = any(start <= m.start() < body for start, body in heads)
        if inside and not defines and len(arguments) == count:
            found.add(arguments[at])
    return frozenset(found)
