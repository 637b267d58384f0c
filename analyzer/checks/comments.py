"""Find comments that still describe the state that a population no longer starts in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from analyzer.base import Span
from analyzer.c.ir import Definition
from analyzer.c.unit import Unit, comment_spans, scan_unit
from analyzer.checks.births import initial_states
from analyzer.comparison.compare import Sides
from analyzer.findings import Cause, Finding, Migration, Status, Step
from analyzer.flow.domain.observe import Behaviour
from analyzer.pages.machine import SET
from analyzer.program.params import passes_pages
from analyzer.rules import Rule
from analyzer.spelling import in_words, usual_names
from analyzer.tree import Tree

#: What parts the words of a comment: blanks, ends of lines and the stars before its lines.
_WORD = re.compile(r"[^\s*]+", re.ASCII)
#: A letter of another script is no letter of a word here: its bytes are looked at.
_LOOSE = re.IGNORECASE | re.ASCII


def find_comments(
    sides: Sides, migrations: tuple[Migration, ...], rules: Mapping[str, Rule]
) -> tuple[Finding, ...]:
    """Return comments about the old state in the files whose functions make the population.

    A comment elsewhere may speak of any population; there it cannot be told.
    """
    rule = rules["stale-comment"]
    found: dict[object, Finding] = {}
    for migration in migrations:
        lost = _lost(sides, migration)
        files, flow = _makers(sides, migration), _carriers(sides, migration)
        for path in sorted(files | {path for path, _ in flow}):
            unit = sides.programs.after.unit(path)
            for span, mark, function in _stale(unit, lost):
                if path not in files and (path, function) not in flow:
                    continue
                cause = migration.cause or Cause(span, function)
                finding = _finding(rule, migration, cause, span, function, unit)
                found.setdefault((path, span.start), replace(finding, mark=mark))
    return tuple(found.values())


def told_still(
    found: Iterable[Finding], tree: Tree, changed: Mapping[str, str], moved: Iterable[Migration]
) -> list[Finding]:
    """Return what was found in a series but for comments that a later patch of it has mended.

    changed gives the files that the patch changes, by what they were called where something was
    found in them; moved are the migrations of the series. A comment need not change with the code.
    """
    lost = tuple(sorted({w for m in moved for w in {*m.before.split()} - {*m.after.split()}}))
    kept = []
    for f in found:
        if f.rule == "stale-comment" and f.status is Status.INTRODUCED and f.file in changed:
            left = _left_at(f.function, changed[f.file], tree, lost)
            held = [
                other for other in found if (other.rule, other.function) == (f.rule, f.function)
            ]
            if f.operation not in left and len(left) < len(held):
                continue
        kept.append(f)
    return kept


def _left_at(function: str, path: str, tree: Tree, lost: tuple[str, ...]) -> list[str]:
    """Return how the comments of a function begin that speak of a state."""
    text = tree.read(path)
    unit = scan_unit(path, b"" if text is None else text)
    return [_begin(unit, span) for span, _, at in _stale(unit, lost) if at == function]


def _begin(unit: Unit, span: Span) -> str:
    """Return how a comment begins, in one line."""
    text = unit.text[span.start : span.end].decode("utf-8", "replace")
    return " ".join(text.replace("*", " ").replace("/", " ").split())[:120]


def _lost(sides: Sides, migration: Migration) -> tuple[str, ...]:
    """Return the flags and types that a population was born with and is not any more."""
    was, now = (
        _born_with(b, migration, sides) for b in (sides.behaviours.before, sides.behaviours.after)
    )
    return tuple(label for label in (*sides.facts.flags, *sides.facts.types) if label in was - now)


def _born_with(behaviour: Behaviour, migration: Migration, sides: Sides) -> frozenset[str]:
    """Return the flags and types that some pages of a population are born with."""
    pages = [
        o.page
        for population, witnesses in initial_states(behaviour).items()
        if sides.facts.title(population) == migration.population
        for o in witnesses.values()
    ]
    held = {f for f in sides.facts.flags for page in pages if page.flag(f) == SET}
    for label in sides.facts.types:
        mask = behaviour.space.holding(label)
        if any(page.types and not page.types & ~mask for page in pages):
            held.add(label)
    return frozenset(held)


def _makers(sides: Sides, migration: Migration) -> frozenset[str]:
    """Return the files in which only this population is made, and not the origin's own."""
    mine: set[str] = set()
    others: set[str] = set()
    for population, witnesses in initial_states(sides.behaviours.after).items():
        files = {
            path for o in witnesses.values() for path, name in o.chain
            if name not in sides.facts.origins
        }  # fmt: skip
        if sides.facts.title(population) == migration.population:
            mine |= {p for p in files if p.endswith(".c")}
        else:
            others |= {o.root[0] for o in witnesses.values()}
    return frozenset(mine - others)


def _carriers(sides: Sides, migration: Migration) -> frozenset[tuple[str, str]]:
    """Return the functions that pages of the population come through, and their helpers."""
    program = sides.programs.after
    through = frozenset(
        id
        for o in sides.behaviours.after.observations
        if o.page.population and sides.facts.title(o.page.population) == migration.population
        for id in o.chain
        if id[1] not in sides.facts.origins
    )
    helpers = frozenset(
        (path, name)
        for path, caller in through
        for name in program.called((path, caller))
        if (path, name) in program.resolve(name, path)
        and passes_pages(program, sides.facts, (path, name))
    )
    return through | helpers


def _stale(unit: Unit, labels: tuple[str, ...]) -> Iterator[tuple[Span, Span, str]]:
    """Yield the comments that speak of a state, the words that do, and whose comments they are."""
    for span in comment_spans(unit):
        words = list(_WORD.finditer(unit.source(span.start, span.end)))
        text = " ".join(w[0] for w in words)
        if said := next(filter(None, (_said(text, label) for label in labels)), None):
            first, last = (_place(words, text, i) for i in (said[0], said[1] - 1))
            mark = unit.span(span.start + first, span.start + last + 1)
            yield span, mark, _function_of(unit, span)


def _place(words: Sequence[re.Match[str]], text: str, at: int) -> int:
    """Return where a letter of the text stands that the words make with a blank between two."""
    return words[text.count(" ", 0, at)].start() + at - text.rfind(" ", 0, at) - 1


def _said(text: str, label: str) -> tuple[int, int] | None:
    """Return where a comment says of pages that they are in a state, not that they are not."""
    names = usual_names(label)
    if not any(n in text.lower() for n in names) or not re.search(r"\bpages?\b", text, re.ASCII):
        return None
    lower = "|".join(map(re.escape, names))
    is_so = r"\b(?:are|is|be|being|were|marked|start|stay)\s+(?:marked\s+|still\s+|all\s+)?"
    plain = rf"\bpages?\b[^.]{{0,60}}?{is_so}(?:{lower})\b"
    name = rf"{is_so}(?:PG_(?:{lower})|Page{label})\b"
    said = re.search(f"{plain}|[^.]{{0,60}}?{name}", text, _LOOSE)
    if said is None or re.search(r"\b(?:not|never|no longer|holes?)\b", said[0]):
        return None
    # Of several words before the state that speak of pages, the last.
    last = re.compile(f".*({plain}|{name})", _LOOSE).match(text, *said.span())
    assert last is not None, "both are in what was found"
    return last.span(1)


def _function_of(unit: Unit, span: Span) -> str:
    """Return the function around a comment, or the one that it stands in front of."""
    following: Definition | None = None
    for found in unit.definitions.values():
        for d in found:
            if d.span.start <= span.start < d.span.end:
                return d.name
            near = span.end <= d.body and (following is None or d.body < following.body)
            if near:
                following = d
    return following.name if following else ""


def _finding(
    rule: Rule, migration: Migration, cause: Cause, span: Span, function: str, unit: Unit
) -> Finding:
    return Finding(
        rule=rule.id,
        function=function,
        file=unit.path,
        operation=_begin(unit, span),
        span=span,
        severity=rule.severity,
        confidence=rule.confidence,
        message=(
            f"a comment at {function}() still says that {migration.population} are "
            f"{migration.before}; they now start {in_words(migration.after)}"
        ),
        cause=cause,
        trace=(
            Step(cause.span, cause.function, f"{cause.function}() changes how pages start"),
            Step(span, function, f"the comment speaks of {migration.before} pages"),
        ),
    )
