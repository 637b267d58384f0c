"""The scripts for CI systems, run with the environment that those systems give them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from analyzer.cli.nipa import FAILED, PASSED, WARNED

from .repos import (
    DEMO,
    HARMLESS,
    ROOT,
    Done,
    Repository,
    copy_project,
    demo,
    fixture,
    pip_settings,
)

yaml = pytest.importorskip("yaml", reason="`make kernel-test` installs PyYAML")
pytestmark = pytest.mark.slow  # each makes a repository and runs the tool in processes of its own

EXAMPLES = ROOT / "docs" / "examples"
PATCH = (DEMO / "change.patch").read_text()
FINDING = "acme_append() sets PageOffline"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return demo(tmp_path)


def read_yaml(path: Path) -> Any:
    return yaml.safe_load(path.read_text())


# --- GitHub -------------------------------------------------------------------------------------


def pull_request(repository: Repository, *patches: str) -> None:
    """Leave a repository as actions/checkout does for a pull request: on a merge."""
    repository.git("checkout", "--quiet", "-b", "topic")
    for patch in patches:
        repository.apply(patch)
    repository.git("checkout", "--quiet", "--detach", "master")
    repository.git("merge", "--quiet", "--no-ff", "--message", "Merge", "topic")


def act(repository: Repository, **environment: str) -> tuple[Done, dict[str, str], str]:
    """Run the check of the action; return what it did, its outputs and its summary."""
    folder = repository.home / "runner"
    folder.mkdir(exist_ok=True)
    summary, outputs = folder / "summary.md", folder / "outputs"
    done = repository.run(
        "bash", ROOT / ".ci" / "action.sh", RUNNER_TEMP=str(folder), GITHUB_ACTIONS="true",
        GITHUB_STEP_SUMMARY=str(summary), GITHUB_OUTPUT=str(outputs), **environment,
    )  # fmt: skip
    assert 0 == done.status, done
    pairs = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
    return done, pairs, summary.read_text()


def test_a_pull_request_is_annotated_and_summed_up(repository: Repository) -> None:
    pull_request(repository, HARMLESS, PATCH)

    done, outputs, summary = act(repository)

    assert "1" == outputs["status"]
    assert "::error file=mm/mm_init.c," in done.stdout
    assert f"double-set]: {FINDING}" in summary
    assert ["2.1.0", 1] == [
        json.loads(Path(outputs[name]).read_text())["version"] for name in ("sarif", "report")
    ]


def test_annotations_stand_at_the_place_to_mend_where_that_is_wished(
    repository: Repository,
) -> None:
    pull_request(repository, PATCH)

    done, _, _ = act(repository, OFFLINT_ANCHOR="site")

    assert "::error file=drivers/acme/acme_balloon.c," in done.stdout


def test_a_clean_pull_request_passes(repository: Repository) -> None:
    pull_request(repository, HARMLESS)

    done, outputs, summary = act(repository)

    assert ("0", False) == (outputs["status"], "::error" in done.stdout)
    assert "Nothing stale found" in summary


def test_a_push_is_checked_from_what_was_there(repository: Repository) -> None:
    before = repository.git("rev-parse", "HEAD").strip()
    repository.apply(PATCH)

    _, outputs, _ = act(repository, OFFLINT_BEFORE=before)

    assert "1" == outputs["status"]


def test_a_range_can_be_given(repository: Repository) -> None:
    for patch in (PATCH, HARMLESS):
        repository.apply(patch)

    statuses = [act(repository, OFFLINT_RANGE=r)[1]["status"] for r in ("HEAD~..", "HEAD~2..HEAD")]

    assert ["0", "1"] == statuses


def test_a_checkout_that_is_too_shallow_is_not_a_clean_one(repository: Repository) -> None:
    done, outputs, summary = act(repository, OFFLINT_BEFORE="0" * 40)

    assert "2" == outputs["status"]
    assert "::error title=offlint::no commits to check" in done.stdout
    assert "fetch-depth" in summary


def test_a_checkout_of_somebody_else_is_told_as_git_tells_it(repository: Repository) -> None:
    pull_request(repository, PATCH)

    done, outputs, summary = act(repository, GIT_TEST_ASSUME_DIFFERENT_OWNER="1")

    assert "2" == outputs["status"]
    assert "::error title=offlint::fatal: detected dubious ownership" in done.stdout
    assert "safe.directory" in summary


def test_what_was_judged_before_the_time_ran_out_is_shown(repository: Repository) -> None:
    pull_request(repository, PATCH)
    report = repository.home / "runner/offlint/report.txt"
    command = repository.home / "bin" / "offlint"
    command.write_text(f"#!/bin/sh\necho 'Nothing was judged: out of time.' >{report}\nexit 4\n")

    done, outputs, summary = act(repository)

    assert "4" == outputs["status"]
    assert "::error title=offlint::not everything was judged: see the summary\n" in done.stdout
    assert "Nothing was judged: out of time." in summary


def test_nothing_in_a_patch_is_markup_in_the_summary(repository: Repository) -> None:
    evil = HARMLESS.replace("A balloon.", "</pre><img src=x> ``` a balloon, all are reserved")
    pull_request(repository, evil, PATCH)

    _, _, summary = act(repository)

    assert ("</pre>", 1) == (summary.rstrip()[-6:], summary.count("</pre>"))
    assert "<img" not in summary


def test_what_cannot_be_read_speaks_no_command_to_the_runner(repository: Repository) -> None:
    done, outputs, _ = act(repository, OFFLINT_RANGE="::add-mask::x\n::warning::y..HEAD")

    assert "2" == outputs["status"]
    lines = done.stdout.splitlines()
    stop = next(n for n, line in enumerate(lines) if line.startswith("::stop-commands::"))
    last = lines.index(f"::{lines[stop].rpartition(':')[2]}::")
    assert not any(line.startswith("::warning") for line in lines[:stop] + lines[last:])


def test_the_action_uses_its_inputs_and_nothing_of_a_patch_in_its_scripts() -> None:
    action = read_yaml(ROOT / "action.yml")
    steps = action["runs"]["steps"]
    scripts = [s["run"] for s in steps if "run" in s]

    assert "composite" == action["runs"]["using"]
    assert not any("${{" in script for script in scripts)
    assert all(f"inputs.{name}" in json.dumps(steps) for name in action["inputs"])
    assert (ROOT / ".ci" / "action.sh").exists()


# --- GitLab -------------------------------------------------------------------------------------


def test_the_gitlab_job_writes_what_its_widget_reads(repository: Repository) -> None:
    base = repository.git("rev-parse", "HEAD").strip()
    repository.apply(PATCH)
    head = repository.git("rev-parse", "HEAD").strip()
    job = read_yaml(EXAMPLES / "gitlab-ci.yml")["offlint"]

    # A runner joins the lines of a script and stops at the first that fails.
    done = repository.run(
        "bash", "-eo", "pipefail", "-c", "\n".join(job["script"]),
        CI_MERGE_REQUEST_DIFF_BASE_SHA=base, CI_COMMIT_SHA=head, **job["variables"],
    )  # fmt: skip

    issues = json.loads((repository.path / job["artifacts"]["reports"]["codequality"]).read_text())
    assert (1, True) == (done.status, FINDING in done.stdout)
    assert "drivers/acme/acme_balloon.c" in [i["location"]["path"] for i in issues]
    assert [] == [p for p in job["artifacts"]["paths"] if not (repository.path / p).exists()]


def test_gitlab_has_an_empty_report_to_compare_with(repository: Repository) -> None:
    jobs = read_yaml(EXAMPLES / "gitlab-ci.yml")
    base, job = jobs["offlint-base"], jobs["offlint"]

    done = repository.run("bash", "-eo", "pipefail", "-c", "\n".join(base["script"]))

    reports = [j["artifacts"]["reports"]["codequality"] for j in (base, job)]
    assert (0, reports[0]) == (done.status, reports[1])
    assert [] == json.loads((repository.path / reports[0]).read_text())


def test_nothing_is_installed_by_a_name_that_nobody_gave(repository: Repository) -> None:
    (install,) = read_yaml(EXAMPLES / "gitlab-ci.yml")["offlint"]["before_script"]

    done = repository.run("bash", "-c", install.replace("python -m pip", "echo"))

    assert ("", True) == (done.stdout, "OFFLINT" in done.stderr)


# --- NIPA ---------------------------------------------------------------------------------------


def nipa(repository: Repository) -> tuple[int, str]:
    """Run the test folder as NIPA's `core/test.py` does; return its status and description."""
    info = json.loads((EXAMPLES / "nipa" / "info.json").read_text())
    reader, writer = os.pipe()
    done = subprocess.run(
        [str(EXAMPLES / "nipa" / info["run"][0]), *info["run"][1:]],
        cwd=repository.path,
        env={**repository.environment, "DESC_FD": str(writer)},
        pass_fds=[writer],
        capture_output=True,
        check=False,
    )
    os.close(writer)
    with os.fdopen(reader) as description:
        return done.returncode, description.read()


def test_nipa_gets_a_status_and_one_line(repository: Repository) -> None:
    repository.apply(HARMLESS)
    clean = nipa(repository)
    repository.apply(PATCH)
    broken = nipa(repository)

    assert [PASSED, FAILED] == [clean[0], broken[0]]
    assert [1, 1] == [text.count("\n") for _, text in (clean, broken)]
    assert "2 errors" in broken[1]


def test_nipa_warns_where_nothing_could_be_checked(repository: Repository) -> None:
    status, description = nipa(repository)  # the first commit has none before it

    assert (WARNED, True) == (status, description.startswith("not checked: offlint: "))


def test_nipa_warns_for_a_warning(tmp_path: Path) -> None:
    status, description = nipa(fixture(tmp_path, "dead-op/clear_reserved"))

    assert (WARNED, "1 warning.\n") == (status, description)


def test_nipa_passes_a_note(repository: Repository) -> None:
    (repository.path / ".offlint.toml").write_text(
        '[levels]\ndouble-set = "note"\ndouble-clear = "note"\n'
    )
    repository.git("add", "--all")
    repository.git("commit", "--quiet", "--message", "settings")
    repository.apply(PATCH)

    status, description = nipa(repository)

    assert (PASSED, "3 notes.\n") == (status, description)


@pytest.mark.parametrize("descriptor", ["", "many", "0", "99", "9" * 40])
def test_without_nipa_the_option_says_so_before_anything_is_read(
    repository: Repository, descriptor: str
) -> None:
    done = repository.run("offlint", "check", "--nipa", "no-such-patch", DESC_FD=descriptor)

    assert (2, "") == (done.status, done.stdout)
    assert [True] == ["NIPA sets it" in line for line in done.stderr.splitlines()]


# --- Kernel Patches Daemon, mm-ci ---------------------------------------------------------------


def test_the_mm_ci_job_tells_by_log_and_status(repository: Repository) -> None:
    scripts = repository.path / ".github" / "scripts"
    scripts.mkdir(parents=True)
    shutil.copy(EXAMPLES / "mm-ci" / "run-offlint.sh", scripts)
    steps = read_yaml(EXAMPLES / "mm-ci" / "offlint.yml")["jobs"]["offlint"]["steps"]
    pull_request(repository, HARMLESS)
    clean = repository.run("bash", "-e", "-c", steps[-1]["run"], GITHUB_ACTIONS="true")
    repository.git("checkout", "--quiet", "topic")
    repository.apply(PATCH)
    repository.git("checkout", "--quiet", "--detach", "master")
    repository.git("merge", "--quiet", "--no-ff", "--message", "Merge", "topic")
    broken = repository.run("bash", "-e", "-c", steps[-1]["run"], GITHUB_ACTIONS="true")
    (repository.home / "bin" / "offlint").write_text("#!/bin/sh\nexit 2\n")
    unread = repository.run("bash", "-e", "-c", steps[-1]["run"], GITHUB_ACTIONS="true")

    assert [0, 1, 2] == [clean.status, broken.status, unread.status], (clean, broken)
    assert "✓ page states passed" in clean.stdout
    assert "✗ page states could not be checked" in unread.stdout
    assert "of 2 patches" in broken.stdout
    assert FINDING in broken.stdout


# --- pre-commit ---------------------------------------------------------------------------------


def pre_commit(repository: Repository, hook: str, *arguments: str) -> Done:
    """Run a hook as it stands, but with the command that is on the path already."""
    pytest.importorskip("pre_commit", reason="`make kernel-test` installs pre-commit")
    entry = next(h for h in read_yaml(ROOT / ".pre-commit-hooks.yaml") if h["id"] == hook)
    config = {"repos": [{"repo": "local", "hooks": [{**entry, "language": "system"}]}]}
    path = repository.home / "config.yaml"
    path.write_text(yaml.safe_dump(config))
    return repository.run(
        *(sys.executable, "-m", "pre_commit", "run", "--config", path), *arguments
    )


def push(repository: Repository, theirs: str, ours: str) -> Done:
    stage = ("--hook-stage", "pre-push", "--from-ref", theirs, "--to-ref", ours)
    return pre_commit(repository, "offlint-push", *stage)


def test_pre_commit_checks_what_is_staged(repository: Repository) -> None:
    repository.git("config", "color.ui", "always")
    clean = pre_commit(repository, "offlint", "--all-files")
    repository.git("apply", "--index", "-", data=PATCH)
    broken = pre_commit(repository, "offlint")

    assert 0 == clean.status, clean
    assert (1, True) == (broken.status, FINDING in broken.stdout), broken


def test_pre_commit_checks_what_is_pushed(repository: Repository) -> None:
    every = pre_commit(repository, "offlint-push", "--hook-stage", "pre-push", "--all-files")
    repository.apply(HARMLESS)
    repository.git("branch", "theirs")
    repository.git("reset", "--quiet", "--hard", "HEAD~")
    back = push(repository, "theirs", "HEAD")
    repository.apply(PATCH)
    broken = push(repository, "theirs", "HEAD")
    repository.git("branch", "broken")
    repository.apply(HARMLESS)
    mended = push(repository, "broken", "HEAD")

    assert [0, 0, 1, 0] == [done.status for done in (every, back, broken, mended)]
    assert FINDING in broken.stdout


def test_pre_commit_installs_this_project(repository: Repository) -> None:
    pytest.importorskip("pre_commit", reason="`make kernel-test` installs pre-commit")
    copy = copy_project(repository)
    for command in (["init", "--quiet"], ["add", "--all"], ["commit", "-q", "-m", "it"]):
        repository.run_in(copy, "git", *command)
    repository.git("apply", "--index", "-", data=PATCH)
    (repository.home / "bin" / "offlint").unlink()

    done = repository.run(
        sys.executable,
        "-m",
        "pre_commit",
        "try-repo",
        copy,
        "offlint",
        "--verbose",
        **pip_settings(),
    )

    assert (1, True) == (done.status, FINDING in done.stdout), done
