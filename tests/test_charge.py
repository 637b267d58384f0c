"""Each finding of a series is charged once: to the patch that introduces it, or to none."""

from __future__ import annotations

from dataclasses import replace

from analyzer.charge import charged
from analyzer.findings import Finding, Status, Step

from .report.results import BIRTH, FINDING, SET

#: Who is to mend it stands elsewhere than where it breaks.
NEW = replace(
    FINDING,
    file="mm/init.c",
    function="init_range",
    span=BIRTH,
    introduced_by=None,
    trace=(Step(BIRTH, "init_range", "begins"), Step(SET, "keep_page", "traps")),
)
STANDING = replace(FINDING, status=Status.PRE_EXISTING, introduced_by=None)


def told(first: Finding, second: Finding, moved: dict[str, str] | None = None) -> list[str]:
    """Return what is found, and how, where each of two patches shows one thing."""
    held = charged(charged([], [first], 1), [second], 2, moved)
    return [f"{f.function} {f.status}" for f in held]


def test_what_an_earlier_patch_breaks_was_not_there_before_the_series() -> None:
    assert ["init_range introduced"] == told(NEW, STANDING)


def test_so_it_is_where_the_file_has_another_name_by_then() -> None:
    moved = replace(STANDING, file="drivers/toy/new.c")

    assert ["init_range introduced"] == told(NEW, moved, {STANDING.file: moved.file})


def test_what_breaks_elsewhere_was_there_before() -> None:
    other = replace(STANDING, function="other")

    assert ["init_range introduced", "other pre-existing"] == told(NEW, other)


def test_what_an_earlier_patch_mends_does_not_hide_what_stands() -> None:
    mended = replace(NEW, status=Status.FIXED)

    assert ["init_range fixed", "keep_page pre-existing"] == told(mended, STANDING)


def test_what_stands_is_read_where_it_was_seen() -> None:
    idle: list[Finding] = []

    (held,) = charged(idle, [STANDING], 3)

    assert 3 == held.stage
