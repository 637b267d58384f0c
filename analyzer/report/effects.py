"""Render the contract of a function: the difference that a patch makes, as a diff shows one."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from analyzer import __version__
from analyzer.contracts import Context, Contract, Effects, Sighting, Way
from analyzer.report import words
from analyzer.report.paint import Paint, painter
from analyzer.report.plain import plain, wrap

#: A JSON object on its way to the encoder.
Object = dict[str, Any]

_STYLES = {"-": "error", "+": "good", " ": ""}


def render(effects: Effects, *, width: int = 80, colour: bool = False) -> str:
    """Return the contract as text; what only the tree before does is marked `-`, after `+`."""
    paint = painter(colour=colour)
    before, after = effects.contracts.before, effects.contracts.after
    blocks = [_head(effects, width, paint)]
    for pages, constants in _headings(before, after):
        marked = _marked(_of(before, pages, constants), _of(after, pages, constants))
        callers = _callers(before, after, pages, constants)
        head = _context(pages, constants, callers, width)
        blocks.append([*(paint(x, "title") for x in head), *_lines(marked, width, paint)])
    if len(blocks) == 1:
        blocks.append(wrap("No page reaches it that the analysis knows of.", width))
    blocks.extend(_sighting(s, width, paint) for s in effects.sightings)
    if effects.gaps:
        blocks.append(["Not understood in it:", *_gaps(effects, width)])
    return "\n\n".join("\n".join(b) for b in blocks) + "\n"


def _head(effects: Effects, width: int, paint: Paint) -> list[str]:
    contract = effects.contracts.after or effects.contracts.before
    assert contract is not None, "a function that is defined nowhere was refused"
    at = contract.place
    out = [paint(plain(f"{effects.function}()"), "title") + f" in {plain(f'{at.file}:{at.line}')}"]
    out.extend(wrap(plain(contract.prototype), width, first="  ", rest="      "))
    if effects.taken:
        told = f"Calls of it are not followed: it is taken {effects.taken}."
        out.extend(wrap(told, width, first="  ", rest="  "))
    if effects.contracts.after is None:
        out.append("  The patch removes it.")
    elif effects.contracts.before is None:
        out.append("  The patch adds it.")
    elif effects.compared and effects.contracts.before.contexts == contract.contexts:
        out.append("  The patch changes nothing of what it does to pages.")
    return out


def _headings(
    before: Contract | None, after: Contract | None
) -> Iterator[tuple[str, tuple[tuple[str, str], ...]]]:
    """Yield what contexts are told apart by, each once, those of the tree after first."""
    contexts = [c for contract in (after, before) if contract for c in contract.contexts]
    last = [c for c in contexts if not c.callers]
    first = [c for c in contexts if c.callers]
    yield from dict.fromkeys((c.pages, c.constants) for c in (*first, *last))


def _of(
    contract: Contract | None, pages: str, constants: tuple[tuple[str, str], ...]
) -> tuple[Way, ...]:
    contexts: Iterable[Context] = contract.contexts if contract else ()
    return tuple(
        w for c in contexts if (c.pages, c.constants) == (pages, constants) for w in c.ways
    )


def _callers(
    before: Contract | None,
    after: Contract | None,
    pages: str,
    constants: tuple[tuple[str, str], ...],
) -> tuple[str, ...]:
    found = (
        caller
        for contract in (after, before)
        if contract
        for c in contract.contexts
        if (c.pages, c.constants) == (pages, constants)
        for caller in c.callers
    )
    return tuple(dict.fromkeys(found))


def _context(
    pages: str, constants: tuple[tuple[str, str], ...], callers: tuple[str, ...], width: int
) -> list[str]:
    text = pages[:1].upper() + pages[1:]
    if constants:
        text += ", " + ", ".join(f"{name} = {value}" for name, value in constants)
    if callers:
        text += f"; from {', '.join(callers)}"
    return wrap(plain(text), width, rest="    ")


def _marked(before: tuple[Way, ...], after: tuple[Way, ...]) -> Iterator[tuple[str, Way]]:
    """Mark what only one tree does, what is gone before what has come."""
    for way in before:
        yield (" " if way in after else "-"), way
    for way in after:
        if way not in before:
            yield "+", way


def _lines(marked: Iterable[tuple[str, Way]], width: int, paint: Paint) -> Iterator[str]:
    for mark, way in marked:
        style = _STYLES[mark]
        for line in wrap(plain(_way(way)), width, first=f"{mark} ", rest=f"{mark}     "):
            yield paint(line, style) if style else line


def _way(way: Way) -> str:
    """Write one way: `Offline -> no type; to the buddy; returns 0`."""
    entry = f"{way.entry} -> " if way.entry else "-> "
    if way.outcome != "returns":
        at = f" ({way.at.function}(), {way.at.file}:{way.at.line})" if way.at else ""
        state = f" while it is {way.exit}" if way.exit and way.exit != way.entry else ""
        return f"{entry}{way.outcome} at {way.operation}{at}{state}"
    parts = [way.exit, f"to {way.given}" if way.given else ""]
    if way.value:
        parts.append(f"returns {way.value}")
    return entry + "; ".join(p for p in parts if p)


def _sighting(s: Sighting, width: int, paint: Paint) -> list[str]:
    inside = f" in {s.place.function}()" if s.place.function else ""
    out = [paint(plain(f"After {s.place.file}:{s.place.line}{inside}"), "title")]
    if not s.known:
        why = "nothing is done on this line" if s.bare else "no page that is followed gets past it"
        return [*out, *wrap(why, width, first="  ", rest="  ")]
    for k in s.known:
        where = f"{'on' if k.given.startswith('the list') else 'at'} {k.given}" if k.given else ""
        state = "; ".join(w for w in (k.state, where) if w)
        out.extend(
            wrap(plain(f"{k.variable}: {k.pages}: {state}"), width, first="  ", rest="      ")
        )
    return out


def _gaps(effects: Effects, width: int) -> Iterator[str]:
    for admitted in effects.gaps:
        yield from wrap(plain(words.gap(admitted)), width, first="  ", rest="      ")


def render_json(effects: Effects) -> str:
    """Return the contract as one JSON object, ASCII throughout."""
    report = {
        "version": 1,
        "tool": {"name": "offlint", "version": __version__},
        "tree": {"name": effects.tree},
        "function": effects.function,
        "taken": effects.taken,
        "before": _contract(effects.contracts.before),
        "after": _contract(effects.contracts.after),
        "lines": [
            {
                "file": s.place.file,
                "line": s.place.line,
                "function": s.place.function,
                "known": [
                    {"variable": k.variable, "pages": k.pages, "state": k.state, "given": k.given}
                    for k in s.known
                ],
            }
            for s in effects.sightings
        ],
        "gaps": [
            {"kind": g.kind, "file": g.file, "line": g.line, "detail": g.detail}
            for g in effects.gaps
        ],
    }
    return json.dumps(report, indent=2, ensure_ascii=True) + "\n"


def _contract(contract: Contract | None) -> Object | None:
    if contract is None:
        return None
    return {
        "file": contract.place.file,
        "line": contract.place.line,
        "prototype": contract.prototype,
        "contexts": [
            {
                "pages": c.pages,
                "arguments": dict(c.constants),
                "callers": list(c.callers),
                "ways": [_way_object(w) for w in c.ways],
            }
            for c in contract.contexts
        ],
    }


def _way_object(w: Way) -> Object:
    return {
        "entry": w.entry,
        "outcome": w.outcome,
        "exit": w.exit,
        "given": w.given,
        "returns": w.value,
        "operation": w.operation,
        "at": None
        if w.at is None
        else {"file": w.at.file, "line": w.at.line, "function": w.at.function},
    }
