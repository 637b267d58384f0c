"""What b4 itself makes of our output: `prep --check`, `am --check`, and the checks of `review`."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from .repos import DEMO, HARMLESS, Done, Repository, demo, program, series_that_mends

pytest.importorskip("b4", reason="`make kernel-test` installs b4")
pytestmark = pytest.mark.slow  # every b4 command starts an interpreter or two

TEXT = "offlint check --quiet --level warning --format terse"
REVIEW = "offlint check --quiet --format b4"
PATCH = (DEMO / "change.patch").read_text()


def b4(repository: Repository, *arguments: str) -> Done:
    return repository.run(program("b4"), "--no-interactive", *arguments)


def prepared(repository: Repository) -> Repository:
    """Start a branch as people who use b4 do."""
    assert 0 == b4(repository, "prep", "-n", "topic", "-f", "master").status
    repository.git("config", "b4.prep-perpatch-check-cmd", TEXT)
    return repository


def lines(done: Done) -> list[tuple[str, str]]:
    """Return the flags and texts that b4 shows, and its totals."""
    shown = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    return re.findall(r"^( *\S) (?:[0-9a-f]{12}: )?(.*)$", shown.partition("---\n")[2], re.M)


def totals(done: Done) -> str:
    found = re.search(r"Success: \d+, Warning: \d+, Error: \d+", done.stdout + done.stderr)
    assert found, done
    return found[0]


def test_prep_shows_one_line_a_finding(tmp_path: Path) -> None:
    repository = prepared(demo(tmp_path))
    repository.apply(PATCH)

    done = b4(repository, "prep", "--check")

    assert "Success: 0, Warning: 0, Error: 2" == totals(done)
    shown = [text for flag, text in lines(done) if flag.startswith("  ")]
    assert [
        "offlint: drivers/acme/acme_balloon.c:15: ERROR:DOUBLE_SET: acme_append() sets",
        "offlint: drivers/foo/foo_hotadd.c:21: ERROR:DOUBLE_CLEAR: foo_online_one() clears",
    ] == [re.sub(r"(sets|clears) .*", r"\1", text) for text in shown]


def test_prep_is_content_with_a_clean_patch(tmp_path: Path) -> None:
    repository = prepared(demo(tmp_path))
    repository.apply(HARMLESS)

    done = b4(repository, "prep", "--check")

    assert "Success: 1, Warning: 0, Error: 0" == totals(done)


def test_prep_shows_a_wrong_command_as_a_failure(tmp_path: Path) -> None:
    repository = prepared(demo(tmp_path))
    repository.apply(HARMLESS)
    repository.git("config", "b4.prep-perpatch-check-cmd", f"{TEXT} --rule no-such-rule")

    done = b4(repository, "prep", "--check")

    assert "Success: 0, Warning: 0, Error: 1" == totals(done)
    assert "no-such-rule" in done.stdout + done.stderr


def am(repository: Repository, mbox: str) -> Done:
    path = repository.home / "thread.mbox"
    path.write_text(mbox)
    repository.git("config", "b4.am-perpatch-check-cmd", TEXT)
    options = ("--offline-mode", "am", "-m", str(path), "--check", "-o", str(repository.home))
    return b4(repository, *options)


def test_am_shows_what_a_patch_from_the_list_would_break(tmp_path: Path) -> None:
    done = am(demo(tmp_path), PATCH)

    said = done.stdout + done.stderr
    assert (0, 2) == (done.status, said.count("ERROR:"))
    assert "ERROR:DOUBLE_SET: acme_append() sets PageOffline" in said


def test_am_says_nothing_of_a_clean_patch(tmp_path: Path) -> None:
    done = am(demo(tmp_path), HARMLESS)

    assert (0, 0) == (done.status, (done.stdout + done.stderr).count("ERROR:"))
    assert "offlint: passed all checks" in done.stdout + done.stderr


#: Runs b4's own code for the checks of `b4 review` on the mails of a mailbox.
_REVIEW = """
import json, mailbox, sys
from email import message_from_bytes, policy
import b4
from b4.review import checks
mails = [message_from_bytes(bytes(m), policy=policy.default) for m in mailbox.mbox(sys.argv[1])]
patches = [(m["Message-Id"], m) for m in mails]
print(json.dumps(list(checks.run_perpatch_checks(patches, [sys.argv[2]], sys.argv[3]).values())))
"""


def review(repository: Repository, mbox: str) -> Sequence[Sequence[dict[str, str]]]:
    path = repository.home / "thread.mbox"
    path.write_text(mbox)
    done = repository.run(sys.executable, "-c", _REVIEW, path, REVIEW, repository.path)
    assert 0 == done.status, done.stderr
    results: Sequence[Sequence[dict[str, str]]] = json.loads(done.stdout)
    return results


def test_review_shows_a_verdict_and_its_details(tmp_path: Path) -> None:
    (checks,) = review(demo(tmp_path), PATCH)

    assert [("offlint", "fail")] == [(c["tool"], c["status"]) for c in checks]
    details = json.loads(checks[0]["details"])
    assert ["double-set", "double-clear", "stale-comment"] == [d["context"] for d in details][:3]


def test_review_passes_a_clean_patch(tmp_path: Path) -> None:
    (checks,) = review(demo(tmp_path), HARMLESS)

    assert ["pass"] == [c["status"] for c in checks]


def test_a_series_in_one_mailbox_is_judged_by_what_it_leaves_behind(tmp_path: Path) -> None:
    repository, mbox = series_that_mends(tmp_path)

    done = repository.run(*TEXT.split(), data=mbox)

    assert (1, "") == (done.status, done.stderr)
    assert 1 == done.stdout.count("ERROR:")
    assert "foo_spare_bad()" in done.stdout


def test_prep_judges_each_patch_of_a_series_by_the_whole(tmp_path: Path) -> None:
    repository, mbox = series_that_mends(tmp_path)
    prepared(repository).apply(mbox)

    done = b4(repository, "prep", "--check")

    assert "Success: 1, Warning: 0, Error: 1" == totals(done)
    assert "foo_keep_ok() sets" not in done.stdout + done.stderr


def test_am_finds_the_patches_before_in_git(tmp_path: Path) -> None:
    repository, mbox = series_that_mends(tmp_path)
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.apply(mbox)
    repository.git("checkout", "--quiet", "master")

    done = am(repository, mbox)

    said = done.stdout + done.stderr
    assert (0, 0) == (done.status, said.count("does not apply"))
    assert "foo_spare_bad() sets" in said
