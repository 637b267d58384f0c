"""State the answer key: which places each part of the change must bring to light.

Written from what the kernel does, before any run of the tool.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from analyzer.base import Severity
from analyzer.findings import Finding, Result, Status

from .pieces import CODE, CORE, DRIVERS, NAMES, PIECES, Piece

LAWS = ("strict", "lenient", "bits")

#: What is a second set, and what a second clear, when its hunk is left out.
_SETS = frozenset({"virtio_mem_set_fake_offline", "balloon_append"})
_CLEARS = frozenset({"virtio_mem_clear_fake_offline", "hv_page_online_one"})

#: Which breaches a law makes harmless; they are still named, as a note `redundant-op`.
#: One bit a type: setting a set bit is silent, clearing a clear one traps.
REDUNDANT: Mapping[str, frozenset[str]] = {
    "strict": frozenset(),
    "lenient": _SETS | _CLEARS,
    "bits": _SETS,
}

#: Comments that the change itself left wrong: the only notes that the whole of it may draw.
STALE_COMMENTS = frozenset({"move_pfn_range_to_zone", "__remove_pages"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Some hunks of the change applied: each of expected needs a finding in one of its functions.

    allowed names functions that may be reported as well; any other is noise.
    """

    name: str
    kept: frozenset[str]
    expected: tuple[frozenset[str], ...] = ()
    allowed: frozenset[str] = frozenset()
    only_comments: bool = False
    applied_before: bool = False


def _places(*functions: str) -> tuple[frozenset[str], ...]:
    return tuple(frozenset({f}) for f in functions)


def _without(piece: Piece) -> Case:
    return Case(
        name=f"without {piece.name}",
        kept=NAMES - {piece.name},
        expected=_places(piece.function) if piece.code else (),
    )


CASES = (
    Case(name="whole", kept=NAMES, only_comments=True),
    Case(name="applied already", kept=NAMES, only_comments=True, applied_before=True),
    Case(name="nothing", kept=frozenset()),
    *(_without(piece) for piece in PIECES),
    # Both hunks of one function: hotplugged pages go to the buddy as they came, still Offline.
    Case(
        name="without free-*",
        kept=NAMES - {"free-hotplug", "free-boot"},
        expected=_places("__free_pages_core"),
    ),
    Case(name="without any remark", kept=CODE),
    # The initial state changes and nobody follows. The Hyper-V driver and the clearing half of
    # virtio-mem take Offline off before they hand a page over, which is right as long as
    # __free_pages_core() does not.
    Case(
        name="only init",
        kept=frozenset({"init"}),
        expected=_places(
            "__free_pages_core",
            "mhp_init_memmap_on_memory",
            "virtio_mem_set_fake_offline",
            "balloon_append",
        ),
    ),
    # Hotplugged pages still start Reserved, and __free_pages_core() still clears only that.
    # 1. virtio_mem_set_fake_offline() relies on Offline from the start and asserts it: the
    #    assertion fails for every page that was never onlined. To mend: there, or in the
    #    initialiser, which by then gives a state that its consumers do not expect.
    # 2. hv_page_online_one() marks pages that the host does not back yet, and hands them over
    #    later without taking the mark off: Offline pages reach the buddy. To mend: there, or in
    #    __free_pages_core(), which the drivers now expect to do it. (It also hands over no page
    #    that is not Offline, so a backed page never gets online at all. Same place.)
    # virtio_mem_clear_fake_offline() does the right thing for pages that were never marked. A
    # tool that trusts the failed assertion of 1 sees marked pages leak there: allowed, not asked.
    # balloon_append() now works with either initial state.
    Case(
        name="only drivers",
        kept=DRIVERS,
        expected=(
            frozenset({"virtio_mem_set_fake_offline", "memmap_init_range"}),
            frozenset({"hv_page_online_one", "__free_pages_core"}),
        ),
        allowed=frozenset({"virtio_mem_clear_fake_offline"}),
    ),
    # Pages start Offline, and __free_pages_core() clears it: a driver that marks what is marked
    # or clears before it hands over is the one to mend.
    Case(
        name="only core",
        kept=CORE,
        expected=_places(*sorted(_SETS | _CLEARS)),
    ),
)


def introduced(result: Result, level: Severity = Severity.NOTE) -> list[Finding]:
    """Return what the patch made wrong, at or above a level."""
    return [
        f
        for f in result.findings
        if f.status is Status.INTRODUCED and f.severity.rank >= level.rank
    ]


def counts(finding: Finding, law: str) -> bool:
    """Say whether a finding is heavy enough to name its place under a law."""
    if finding.severity.rank >= Severity.WARNING.rank:
        return True
    return finding.rule == "redundant-op" and finding.function in REDUNDANT[law]


def complaints(case: Case, law: str, result: Result) -> list[str]:
    """Return what a result lacks and what it should not say; empty where it is right."""
    named = {f.function for f in introduced(result) if counts(f, law)}
    wanted = frozenset().union(*case.expected)
    heavy = introduced(result, Severity.WARNING)
    return [
        *(f"missing: {' or '.join(sorted(g))}" for g in case.expected if not g & named),
        *(f"noise: {spell(f)}" for f in heavy if f.function not in wanted | case.allowed),
        *(
            f"noise: {spell(f)}"
            for f in (introduced(result) if case.only_comments else ())
            if f.severity is Severity.NOTE
            and not (f.rule == "stale-comment" and f.function in STALE_COMMENTS)
        ),
    ]


def spell(finding: Finding) -> str:
    """Return a finding in one short line."""
    return f"{finding.severity.value} {finding.rule} in {finding.function} ({finding.file})"


def spell_places(groups: Iterable[frozenset[str]]) -> str:
    """Return expected places in one short line."""
    return ", ".join("|".join(sorted(g)) for g in groups) or "-"
