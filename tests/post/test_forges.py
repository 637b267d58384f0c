"""Findings on GitHub and GitLab: on the line, on the file, or in one summary."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from markdown_it import MarkdownIt

from analyzer.findings import Finding
from analyzer.post.forge import MOST, shown_lines

from .reports import ALL, BESIDE, INSIDE, OUTSIDE, UNTOLD, Done, post, variables, write_report
from .servers import Body, Fault, Service, serve
from .services import HUNK, SHA, GitHub, GitLab


@dataclass(frozen=True, slots=True)
class Place:
    """A forge and how to look at what stands there."""

    service: Service
    options: tuple[str, ...]
    comments: Callable[[], list[tuple[object, object]]]  # path and line
    bodies: Callable[[], list[str]]
    notes: list[Body]


def github() -> Place:
    service = GitHub()

    def comments() -> list[tuple[object, object]]:
        return [(c["path"], c.get("line")) for c in service.comments]

    return Place(
        service,
        ("--to", "github", "--project", "o/r", "--number", "7"),
        comments,
        lambda: [str(c["body"]) for c in service.comments],
        service.notes,
    )


def gitlab() -> Place:
    service = GitLab()

    def comments() -> list[tuple[object, object]]:
        positions = [d["position"] for d in service.discussions]
        assert all(isinstance(p, dict) for p in positions)
        return [(p["new_path"], p.get("new_line")) for p in positions]  # type: ignore[index]

    return Place(
        service,
        ("--to", "gitlab", "--project", "group/linux", "--number", "3"),
        comments,
        lambda: [str(d["body"]) for d in service.discussions],
        service.notes,
    )


@pytest.fixture(params=[github, gitlab])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    made: Place = request.param()
    with serve(made.service):
        yield made


def run(
    place: Place,
    folder: Path,
    *findings: Finding,
    more: Sequence[str] = ("--yes",),
    **short: object,
) -> Done:
    service = place.service
    root = service.url + ("/api/v4" if isinstance(service, GitLab) else "")
    ledger = ("--ledger", folder / "posts.sqlite")
    done = post(
        *place.options, "--url", root, *ledger, *more, write_report(folder, *findings, **short),
        **variables(service),
    )  # fmt: skip
    said = "".join(place.bodies()) + "".join(str(n["body"]) for n in place.notes)
    assert service.token not in done.printed + done.complaint + said
    return done


def test_a_finding_stands_in_the_best_place(place: Place, tmp_path: Path) -> None:
    done = run(place, tmp_path, *ALL)

    assert (0, []) == (done.status, place.service.complaints)
    assert [("drivers/toy/toy.c", 6), ("drivers/toy/toy.c", None)] == place.comments()
    assert 1 == len(place.notes)
    assert "### offlint: 3 findings" in str(place.notes[0]["body"])
    assert "drivers/acme/acme.c:40" in str(place.notes[0]["body"])
    assert "drivers/toy/toy.c:6" not in str(place.notes[0]["body"]).partition("Outside")[0]


def test_a_line_that_the_change_leaves_as_it_is_can_be_commented_on(
    place: Place, tmp_path: Path
) -> None:
    span = replace(INSIDE.span, line=8)

    run(place, tmp_path, replace(INSIDE, span=span))

    assert ([("drivers/toy/toy.c", 8)], []) == (place.comments(), place.service.complaints)


def test_a_line_that_a_later_patch_may_have_moved_is_not_commented_on(
    place: Place, tmp_path: Path
) -> None:
    run(place, tmp_path, replace(INSIDE, introduced_by=1))

    assert [("drivers/toy/toy.c", None)] == place.comments()


def test_nothing_is_told_of_what_is_mended_or_was_there(place: Place, tmp_path: Path) -> None:
    done = run(place, tmp_path, *UNTOLD)

    assert (0, [], []) == (done.status, place.comments(), place.notes)
    assert not place.service.sent("POST")


def test_what_was_not_judged_is_told_even_where_nothing_was_found(
    place: Place, tmp_path: Path
) -> None:
    run(place, tmp_path, unjudged=(2,), stopped="out of time in Sort")

    (note,) = place.notes
    assert "Out of time in Sort: nothing of patch 2 was judged." in str(note["body"])


def test_without_yes_no_forge_is_spoken_to(place: Place, tmp_path: Path) -> None:
    done = run(place, tmp_path, *ALL, more=())

    assert (0, []) == (done.status, place.service.requests)
    assert "would post: comment on drivers/toy/toy.c:6" in done.printed
    assert "between()" not in done.printed


def test_nothing_is_repeated(place: Place, tmp_path: Path) -> None:
    run(place, tmp_path, *ALL)
    run(place, tmp_path, *ALL)
    (tmp_path / "posts.sqlite").unlink()
    run(place, tmp_path, *ALL)

    assert (2, 1) == (len(place.comments()), len(place.notes))


def test_the_summary_is_updated_and_says_when_all_is_well(place: Place, tmp_path: Path) -> None:
    run(place, tmp_path, OUTSIDE)
    before = str(place.notes[0]["body"])
    done = run(place, tmp_path)

    assert "acme_keep" in before
    assert ["updated: one summary, no findings"] == [
        line.rpartition(" (")[0] for line in done.printed.splitlines()
    ]
    assert 1 == len(place.notes)
    assert "### offlint: no findings" in str(place.notes[0]["body"])


def test_what_people_deleted_does_not_come_back(place: Place, tmp_path: Path) -> None:
    run(place, tmp_path, INSIDE)
    place.bodies().clear()
    for held in (getattr(place.service, n, []) for n in ("comments", "discussions")):
        held.clear()
    run(place, tmp_path, INSIDE)

    assert [] == place.comments()


def test_more_findings_than_anybody_reads_go_into_the_summary(place: Place, tmp_path: Path) -> None:
    many = [replace(INSIDE, fingerprint=f"{n:04}", function=f"f{n:02}") for n in range(MOST + 3)]

    run(place, tmp_path, *many)

    assert (MOST, 1) == (len(place.comments()), len(place.notes))
    assert 3 == str(place.notes[0]["body"]).count("**error: double-set**")


def test_a_quotation_of_a_comment_is_not_the_comment(place: Place, tmp_path: Path) -> None:
    run(place, tmp_path, INSIDE)
    quoted = "\n".join(f"> {line}" for line in place.bodies()[0].splitlines())
    for held in (getattr(place.service, n, []) for n in ("comments", "discussions")):
        for body in held:
            body["body"] = quoted
            body["notes"] = [{"id": 1, "body": quoted}]
    (tmp_path / "posts.sqlite").unlink()
    run(place, tmp_path, INSIDE)

    assert 2 == len(place.comments())


@pytest.mark.parametrize("kind", [429, 500, 502])
@pytest.mark.parametrize("after", [False, True])
def test_a_busy_forge_gets_each_comment_once(
    place: Place, tmp_path: Path, kind: int, after: bool
) -> None:
    place.service.faults += [Fault("POST", kind, after=after, headers={"Retry-After": "0"})] * 2

    done = run(place, tmp_path, *ALL)

    assert (0, 2, 1) == (done.status, len(place.comments()), len(place.notes))


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(
    "headers",
    [{"Retry-After": "0"}, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000000"}],
    ids=["secondary", "primary"],
)
def test_a_forge_that_forbids_for_a_while_gets_each_comment_once(
    place: Place, tmp_path: Path, headers: dict[str, str], after: bool
) -> None:
    place.service.faults += [Fault("POST", 403, after=after, headers=headers)] * 2

    done = run(place, tmp_path, *ALL)

    assert (0, 2, 1) == (done.status, len(place.comments()), len(place.notes))


def test_a_limit_that_lasts_an_hour_is_no_wrong_token(place: Place, tmp_path: Path) -> None:
    used_up = {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": str(int(time.time()) + 3600)}
    place.service.faults.append(Fault("POST", 403, headers=used_up))

    done = run(place, tmp_path, INSIDE)

    assert (2, 1) == (done.status, len(place.service.sent("POST")))
    assert "token right" not in done.complaint


def test_a_summary_is_no_longer_than_a_forge_takes(place: Place, tmp_path: Path) -> None:
    many = [
        replace(OUTSIDE, fingerprint=f"{n:04}", message=f"m{n} " + "word " * 400) for n in range(60)
    ]

    done = run(place, tmp_path, *many)

    assert (0, []) == (done.status, place.service.complaints)
    said = str(place.notes[0]["body"])
    shown = said.count("**error: double-set**")
    assert "### offlint: 60 findings" in said
    assert f"`offlint check` shows {60 - shown} findings more." in said
    assert 20 < shown < 60


@pytest.mark.parametrize("kind", ["reset", "stall"])
def test_a_forge_that_falls_silent_has_each_comment_once_in_the_end(
    place: Place, tmp_path: Path, kind: str
) -> None:
    place.service.faults.append(Fault("POST", kind, after=True))

    first = run(place, tmp_path, *ALL, more=("--yes", "--timeout", "0.3"))
    second = run(place, tmp_path, *ALL)

    assert (2, 0) == (first.status, second.status)
    assert (2, 1) == (len(place.comments()), len(place.notes))


def test_a_patch_cannot_speak_through_a_comment(place: Place, tmp_path: Path) -> None:
    evil = replace(
        INSIDE,
        message="see @torvalds, #1 ![x](https://evil.example/x) <script>alert(1)</script>",
        operation="` @torvalds `` [a](https://evil.example)",
    )

    run(place, tmp_path, evil)

    page = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(place.bodies()[0])
    text, _, _ = page.partition("In <code>keep")
    assert not re.search(r"<(a|img|script)\b|@t|#1|://e", text), page
    assert "<code>` @torvalds `` [a](https://evil.example)</code>" in page


def test_a_line_that_github_refuses_falls_back_to_the_file(tmp_path: Path) -> None:
    place = github()
    hunk = HUNK.replace("-3,5 +3,6", "-13,5 +13,6")  # the diff changed in between
    service = place.service
    assert isinstance(service, GitHub)
    service.files[2]["patch"] = hunk
    with serve(service):
        run(place, tmp_path, replace(INSIDE, span=replace(INSIDE.span, line=16)))

    assert [("drivers/toy/toy.c", None)] == place.comments()


def test_the_workflow_names_the_pull_request(tmp_path: Path) -> None:
    place = github()
    with serve(place.service) as service:
        done = post(
            "--to", "github", "--yes", "--ledger", tmp_path / "l", write_report(tmp_path, INSIDE),
            GITHUB_API_URL=service.url, GITHUB_REPOSITORY="o/r", GITHUB_REF="refs/pull/7/merge",
            GITHUB_TOKEN=service.token,
        )  # fmt: skip

    assert (0, 1) == (done.status, len(place.comments()))


def test_the_pipeline_names_the_merge_request(tmp_path: Path) -> None:
    place = gitlab()
    with serve(place.service) as service:
        done = post(
            "--to", "gitlab", "--yes", "--ledger", tmp_path / "l", write_report(tmp_path, INSIDE),
            CI_API_V4_URL=f"{service.url}/api/v4", CI_PROJECT_ID="group/linux",
            CI_MERGE_REQUEST_IID="3", GITLAB_TOKEN=service.token,
        )  # fmt: skip

    assert (0, 1) == (done.status, len(place.comments()))


def test_a_push_has_no_pull_request(tmp_path: Path) -> None:
    done = post(
        "--to", "github", write_report(tmp_path), GITHUB_REPOSITORY="o/r", GITHUB_REF="refs/heads/x"
    )

    assert (2, True) == (done.status, "--number is needed here" in done.complaint)


def test_a_merge_request_that_has_no_number_is_one_message(tmp_path: Path) -> None:
    done = post(
        "--to", "gitlab", "--project", "g/l", write_report(tmp_path), CI_MERGE_REQUEST_IID="!3"
    )

    assert (2, "") == (done.status, done.printed)
    assert "--number: expected the number of a request, found '!3'" in done.complaint


@pytest.mark.parametrize(
    ("forge", "project", "expected"),
    [
        ("github", "linux", "OWNER/NAME"),
        ("github", "https://forge/o/r", "OWNER/NAME"),
        ("gitlab", "linux", "a project's number or GROUP/NAME"),
    ],
)
def test_what_names_no_project_is_one_message(
    tmp_path: Path, forge: str, project: str, expected: str
) -> None:
    done = post("--to", forge, "--project", project, "--number", "3", write_report(tmp_path))

    assert (2, "") == (done.status, done.printed)
    assert f"--project: expected {expected}, found {project!r}" in done.complaint


@pytest.mark.parametrize("project", ["12", "group/linux", "group/sub/linux"])
def test_what_names_a_project(tmp_path: Path, project: str) -> None:
    done = post("--to", "gitlab", "--project", project, "--number", "3", write_report(tmp_path))

    assert 0 == done.status


def test_the_lines_of_a_diff_are_those_that_a_reader_sees() -> None:
    shown = shown_lines("b.c", "a.c", HUNK)

    assert ("a.c", {3: 3, 4: 4, 5: 5, 6: None, 7: None, 8: 7}) == (
        shown.before_path,
        dict(shown.lines),
    )


@pytest.mark.parametrize("text", ["", "Binary files differ", "@@ -1,9 +1,9 @@\n a"])
def test_what_is_no_diff_shows_no_lines(text: str) -> None:
    assert {} == shown_lines("a", "a", text).lines


def test_the_head_of_the_pull_request_is_what_is_commented_on(tmp_path: Path) -> None:
    place = github()
    with serve(place.service) as service:
        run(place, tmp_path, INSIDE, BESIDE)
        bodies = [r.body for r in service.sent("POST")]

    assert [SHA, SHA] == [b["commit_id"] for b in bodies if b is not None]
