"""Git around the tool: hooks, linked worktrees, shallow and partial clones, submodules."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

import pytest

from .repos import DEMO, HARMLESS, ROOT, Done, Repository, demo, series_that_mends

yaml = pytest.importorskip("yaml", reason="`make kernel-test` installs PyYAML")
pytestmark = pytest.mark.slow  # each makes repositories and runs git many times

EXAMPLES = ROOT / "docs" / "examples"
PATCH = (DEMO / "change.patch").read_text()
FINDING = "acme_append() sets PageOffline"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return demo(tmp_path)


def hook(repository: Repository, name: str) -> None:
    path = repository.path / ".git" / "hooks" / name
    path.parent.mkdir(exist_ok=True)
    shutil.copy(EXAMPLES / name, path)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def published(repository: Repository) -> Repository:
    """Give a repository a remote that has its first commit."""
    remote = repository.path.parent / "remote.git"
    repository.git("init", "--quiet", "--bare", remote)
    repository.git("remote", "add", "origin", remote)
    repository.git("push", "--quiet", "--set-upstream", "origin", "master")
    return repository


def push(repository: Repository, *references: str) -> Done:
    return repository.run("git", "push", "origin", *references)


def on_the_remote(repository: Repository, branch: str) -> bool:
    return bool(repository.git("ls-remote", "origin", f"refs/heads/{branch}"))


def test_a_push_with_a_mistake_is_held_back(repository: Repository) -> None:
    hook(published(repository), "pre-push")
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.apply(PATCH)

    done = push(repository, "topic")

    assert (True, False) == (done.status != 0, on_the_remote(repository, "topic"))
    assert FINDING in done.stdout + done.stderr


def test_a_push_to_a_branch_that_is_there_is_checked_from_where_it_is(
    repository: Repository,
) -> None:
    hook(published(repository), "pre-push")
    repository.apply(HARMLESS)
    first = push(repository, "master")
    repository.apply(PATCH)
    second = push(repository, "master")

    assert (0, True) == (first.status, second.status != 0)
    assert FINDING in second.stdout + second.stderr


def test_tags_deletions_and_nothing_new_are_not_held_back(repository: Repository) -> None:
    hook(published(repository), "pre-push")
    repository.git("branch", "same")
    repository.git("tag", "v1")

    done = [push(repository, r) for r in ("same", "v1", ":same")]

    assert [0, 0, 0] == [d.status for d in done]


def test_a_range_of_nothing_but_merges_is_told(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.apply(HARMLESS)
    repository.git("checkout", "--quiet", "master")
    repository.git("merge", "--quiet", "--no-ff", "--message", "merge", "topic")

    done = repository.run("offlint", "check", "topic..master")

    said = "Nothing stale found: there is nothing but merges, which are left out.\n"
    assert (0, said) == (done.status, done.stdout)


def send(repository: Repository, *patches: Path, **environment: str) -> Done:
    """Let git send mail to a program that takes it."""
    sink = repository.home / "bin" / "sink"
    sink.write_text(f"#!/bin/sh\ncat >>{repository.home}/sent\n")
    sink.chmod(0o755)
    return repository.run(
        "git", "send-email", "--quiet", "--confirm=never", "--to=list@example.org",
        f"--smtp-server={sink}", *patches, **environment,
    )  # fmt: skip


def sent(repository: Repository) -> int:
    path = repository.home / "sent"
    return path.read_text().count("Subject: [PATCH") if path.exists() else 0


needs_mail = pytest.mark.skipif(
    not (shutil.which("git-send-email") or Path("/usr/lib/git-core/git-send-email").exists()),
    reason="git send-email is not installed; `.ci/run` installs it",
)


def formatted(repository: Repository, *options: str) -> list[Path]:
    folder = repository.home / "out"
    repository.git("format-patch", "--quiet", "-o", folder, *options)
    return sorted(folder.iterdir())


@needs_mail
def test_a_patch_with_a_mistake_is_not_sent(repository: Repository) -> None:
    hook(repository, "sendemail-validate")
    repository.apply(PATCH)

    done = send(repository, *formatted(repository, "-1"))

    assert (True, 0) == (done.status != 0, sent(repository))
    assert FINDING in done.stdout + done.stderr


@needs_mail
def test_a_clean_patch_is_sent_with_its_cover_letter(repository: Repository) -> None:
    hook(repository, "sendemail-validate")
    repository.apply(HARMLESS)
    patches = formatted(repository, "-1", "--cover-letter")
    cover = patches[0].read_text().replace("*** SUBJECT HERE ***", "a cover")
    patches[0].write_text(cover.replace("*** BLURB HERE ***", "why"))

    done = send(repository, *patches)

    assert (0, 2) == (done.status, sent(repository)), done


def test_a_series_is_judged_as_a_whole_where_git_counts_the_files(tmp_path: Path) -> None:
    repository, mbox = series_that_mends(tmp_path)
    published(repository)
    hook(repository, "sendemail-validate")
    repository.apply(mbox)
    patches = formatted(repository, "-2")

    done = [
        repository.run(
            repository.path / ".git" / "hooks" / "sendemail-validate", patch,
            GIT_SENDEMAIL_FILE_COUNTER=str(n), GIT_SENDEMAIL_FILE_TOTAL="2",
        )
        for n, patch in enumerate(patches, 1)
    ]  # fmt: skip

    assert [0, 1] == [d.status for d in done]
    assert (1, True) == (done[1].stderr.count("error["), "foo_spare_bad()" in done[1].stderr)


@needs_mail
def test_a_series_that_mends_all_it_breaks_is_sent(tmp_path: Path) -> None:
    repository, mbox = series_that_mends(tmp_path)
    published(repository)
    hook(repository, "sendemail-validate")
    line = "\n+\t__SetPageOffline(page);"
    head, _, rest = mbox.partition("foo_spare_bad")
    whole = f"{head}foo_spare_bad{rest.replace(line, '', 1)}".replace(
        "-10,11 +10,13", "-10,11 +10,12"
    )
    repository.apply(whole)

    done = send(repository, *formatted(repository, "-2"))

    assert (0, 2) == (done.status, sent(repository)), done


def check(repository: Repository, folder: Path, *arguments: str) -> Done:
    return repository.run_in(folder, "offlint", "check", "--quiet", "--format", "terse", *arguments)


def test_a_linked_worktree_is_a_tree(repository: Repository) -> None:
    repository.git("checkout", "--quiet", "-b", "topic")
    repository.apply(PATCH)
    other = repository.home / "other"
    repository.git("worktree", "add", "--quiet", other, "master")

    in_range = check(repository, other, "master..topic")
    by_patch = repository.run_in(
        other, "offlint", "check", "--quiet", "--format", "terse", data=PATCH
    )

    assert (1, True) == (in_range.status, FINDING in in_range.stdout)
    assert in_range.stdout == by_patch.stdout


def clone(repository: Repository, *options: str) -> Path:
    copy = repository.home / "clone"
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.git("clone", "--quiet", *options, f"file://{repository.path}", copy)
    return copy


def test_a_shallow_clone_needs_no_more_than_the_commits(repository: Repository) -> None:
    for patch in (HARMLESS, PATCH):
        repository.apply(patch)
    copy = clone(repository, "--depth", "2")

    done = check(repository, copy, "HEAD~..HEAD")

    assert (1, True) == (done.status, FINDING in done.stdout)


def test_too_shallow_a_clone_is_one_message(repository: Repository) -> None:
    repository.apply(PATCH)
    copy = clone(repository, "--depth", "1")

    done = check(repository, copy, "HEAD~..HEAD")

    assert (2, "", 1) == (done.status, done.stdout, len(done.stderr.splitlines()))
    assert "no such revision: HEAD~" in done.stderr


@pytest.mark.parametrize("kind", ["blob:none", "tree:0"])
def test_a_partial_clone_fetches_what_it_lacks(repository: Repository, kind: str) -> None:
    repository.apply(PATCH)
    copy = clone(repository, "--no-checkout", f"--filter={kind}")

    done = check(repository, copy, "HEAD~..HEAD")

    assert (1, True) == (done.status, FINDING in done.stdout), done


def test_submodules_are_not_entered(repository: Repository) -> None:
    foreign = repository.home / "foreign"
    foreign.mkdir()
    shutil.copytree(repository.path / "drivers", foreign / "drivers")
    repository.run_in(foreign, "git", "init", "--quiet")
    repository.run_in(foreign, "git", "add", "--all")
    repository.run_in(foreign, "git", "commit", "--quiet", "--message", "foreign")
    repository.git(
        "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", foreign, "sub"
    )
    repository.git("commit", "--quiet", "--message", "a submodule")
    repository.apply(PATCH)

    done = check(repository, repository.path, "HEAD~2..HEAD")

    assert (1, False) == (done.status, "sub/" in done.stdout), done


def test_the_hooks_can_be_run_as_they_are() -> None:
    hooks = [EXAMPLES / name for name in ("pre-push", "sendemail-validate")]

    assert [True, True] == [os.access(path, os.X_OK) for path in hooks]
