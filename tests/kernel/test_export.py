"""Run exported semantic patches on the drivers as they were, and as they are."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from analyzer.coccinelle import semantic_patch
from analyzer.migrations import migration_named
from analyzer.rules import rule_named
from analyzer.tree import Tree

from .edits import extent
from .pieces import HYPERV, VIRTIO, XEN
from .trees import read_texts

pytestmark = [
    pytest.mark.kernel,
    pytest.mark.skipif(shutil.which("spatch") is None, reason="spatch is not installed"),
]
DRIVERS = (HYPERV, VIRTIO, XEN)
#: Rule -> what the drivers before the change still do.
OLD_HABITS = {
    "double-set": {"balloon_append", "virtio_mem_set_fake_offline"},
    "double-clear": {"hv_page_online_one"},
    "dead-op": {"virtio_mem_set_fake_offline"},
}


def named(rule: str, tree: Tree, folder: Path) -> set[str]:
    """Return the functions that a rule's semantic patch reports in the drivers."""
    cocci = folder / "rule.cocci"
    cocci.write_text(semantic_patch(rule_named(rule), [migration_named("hotplug-offline")]))
    found: set[str] = set()
    for path, text in read_texts(tree, DRIVERS).items():
        (folder / "driver.c").write_text(text)
        done = subprocess.run(
            ["spatch", "-D", "report", "--no-show-diff", "--very-quiet", "--no-includes",
             "--cocci-file", "rule.cocci", "driver.c"],
            cwd=folder, capture_output=True, text=True, check=True,
        )  # fmt: skip
        for line in done.stdout.splitlines():
            found.add(_around(text, int(line.split(":")[1]), path))
    return found


def _around(text: str, line: int, path: str) -> str:
    names = {name for names in OLD_HABITS.values() for name in names}
    at = len("".join(text.splitlines(True)[: line - 1]))
    inside = [n for n in sorted(names) if f" {n}(" in text and _holds(text, n, at)]
    return inside[0] if inside else f"{path}:{line}"


def _holds(text: str, name: str, at: int) -> bool:
    try:
        start, end = extent(text, name)
    except AssertionError:
        return False
    return start <= at < end


@pytest.mark.parametrize("rule", OLD_HABITS)
def test_old_habits_are_named_before_the_change(
    rule: str, befores: Mapping[str, Tree], tmp_path: Path
) -> None:
    assert OLD_HABITS[rule] == named(rule, befores["lenient"], tmp_path)


@pytest.mark.parametrize("rule", ["double-set", "double-clear", "dead-op"])
def test_changed_drivers_are_silent(rule: str, afters: Mapping[str, Tree], tmp_path: Path) -> None:
    assert set() == named(rule, afters["lenient"], tmp_path)
