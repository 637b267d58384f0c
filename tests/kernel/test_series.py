"""Check the series as it was posted, and its second patch as an archive shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from analyzer.base import Severity
from analyzer.findings import Finding, Result
from analyzer.letters import letters_of
from analyzer.patch.read import read_series
from analyzer.report.mail import render
from analyzer.report.view import View
from analyzer.select import Selection, select
from analyzer.tree import Tree

from .cases import STALE_COMMENTS, introduced, spell
from .trees import checked, patched

pytestmark = pytest.mark.kernel

#: The call that the first patch forgot: whole chunks are still freed with two arguments. It stands
#: in what SEMANTICS.md calls deferred_free_range(); later trees, this one too, call it so:
FORGOTTEN = "deferred_free_pages"


def mailbox(seed: Path) -> bytes:
    """Return the three patches as one mailbox."""
    return b"".join((seed / f"v1-{n}.mbox").read_bytes() for n in (1, 2, 3))


@pytest.fixture(scope="module")
def posted(seed: Path, v1base: Tree) -> Result:
    """Return what the tool says of the whole series."""
    return checked(read_series(mailbox(seed), "v1.mbox", v1base), v1base)


@pytest.fixture(scope="module")
def after_first(seed: Path, v1base: Tree) -> Tree:
    """Return the tree that the second patch applies to."""
    return patched(v1base, [seed / "v1-1.mbox"])


def test_series_is_read_in_order(posted: Result) -> None:
    subjects = [p.subject for p in posted.patches]

    assert [p.index for p in posted.patches] == [1, 2, 3]
    assert "meminit_context" in subjects[0]
    assert "PageOffline() instead of PageReserved()" in subjects[1]
    assert "adjust_managed_page_count()" in subjects[2]


def test_forgotten_call_is_found_and_charged_to_the_first_patch(posted: Result) -> None:
    calls = [f for f in introduced(posted) if f.rule == "stale-call"]

    assert [("mm/mm_init.c", FORGOTTEN)] == [(f.file, f.function) for f in calls]
    assert [(Severity.ERROR, 1, None)] == [(f.severity, f.introduced_by, f.fixed_by) for f in calls]
    assert "__free_pages_core(page, MAX_PAGE_ORDER)" in calls[0].operation


def test_series_has_no_other_warning(posted: Result) -> None:
    others = [f for f in introduced(posted, Severity.WARNING) if f.function != FORGOTTEN]

    assert not others, [spell(f) for f in others]


def test_comments_left_behind_are_charged_to_the_second_patch(posted: Result) -> None:
    stale = {f.function: f.introduced_by for f in introduced(posted) if f.rule == "stale-comment"}

    assert stale.items() >= dict.fromkeys(STALE_COMMENTS, 2).items()


def test_migration_is_caused_by_the_second_patch(posted: Result) -> None:
    moved = [m for m in posted.migrations if (m.before, m.after) == ("Reserved", "Offline")]

    assert moved
    for migration in moved:
        assert migration.cause is not None
        assert migration.cause.function == "memmap_init_range"


def what(result: Result) -> list[tuple[object, ...]]:
    """Return a result's findings without the patch's own name and number."""
    return [_told(f) for f in result.findings]


def _told(f: Finding) -> tuple[object, ...]:
    trace = tuple((s.span.file, s.span.line, s.function, s.message) for s in f.trace)
    return (f.status, f.severity, f.rule, f.file, f.span.line, f.function, f.message, trace)


def test_damaged_copy_gives_the_same_findings_as_the_mail(seed: Path, after_first: Tree) -> None:
    series = [
        read_series((seed / name).read_bytes(), name, after_first)
        for name in ("v1-2.mbox", "v1-2-archive-copy.txt")
    ]

    intact, damaged = (checked(s, after_first) for s in series)

    assert what(intact) == what(damaged)
    assert intact.migrations == damaged.migrations
    assert any("repaired" in note for note in damaged.notes)
    assert not any("repaired" in note for note in intact.notes)


def test_second_patch_alone_has_no_warning(seed: Path, after_first: Tree) -> None:
    series = read_series((seed / "v1-2.mbox").read_bytes(), "v1-2.mbox", after_first)

    heavy = introduced(checked(series, after_first), Severity.WARNING)

    assert not heavy, [spell(f) for f in heavy]


def test_the_reply_quotes_the_mails_and_asks_about_the_forgotten_call(
    posted: Result, seed: Path, v1base: Tree
) -> None:
    series = read_series(mailbox(seed), "v1.mbox", v1base)
    view = View(selected=select(posted, Selection()), letters=letters_of(series))

    reply = render(view)

    head, body = reply.split(b"\n\n", 1)
    quoted = [line[2:] for line in body.split(b"\n") if line.startswith(b"> ")]
    sent = set(mailbox(seed).split(b"\n"))
    assert b"\nIn-Reply-To: <20240607090939.89524-2-david@redhat.com>\n" in head
    assert len(quoted) > 5
    assert [] == [line for line in quoted if line not in sent]
    assert f"Is {FORGOTTEN}() still right after this?".encode() in body
