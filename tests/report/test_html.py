"""The page must be one file, whole, and deaf to what patches and sources want of it."""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings

from analyzer.findings import ContractChange, LeftOut, Result, Treatment
from analyzer.report import audit_page
from analyzer.report.diagram import draw
from analyzer.report.html import read_web, render
from analyzer.report.page import excerpt, prepare
from analyzer.report.view import View
from analyzer.select import Selection, select
from analyzer.sites import Audit, Move, Verdict

from .golden import VIEW
from .results import (
    EVERYTHING,
    FINDING,
    FIXED,
    REMARK,
    RESULT,
    ROWS,
    SET,
    STANDING,
    read,
    selected,
    span,
)
from .test_formats import views

#: The tags that the template holds.
TEMPLATE = set(re.findall(r"<([a-z][a-z0-9]*)", read_web("page.html")))
_VOID = {"meta", "input", "br", "link", "img", "path", "rect", "wbr"}


@dataclass
class Document(HTMLParser):
    """The tags of a page, in order, and what is amiss with their nesting."""

    page: str
    tags: list[tuple[str, dict[str, str | None]]] = field(default_factory=list)
    open: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.feed(self.page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


def test_every_tag_is_closed_where_it_was_opened() -> None:
    document = Document(render(VIEW))

    assert ([], []) == (document.open, document.wrong)


def test_ids_are_unique_and_links_lead_somewhere() -> None:
    tags = Document(render(VIEW)).tags
    ids = [a["id"] for _, a in tags if a.get("id")]
    targets = {str(a["href"]).removeprefix("#") for t, a in tags if t == "a"}

    assert len(set(ids)) == len(ids)
    assert targets <= set(ids)


def test_the_page_fetches_nothing() -> None:
    page = render(VIEW)
    tags = Document(page).tags

    assert not {"link", "img", "iframe", "object", "base"} & {t for t, _ in tags}
    assert [] == [a for _, a in tags if "src" in a]
    assert [] == re.findall(r"https?:|url\((?!#)|@import", page)


def test_the_policy_names_the_script_and_the_style() -> None:
    page = render(VIEW)

    for tag, directive in (("script", "script-src"), ("style", "style-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in page


@given(views())
@settings(max_examples=25, deadline=None)
def test_no_text_makes_a_tag_or_an_attribute(view: View) -> None:
    document = Document(render(view))

    assert ([], []) == (document.open, document.wrong)
    assert 1 == sum(t == "script" for t, _ in document.tags)
    assert [] == [k for _, a in document.tags for k in a if k.startswith("on") or k == "style"]
    assert {t for t, _ in document.tags} <= TEMPLATE | {"wbr"}


def test_a_script_in_a_source_is_text() -> None:
    source = b"\n\n\n\n\n\t__SetPageOffline(page); /* </pre><script>evil()</script> */\n"

    page = render(replace(VIEW, read=lambda *_: source))

    assert "evil()" in page
    assert "<script>evil" not in page


def test_without_scripts_nothing_is_hidden_but_the_filters() -> None:
    hidden = [(t, a) for t, a in Document(render(VIEW)).tags if "hidden" in a]

    assert {"filters", "keys"} == {a["class"] for _, a in hidden}


def test_everything_that_is_shown_stands_on_the_page() -> None:
    page = render(VIEW)

    for finding in VIEW.selected.shown:
        assert finding.message in page
    for row in ROWS:
        assert row.reason in page
        assert f"{row.file}:{row.line}" in page.replace("<wbr>", "")
    assert "an unbalanced brace" in page
    assert 'aria-label="hotplugged pages: Reserved -&gt; Offline, except ZONE_DEVICE; ' in page


def test_the_mark_covers_the_span_and_nothing_else() -> None:
    source = read(FINDING.file, 2)
    assert source is not None

    lines = excerpt(source, SET)

    assert [(6, "\t", "__SetPageOffline(page)", ";")] == [
        (x.number, x.head, x.mark, x.tail) for x in lines if x.mark
    ]
    assert list(range(2, 9)) == [x.number for x in lines]


def test_a_span_over_lines_is_marked_line_by_line() -> None:
    long = span(FINDING.file, "static void", last="{")
    source = read(FINDING.file, 2)
    assert source is not None

    assert ["static void keep_page(struct page *page)", "{"] == [
        x.mark for x in excerpt(source, long) if x.mark
    ]


def test_a_line_that_does_not_exist_has_no_excerpt() -> None:
    assert () == excerpt(b"one\n", SET)


def test_states_before_and_after_stand_at_the_site() -> None:
    site = replace(FINDING.trace[1], before="Reserved", after="Offline")

    page = render(replace(VIEW, selected=selected(replace(FINDING, trace=(site,)))))

    assert 'before <span class="state was">Reserved</span> now <span class="state now">' in page


def test_what_is_over_is_shown_closed() -> None:
    page = render(replace(VIEW, selected=selected(FIXED)))

    assert "<details>\n      <summary>How it comes to that" in page


def test_an_audit_alone_makes_a_page() -> None:
    bare = select(Result(tree="linux"), Selection(everything=True))

    page = prepare(View(selected=bare, sites=ROWS))

    assert "1 affected, 1 undecided and 1 unaffected" == page.headline
    assert (("affected", 1), ("undecided", 1), ("unaffected", 1)) == page.verdicts
    assert "error" == page.mood
    assert "<title>1 affected, 1 undecided" in render(View(selected=bare, sites=ROWS))


def test_a_clean_check_says_so() -> None:
    page = render(View(selected=select(Result(tree="linux"), Selection())))

    assert '<h1 class="good">Nothing stale found</h1>' in page
    assert ([], []) == (Document(page).open, Document(page).wrong)


def test_what_functions_do_otherwise_is_listed() -> None:
    change = ContractChange(
        function="toy_keep", span=FINDING.span, gained=(), lost=("sets PageOffline",), own=True
    )
    treated = (Treatment(population="pages", contracts=(change,)),)
    page = render(View(selected=select(Result(tree="linux", treated=treated), Selection())))

    assert "Pages are treated otherwise:" in page
    assert "<li>toy_keep() no longer sets PageOffline</li>" in page
    assert ([], []) == (Document(page).open, Document(page).wrong)


def test_the_headline_has_the_colour_of_the_gravest() -> None:
    assert "error" == prepare(VIEW).mood
    assert "note" == prepare(replace(VIEW, selected=selected(REMARK))).mood


def test_kinds_are_counted_in_order_of_weight() -> None:
    assert ["error", "note", "hazard", "fixed", "pre-existing"] == [
        k for k, _ in prepare(VIEW).kinds
    ]
    assert [("pre-existing", 1)] == list(prepare(replace(VIEW, selected=selected(STANDING))).kinds)


def test_the_picture_has_room_for_its_words() -> None:
    short = draw("Reserved", "Offline", by="f()", at="a.c:1", exceptions=0, label="")
    long = draw("Reserved", "Offline", by="f" * 60 + "()", at="a.c:1", exceptions=2, label="")

    assert long.width - short.width > 300
    assert long.before.right < long.after.x
    assert "2 exceptions stay" == long.stay
    assert short.height < long.height


@pytest.mark.parametrize(("name", "shown"), [("shelf-offline", True), ("derived", False)])
def test_a_described_migration_is_named(name: str, shown: bool) -> None:
    moved = replace(RESULT.migrations[0], name=name)
    page = render(replace(VIEW, selected=select(replace(RESULT, migrations=(moved,)), EVERYTHING)))

    assert shown == (f"{moved.population} <code>{name}</code></h3>" in page)
    assert shown == (name in page)


def test_a_migration_without_a_cause_has_a_picture() -> None:
    bare = replace(RESULT.migrations[0], cause=None, exceptions=())
    view = View(selected=select(replace(RESULT, migrations=(bare,)), Selection()))

    assert ([], []) == (Document(render(view)).open, Document(render(view)).wrong)


def test_an_audit_becomes_a_page_with_its_moves_and_gaps() -> None:
    audit = Audit(
        tree="linux",
        migration="hotplug-offline",
        title="pages start Offline",
        moves=(Move(population="hotplugged pages", before="Reserved", after="Offline", starts=""),),
        sites=ROWS,
        words=3,
        others=(),
        gaps=RESULT.gaps,
    )

    page = audit_page.render(audit)

    assert "1 affected, 1 undecided and 1 unaffected</h1>" in page
    assert "Hotplugged pages: this tree makes none that could be followed</p>" in page
    assert 'aria-label="hotplugged pages: Reserved -&gt; Offline"' in page
    assert "before: the caller is not known" in page
    assert "an unbalanced brace" in page
    assert "Findings" not in Document(page).texts


def test_an_audit_says_whether_the_change_is_in_the_tree_and_what_was_not_reached() -> None:
    move = Move(
        population="hotplugged pages", before="Reserved", after="Offline", starts="Reserved"
    )
    late = replace(
        ROWS[1], reason="out of time", history=((1, Verdict.AFFECTED), (2, ROWS[1].verdict))
    )
    audit = Audit(
        tree="linux",
        migration="hotplug-offline",
        title="pages start Offline",
        moves=(move,),
        sites=(ROWS[0], late),
        words=2,
        others=(),
        stopped="out of time",
    )

    before = audit_page.render(audit)
    after = audit_page.render(replace(audit, moves=(replace(move, starts="Offline"),), stopped=""))

    assert "start Reserved here: the change is not in, and no such page starts Offline." in before
    assert "In part, out of time: undecided for that alone: 1 use.</p>" in before
    assert "affected after patch 1, undecided after patch 2</span>" in before
    assert "the change is not in" not in after
    assert "In part" not in after


def test_a_page_lists_what_of_the_patch_was_left_out() -> None:
    hunk = LeftOut(patch=1, file="mm/init.c", hunk=3, line=12, reason="no such line")
    whole, partial = (
        render(View(selected=select(replace(RESULT, left_out=left), Selection())))
        for left in ((), (hunk,))
    )

    assert "mm/init.c hunk 3 of patch 1 (line 12): no such line" in partial
    assert "Left out" in Document(partial).texts
    assert "Left out" not in Document(whole).texts


def test_a_series_is_called_by_its_first_patch() -> None:
    one = replace(RESULT, patches=RESULT.patches[:1])

    series, patch = (render(View(selected=select(r, Selection()))) for r in (RESULT, one))

    assert "<span>mm: prepare, and 1 more patch</span>" in series
    assert "<span>mm: prepare</span>" in patch
