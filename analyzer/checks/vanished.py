"""Find calls of accessors that the patch takes away from the header that makes them.

No definition of an accessor stands in the text: macros make them, from the name of a type or flag.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Mapping

from analyzer.base import unspaced
from analyzer.checks.calls import call_at, calls_of, has_own
from analyzer.comparison.compare import Sides
from analyzer.findings import Cause, Finding, Step
from analyzer.pages.laws import HEADER
from analyzer.program.program import Program
from analyzer.rules import Rule
from analyzer.spelling import usual_names

_USE = re.compile(r"\w+\s*\([^()]*\)")


def find_vanished(
    sides: Sides, changed: Collection[str], rules: Mapping[str, Rule]
) -> tuple[Finding, ...]:
    """Return the calls in the tree after of accessors that only the tree before has.

    An accessor is gone where of what makes those of its flag something is left out, and nothing is
    new: what else may make it now is not known.
    """
    gone = _gone(sides, changed)
    if not gone:
        return ()
    after, rule = sides.programs.after, rules["stale-call"]
    after.look_up(gone)
    found = []
    for name in sorted(gone):
        if _is_defined(name, after):
            continue
        for path, unit, at, _ in calls_of(after, name):
            function, span, text = call_at(after, path, unit, at)
            found.append(
                Finding(
                    rule=rule.id,
                    function=function,
                    file=path,
                    operation=text,
                    span=span,
                    severity=rule.severity,
                    confidence=rule.confidence,
                    message=f"{function}() still calls {name}(), which the patch takes away",
                    cause=Cause(span, function),
                    trace=(Step(span, function, f"nothing in {HEADER} makes {name}() now"),),
                )
            )
    return tuple(found)


def _gone(sides: Sides, changed: Collection[str]) -> frozenset[str]:
    """Return the accessors of the tree before that nothing in the tree after can make."""
    behaviours = sides.behaviours
    if HEADER not in changed:
        return frozenset()
    headers = [path for path in changed if path.endswith(".h")]
    made = sides.programs.map(lambda program: _made(headers, program))
    was, now = made.before, made.after
    before, after = behaviours.before.space.operations, behaviours.after.space.operations
    return frozenset(
        name
        for name in before.keys() - after.keys()
        if _of(before[name].label, now) < _of(before[name].label, was)
    )


def _made(headers: Collection[str], program: Program) -> Counter[str]:
    """Count what is written like a call in some headers, whatever it makes."""
    program.add(headers)
    codes = (program.unit(path).flat for path in headers if program.has(path))
    return Counter(unspaced(use) for c in codes for use in _USE.findall(c.decode("latin-1")))


def _of(label: str, made: Counter[str]) -> Counter[str]:
    """Return what is about a flag, by any of its names."""
    about = re.compile(rf"[(,](?:{'|'.join((label, *usual_names(label)))})[,)]")
    return Counter({use: n for use, n in made.items() if about.search(use)})


def _is_defined(name: str, program: Program) -> bool:
    """Tell whether somebody else defines a function or a macro of the name for others."""
    defines = any(
        path.endswith(".h") and has_own(program.unit(path), name) for path in program.paths
    )
    return defines or bool(program.named(name))
