"""The steps of `action.yml`, each as a runner starts it: its own script, shell and environment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ..post.servers import serve
from ..post.services import GitHub
from .repos import DEMO, HARMLESS, ROOT, Done, Repository, copy_project, demo, pip_settings
from .test_ci import pull_request

yaml = pytest.importorskip("yaml", reason="`make kernel-test` installs PyYAML")
pytestmark = pytest.mark.slow  # installs the project and runs it in processes of its own

PATCH = (DEMO / "change.patch").read_text()
#: What `shell: bash` is, by GitHub's reference of workflow syntax.
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail")


@dataclass
class Runner:
    """A runner of GitHub for one job: it knows as much of the language as we use, and no more."""

    repository: Repository
    action: Any
    inputs: Mapping[str, str]
    variables: Mapping[str, str]
    outputs: dict[str, dict[str, str]] = field(default_factory=dict)
    used: list[str] = field(default_factory=list)

    def value(self, expression: str) -> str:
        """Return what an expression such as `inputs.range` holds."""
        match expression.strip().split("."):
            case ["inputs", name]:
                default = self.action["inputs"][name]["default"]
                return self.inputs.get(name, self.filled(default))
            case ["steps", step, "outputs", name]:
                return self.outputs[step][name]
            case ["github", "event", "before"]:
                return ""  # a pull request has none
            case ["github", "token"]:
                return self.variables["token"]
        raise AssertionError(f"an expression that no test knows: {expression}")

    def filled(self, text: str) -> str:
        """Return a text with its expressions replaced."""
        return re.sub(r"\$\{\{(.*?)\}\}", lambda m: self.value(m[1]), str(text))

    def holds(self, condition: str) -> bool:
        """Tell whether terms such as `inputs.comment == 'true'` hold, all of them."""
        return all(self._holds(term) for term in condition.split("&&"))

    def _holds(self, term: str) -> bool:
        if m := re.fullmatch(r"\s*([\w.-]+) == '(\w*)'\s*", term):
            return self.value(m[1]) == m[2]
        m = re.fullmatch(r"\s*([\w.-]+) < (\d+)\s*", term)
        assert m is not None, f"a condition that no test knows: {term}"
        return float(self.value(m[1])) < int(m[2])

    def run(self) -> list[tuple[str, Done]]:
        """Run the steps until one fails; return the name of each script with what it did."""
        done: list[tuple[str, Done]] = []
        for number, step in enumerate(self.action["runs"]["steps"]):
            if "if" in step and not self.holds(step["if"]):
                continue
            if "uses" in step:
                self.used.append(self.filled(step["uses"]).partition("@")[0])
                continue
            assert "bash" == step["shell"]
            done.append((step["name"], self._script(number, step)))
            if done[-1][1].status:
                break
        return done

    def _script(self, number: int, step: Any) -> Done:
        folder = self.repository.home / "runner"
        folder.mkdir(exist_ok=True)
        script, outputs = folder / f"{number}.sh", folder / f"{number}.outputs"
        script.write_text(step["run"])
        outputs.touch()
        given = {name: self.filled(text) for name, text in step.get("env", {}).items()}
        done = self.repository.run(
            *BASH, script,
            GITHUB_OUTPUT=str(outputs), GITHUB_STEP_SUMMARY=str(folder / "summary.md"),
            RUNNER_TEMP=str(folder), GITHUB_ACTIONS="true",
            **{k: v for k, v in self.variables.items() if k != "token"}, **given,
        )  # fmt: skip
        pairs = dict(line.split("=", 1) for line in outputs.read_text().splitlines())
        self.outputs[step.get("id", step["name"])] = pairs
        return done


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a fresh Python, as actions/setup-python leaves one on the path."""
    folder = tmp_path_factory.mktemp("python")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    return folder / "bin"


def runner(repository: Repository, python: Path, **more: str) -> Runner:
    """Return a runner for a pull request, with an action that was checked out beside it."""
    (repository.home / "bin" / "offlint").unlink()  # what the action installs is to be found
    inputs = {name: more.pop(name) for name in ("comment", "fail-on", "anchor") if name in more}
    variables = {
        "GITHUB_ACTION_PATH": str(copy_project(repository)),
        "PATH": f"{python}{os.pathsep}{os.environ['PATH']}",
        "token": "none",
        **pip_settings(),
        **more,
    }
    return Runner(repository, yaml.safe_load((ROOT / "action.yml").read_text()), inputs, variables)


def test_the_action_installs_checks_comments_and_fails(tmp_path: Path, python: Path) -> None:
    repository, service = demo(tmp_path), GitHub()
    pull_request(repository, PATCH)
    with serve(service):
        job = runner(
            repository, python, comment="true", token=service.token, GITHUB_API_URL=service.url,
            GITHUB_REPOSITORY="o/r", GITHUB_REF="refs/pull/7/merge",
        )  # fmt: skip

        done = job.run()

    assert ["Install offlint", "Check", "Comment", "Pass or fail"] == [name for name, _ in done]
    assert [0, 0, 0, 1] == [step.status for _, step in done], done
    assert "::error file=mm/mm_init.c," in done[1][1].stdout
    said = "".join(str(c["body"]) for c in (*service.comments, *service.notes))
    assert "### offlint: 3 findings" in said
    assert ["actions/setup-python"] == job.used
    assert not any(service.token in step.stdout + step.stderr for _, step in done)


def test_the_action_passes_a_clean_pull_request_and_uploads(tmp_path: Path, python: Path) -> None:
    repository = demo(tmp_path)
    pull_request(repository, HARMLESS)
    job = runner(repository, python)
    job.inputs = {"upload-sarif": "true"}

    done = job.run()

    assert ["Install offlint", "Check", "Pass or fail"] == [name for name, _ in done]
    assert [0, 0, 0] == [step.status for _, step in done], done
    assert ["actions/setup-python", "github/codeql-action/upload-sarif"] == job.used
    assert Path(job.outputs["check"]["sarif"]).exists()


def test_the_action_fails_where_nothing_could_be_checked(tmp_path: Path, python: Path) -> None:
    job = runner(demo(tmp_path), python, comment="true")

    done = job.run()

    assert ["Install offlint", "Check", "Pass or fail"] == [name for name, _ in done]
    assert [0, 0, 2] == [step.status for _, step in done], done


def test_nothing_but_the_environment_reaches_a_script() -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text())

    assert [] == [s["name"] for s in action["runs"]["steps"] if "${{" in s.get("run", "")]
