"""Say in words what formats have in common: verdicts, places, what became of a finding."""

from __future__ import annotations

from collections import Counter

from analyzer.base import Gap, Severity
from analyzer.findings import (
    Cause,
    ContractChange,
    Finding,
    LeftOut,
    Migration,
    Result,
    Status,
    Step,
    Treatment,
)
from analyzer.select import Selected, is_hazard
from analyzer.sites import Audit, Move, Site, Verdict, count_late
from analyzer.spelling import in_words

#: How the phrases of a changed contract begin.
_HEADS = ("is handed pages ", "sets ", "clears ", "hands on pages ")


def counted(n: int, noun: str) -> str:
    """Return `1 error` or `2 errors`."""
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def sentence(text: str) -> str:
    """Return a text with a capital at its beginning; names, and one there, keep their case."""
    first = text.partition(" ")[0]
    return text if "_" in first or "(" in first else f"{text[:1].upper()}{text[1:]}"


def listed(parts: list[str], *, last: str = "and") -> str:
    """Return `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}"


def found(selected: Selected) -> str:
    """Return `1 error and 2 notes` of what is shown; empty where there is nothing open."""
    parts = [counted(selected.count(s), s) for s in Severity if selected.count(s)]
    hazards = sum(is_hazard(f) for f in selected.shown)
    if hazards:
        parts.append(f"{counted(hazards, 'mistake')} that the series mends later")
    return listed(parts) if parts else ""


def verdict(selected: Selected) -> str:
    """Sum up in a sentence what was found."""
    if said := found(selected):
        return f"{said}."
    if limits := reservation(selected.result):
        return limits
    result = selected.result
    why = result.unmoved
    if result.brought and not why:
        are = "is" if len(result.brought) == 1 else "are"
        new = listed([f"Page{title}" for title in result.brought])
        return f"Nothing stale found; the new {new} {are} followed."
    return f"Nothing stale found: {why}." if why else "Nothing stale found."


def reservation(result: Result) -> str:
    """Say in a sentence that what was not found need not be absent; empty where all was judged."""
    if result.unjudged and len(result.unjudged) >= len(result.patches):
        return f"Nothing was judged: {result.stopped}."
    if result.unjudged or result.is_cut:
        return "Nothing stale found in what was judged, and not everything was."
    if result.left_out:
        return "Nothing stale found in what applies, and not everything does."
    if result.blind:
        return "Nothing stale found, but not all that the patch touches was understood."
    return ""


def unsaid(selected: Selected) -> str:
    """Say in a sentence what the verdict does not: what is listed besides, and what is not.

    Empty if there is nothing of either.
    """
    parts = []
    if said := partial(selected.result):
        parts.append(said)
    if old := Counter(str(f.status) for f in selected.shown if f.status is not Status.INTRODUCED):
        parts.append(f"shown besides: {', '.join(f'{n} {fate}' for fate, n in old.items())}")
    if selected.hidden:
        parts.append(f"not shown: {', '.join(f'{n} {why}' for why, n in selected.hidden)}")
    if gaps := len(selected.result.gaps):
        parts.append(f"blind in {counted(gaps, 'place')}")
    if not parts:
        return ""
    text = "; ".join(parts)
    return f"{sentence(text)}{' (see --all)' if selected.is_cut else ''}."


def migration(moved: Migration, result: Result, *, to: str = "->") -> str:
    """Say how a population starts now; `to` stands between the states."""
    text = f"{moved.population}: {moved.before} {to} {moved.after}"
    if moved.exceptions:
        text += f", except {', '.join(moved.exceptions)}"
    if moved.cause is not None:
        text += f"; caused by {place(moved.cause, result)}"
    return text


def treatment(treated: Treatment) -> str:
    """Say whose pages functions treat otherwise."""
    return f"{treated.population} are treated otherwise:"


def contract(change: ContractChange) -> str:
    """Say what a function does to pages now and did not, and what it did and does not."""
    parts = []
    for head in _HEADS:
        now = [p.removeprefix(head) for p in change.gained if p.startswith(head)]
        was = [p.removeprefix(head) for p in change.lost if p.startswith(head)]
        last = "or" if head.endswith(" pages ") else "and"  # a page is in one state
        if now and was:
            parts.append(f"{head}{listed(now, last=last)} instead of {listed(was, last=last)}")
        elif now:
            parts.append(f"now {head}{listed(now, last=last)}")
        elif was:
            parts.append(f"no longer {head}{listed(was, last=last)}")
    return f"{change.function}() {listed(parts)}"


def elsewhere(finding: Finding) -> Cause | None:
    """Return what made a finding stale where that is another place than the one to mend."""
    cause = finding.cause
    return None if cause is None or cause.span == finding.span else cause


def place(cause: Cause, result: Result) -> str:
    """Write a cause as `function() (file:line, hunk 1, patch 2 of 3)`, as far as it is known."""
    at = f"{cause.span.file}:{cause.span.line}"
    if cause.hunk is not None:
        at += f", hunk {cause.hunk}"
    if cause.patch is not None and len(result.patches) > 1:
        at += f", patch {cause.patch} of {len(result.patches)}"
    return f"{cause.function}() ({at})" if cause.function else at


def partial(result: Result) -> str:
    """Say that a result is partial; empty where it is not."""
    hunks, files = (sum((x.hunk > 0) is of for x in result.left_out) for of in (True, False))
    what = [counted(n, noun) for n, noun in ((hunks, "hunk"), (files, "file")) if n]
    are = "is" if len(result.left_out) == 1 else "are"
    return f"partial: {listed(what)} did not apply and {are} left out" if what else ""


def partial_at(result: Result) -> tuple[str, str] | None:
    """Return the first file of which something was left out, and what to say; None if whole."""
    if not result.left_out:
        return None
    first = result.left_out[0]
    text = partial(result).removeprefix("partial: ")
    return first.file, f"{text}; the first: {left_out(first, result)}"


def unjudged(result: Result) -> str:
    """Say of which patches nothing was judged, and why; empty where all were."""
    if not result.unjudged:
        return ""
    numbers = listed([str(n) for n in result.unjudged])
    noun = "patch" if len(result.unjudged) == 1 else "patches"
    return f"{result.stopped}: nothing of {noun} {numbers} was judged"


def doubts(result: Result) -> list[str]:
    """Say what of the patches was not judged; nothing where all was."""
    cut = "work on some of it was ended early" if result.is_cut else ""
    return [doubt for doubt in (unjudged(result), cut, partial(result)) if doubt]


def left_out(hunk: LeftOut, result: Result) -> str:
    """Say which hunk was left out, and why."""
    name = f"{hunk.file} hunk {hunk.hunk}" if hunk.hunk else hunk.file
    of = f" of patch {hunk.patch}" if len(result.patches) > 1 else ""
    return f"{name}{of} (line {hunk.line}): {hunk.reason}"


def step(taken: Step) -> str:
    """Say where a step stands and what is known there; its function is named once."""
    at = f"{taken.span.file}:{taken.span.line}"
    if taken.function and not taken.message.startswith(f"{taken.function}()"):
        at = f"{at} {taken.function}()"
    return f"{at}: {taken.message}"


def charge(finding: Finding) -> str:
    """Say which patch of a series introduces or mends a finding."""
    if is_hazard(finding):
        return (
            f"introduced by patch {finding.introduced_by}, mended by patch {finding.fixed_by}; "
            "a bisection can stop between them"
        )
    if finding.status is Status.FIXED:
        return f"fixed by patch {finding.fixed_by}"
    if finding.status is Status.PRE_EXISTING:
        return "none of the series"
    return f"introduced by patch {finding.introduced_by}"


def remark(finding: Finding) -> str:
    """Say in brackets what keeps a finding from being an open problem; empty where nothing does."""
    if is_hazard(finding):
        return f" (from patch {finding.introduced_by} until patch {finding.fixed_by} mends it)"
    if finding.status is Status.FIXED:
        return " (fixed; told as if the patch were taken back)"
    return "" if finding.status is Status.INTRODUCED else f" ({finding.status})"


def gap(admitted: Gap) -> str:
    """Say where a gap lies, if it lies anywhere, and what was not understood there."""
    return f"{gap_place(admitted)}: {admitted.detail}".removeprefix(": ")


def gap_place(gap: Gap) -> str:
    """Return where a gap lies: `file:line in function()`; empty where it lies nowhere."""
    at = f"{gap.file}:{gap.line}" if gap.line else gap.file
    if not gap.function:
        return at
    return f"{at} in {gap.function}()" if at else f"{gap.function}()"


def label(rule: str) -> str:
    """Write a rule as checkpatch writes its types: DOUBLE_SET."""
    return rule.upper().replace("-", "_")


def start(move: Move) -> str:
    """Say how pages start in a tree that is audited, and whether that is as they are to."""
    now, pages = in_words(move.starts), move.population
    if not move.starts:
        return f"{pages}: this tree makes none that could be followed"
    if move.starts == move.after:
        return f"{pages} start {now} here; before the change {in_words(move.before)}"
    return (
        f"{pages} start {now} here: the change is not in, and no such page starts "
        f"{in_words(move.after)}. The verdicts say what it would mean."
    )


def history(site: Site) -> str:
    """Say after which patches a verdict came about; empty where it is no news."""
    is_open = site.verdict in (Verdict.UNAFFECTED, Verdict.UNDECIDED)
    if len(site.history) <= is_open:  # which patch leaves open what it leaves
        return ""
    return ", ".join(f"{verdict} after patch {n}" for n, verdict in site.history)


def late(audit: Audit) -> str:
    """Say in a sentence how many uses were not reached, and why; empty where all were."""
    uses = count_late(audit.sites, audit.stopped) if audit.stopped else 0
    if not uses:
        return ""
    return f"In part, {audit.stopped}: undecided for that alone: {counted(uses, 'use')}."
