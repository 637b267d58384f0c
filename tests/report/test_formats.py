"""Whatever a format is for, it must look as it was read, and be steered by nobody."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analyzer.base import Gap, Severity
from analyzer.cli.output import FORMATS
from analyzer.findings import Cause, Finding, LeftOut, Result, Status
from analyzer.report.letter import Letter
from analyzer.report.plain import is_safe
from analyzer.report.view import Anchor, View
from analyzer.select import Selection, select
from analyzer.sites import Verdict

from .golden import FOLDER, VIEW, rendered
from .mails import letters
from .results import EVERYTHING, FINDING, FIXED, HAZARD, REMARK, RESULT, STANDING, row, selected

#: What people have tried to smuggle through reports, and the letters it is made of.
EVIL = st.sampled_from(
    (
        "\x1b[2J", "\x1b]0;owned\x07", "\x9b31m", "\u202e", "\u2066", "\r", "\n", "\0", "\t",
        "\u2028", "##[error]",
        "::error::", "%0A", "%", "::", ",", "]]", "[[", "elisp:(shell)", "<script>", "</script>",
        "<!--", "-->", "&amp;", '"', "'", "`", "$(x)", "\\", "\ud800", "\udce9", "{{ 7*7 }}",
    )
)  # fmt: skip
LETTERS = letters()
FEW = settings(max_examples=20, deadline=None)
TEXT = st.lists(EVIL | st.text(max_size=4), max_size=6).map("".join)
NAME = TEXT.map(lambda t: t or "x")


@st.composite
def findings(draw: st.DrawFn) -> Finding:
    """Draw a finding of which every text comes from an enemy."""
    file = draw(NAME)
    base = draw(st.sampled_from((FINDING, REMARK, FIXED, STANDING, HAZARD)))
    cause, trace = base.cause, base.trace
    return replace(
        base,
        file=file,
        function=draw(NAME),
        operation=draw(TEXT),
        message=draw(NAME),
        span=replace(base.span, file=file),
        cause=cause and replace(cause, function=draw(TEXT), span=replace(cause.span, file=file)),
        trace=tuple(replace(s, function=draw(TEXT), message=draw(NAME)) for s in trace),
        severity=draw(st.sampled_from(Severity)),
        fix=draw(st.none() | TEXT),
    )


@st.composite
def views(draw: st.DrawFn) -> View:
    """Draw a view of hostile findings and gaps, over hostile sources."""
    gaps = tuple(
        Gap("syntax", draw(NAME), draw(st.integers(0, 9)), draw(TEXT), draw(TEXT)) for _ in "ab"
    )
    patches = tuple(replace(p, subject=draw(TEXT), message_id=draw(TEXT)) for p in RESULT.patches)
    source = draw(TEXT).encode("utf-8", "surrogatepass") + b"\n" * 9
    found = tuple(draw(st.lists(findings(), max_size=4)))
    result = replace(RESULT, tree=draw(TEXT), findings=found, gaps=gaps, patches=patches)
    return View(
        selected=select(result, EVERYTHING),
        read=lambda path, patch: source,
        anchor=draw(st.sampled_from(Anchor)),
        letters=tuple(hostile(letter, draw) for letter in LETTERS),
        sites=(row(*(draw(TEXT) for _ in range(5)), draw(st.sampled_from(Verdict))),),
    )


def hostile(letter: Letter, draw: st.DrawFn) -> Letter:
    """Let an enemy have written a letter."""
    (extract,) = letter.extracts
    line = extract.lines[draw(st.integers(0, len(extract.lines) - 1))]
    raw = draw(TEXT).encode("utf-8", "replace").replace(b"\n", b"")
    lines = tuple(replace(x, raw=raw) if x is line else x for x in extract.lines)
    return replace(
        letter,
        subject=draw(TEXT),
        date=draw(TEXT),
        sender=(draw(TEXT), "x@example.org"),
        others=((draw(TEXT), draw(TEXT)),),
        extracts=(replace(extract, lines=lines, head=raw),),
    )


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_looks_as_it_was_accepted(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == rendered(name)


def test_no_golden_file_is_left_over() -> None:
    assert sorted(FORMATS) == sorted(p.name for p in FOLDER.iterdir())


#: Code keeps its tabs where a page or a mail shows it.
_ALLOWED = {"mail": "\n\ufffd\t", "html": "\n\ufffd\t"}


def steering(view: View) -> list[tuple[str, str]]:
    """Return what would steer a terminal, by format."""
    return [
        (name, c)
        for name in FORMATS
        for c in rendered(name, view)
        if not is_safe(c) and c not in _ALLOWED.get(name, "\n\ufffd")
    ]


@given(views())
@FEW
def test_no_text_steers_whoever_reads_it(view: View) -> None:
    assert [] == steering(view)


@pytest.mark.slow
@given(views())
@settings(max_examples=2000, deadline=None)
def test_no_text_of_many_steers_whoever_reads_it(view: View) -> None:
    assert [] == steering(view)


@pytest.mark.parametrize("name", FORMATS)
def test_rendering_twice_gives_the_same_bytes(name: str) -> None:
    assert rendered(name) == rendered(name)


@given(views())
@FEW
def test_a_finding_is_one_line_for_programs_that_read_lines(view: View) -> None:
    count = len(view.selected.shown)

    assert [count] * 3 == [
        len(rendered(n, view).splitlines()) for n in ("terse", "coccicheck", "rdjsonl")
    ]


@given(views())
@FEW
def test_coccicheck_lines_are_what_spatch_prints(view: View) -> None:
    shape = re.compile(r"\./.*:\d+:\d+-\d+: (ERROR|WARNING|NOTE): .+")

    assert [] == [x for x in rendered("coccicheck", view).splitlines() if not shape.fullmatch(x)]


@given(views())
@FEW
def test_org_links_hold_their_brackets(view: View) -> None:
    shape = re.compile(r"(\* (TODO|DONE)|  \d\.) \[\[view:[^][]+\]\[[^][]+\]\]")

    assert [] == [x for x in rendered("org", view).splitlines() if not shape.fullmatch(x)]


@given(views())
@FEW
def test_workflow_commands_are_one_for_a_finding(view: View) -> None:
    shape = re.compile(r"::(error|warning|notice) ([^:]+)::[^\n]*")
    lines = rendered("github", view).splitlines()

    assert len(view.selected.shown) == len(lines)
    for line in lines:
        match = shape.fullmatch(line)
        assert match is not None
        properties = dict(p.split("=", 1) for p in match[2].split(","))
        assert {"file", "line", "endLine", "title"} <= set(properties)


def test_a_file_name_survives_a_workflow_command() -> None:
    odd = replace(FINDING, span=replace(FINDING.span, file="a,b:c%25.c"))

    line = rendered("github", View(selected=selected(odd)))

    assert "a,b:c%25.c" == unquote(line.split("file=")[1].split(",")[0])


def test_annotations_stop_where_github_stops() -> None:
    many = tuple(replace(FINDING, function=f"f{n}") for n in range(13))
    notes = tuple(replace(REMARK, function=f"n{n}") for n in range(11))

    lines = rendered("github", View(selected=selected(*many, *notes))).splitlines()

    assert 10 == sum(line.startswith("::error ") for line in lines)
    assert 10 == sum(line.startswith("::notice ") for line in lines)
    assert "offlint: 3 errors and 1 notice more; GitHub shows 10 of a level" == lines[-1]


@given(views())
@FEW
def test_gitlab_fingerprints_are_unique_and_paths_plain(view: View) -> None:
    entries = json.loads(rendered("gitlab", view))
    prints = [e["fingerprint"] for e in entries]

    assert len(view.selected.shown) == len(set(prints)) == len(prints)
    assert {"info", "minor", "major", "critical"} >= {e["severity"] for e in entries}


def test_the_first_of_twins_keeps_its_fingerprint() -> None:
    twin = replace(FINDING, span=replace(FINDING.span, line=9, file="./drivers/toy/toy.c"))

    entries = json.loads(rendered("gitlab", View(selected=selected(FINDING, twin))))

    assert FINDING.fingerprint == entries[0]["fingerprint"]
    assert ["drivers/toy/toy.c"] * 2 == [e["location"]["path"] for e in entries]


@pytest.mark.parametrize(
    ("finding", "status"),
    [(FINDING, "fail"), (REMARK, "pass"), (HAZARD, "pass"), (STANDING, "pass")],
)
def test_b4_fails_for_open_errors_alone(finding: Finding, status: str) -> None:
    (check,) = json.loads(rendered("b4", View(selected=selected(finding))))

    assert (status, "offlint") == (check["status"], check["tool"])
    assert [status, "pass"] == [d["status"] for d in json.loads(check["details"])]


def test_b4_warns_for_warnings() -> None:
    (check,) = json.loads(
        rendered("b4", View(selected=selected(replace(FINDING, severity=Severity.WARNING))))
    )

    assert "warn" == check["status"]


@given(views())
@FEW
def test_b4_gets_strings_alone(view: View) -> None:
    (check,) = json.loads(rendered("b4", view))

    assert all(isinstance(value, str) for value in check.values())
    assert {"tool", "status", "summary", "url", "details"} == set(check)


@pytest.mark.parametrize("name", ["terse", "coccicheck", "github", "rdjsonl", "org"])
def test_silence_where_nothing_is_found(name: str) -> None:
    clean = select(replace(RESULT, findings=(), gaps=()), Selection())

    assert "" == rendered(name, View(selected=clean))


def first_file(text: str) -> str:
    """Return the file that a format names first, outside of its message."""
    bare = text.replace("this makes drivers/toy/toy.c:6", "")
    names = ("mm/init.c", "drivers/toy/toy.c")
    return min((n for n in names if n in bare), key=bare.index)


@pytest.mark.parametrize("name", ["terse", "coccicheck", "github", "gitlab", "rdjson", "org"])
def test_the_hunk_carries_a_finding_into_the_diff(name: str) -> None:
    at_hunk = replace(VIEW, selected=selected(FINDING), anchor=Anchor.HUNK)

    text = rendered(name, at_hunk)

    assert "this makes drivers/toy/toy.c:6 stale: keep_page() sets" in text
    assert "mm/init.c" == first_file(text)


def test_a_site_inside_the_diff_stays() -> None:
    inside = replace(
        VIEW, selected=selected(FINDING), anchor=Anchor.HUNK, changed=lambda *_: (range(6, 7),)
    )

    assert rendered("terse", inside).startswith("drivers/toy/toy.c:6: ERROR")


def test_a_cause_outside_the_diff_is_shown_at_the_nearest_change() -> None:
    far = replace(
        VIEW,
        selected=selected(FINDING),
        anchor=Anchor.HUNK,
        changed=lambda path, _: (range(1, 3), range(9, 12)) if path == "mm/init.c" else (),
    )

    assert rendered("terse", far).startswith("mm/init.c:2: ERROR")


def test_what_is_no_open_problem_is_a_note() -> None:
    for finding in (FIXED, STANDING, HAZARD):
        view = View(selected=selected(finding))
        assert finding.severity is Severity.ERROR
        assert finding.status is not Status.INTRODUCED or finding.fixed_by is not None
        assert "::notice " in rendered("github", view)
        assert '"severity": "info"' in rendered("gitlab", view)
        assert " NOTE: " in rendered("coccicheck", view)
        assert rendered("org", view).startswith("* DONE ")
        assert '"severity": "INFO"' in rendered("rdjson", view)


SHORT = Gap("budget", "a.c", 0, "f", "out of time: nothing that f() calls is followed")
CUT = replace(RESULT, findings=(), gaps=(), unjudged=(1, 2), stopped="out of time")
LEFT = LeftOut(patch=2, file="mm/init.c", hunk=1, line=9, reason="no line of it is in the file")
PARTIAL = replace(RESULT, findings=(), gaps=(), left_out=(LEFT,))


@pytest.mark.parametrize("result", [CUT, PARTIAL, replace(PARTIAL, left_out=(), gaps=(SHORT,))])
def test_b4_passes_nothing_that_was_not_judged_as_a_whole(result: Result) -> None:
    cut, whole = (
        json.loads(rendered("b4", View(selected=select(r, Selection()))))[0]["status"]
        for r in (result, replace(RESULT, findings=(), gaps=()))
    )

    assert ("warn", "pass") == (cut, whole)


@pytest.mark.parametrize("name", [f for f in FORMATS if f not in ("mail", "html")])
def test_every_format_tells_what_was_left_out(name: str) -> None:
    text = rendered(name, View(selected=select(PARTIAL, Selection())))

    assert "mm/init.c" in text
    assert "no line of it is in the file" in " ".join(text.split())


@pytest.mark.parametrize("name", ["mail", "html"])
def test_what_was_left_out_is_told_beside_what_was_found(name: str) -> None:
    found = replace(PARTIAL, findings=(FINDING,))

    assert "1 hunk did not apply and is left out" in rendered(
        name, View(selected=select(found, Selection()))
    )


def test_a_gap_that_lies_nowhere_has_no_place_before_it() -> None:
    gap = Gap("budget", "", 0, "", "out of time: nothing of patch 1 was judged")
    view = View(selected=select(replace(CUT, gaps=(gap,)), EVERYTHING))

    assert "  budget: out of time: nothing" in rendered("text", view)
    assert "the first: out of time: nothing" in rendered("b4", view)


def test_a_mail_says_that_not_everything_was_looked_at() -> None:
    cut = replace(RESULT, findings=(FINDING,), gaps=(SHORT,))

    text = " ".join(rendered("mail", View(selected=select(cut, Selection()))).split())

    assert "Not everything was looked at: work on some of it was ended early." in text


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("text", "cause: "),
        ("github", "cause: "),
        ("sarif", "made stale"),
        ("html", "made stale by"),
    ],
)
def test_what_is_its_own_cause_is_not_said_to_be_made_stale(name: str, said: str) -> None:
    own = replace(FINDING, cause=Cause(FINDING.span, FINDING.function, 2))
    own_alone, other_alone = (replace(VIEW, selected=selected(f)) for f in (own, FINDING))

    assert said in rendered(name, other_alone)
    assert said not in rendered(name, own_alone)
