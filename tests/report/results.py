"""Results made by hand: a small driver that sets a type on pages that are born with it."""

from __future__ import annotations

from dataclasses import replace

from analyzer.base import Confidence, Gap, Severity, Span
from analyzer.findings import Cause, Finding, Migration, PatchInfo, Result, Status, Step
from analyzer.rules import Rule
from analyzer.select import Selected, Selection, select
from analyzer.sites import Site, Verdict

INIT = b"""\
void init_range(unsigned long pfn)
{
	struct page *page = pfn_to_page(pfn);

	__SetPageOffline(page);
}
"""
DRIVER = b"""\
static LIST_HEAD(kept);

/* keep a page back */
static void keep_page(struct page *page)
{
	__SetPageOffline(page);
	list_add(&page->lru, &kept);
}
"""
FILES = {"mm/init.c": INIT, "drivers/toy/toy.c": DRIVER}


def read(path: str, _patch: int) -> bytes | None:
    """Return a file of the small tree; it is the same after every patch."""
    return FILES.get(path)


def changed(path: str, patch: int) -> tuple[range, ...]:
    """Return the lines that the second patch changes: those that set the type at birth."""
    return (range(4, 6),) if (path, patch) == ("mm/init.c", 2) else ()


def span(path: str, text: str, *, last: str = "") -> Span:
    """Return where a text stands in a file of the small tree."""
    source = FILES[path]
    start = source.index(text.encode())
    end = source.index(last.encode(), start) + len(last) if last else start + len(text)
    line, column = _place(source, start)
    end_line, end_column = _place(source, end)
    return Span(path, start, end, line, column, end_line, end_column)


def _place(source: bytes, at: int) -> tuple[int, int]:
    return source.count(b"\n", 0, at) + 1, at - (source.rfind(b"\n", 0, at) + 1) + 1


BIRTH = span("mm/init.c", "__SetPageOffline(page)")
SET = span("drivers/toy/toy.c", "__SetPageOffline(page)")

FINDING = Finding(
    rule="double-set",
    function="keep_page",
    file="drivers/toy/toy.c",
    operation="__SetPageOffline(page)",
    span=SET,
    severity=Severity.ERROR,
    confidence=Confidence.MEDIUM,
    message="keep_page() sets PageOffline on hotplugged pages that already have it",
    introduced_by=2,
    cause=Cause(BIRTH, "init_range", 2),
    trace=(
        Step(BIRTH, "init_range", "hotplugged pages are made PageOffline"),
        Step(SET, "keep_page", "and here they are PageOffline already, so that the kernel traps"),
    ),
    fingerprint="0123",
)
REMARK = replace(
    FINDING,
    rule="stale-comment",
    operation="/* keep a page back */",
    span=span("drivers/toy/toy.c", "/* keep a page back */"),
    severity=Severity.NOTE,
    message="the comment speaks of a state that is gone",
    cause=None,
    trace=(),
)
FIXED = replace(FINDING, function="mended", status=Status.FIXED, introduced_by=None, fixed_by=1)
STANDING = replace(
    FINDING, function="standing", status=Status.PRE_EXISTING, introduced_by=None, cause=None
)
HAZARD = replace(FINDING, function="between", introduced_by=1, fixed_by=2)

RULES = {
    name: Rule(
        id=name,
        summary="a page is marked once",
        explanation=("Marking it twice stops the kernel.", "It was right before."),
        remedy="Test first.",
        limits=("Sometimes it is wrong.",),
        severity=severity,
        confidence=Confidence.MEDIUM,
        stale="__SetPageOffline(page);",
        mended="if (!PageOffline(page))\n\t__SetPageOffline(page);",
    )
    for name, severity in (("double-set", Severity.ERROR), ("stale-comment", Severity.NOTE))
}


def row(
    file: str, function: str, operation: str, reason: str, population: str, verdict: Verdict
) -> Site:
    """Return a row of an audit."""
    return Site(
        file=file,
        function=function,
        operation=operation,
        verb="sets",
        verdict=verdict,
        reason=reason,
        populations=(population,),
        span=replace(SET, file=file),
        ways=(reason, operation) if verdict is Verdict.UNDECIDED else None,
    )


ROWS = (
    row("drivers/toy/toy.c", "keep_page", "__SetPageOffline(page)",
        "hotplugged pages come here Offline", "hotplugged pages", Verdict.AFFECTED),
    row("mm/other.c", "walk", "PageReserved(page)",
        "the caller is not known", "boot memory", Verdict.UNDECIDED),
    row("mm/init.c", "", "PageReserved(page)",
        "boot memory alone", "boot memory", Verdict.UNAFFECTED),
)  # fmt: skip

RESULT = Result(
    tree="linux",
    patches=(
        PatchInfo(index=1, subject="mm: prepare", message_id="1@example.org"),
        PatchInfo(index=2, subject="mm: change how pages start", message_id="2@example.org"),
    ),
    migrations=(
        Migration(
            name="derived",
            population="hotplugged pages",
            before="Reserved",
            after="Offline",
            cause=Cause(BIRTH, "init_range", 2),
            exceptions=("ZONE_DEVICE",),
        ),
    ),
    findings=(FINDING, REMARK, FIXED, STANDING, HAZARD),
    gaps=(Gap("syntax", "drivers/toy/odd.c", 7, "odd", "an unbalanced brace"),),
    files_read=3,
    functions=4,
)
EVERYTHING = Selection(everything=True)


def selected(*findings: Finding, selection: Selection = EVERYTHING) -> Selected:
    """Return a selection of findings in the result around them."""
    return select(replace(RESULT, findings=findings), selection)
