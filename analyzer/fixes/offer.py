"""Try proposals until one is proved: the finding is gone and nothing new has come."""

from __future__ import annotations

import difflib
import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from analyzer.base import Gap, Pair, unspaced
from analyzer.findings import Finding, Result, Status
from analyzer.fixes.proposals import proposals
from analyzer.fixes.written import file_diff
from analyzer.patch.splice import split_lines
from analyzer.select import is_open
from analyzer.tree import Overlay, Tree

#: Runs of the whole analysis for one finding, and repairs that build on each other.
_TRIES, _DEPTH = 8, 3
#: Runs of the analysis in all.
_RUNS = 100

#: (trees, the files that differ) -> what a patch from one to the other does.
Analyse = Callable[[Pair[Tree], tuple[str, ...]], Result]


@dataclass(frozen=True, slots=True)
class Offers:
    """A result whose findings carry their fixes, and one diff with all that go together."""

    result: Result
    diff: str


@dataclass(frozen=True, slots=True)
class _Said:
    """What an analysis says: how often of each place, and where it is blind."""

    findings: Counter[tuple[str, ...]]
    open: tuple[Finding, ...]
    gaps: Counter[tuple[str, ...]]


@dataclass
class _Trial:
    """The trees around a series, and how to look at them with some files replaced.

    changed names the files in which they differ. left bounds the runs for the finding at hand.
    """

    trees: Pair[Tree]
    changed: tuple[str, ...]
    analyse: Analyse
    left: int = 0
    runs: int = 0
    _known: dict[tuple[tuple[str, bytes], ...], _Said] = field(default_factory=dict)

    def read(self, files: Mapping[str, bytes]) -> Pair[Callable[[str], bytes | None]]:
        """Return how to read both trees, some files of the after replaced."""
        return Pair(self.trees.before.read, Overlay(self.trees.after, files).read)

    def look(self, files: Mapping[str, bytes]) -> _Said:
        """Analyse the series with some files of its after replaced."""
        key = tuple(sorted(files.items()))
        if key not in self._known:
            self.runs += 1
            after = Overlay(self.trees.after, files)
            changed = tuple(sorted({*self.changed, *files}))
            self._known[key] = _said(self.analyse(Pair(self.trees.before, after), changed))
        return self._known[key]


def offer_fixes(
    result: Result,
    trees: Pair[Tree],
    changed: tuple[str, ...],
    analyse: Analyse,
    *,
    reference: Result | None = None,
    wanted: Callable[[Finding], bool] = lambda _: True,
) -> Offers:
    """Return the result with a fix for each wanted open finding that one was proved for.

    trees are those around the whole series, and changed names the files in which they differ.
    reference is what was found before some of it was accepted; a fix must add nothing to it. A
    fix applies to the tree after. Fixes that stand in each other's way are in the findings all
    the same; the diff holds those that were proved together.
    """
    trial = _Trial(trees, changed, analyse)
    asked = [f for f in result.findings if is_open(f) and wanted(f)]
    if not asked:
        return Offers(replace(result, notes=(*result.notes, "nothing is found to be mended")), "")
    alone = len(result.patches) == 1
    said = _said(reference or result) if alone else trial.look({})
    fixed: dict[int, Mapping[str, bytes]] = {}
    untried = 0
    for finding in asked:
        trial.left = min(_TRIES, _RUNS - trial.runs)
        untried += trial.left <= 0
        # A later patch of the series may have moved the place: take it where it is in the end.
        seen = finding if alone else _seen_in(said, finding)
        files = None
        if seen is not None:
            files = _mended_already(seen, said, trial, fixed.values())
            files = files or _fix((seen,), said, trial, {}, _DEPTH)
        if files is not None:
            fixed[id(finding)] = files
    findings = tuple(
        replace(f, fix=_diff(trees.after, fixed[id(f)])) if id(f) in fixed else f
        for f in result.findings
    )
    together, left_out = _together(list(fixed.values()), said, trial)
    remarks = _remarks(len(asked), len(fixed), left_out, untried)
    return Offers(
        replace(result, findings=findings, notes=(*result.notes, *remarks)),
        _diff(trees.after, together),
    )


def _mended_already(
    finding: Finding, said: _Said, trial: _Trial, fixes: Iterable[Mapping[str, bytes]]
) -> Mapping[str, bytes] | None:
    """Return another finding's fix that mends this one as well: it is the same mistake."""
    return next((f for f in fixes if not _remains(finding, trial.look(f), said)), None)


def _seen_in(said: _Said, finding: Finding) -> Finding | None:
    return next((f for f in said.open if _place(f) == _place(finding)), None)


def _remarks(asked: int, fixed: int, left_out: int, untried: int) -> list[str]:
    findings = "finding" if asked == 1 else "findings"
    out = [f"a fix was proved for {fixed} of {asked} {findings}, by analysing the repaired tree"]
    if not fixed:
        out = [f"no fix could be proved for {asked} {findings}, by analysing a repaired tree"]
    if left_out:
        out.append(f"{left_out} of the fixes stand in another's way and are not in the diff")
    if untried:
        out.append(f"no fix was tried for {untried} of the findings: too many for one run")
    return out


def _fix(
    goals: tuple[Finding, ...],
    reference: _Said,
    trial: _Trial,
    files: Mapping[str, bytes],
    depth: int,
) -> Mapping[str, bytes] | None:
    """Return the files that mend the last of the goals on top of those given, and keep the others.

    None where nothing does. What a finding had hidden comes to light when it is gone, and is then
    mended as well, in the same function only.
    """
    unfinished: list[tuple[Mapping[str, bytes], Finding]] = []
    for proposal in proposals(goals[-1], trial.read(files), trial.changed):
        if trial.left <= 0:
            break
        trial.left -= 1
        tried = {**files, proposal.path: proposal.text}
        said = trial.look(tried)
        if any(_remains(goal, said, reference) for goal in goals):
            continue
        if said.gaps - reference.gaps:
            continue  # what cannot be read any more is not mended
        new = said.findings - reference.findings
        if not new:
            return tried
        hidden = [f for f in said.open if _place(f) in new and _is_beside(f, goals[0])]
        if len(hidden) == new.total():
            unfinished.append((tried, hidden[0]))
    for half, next_goal in unfinished if depth > 1 else ():
        more = _fix((*goals, next_goal), reference, trial, half, depth - 1)
        if more is not None:
            return more
    return None


def _remains(finding: Finding, said: _Said, reference: _Said) -> bool:
    place = _place(finding)
    return said.findings[place] >= max(1, reference.findings[place])


def _is_beside(one: Finding, other: Finding) -> bool:
    return (one.file, one.function) == (other.file, other.function)


def _place(f: Finding) -> tuple[str, ...]:
    return (f.rule, f.file, f.function, unspaced(f.operation))


def _said(result: Result) -> _Said:
    standing = [f for f in result.findings if f.status is not Status.FIXED and f.fixed_by is None]
    return _Said(
        Counter(map(_place, standing)),
        tuple(f for f in standing if is_open(f)),
        Counter(map(_blind, result.gaps)),
    )


def _blind(gap: Gap) -> tuple[str, ...]:
    return (gap.kind, gap.file, gap.function, gap.detail)


def _together(
    fixes: Sequence[Mapping[str, bytes]], reference: _Said, trial: _Trial
) -> tuple[Mapping[str, bytes], int]:
    """Return the files with as many fixes as go together, and how many do not."""
    merged: Mapping[str, bytes] = {}
    taken: list[Mapping[str, bytes]] = []
    for fix in fixes:
        with_it = _merged(merged, fix, trial.trees.after)
        if with_it is not None:
            merged, taken = with_it, [*taken, fix]
    if len(taken) > 1 and trial.look(merged).findings - reference.findings:
        # They undo each other: keep adding one at a time, and leave out what does harm.
        merged, kept = taken[0], taken[:1]
        for fix in taken[1:]:
            with_it = _merged(merged, fix, trial.trees.after)
            if with_it is None or trial.look(with_it).findings - reference.findings:
                continue
            merged, kept = with_it, [*kept, fix]
        taken = kept
    return merged, len(fixes) - len(taken)


def _merged(
    one: Mapping[str, bytes], other: Mapping[str, bytes], tree: Tree
) -> Mapping[str, bytes] | None:
    """Return the files with both changes made; None where they touch the same lines."""
    out: dict[str, bytes] = dict(one)
    for path, text in other.items():
        base = tree.read(path) or b""
        if path not in out or out[path] == text:
            out[path] = text
            continue
        both = _changes(base, out[path]) + [
            c for c in _changes(base, text) if c not in _changes(base, out[path])
        ]
        both.sort()
        if any(a[1] > b[0] or a[:2] == b[:2] for a, b in itertools.pairwise(both)):
            return None
        lines = split_lines(base)
        for start, end, new in reversed(both):
            lines[start:end] = new
        out[path] = b"".join(lines)
    return out


def _changes(base: bytes, text: bytes) -> list[tuple[int, int, list[bytes]]]:
    """Return the stretches of lines in which a text differs from its base."""
    before, after = split_lines(base), split_lines(text)
    matcher = difflib.SequenceMatcher(None, before, after, autojunk=False)
    return [(a, b, after[c:d]) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"]


def _diff(tree: Tree, files: Mapping[str, bytes]) -> str:
    """Return the change of some files as `git diff` writes it."""
    return "".join(
        file_diff(path, tree.read(path) or b"", new) for path, new in sorted(files.items())
    )
