"""Render why a line is or is not reported."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from analyzer import __version__
from analyzer.contracts import Explanation, Happening
from analyzer.report.paint import Paint, painter
from analyzer.report.plain import plain, wrap
from analyzer.report.words import gap

#: A JSON object on its way to the encoder.
Object = dict[str, Any]

_STYLES = {"-": "error", "+": "good", " ": ""}
_RELATIONS = {
    "here": "on this line",
    "trace": "by way of this line",
    "function": "in the same function",
}
#: So many calls of a way are shown; its beginning is left out first.
_MOST = 6


def render(e: Explanation, *, width: int = 80, colour: bool = False) -> str:
    """Return the explanation as text: the reason, what reaches the line, what was not followed."""
    paint = painter(colour=colour)
    inside = f" in {e.place.function}()" if e.place.function else ""
    head = [paint(plain(f"{e.place.file}:{e.place.line}{inside}"), "title")]
    if e.text:
        head.extend(wrap(plain(e.text), width, first="    ", rest="      "))
    blocks = [head, wrap(plain(e.reason), width)]
    for remark in e.remarks:
        status = "" if remark.status == "introduced" else f", {remark.status}"
        at = f"{remark.place.file}:{remark.place.line}"
        label = f"{remark.severity}[{remark.rule}] {_RELATIONS[remark.relation]}{status}"
        blocks.append(
            [
                paint(label, remark.severity),
                *wrap(plain(f"{at}: {remark.message}"), width, first="  ", rest="    "),
            ]
        )
    if e.before or e.after:
        on_line = any(h.operation for h in (*e.after, *(e.before or ())))
        title = "What comes here" if on_line else "What is known after it"
        blocks.append([paint(title, "title"), *_happenings(e, width, paint)])
    for ruling in e.rulings:
        title = f"The audit of {ruling.migration}: {ruling.operation} is {ruling.verdict}"
        reason = wrap(plain(ruling.reason), width, first="  ", rest="  ")
        blocks.append(
            [*(paint(x, "title") for x in wrap(plain(title), width, rest="    ")), *reason]
        )
    if e.gaps:
        lines = (gap(g) for g in e.gaps)
        gaps = [x for line in lines for x in wrap(plain(line), width, first="  ", rest="      ")]
        blocks.append([paint("Not followed", "title"), *gaps])
    if e.place.function:
        name = f"{e.place.file}:{e.place.function}"
        text = plain(f"All that the function does: offlint effects {name}")
        blocks.append(wrap(text, width, rest="  "))
    return "\n\n".join("\n".join(b) for b in blocks) + "\n"


def _happenings(e: Explanation, width: int, paint: Paint) -> Iterator[str]:
    before: tuple[Happening, ...] = e.after if e.before is None else e.before
    for pages in dict.fromkeys(h.pages for h in (*e.after, *before)):
        mine = [h for h in e.after if h.pages == pages]
        was = [h for h in before if h.pages == pages]
        yield from wrap(
            plain(f"{pages}, by {_way((mine or was)[0])}"), width, first="  ", rest="    "
        )
        for mark, h in _marked(was, mine, new=e.compared and e.before is None):
            style = _STYLES[mark]
            for line in wrap(plain(_state(h)), width, first=f"{mark}   ", rest=f"{mark}       "):
                yield paint(line, style) if style else line


def _marked(
    before: Iterable[Happening], after: Iterable[Happening], *, new: bool
) -> Iterator[tuple[str, Happening]]:
    was, now = list(before), list(after)
    yield from (("-", h) for h in was if h not in now)
    yield from ((" " if h in was and not new else "+", h) for h in now)


def _way(h: Happening) -> str:
    shown = h.way if len(h.way) <= _MOST else ("...", *h.way[-_MOST:])
    return " > ".join(shown)


def _state(h: Happening) -> str:
    return f"{h.state}: {h.operation}() {h.outcome}" if h.operation else h.state


def render_json(e: Explanation) -> str:
    """Return the explanation as one JSON object, ASCII throughout."""
    report = {
        "version": 1,
        "tool": {"name": "offlint", "version": __version__},
        "tree": {"name": e.tree},
        "file": e.place.file,
        "line": e.place.line,
        "function": e.place.function,
        "text": e.text,
        "reason": e.reason,
        "before": None if e.before is None else [_object(h) for h in e.before],
        "after": [_object(h) for h in e.after],
        "findings": [
            {
                "relation": r.relation,
                "rule": r.rule,
                "severity": r.severity,
                "status": r.status,
                "message": r.message,
                "file": r.place.file,
                "line": r.place.line,
                "function": r.place.function,
            }
            for r in e.remarks
        ],
        "audit": [
            {
                "migration": r.migration,
                "operation": r.operation,
                "verdict": r.verdict,
                "reason": r.reason,
            }
            for r in e.rulings
        ],
        "gaps": [
            {"kind": g.kind, "file": g.file, "line": g.line, "detail": g.detail} for g in e.gaps
        ],
    }
    return json.dumps(report, indent=2, ensure_ascii=True) + "\n"


def _object(h: Happening) -> Object:
    return {
        "pages": h.pages,
        "state": h.state,
        "operation": h.operation,
        "outcome": h.outcome,
        "way": list(h.way),
    }
