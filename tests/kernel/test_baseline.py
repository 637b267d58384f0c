"""Fingerprints on the real tree: moved lines and another layout are not new findings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from analyzer.baseline import read_baseline, without_known, write_baseline
from analyzer.findings import Result
from analyzer.patch.read import read_series
from analyzer.select import is_open
from analyzer.tree import Tree

from .pieces import CODE, CORE, NAMES, select
from .trees import TOUCHED, checked, difference, overlaid, patched_with, read_texts

pytestmark = pytest.mark.kernel

#: Parts of the change that leave much behind: hunks kept, and what is found at least.
HALVES = {
    "only init": (NAMES - CODE | {"init"}, {"balloon_append", "__free_pages_core"}),
    "only core": (CORE, {"balloon_append", "hv_page_online_one", "virtio_mem_set_fake_offline"}),
}


def laid_out_anew(text: str) -> str:
    """Return a source with every line moved, indented once more, and calls broken into lines."""
    out = ["/* Nothing but another layout. */", "", ""]
    for line in text.split("\n"):
        code = line.startswith("\t") and not line.rstrip().endswith("\\") and "*" not in line[:12]
        if code and '"' not in line:
            line = re.sub(r"\((?=\w+\);$)", "(\n\t\t\t\t\t", "\t" + line)
        out += [line, ""] if line.endswith(";") and code else [line]
    return "\n".join(out)


@pytest.mark.parametrize("name", HALVES)
def test_moved_and_reindented_findings_are_known(
    name: str, befores: Mapping[str, Tree], change: str, tmp_path: Path
) -> None:
    tree, (kept, expected) = befores["strict"], HALVES[name]
    text, path = select(change, kept), tmp_path / "known.json"
    paths = [p for p in TOUCHED if p.endswith(".c")]
    before = {p: laid_out_anew(t) for p, t in read_texts(tree, paths).items()}
    after = {p: laid_out_anew(t) for p, t in read_texts(patched_with(tree, text), paths).items()}
    moved = overlaid(tree, before)

    first = checked(read_series(text, name, tree), tree)
    later = checked(difference(moved, after), moved)
    write_baseline(path, first, lambda _: True)
    left = without_known(
        later, read_baseline(path), "known.json", lambda _: True, has=lambda _: True
    )

    assert expected <= functions(first)
    assert functions(first) == functions(later)
    assert lines(first).isdisjoint(lines(later))
    assert set() == functions(left)
    assert later.notes == left.notes


def functions(result: Result) -> set[str]:
    return {f.function for f in result.findings if is_open(f)}


def lines(result: Result) -> set[tuple[str, int]]:
    return {(f.file, f.span.line) for f in result.findings if is_open(f)}
