"""Decide what of a result is shown and whether the run fails: the one place that does."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from fnmatch import fnmatchcase

from analyzer.base import Gap, Severity
from analyzer.findings import Finding, Result, Status


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What the user asked to see. rules is None for all of them.

    paths are patterns of files and folders that are ignored; `*` matches anything.
    """

    everything: bool = False
    level: Severity = Severity.NOTE
    rules: frozenset[str] | None = None
    ignored: frozenset[str] = frozenset()
    paths: tuple[str, ...] = ()

    def wants(self, rule: str) -> bool:
        """Tell whether findings of a rule count at all."""
        return rule not in self.ignored and (self.rules is None or rule in self.rules)

    def covers(self, path: str) -> bool:
        """Tell whether findings in a file count at all."""
        return not any(
            fnmatchcase(path, p) or fnmatchcase(path, f"{p.removesuffix('/')}/*")
            for p in self.paths
        )

    def counts(self, finding: Finding) -> bool:
        """Tell whether a finding counts, whatever its severity."""
        return self.wants(finding.rule) and self.covers(finding.file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selected:
    """A result, the findings of it that are shown, and how many are not, by reason.

    gaps is None where gaps are counted and not listed.
    """

    result: Result
    shown: tuple[Finding, ...]
    hidden: tuple[tuple[str, int], ...]
    gaps: tuple[Gap, ...] | None

    @property
    def is_cut(self) -> bool:
        """Tell whether asking for everything would show more."""
        fates = {str(s) for s in Status}
        unlisted = self.gaps is None and bool(self.result.gaps)
        return unlisted or any(reason in fates for reason, _ in self.hidden)

    @property
    def open(self) -> tuple[Finding, ...]:
        """Return the shown findings that the series introduces and does not mend."""
        return tuple(f for f in self.shown if is_open(f))

    def count(self, severity: Severity) -> int:
        """Count the open findings of a severity that are shown."""
        return sum(f.severity is severity for f in self.open)


def is_open(finding: Finding) -> bool:
    """Tell whether the series introduces a finding and no later patch of it mends it."""
    return finding.status is Status.INTRODUCED and finding.fixed_by is None


def is_hazard(finding: Finding) -> bool:
    """Tell whether a later patch of the series mends what an earlier one introduces."""
    return finding.status is Status.INTRODUCED and finding.fixed_by is not None


def select(result: Result, selection: Selection) -> Selected:
    """Return what is shown of a result, in its order: introduced, then fixed, then pre-existing."""
    hidden: Counter[str] = Counter()
    shown = []
    for finding in result.findings:
        reason = _reason(finding, selection)
        if reason is None:
            shown.append(finding)
        else:
            hidden[reason] += 1
    hidden.update({"suppressed": result.suppressed, "in the baseline": result.known})
    order = list(Status)
    shown.sort(key=lambda f: (order.index(f.status), is_hazard(f)))
    return Selected(
        result=result,
        shown=tuple(shown),
        hidden=tuple(sorted((reason, n) for reason, n in hidden.items() if n)),
        gaps=result.gaps if selection.everything else None,
    )


def _reason(finding: Finding, selection: Selection) -> str | None:
    """Return why a finding is not shown, in the words of the closing line; None where it is."""
    if not selection.wants(finding.rule):
        return "of other rules"
    if not selection.covers(finding.file):
        return "in ignored paths"
    if finding.status is not Status.INTRODUCED and not selection.everything:
        return str(finding.status)
    # What the series mends by itself is a remark for who bisects, however grave it was.
    weight = Severity.NOTE if is_hazard(finding) else finding.severity
    if weight.rank < selection.level.rank:
        return f"below --level {selection.level}"
    return None


def is_failure(result: Result, selection: Selection, fail_on: Severity | None) -> bool:
    """Tell whether an open finding of a wanted rule weighs at least fail_on; None never fails.

    The level does not matter: what is hidden still counts.
    """
    return fail_on is not None and any(
        is_open(f) and selection.counts(f) and f.severity.rank >= fail_on.rank
        for f in result.findings
    )
