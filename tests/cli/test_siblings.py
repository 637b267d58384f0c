"""One patch of a series on standard input, and its siblings in git."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from tests.driver import DRIVER, HOLD, KEEP, PATH
from tests.fixture.harness import common_files

from .commands import offlint

PLAIN = "\tlist_add(&page->lru, &foo_pages);\n"
#: The first patch breaks two functions; the second one mends one of them.
BROKEN = DRIVER.replace(PLAIN, KEEP).replace("\tSetPageKeptBack(page);\n", HOLD)
MENDED = BROKEN.replace(KEEP, PLAIN)
SUBJECTS = ("foo: mark pages", "foo: do not mark pages twice", "foo: say what it is")
TEXTS = (BROKEN, MENDED, MENDED.replace("#include", "/* Pages. */\n#include", 1))


def git(repo: Path, *arguments: str) -> str:
    return subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", *arguments],
        cwd=repo, check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip


def commit(repo: Path, text: str | None, subject: str, *options: str) -> None:
    if text is not None:
        (repo / PATH).write_text(text)
    git(repo, "add", ".")
    git(repo, "commit", "-qm", subject, *options)


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Return a repository with the series on top, behind an empty commit for its cover letter."""
    top = tmp_path / "linux"
    for path, text in {**common_files("strict", "after"), PATH: DRIVER}.items():
        (top / path).parent.mkdir(parents=True, exist_ok=True)
        (top / path).write_text(text)
    git(tmp_path, "init", "-q", "-b", "main", str(top))
    commit(top, None, "base")
    git(top, "tag", "base")
    commit(top, None, "cover: what the series is for", "--allow-empty")
    git(top, "tag", "cover")
    for subject, text in zip(SUBJECTS, TEXTS, strict=True):
        commit(top, text, subject)
    git(top, "tag", "top")
    return top


def patch(repo: Path, n: int, *, prefix: str = "PATCH", end: str = "top") -> bytes:
    mails = git(repo, "format-patch", "--stdout", f"--subject-prefix={prefix}", f"cover..{end}")
    return ("From " + mails.split("\nFrom ")[n - 1].removeprefix("From ")).encode()


def fates(repo: Path, data: bytes, *options: str) -> tuple[int, dict[str, tuple[object, object]]]:
    done = offlint(
        "check", "--tree", str(repo), "--rule", "double-set", "--format", "json", *options, "-",
        data=data,
    )  # fmt: skip
    assert done.stdout, done.stderr
    findings = json.loads(done.stdout)["findings"]
    return done.status, {f["function"]: (f["introduced_by"], f["fixed_by"]) for f in findings}


def test_what_a_later_sibling_mends_is_a_hazard_and_what_stays_fails(repo: Path) -> None:
    assert (1, {"foo_keep": (1, 2), "foo_hold": (1, None)}) == fates(repo, patch(repo, 1))


@pytest.mark.parametrize("number", [2, 3])
def test_what_an_earlier_sibling_breaks_is_not_the_patches_doing(repo: Path, number: int) -> None:
    assert (0, {}) == fates(repo, patch(repo, number))


def test_patch_alone_is_charged_with_all_of_it(repo: Path) -> None:
    git(repo, "checkout", "-q", "base")

    assert (1, {"foo_keep": (1, None), "foo_hold": (1, None)}) == fates(
        repo, patch(repo, 1), "--alone"
    )


def test_siblings_are_found_on_another_branch_while_nothing_is_applied(repo: Path) -> None:
    git(repo, "checkout", "-q", "base")

    assert (1, {"foo_keep": (1, 2), "foo_hold": (1, None)}) == fates(repo, patch(repo, 1))


def test_remark_names_the_siblings(repo: Path) -> None:
    done = offlint("check", "--tree", str(repo), "-", data=patch(repo, 2))

    said = " ".join(done.stderr.split())
    assert "judged as patch 2 of 3" in said
    assert f'"{SUBJECTS[0]}"' in said
    assert f'"{SUBJECTS[2]}"' in said
    assert "cover" not in said


def test_another_version_of_the_series_is_told_apart(repo: Path) -> None:
    git(repo, "checkout", "-q", "-b", "v2", "cover")
    for subject, text in zip(SUBJECTS, TEXTS, strict=True):
        changed = text.replace("\t__SetPageOffline(page);\n\tSet", "\tSet")
        commit(repo, changed, subject)

    first, second = (
        fates(repo, patch(repo, 1, prefix=f"PATCH{v}", end=end))
        for v, end in (("", "top"), (" v2", "v2"))
    )

    assert (1, {"foo_keep": (1, 2), "foo_hold": (1, None)}) == first
    assert (0, {"foo_keep": (1, 2)}) == second


def test_commits_of_somebody_else_are_no_siblings(repo: Path) -> None:
    git(repo, "reset", "-q", "--hard", "top~2")
    git(repo, "tag", "-f", "top")
    data = patch(repo, 1).replace(b"[PATCH]", b"[PATCH 1/2]")
    (repo / PATH).write_text(MENDED)
    git(repo, "commit", "-qam", "by another", "--author", "B <b@example.org>")
    git(repo, "checkout", "-q", "base")

    assert (1, {"foo_keep": (1, None), "foo_hold": (1, None)}) == fates(repo, data)


def test_patch_that_is_no_part_of_a_series_has_no_siblings(repo: Path) -> None:
    data = patch(repo, 1).replace(b"[PATCH 1/3]", b"[PATCH]")
    git(repo, "checkout", "-q", "base")

    assert (1, {"foo_keep": (1, None), "foo_hold": (1, None)}) == fates(repo, data)
