"""Each finding of a series is charged once: to the patch that introduces it, or to none."""

from __future__ import annotations

from dataclasses import replace

from analyzer.charge import charged
from analyzer.findings import Break, Finding, Status

from .report.results import BIRTH, FINDING

KEPT = Break(FINDING.file, "keep_page", "double-set", "keep_page")
FREED = Break("mm/free.c", "free_core", "leak-to-buddy", "init_range")
#: Who is to mend it stands elsewhere than where it breaks.
NEW = replace(
    FINDING,
    file="mm/init.c",
    function="init_range",
    span=BIRTH,
    introduced_by=None,
    breaks=(KEPT,),
)
STANDING = replace(FINDING, status=Status.PRE_EXISTING, introduced_by=None, breaks=(KEPT,))


def told(first: Finding, second: Finding, moved: dict[str, str] | None = None) -> list[str]:
    """Return what is found, and how, where each of two patches shows one thing."""
    held = charged(charged([], [first], 1), [second], 2, moved)
    return [f"{f.function} {f.status}" for f in held]


def test_what_an_earlier_patch_breaks_was_not_there_before_the_series() -> None:
    assert ["init_range introduced"] == told(NEW, STANDING)


def test_so_it_is_where_the_file_has_another_name_by_then() -> None:
    moved = replace(STANDING, file="drivers/toy/new.c")
    moved = replace(moved, breaks=(replace(KEPT, file=moved.file),))

    assert ["init_range introduced"] == told(NEW, moved, {STANDING.file: moved.file})


def test_what_breaks_elsewhere_was_there_before() -> None:
    other = replace(STANDING, function="other", breaks=(replace(KEPT, function="other"),))

    assert ["init_range introduced", "other pre-existing"] == told(NEW, other)


def test_what_an_earlier_patch_mends_does_not_hide_what_stands() -> None:
    mended = replace(NEW, status=Status.FIXED)

    assert ["init_range fixed", "keep_page pre-existing"] == told(mended, STANDING)


def test_what_stands_is_read_where_it_was_seen() -> None:
    idle: list[Finding] = []

    (held,) = charged(idle, [STANDING], 3)

    assert 3 == held.stage


def mended(first: Finding, *gone: Break) -> int | None:
    """Return which patch mends what the first one breaks, where each takes one break away."""
    held = charged([], [first], 1)
    for n, place in enumerate(gone, 2):
        held = charged(held, [], n, gone=(place,))
    (only,) = held
    return only.fixed_by


def test_what_no_longer_breaks_is_mended_whoever_is_to_blame_by_then() -> None:
    assert 2 == mended(NEW, KEPT)


def test_what_breaks_in_two_functions_is_mended_with_the_last_of_them() -> None:
    both = replace(NEW, breaks=(KEPT, FREED))

    assert mended(both, KEPT) is None
    assert 3 == mended(both, FREED, KEPT)


def test_what_breaks_in_another_way_is_another_thing() -> None:
    assert mended(NEW, replace(KEPT, rule="double-clear")) is None


def test_what_fails_no_more_through_somebody_else_is_another_thing() -> None:
    assert mended(NEW, replace(KEPT, through="other")) is None


def test_what_is_mended_stays_mended_by_that_patch() -> None:
    gone = charged(charged([], [NEW], 1), [], 2, gone=(KEPT,))

    (held,) = charged(gone, [replace(NEW, status=Status.FIXED)], 3)

    assert 2 == held.fixed_by


def test_what_the_series_has_broken_itself_it_does_not_fix() -> None:
    other = replace(STANDING, function="other", status=Status.FIXED)

    (held,) = charged(charged([], [NEW], 1), [other], 2, gone=(KEPT,))

    assert ("init_range", 2) == (held.function, held.fixed_by)
