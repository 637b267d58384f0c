"""What people read must be complete, narrow and harmless."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from analyzer.base import Gap
from analyzer.findings import ContractChange, PatchInfo, Result, Treatment
from analyzer.report import text
from analyzer.report.paint import LINES
from analyzer.report.view import Read, View
from analyzer.select import Selected, Selection, select

from .results import (
    BIRTH,
    EVERYTHING,
    FINDING,
    FIXED,
    HAZARD,
    REMARK,
    RESULT,
    SET,
    STANDING,
    read,
    selected,
    span,
)  # fmt: skip


def render(selected: Selected, read: Read, *, width: int = 80, colour: bool = False) -> str:
    """Render a selection."""
    return text.render(View(selected=selected, read=read, width=width, colour=colour))


REPORT = """\
hotplugged pages: Reserved -> Offline, except ZONE_DEVICE; caused by
    init_range() (mm/init.c:5, patch 2 of 2)

error[double-set]: keep_page() sets PageOffline on hotplugged pages that already
    have it
  --> drivers/toy/toy.c:6:2 in keep_page()
   |
 4 | static void keep_page(struct page *page)
 5 | {
 6 |         __SetPageOffline(page);
   |         ^^^^^^^^^^^^^^^^^^^^^^
 7 |         list_add(&page->lru, &kept);
  patch: introduced by patch 2
  cause: init_range() (mm/init.c:5, patch 2 of 2)
         | __SetPageOffline(page);
  trace:
    1. mm/init.c:5 init_range(): hotplugged pages are made PageOffline
    2. drivers/toy/toy.c:6 keep_page(): and here they are PageOffline already,
       so that the kernel traps

What a rule means and how to mend it: offlint explain double-set
1 error. Blind in 1 place (see --all).
"""


def test_a_finding_reads_from_the_migration_to_the_verdict() -> None:
    assert REPORT == render(selected(FINDING, selection=Selection()), read)


def test_colour_adds_nothing_but_escapes() -> None:
    coloured = render(selected(FINDING, selection=Selection()), read, colour=True)

    assert "\x1b[1;31merror[double-set]" in coloured
    assert REPORT == re.sub(r"\x1b\[[0-9;]*m", "", coloured)


def test_everything_fits_the_width() -> None:
    for width in (60, 80, 100):
        report = render(select(RESULT, EVERYTHING), read, width=width)

        assert [] == [line for line in report.splitlines() if len(line) > width]


def test_a_terminal_of_utf8_gets_lines_and_arrows() -> None:
    view = View(selected=selected(FINDING, selection=Selection()), read=read, glyphs=LINES)

    lines = text.render(view).splitlines()

    assert lines[0].startswith("hotplugged pages: Reserved → Offline")
    assert "   ╭▸ drivers/toy/toy.c:6:2 in keep_page()" in lines
    assert "   │         ━━━━━━━━━━━━━━━━━━━━━━" in lines


def test_states_before_and_now_close_the_trace() -> None:
    site = replace(FINDING.trace[1], before="Reserved", after="Offline")

    report = render(selected(replace(FINDING, trace=(site,))), read)

    assert "       before the patch such pages came there Reserved, now Offline\n" in report


def test_where_no_page_comes_now_nothing_is_said_of_before_and_now() -> None:
    gone = replace(FIXED, trace=(replace(FINDING.trace[1], before="Offline", after=""),))

    assert "such pages" not in render(selected(gone), read)


def test_what_functions_do_otherwise_stands_before_the_verdict() -> None:
    at = span("drivers/toy/toy.c", "__SetPageOffline")
    changes = tuple(
        ContractChange(
            function=f"toy_{n}", span=at, gained=("sets PageOffline",), lost=(), own=True
        )
        for n in range(1, 10)
    )
    treated = (Treatment(population="pages", contracts=changes),)
    said = render(select(Result(tree="linux", treated=treated), EVERYTHING), read)

    head, *lines, blank, verdict = said.splitlines()
    assert ("pages are treated otherwise:", "", "Nothing stale found.") == (head, blank, verdict)
    assert "  toy_1() now sets PageOffline" == lines[0]
    assert "  and 1 more function, listed in the JSON report" == lines[8]


def test_silence_and_blindness_are_told_apart() -> None:
    clean = Result(tree="linux")

    seeing = render(select(clean, Selection()), read)
    blind = render(select(replace(clean, gaps=RESULT.gaps), Selection()), read)

    assert "Nothing stale found.\n" == seeing
    assert "Nothing stale found. Blind in 1 place (see --all).\n" == blind


@pytest.mark.parametrize(
    ("partly", "verdict"),
    [
        (
            {"blind": True},
            "Nothing stale found, but not all that the patch touches was understood.",
        ),
        (
            {"gaps": (Gap("budget", "a.c", 1, "f", "out of time: what else it does"),)},
            "Nothing stale found in what was judged, and not everything was.",
        ),
        (
            {"unjudged": (2,), "stopped": "out of time"},
            "Nothing stale found in what was judged, and not everything was.",
        ),
        ({"unjudged": (1, 2), "stopped": "out of time"}, "Nothing was judged: out of time."),
    ],
)
def test_no_silence_is_praised_where_something_was_not_judged(
    partly: dict[str, Any], verdict: str
) -> None:
    patches = tuple(PatchInfo(index=n, subject="", message_id="") for n in (1, 2))
    result = replace(Result(tree="linux", patches=patches), **partly)

    said = render(select(result, Selection()), read)

    assert verdict == " ".join(said.split()).partition(" Blind in")[0]


def test_what_is_hidden_is_counted_in_the_verdict() -> None:
    report = render(selected(FINDING, FIXED, STANDING, selection=Selection()), read)

    assert "Not shown: 1 fixed, 1 pre-existing; blind in 1 place (see --all)." in " ".join(
        report.split()
    )
    assert "standing()" not in report


def test_all_keeps_fixed_and_standing_findings_apart() -> None:
    report = render(selected(FINDING, FIXED, STANDING), read)

    places = [report.index(s) for s in ("keep_page()", "Fixed by", "mended()", "There before")]
    assert sorted(places) == places
    assert places[-1] < report.index("standing()")


def test_what_is_shown_and_not_new_is_no_part_of_the_verdict() -> None:
    old = render(selected(FIXED, STANDING), read)
    both = render(selected(FINDING, STANDING), read)

    assert old.endswith(
        "\nNothing stale found. Shown besides: 1 fixed, 1 pre-existing; blind in 1 place.\n"
    )
    assert both.endswith("\n1 error. Shown besides: 1 pre-existing; blind in 1 place.\n")


def test_a_doubt_is_told_beside_what_was_mended() -> None:
    doubtful = replace(RESULT, findings=(FIXED,), blind=True)

    said = " ".join(render(select(doubtful, EVERYTHING), read).split())

    assert (
        "found, but not all that the patch touches was understood. Shown besides: 1 fixed" in said
    )


def test_a_hazard_is_no_open_problem() -> None:
    report = " ".join(render(selected(HAZARD), read).split())

    assert "hazard[double-set]" in report
    assert "introduced by patch 1, mended by patch 2; a bisection can stop between them" in report
    assert "1 mistake that the series mends later." in report


def test_gaps_are_listed_with_all() -> None:
    report = render(select(RESULT, EVERYTHING), read)

    assert "syntax: drivers/toy/odd.c:7 in odd(): an unbalanced brace" in report


def test_a_cause_at_the_finding_itself_is_not_repeated() -> None:
    own = replace(FINDING, cause=replace(FINDING.cause, span=FINDING.span))  # type: ignore[type-var]

    assert "cause:" not in render(selected(own), read)


def test_an_unreadable_file_costs_only_its_excerpt() -> None:
    report = render(selected(FINDING), lambda path, patch: None)

    assert "drivers/toy/toy.c:6:2 in keep_page()" in report
    assert "list_add" not in report


def test_a_fix_is_shown_as_a_diff() -> None:
    mended = replace(FINDING, fix="-\t__SetPageOffline(page);\n+\tmark(page);\n")

    report = render(selected(mended), read)

    assert "    -       __SetPageOffline(page);\n    +       mark(page);\n" in report


def test_nothing_from_a_patch_steers_the_terminal() -> None:
    evil = "\x1b]0;owned\x07\u202e\x9b31m"
    hostile = replace(
        FINDING,
        file=f"drivers/{evil}.c",
        function=evil,
        message=evil,
        span=replace(FINDING.span, file=f"drivers/{evil}.c"),
        trace=(replace(FINDING.trace[0], message=evil, function=evil),),
        fix=f"+{evil}\n",
    )
    source = f"\n\n\n\n/* {evil} */\n/* {evil} */\n".encode()

    report = render(selected(hostile, REMARK), lambda path, patch: source)

    assert [] == [c for c in report if not c.isprintable() and c not in "\n\ufffd"]


def test_lines_are_those_of_the_patch_that_is_charged() -> None:
    stages = [f.stage for f in (FINDING, HAZARD, FIXED, STANDING)]

    assert [2, 1, 0, 1] == stages


def test_a_migration_without_a_cause_is_a_whole_sentence() -> None:
    bare = replace(RESULT.migrations[0], cause=None, exceptions=())

    report = render(select(replace(RESULT, migrations=(bare,), findings=()), Selection()), read)

    assert report.startswith("hotplugged pages: Reserved -> Offline\n")
    assert BIRTH.file not in report


def test_a_step_names_its_function_once() -> None:
    step = replace(FINDING.trace[0], message="init_range() makes hotplugged pages")

    report = render(selected(replace(FINDING, trace=(step,))), read)

    assert "    1. mm/init.c:5: init_range() makes hotplugged pages\n" in report


def test_of_a_long_span_the_part_that_is_wrong_is_shown() -> None:
    whole = span("drivers/toy/toy.c", "/* keep", last="&kept);")
    report = render(selected(replace(FINDING, span=whole, mark=SET)), read)

    shown = REPORT[REPORT.index("   |") : REPORT.index("  patch:")]
    assert f"  --> drivers/toy/toy.c:3:1 in keep_page()\n{shown}" in report
