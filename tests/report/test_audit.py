"""Every format of an audit says what each use got, and nothing steers a terminal or a page."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest

from analyzer.base import Gap, Span
from analyzer.report import audit_html, audit_json, audit_text
from analyzer.sites import Audit, Delta, Move, Site, Verdict

SITE = Site(
    file="mm/walk.c",
    function="walk",
    operation="PageReserved",
    verb="reads",
    verdict=Verdict.AFFECTED,
    reason="hotplugged pages can come here, and fare otherwise now",
    populations=("hotplugged",),
    span=Span("mm/walk.c", 10, 22, 2, 3, 2, 15),
    ways=("goes on to the next page", "calls copy_page(<to>, page)"),
)
SITES = tuple(replace(SITE, verdict=v, function=f"walk_{v}") for v in Verdict)
AUDIT = Audit(
    tree="linux",
    migration="hotplug-offline",
    title="hotplugged pages start PageOffline()",
    moves=(
        Move(population="hotplugged pages", before="Reserved", after="Offline", starts="Offline"),
    ),
    sites=(*SITES, replace(SITE, absent=True, delta=Delta.REMOVED, ways=None)),
    words=9,
    others=(("comment", 4), ("definition", 1)),
    gaps=(Gap("callback", "mm/a.c", 3, "f", "(*g)(page)"),),
)
VALIDATOR = jsonschema.Draft202012Validator(audit_json.read_schema())


def test_the_schema_is_one() -> None:
    jsonschema.Draft202012Validator.check_schema(audit_json.read_schema())


def test_json_is_valid_and_its_counts_add_up() -> None:
    report = json.loads(audit_json.render(AUDIT))

    VALIDATOR.validate(report)
    counts = report["counts"]
    assert counts["uses"] == sum(counts[v] for v in Verdict) == 4
    assert counts["absent"] == 1
    assert report["words"]["all"] == counts["uses"] + 4 + 1
    assert report["migration"]["is_in"]


def test_text_groups_by_verdict_and_shows_both_ways() -> None:
    text = audit_text.render(AUDIT)

    order = [text.index(f"walk_{v}()") for v in ("affected", "undecided", "migrated", "unaffected")]
    assert sorted(order) == order
    assert "before: goes on to the next page" in text
    assert "now: calls copy_page" in text
    assert "4 uses: 1 affected, 1 migrated, 1 unaffected, 1 undecided." in text
    assert "9 words: 4 uses, 4 in a comment, 1 in a definition." in text
    assert "[removed by the patch]" in text


def test_text_tells_once_what_a_line_says_twice() -> None:
    elsewhere = replace(SITE, span=replace(SITE.span, line=4))
    text = audit_text.render(replace(AUDIT, sites=(SITE, SITE, elsewhere)))

    assert 1 == text.count("mm/walk.c:2 walk(): PageReserved (reads), 2 uses\n")
    assert 1 == text.count("mm/walk.c:4 walk(): PageReserved (reads)\n")
    assert "3 uses: 3 affected" in text


@pytest.mark.parametrize("width", [60, 80, 100])
def test_text_keeps_to_the_width(width: int) -> None:
    assert all(len(line) <= width for line in audit_text.render(AUDIT, width=width).splitlines())


def test_text_says_where_the_change_is_not_in() -> None:
    moves = (replace(AUDIT.moves[0], starts="Reserved"),)

    text = " ".join(audit_text.render(replace(AUDIT, moves=moves)).split())

    assert "start Reserved here: the change is not in, and no such page starts Offline" in text


def test_a_state_without_flag_or_type_reads_as_such() -> None:
    move = replace(AUDIT.moves[0], before="Reserved", after="neither", starts="neither")

    assert "pages start unmarked here; before" in audit_text.render(replace(AUDIT, moves=(move,)))


def test_the_table_is_escaped() -> None:
    table = audit_html.render(AUDIT)

    assert "copy_page(&lt;to&gt;, page)" in table.replace("<wbr>", "")
    assert 5 == table.count("<tr class=")
    assert table.startswith("<table")
    assert table.endswith("</table>\n")


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("a/b_c/d.c", "a/<wbr>b_<wbr>c/<wbr>d.c"),
        ("__free_page", "__free_<wbr>page"),
        ("a__b", "a__b"),
        ("/a_", "/a_"),
        ("PageReserved", "PageReserved"),
    ],
)
def test_a_long_name_may_go_on_in_the_next_line(name: str, shown: str) -> None:
    site = replace(SITE, function=name)

    assert f"<code>{shown}</code>" in audit_html.render(replace(AUDIT, sites=(site,)))


def test_control_characters_are_spelled_out() -> None:
    sites = (replace(SITE, reason="\x1b[31mred"),)

    for text in (
        audit_text.render(replace(AUDIT, sites=sites)),
        audit_json.render(replace(AUDIT, sites=sites)),
        audit_html.render(replace(AUDIT, sites=sites)),
    ):
        assert "\x1b" not in text


def test_the_caption_of_the_table_accounts_for_every_row() -> None:
    whole, part = (audit_html.render(a) for a in (AUDIT, replace(AUDIT, sites=SITES)))

    assert "4 uses, 1 affected, 1 migrated, 1 unaffected, 1 undecided; 1 more, taken away" in whole
    assert "more" not in part.split("</caption>")[0]
