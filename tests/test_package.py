"""What is installed must be whole: code, rules, facts, queries and the schema."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

from analyzer import __version__

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Unpack a fresh wheel where nothing of the checkout is in reach."""
    folder = tmp_path_factory.mktemp("wheel")
    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(folder), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_every_data_file_is_in_the_wheel(installed: Path) -> None:
    for folder, inside in ((ROOT / "queries", "analyzer/queries"), (ROOT / "analyzer", "analyzer")):
        wanted = {
            p.relative_to(folder) for p in folder.rglob("*")
            if p.suffix in {".toml", ".json", ".py"}
        }  # fmt: skip
        assert wanted
        assert {p for p in wanted if not (installed / inside / p).is_file()} == set()


def test_an_installed_tool_finds_its_rules(installed: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "analyzer", "explain", "double-set"],
        cwd=installed,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        check=False,
    )

    assert (0, b"") == (done.returncode, done.stderr)
    assert done.stdout.startswith(b"double-set")


def test_the_command_and_the_version_are_declared(installed: Path) -> None:
    (info,) = installed.glob("offlint-*.dist-info")

    assert f"offlint-{__version__}.dist-info" == info.name
    assert "offlint = analyzer.__main__:run" in (info / "entry_points.txt").read_text()


@pytest.mark.parametrize("kind", ["run", "dev"])
def test_locked_requirements_cover_the_declared_ones(kind: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    declared = {
        "run": project["project"]["dependencies"],
        "dev": project["dependency-groups"]["dev"],
    }[kind]
    wanted = [line for line in _lines(f"{kind}.in") if not line.startswith("-c")]
    locked = {line.split("==")[0] for line in _lines(f"{kind}.txt") if "==" in line}

    assert sorted(declared) == sorted(wanted)
    assert {w.split(">=")[0] for w in wanted} <= locked


@pytest.mark.parametrize("kind", ["run", "dev"])
def test_every_locked_requirement_has_hashes_and_no_host(kind: str) -> None:
    text = (ROOT / "requirements" / f"{kind}.txt").read_text()
    pins = text.count("==")

    assert pins == sum("--hash=sha256:" in block for block in text.replace("\\\n", " ").split("\n"))
    assert "://" not in text


def _lines(name: str) -> list[str]:
    lines = (ROOT / "requirements" / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_the_documented_order_of_modules_is_the_one_that_is_checked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = project["tool"]["importlinter"]["contracts"]
    (layers,) = [c["layers"] for c in contracts if c["id"] == "one-way"]

    documented = (ROOT / "docs" / "architecture.md").read_text().split("```\n")[1]

    assert [layer.replace(" | ", ", ") for layer in layers] == documented.splitlines()
