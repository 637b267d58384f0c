"""What the package is made of: nothing that runs what it reads, and the same wheel every time."""

from __future__ import annotations

import ast
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
_CALLS = {"eval", "exec", "compile", "__import__", "execfile"}
_MODULES = {"pickle", "cPickle", "dill", "marshal", "shelve", "ctypes", "cffi", "commands", "pty"}
_ATTRIBUTES = {("os", "system"), ("os", "popen"), ("os", "execv"), ("subprocess", "getoutput")}


def dangers(text: str) -> Iterator[str]:
    """Yield what of a module could run what it reads."""
    for node in ast.walk(ast.parse(text)):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in _CALLS:
                yield name
            case ast.Call(keywords=keywords) if any(
                k.arg == "shell" and getattr(k.value, "value", True) is not False for k in keywords
            ):
                yield "shell"
            case ast.Attribute(value=ast.Name(id=module), attr=name) if (
                module,
                name,
            ) in _ATTRIBUTES or (module == "yaml" and name == "load"):
                yield f"{module}.{name}"
            case ast.Import(names=names):
                yield from (n.name for n in names if n.name.partition(".")[0] in _MODULES)
            case ast.ImportFrom(module=str(module)) if module.partition(".")[0] in _MODULES:
                yield module


@pytest.mark.parametrize(
    "text",
    [
        "eval(x)",
        "import pickle",
        "from pickle import loads",
        "subprocess.run(x, shell=True)",
        "os.system(x)",
        "yaml.load(x)",
    ],
)
def test_what_runs_what_it_reads_would_be_seen(text: str) -> None:
    assert list(dangers(text))


def test_nothing_in_the_package_runs_what_it_reads() -> None:
    modules = sorted((ROOT / "analyzer").rglob("*.py"))
    found = {m.relative_to(ROOT).as_posix(): list(dangers(m.read_text())) for m in modules}

    assert len(modules) > 50
    # What a forked process of its own hands back through a pipe comes from nobody else.
    assert ["pickle"] == found.pop("analyzer/parallel.py", ["pickle"])
    assert {} == {path: names for path, names in found.items() if names}


def _built(source: Path, into: Path, epoch: str) -> bytes:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into)],
        cwd=source,
        env={**os.environ, "SOURCE_DATE_EPOCH": epoch},
        check=True,
        capture_output=True,
    )
    (wheel,) = into.glob("*.whl")
    return wheel.read_bytes()


@pytest.mark.slow
def test_the_wheel_is_the_same_from_another_folder_at_another_time(tmp_path: Path) -> None:
    wanted = ("analyzer", "queries", "pyproject.toml", "README.md", "LICENSE")
    wheels = []
    for name, age in (("here", 1_000_000_000), ("elsewhere", 1_700_000_000)):
        source = tmp_path / name
        source.mkdir()
        for item in wanted:
            if (ROOT / item).is_dir():
                shutil.copytree(
                    ROOT / item, source / item, ignore=shutil.ignore_patterns("__pycache__")
                )
            else:
                shutil.copy(ROOT / item, source / item)
        for path in source.rglob("*"):
            os.utime(path, (age, age))
        wheels.append(_built(source, tmp_path / f"{name}-wheel", "1600000000"))

    assert wheels[0] == wheels[1]
