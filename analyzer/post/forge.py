"""Post findings where code is reviewed: on their lines, on their files, or in one summary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from analyzer.base import AnalyzerError
from analyzer.findings import Finding, Result
from analyzer.patch.diff import parse_diff
from analyzer.post.client import Patience, RefusedError
from analyzer.post.deliver import Found, Item, Outcome, deliver
from analyzer.post.ledger import Ledger
from analyzer.post.report import open_findings
from analyzer.post.text import comment, counted, summary

#: So many comments of their own; more only annoy, and forges slow down who posts many at once.
MOST = 20
_UNPLACEABLE = (400, 422)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a comment can stand; line is None on the file as a whole.

    before is the number of the same line before the change, and None where the change adds it.
    """

    file: str
    line: int | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """What a forge shows of one changed file: its name before, and its lines after and before."""

    before_path: str
    lines: Mapping[int, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Forge:
    """What differs between forges, as functions. Comments and notes are (name, text)."""

    key: str
    shown: Callable[[], Mapping[str, Shown]]
    comments: Callable[[], Iterable[tuple[str, str]]]
    comment: Callable[[Place, str], str]
    notes: Callable[[], Iterable[tuple[str, str]]]
    note: Callable[[str | None, str], str]


def shown_lines(path: str, before: str, hunks: str) -> Shown:
    """Return what the hunks of one file show; what is not a diff shows nothing."""
    text = f"--- a/{before}\n+++ b/{path}\n{hunks}".encode()
    lines: dict[int, int | None] = {}
    try:
        changes = parse_diff(tuple(enumerate(text.split(b"\n"), 1)), path, None)
    except AnalyzerError:
        changes = ()
    for hunk in (h for c in changes for h in c.hunks):
        after, old = hunk.after_start, hunk.before_start
        for line in hunk.lines:
            if line.kind != "-":
                lines[after] = old if line.kind == " " else None
                after += 1
            old += line.kind != "+"
    return Shown(before, lines)


def marker(context: str, name: str) -> str:
    """Return the line by which a comment of ours is known again; no page shows it."""
    return f"<!-- offlint {context} {name} -->"


def items(result: Result, key: str, context: str) -> tuple[tuple[Finding, Item], ...]:
    """Return a comment for each finding that others may see, the worst first."""
    held = sorted(open_findings(result), key=lambda f: -f.severity.rank)
    return tuple((f, _item(f, key, context)) for f in held)


def _item(finding: Finding, key: str, context: str) -> Item:
    return Item(
        key=f"{key} {context} {finding.fingerprint}",
        title=f"comment on {finding.file}:{finding.span.line}",
        text=f"{marker(context, finding.fingerprint)}\n{comment(finding)}",
        once=True,
    )


def preview(result: Result, key: str, context: str) -> Iterator[Item]:
    """Yield what would be posted, as far as can be told without asking the forge."""
    held = items(result, key, context)
    yield from (item for _, item in held[:MOST])
    apart = [f for f, _ in held[MOST:]]
    yield Item(
        key=f"{key} {context} summary",
        title="one summary of what lies outside the change, if anything does",
        text=summary(result, apart, None),
        once=False,
    )


def post(
    result: Result, forge: Forge, context: str, ledger: Ledger, patience: Patience
) -> Iterator[Outcome]:
    """Post every finding in the best place that the forge takes, and what has none in one note.

    The note is written where something is to be said in it, that not all was judged as well, or
    where it is there already.
    """
    shown = forge.shown()
    comments = _Memory(forge.comments)
    apart: list[Finding] = []
    held = items(result, forge.key, context)
    for n, (finding, item) in enumerate(held):
        outcome = None
        is_last = finding.stage == len(result.patches)
        for place in _places(finding, shown, is_last=is_last) if n < MOST else ():
            outcome = _placed(item, place, forge, comments, ledger, patience)
            if outcome is not None:
                yield outcome
                break
        if outcome is None:
            apart.append(finding)
    item = _summary(result, forge.key, context, apart, len(held) - len(apart))
    notes = _Memory(forge.notes)
    if apart or not result.is_whole or notes.find(item, unsure=False):
        yield deliver(
            item,
            ledger,
            patience,
            lambda unsure: notes.find(item, unsure=unsure),
            lambda found: forge.note(found.remote if found else None, item.text),
        )


def _summary(result: Result, key: str, context: str, apart: Sequence[Finding], inline: int) -> Item:
    return Item(
        key=f"{key} {context} summary",
        title=f"one summary, {counted(apart, inline)}",
        text=f"{marker(context, 'summary')}\n{summary(result, apart, inline)}",
        once=False,
    )


def _places(finding: Finding, shown: Mapping[str, Shown], *, is_last: bool) -> tuple[Place, ...]:
    """Return where a finding can stand, the best first.

    The forge counts lines as the last patch leaves them; a line of an earlier tree names no place.
    """
    file = shown.get(finding.file)
    if file is None:
        return ()
    whole, line = Place(finding.file), finding.span.line
    if is_last and line in file.lines:
        return (Place(finding.file, line, file.lines[line]), whole)
    return (whole,)


def _placed(
    item: Item, place: Place, forge: Forge, comments: _Memory, ledger: Ledger, patience: Patience
) -> Outcome | None:
    """Post a comment; return None where the forge does not take it in this place."""
    try:
        return deliver(
            item,
            ledger,
            patience,
            lambda unsure: comments.find(item, unsure=unsure),
            lambda _found: forge.comment(place, item.text),
        )
    except RefusedError as error:
        if error.status in _UNPLACEABLE:
            return None
        raise


class _Memory:
    """The comments of a forge, asked for once, and again where an earlier answer may be old."""

    def __init__(self, ask: Callable[[], Iterable[tuple[str, str]]]) -> None:
        self._ask = ask
        self._held: list[tuple[str, str]] | None = None

    def find(self, item: Item, *, unsure: bool) -> Found | None:
        if self._held is None or unsure:
            self._held = list(self._ask())
        # A quotation of ours does not begin with the marker.
        first = item.text.partition("\n")[0]
        for remote, text in self._held:
            said = text.replace("\r\n", "\n")
            if said.partition("\n")[0] == first:
                return Found(remote, said.rstrip() == item.text.rstrip())
        return None
