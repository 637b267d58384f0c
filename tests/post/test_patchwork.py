"""Checks on patches, and everything that can go wrong on the way to a server."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from analyzer.base import Gap
from analyzer.findings import LeftOut

from .reports import ALL, BESIDE, INSIDE, UNTOLD, Done, post, variables, write_report
from .servers import Fault, serve
from .services import Patchwork

#: A busy server that does not keep the tests waiting.
AT_ONCE = {"Retry-After": "0"}


@pytest.fixture
def server() -> Iterator[Patchwork]:
    with serve(Patchwork()) as service:
        assert isinstance(service, Patchwork)
        yield service


def run(server: Patchwork, report: Path, *options: str | Path) -> Done:
    ledger = report.with_name("posts.sqlite")
    where = ("--to", "patchwork", "--url", f"{server.url}/api", "--ledger", ledger)
    done = post(*where, *options, report, **variables(server))
    assert server.token not in done.printed + done.complaint
    return done


def states(server: Patchwork) -> list[list[object]]:
    return [[c["state"] for c in checks] for checks in server.checks.values()]


def test_each_patch_is_charged_with_what_it_leaves_behind(
    server: Patchwork, tmp_path: Path
) -> None:
    done = run(server, write_report(tmp_path, *ALL), "--yes")

    assert (0, []) == (done.status, server.complaints)
    lines = [[(c["state"], c["description"]) for c in held] for held in server.checks.values()]
    driver = "drivers/toy/toy.c"
    note = f"1 note; {driver}: the comment speaks of a state that is gone"
    errors = f"2 errors; {driver}: {INSIDE.message}"
    assert [[("success", note)], [("fail", errors)]] == lines


def test_what_is_mended_or_was_there_is_no_ones_fault(server: Patchwork, tmp_path: Path) -> None:
    run(server, write_report(tmp_path, *UNTOLD), "--yes")

    assert [["success"], ["success"]] == states(server)
    assert {"nothing new"} == {c["description"] for held in server.checks.values() for c in held}


def test_what_was_not_judged_is_no_success(server: Patchwork, tmp_path: Path) -> None:
    left = LeftOut(patch=1, file="a.c", hunk=1, line=9, reason="no line of it is in the file")
    report = write_report(tmp_path, left_out=(left,), unjudged=(2,), stopped="out of time")

    done = run(server, report, "--yes")

    assert (0, []) == (done.status, server.complaints)
    assert [
        [("warning", "partial: 1 hunk did not apply and is left out")],
        [("warning", "not judged: out of time")],
    ] == [[(c["state"], c["description"]) for c in held] for held in server.checks.values()]


def test_what_was_ended_early_is_no_success_of_any_patch(server: Patchwork, tmp_path: Path) -> None:
    gap = Gap("budget", "a.c", 0, "f", "out of time: nothing that f() calls is followed")

    run(server, write_report(tmp_path, gaps=(gap,)), "--yes")

    assert [["warning"], ["warning"]] == states(server)


def test_an_error_weighs_more_than_what_was_left_out(server: Patchwork, tmp_path: Path) -> None:
    left = LeftOut(patch=2, file="a.c", hunk=1, line=9, reason="no line of it is in the file")

    run(server, write_report(tmp_path, INSIDE, left_out=(left,)), "--yes")

    assert [["success"], ["fail"]] == states(server)


def test_without_yes_nobody_is_spoken_to(server: Patchwork, tmp_path: Path) -> None:
    done = run(server, write_report(tmp_path, *ALL))

    assert (0, []) == (done.status, server.requests)
    assert "would post: check `offlint` on patch 2" in done.printed
    assert "--yes posts" in done.complaint


def test_a_second_run_posts_nothing(server: Patchwork, tmp_path: Path) -> None:
    report = write_report(tmp_path, *ALL)

    first, second = run(server, report, "--yes"), run(server, report, "--yes")

    assert (2, 2) == (first.printed.count("posted:"), second.printed.count("already there:"))
    assert [1, 1] == [len(c) for c in server.checks.values()]


def test_a_lost_ledger_repeats_nothing(server: Patchwork, tmp_path: Path) -> None:
    report = write_report(tmp_path, *ALL)

    run(server, report, "--yes")
    run(server, report, "--yes", "--ledger", tmp_path / "other.sqlite")

    assert [1, 1] == [len(c) for c in server.checks.values()]


def test_other_words_are_a_new_check(server: Patchwork, tmp_path: Path) -> None:
    run(server, write_report(tmp_path, *ALL), "--yes")
    run(server, write_report(tmp_path, BESIDE), "--yes")

    assert [["success"], ["fail", "success"]] == states(server)


def test_another_context_is_another_check(server: Patchwork, tmp_path: Path) -> None:
    report = write_report(tmp_path, *ALL)

    run(server, report, "--yes")
    run(
        server,
        report,
        "--yes",
        "--context",
        "offlint-6_12",
        "--target-url",
        "https://ci.example.org/1",
    )

    assert [("offlint", None), ("offlint-6_12", "https://ci.example.org/1")] == [
        (c["context"], c["target_url"]) for c in server.checks[12]
    ]


def test_patches_can_be_named_by_number(server: Patchwork, tmp_path: Path) -> None:
    done = run(server, write_report(tmp_path), "--yes", "--patch-id", "12", "--patch-id", "11")

    assert (0, [["success"], ["success"]]) == (done.status, states(server))
    assert "msgid" not in "".join(map(str, server.requests))


@pytest.mark.parametrize(
    "fault",
    [
        Fault("POST", 429, headers=AT_ONCE),
        Fault("POST", 500, headers=AT_ONCE),
        Fault("POST", 502, after=True, headers=AT_ONCE),
        Fault("POST", 503, after=True, headers=AT_ONCE),
        Fault("GET", 503, headers=AT_ONCE),
        Fault("GET", 429, headers=AT_ONCE),
    ],
    ids=lambda f: f"{f.method}-{f.kind}{'-after' if f.after else ''}",
)
def test_a_busy_server_is_asked_again_and_has_it_once(
    server: Patchwork, tmp_path: Path, fault: Fault
) -> None:
    server.faults.append(fault)

    done = run(server, write_report(tmp_path, *ALL), "--yes")

    assert (0, [["success"], ["fail"]]) == (done.status, states(server))
    assert not server.faults


@pytest.mark.parametrize("kind", ["reset", "stall"])
@pytest.mark.parametrize("after", [False, True])
def test_silence_is_not_tried_again_but_resumed(
    server: Patchwork, tmp_path: Path, kind: str, after: bool
) -> None:
    report = write_report(tmp_path, *ALL)
    server.faults.append(Fault("POST", kind, after=after))

    first = run(server, report, "--yes", "--timeout", "0.3")
    tried = len(server.sent("POST"))
    second = run(server, report, "--yes")

    assert (2, 1, 0) == (first.status, tried, second.status)
    assert "run the same command again: it asks first whether this arrived" in first.complaint
    assert [["success"], ["fail"]] == states(server)


def test_a_server_that_stays_busy_is_given_up(server: Patchwork, tmp_path: Path) -> None:
    server.faults += [Fault("GET", 503, headers=AT_ONCE)] * 9

    done = run(server, write_report(tmp_path, *ALL), "--yes")

    assert (2, 5) == (done.status, len(server.requests))
    assert "503" in done.complaint


def test_a_refusal_is_not_tried_again(server: Patchwork, tmp_path: Path) -> None:
    server.faults.append(Fault("POST", 403))

    done = run(server, write_report(tmp_path, *ALL), "--yes")

    assert (2, 1) == (done.status, len(server.sent("POST")))
    assert "is the token right, and may it write there?" in done.complaint


def test_a_wrong_token_is_never_shown(server: Patchwork, tmp_path: Path) -> None:
    report, token = write_report(tmp_path), tmp_path / "token"
    token.write_text("wrong-but-secret\n")

    done = run(server, report, "--yes", "--token-file", token)

    assert 2 == done.status
    assert "wrong-but-secret" not in done.printed + done.complaint
    assert {"token wrong-but-secret"} == {
        r.headers["authorization"].lower() for r in server.requests
    }


def test_the_token_can_come_from_a_file(server: Patchwork, tmp_path: Path) -> None:
    token = tmp_path / "token"
    token.write_text(f"{server.token}\n")
    where = ("--to", "patchwork", "--url", f"{server.url}/api", "--token-file", token)

    done = post(*where, "--ledger", tmp_path / "l", "--yes", write_report(tmp_path))

    assert (0, [["success"], ["success"]]) == (done.status, states(server))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--context", "a b"], "--context 'a b': Patchwork takes letters, digits, - and _"),
        (["--target-url", "ci/1"], "--target-url ci/1: Patchwork takes https://HOST.DOMAIN/"),
        (["--target-url", "https://ci/1"], "--target-url https://ci/1: Patchwork takes https"),
        (["--patch-id", "1"], "--patch-id: 1 given, but the report is on 2 patches"),
        (["--url", "http://example.org/api", "--yes"], "a token is sent by https only"),
        (["--url", "https://me:pw@example.org", "--yes"], "no user or password there"),
        (["--url", "example.org", "--yes"], "expected https://HOST"),
        (["--url", "https://[", "--yes"], "--url https://[: expected https://HOST"),
        (["--url", "https://x:y/", "--yes"], "--url https://x:y: expected https://HOST"),
        (["--token-file", "/nowhere", "--yes"], "/nowhere: cannot read the token"),
    ],
)
def test_a_mistake_is_one_message(
    server: Patchwork, tmp_path: Path, options: list[str], words: str
) -> None:
    done = run(server, write_report(tmp_path), *options)

    assert (2, "") == (done.status, done.printed)
    assert words in done.complaint
    assert not server.requests


def test_a_patch_that_patchwork_does_not_know_is_named(server: Patchwork, tmp_path: Path) -> None:
    del server.patches["2@example.org"]

    done = run(server, write_report(tmp_path), "--yes")

    assert 2 == done.status
    assert "no patch with Message-Id <2@example.org>" in done.complaint


@pytest.mark.parametrize("others", [0, 40])
def test_a_patchwork_that_looks_for_no_message_id_is_not_read_whole(
    server: Patchwork, tmp_path: Path, others: int
) -> None:
    server.knows_msgid = False
    server.patches = {f"other-{n}@example.org": 100 + n for n in range(1 + others)}

    done = run(server, write_report(tmp_path), "--yes")

    assert (2, 1) == (done.status, len(server.requests))
    assert "name the patches by --patch-id" in done.complaint
