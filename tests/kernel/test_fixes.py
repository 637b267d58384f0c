"""Mend what each left-out hunk of the change would have mended, and look at the result afresh."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from analyzer.base import Severity
from analyzer.c.unit import scan_unit
from analyzer.findings import Finding, Result
from analyzer.fixes import Offers, offer_fixes
from analyzer.patch.read import read_series
from analyzer.pipeline import check, compare_trees
from analyzer.program.cache import Cache
from analyzer.request import Request
from analyzer.tree import Tree

from .cases import introduced
from .pieces import NAMES, select
from .trees import difference, patched_with, read_texts

pytestmark = pytest.mark.kernel

Row = Callable[[str, tuple[str, ...]], None]

#: The seven code cases: the hunks that are left out, the function to mend, whether a fix is known.
CASES = (
    ("hyperv", frozenset({"hyperv"}), "hv_page_online_one", True),
    ("virtio-set", frozenset({"virtio-set"}), "virtio_mem_set_fake_offline", True),
    ("virtio-clear", frozenset({"virtio-clear"}), "virtio_mem_clear_fake_offline", True),
    ("xen-append", frozenset({"xen-append"}), "balloon_append", True),
    ("self-hosted", frozenset({"self-hosted"}), "mhp_init_memmap_on_memory", True),
    ("free", frozenset({"free-hotplug", "free-boot"}), "__free_pages_core", True),
    # The initialiser: which exceptions it must make takes a person.
    ("init", frozenset({"init"}), "memmap_init_range", False),
)
#: Under the other laws a few are enough: what an edit looks like does not depend on them.
RUNS = [
    *(("strict", *c) for c in CASES),
    *(("lenient", *c) for c in CASES if c[0] in ("hyperv", "self-hosted")),
    *(("bits", *c) for c in CASES if c[0] in ("xen-append", "virtio-clear")),
]


def offered(series_text: bytes, tree: Tree) -> Offers:
    series, cache = read_series(series_text, "change", tree), Cache()
    request = Request(series, tree)
    return offer_fixes(
        check(series, tree),
        request.trees,
        request.files,
        lambda trees, changed: compare_trees(trees, changed, cache=cache),
        wanted=lambda f: f.rule != "stale-comment",
    )


def named(result: Result, function: str) -> list[Finding]:
    return [f for f in introduced(result) if f.function == function and f.rule != "stale-comment"]


def loud(result: Result) -> list[str]:
    """Return what speaks against a repair: all but the notes that the whole change draws."""
    return [f"{f.rule} in {f.function}" for f in introduced(result) if f.rule != "stale-comment"]


@pytest.mark.parametrize(
    ("law", "name", "left_out", "function", "fixable"), RUNS, ids=lambda v: str(v)
)
def test_left_out_hunk_is_mended(
    law: str,
    name: str,
    left_out: frozenset[str],
    function: str,
    fixable: bool,
    befores: Mapping[str, Tree],
    change: str,
    tmp_path: Path,
    row: Row,
) -> None:
    tree, text = befores[law], select(change, NAMES - left_out)
    started = time.process_time()
    offers = offered(text, tree)
    seconds = time.process_time() - started
    row("fixes", (law, name, "offered" if offers.diff else "-", f"{seconds:.1f} s of CPU"))
    assert fixable == bool(offers.diff)
    if not fixable:
        return

    mended = applied_by_git(patched_with(tree, text), offers.diff, tmp_path)
    touched = read_texts(patched_with(tree, text), sorted(set(files_of(change)) - set(mended)))
    result = check(difference(tree, {**touched, **mended}), tree)

    assert named(offers.result, function)
    assert {function} == functions_of(offers.diff, patched_with(tree, text))
    assert [] == loud(result)
    assert [] == introduced(result, Severity.WARNING)


def files_of(diff: str) -> list[str]:
    return [line[6:] for line in diff.splitlines() if line.startswith("+++ ")]


def functions_of(diff: str, tree: Tree) -> set[str]:
    """Return the functions in which a diff changes something."""
    found: set[str] = set()
    path, at = "", 0
    for line in diff.splitlines():
        if line.startswith("+++ "):
            path = line[6:]
            unit = scan_unit(path, tree.read(path) or b"")
        elif m := re.match(r"@@ -(\d+)", line):
            at = int(m[1])
        elif line[:1] in "+-" and not line.startswith("--- "):
            found |= {
                d.name
                for definitions in unit.definitions.values()
                for d in definitions
                if d.span.line <= at <= d.span.end_line
            }
            at += line.startswith("-")
        elif line.startswith(" "):
            at += 1
    return found


def applied_by_git(tree: Tree, diff: str, folder: Path) -> dict[str, str]:
    """Return the files that a diff names as git leaves them."""
    paths = files_of(diff)
    for path, text in read_texts(tree, paths).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    subprocess.run(["git", "apply", "-"], cwd=folder, input=diff, text=True, check=True)
    return {path: (folder / path).read_text() for path in paths}


def test_forgotten_call_of_the_posted_series_is_completed(seed: Path, v1base: Tree) -> None:
    text = b"".join((seed / f"v1-{n}.mbox").read_bytes() for n in (1, 2, 3))

    offers = offered(text, v1base)

    assert "+\t\t\t__free_pages_core(page + i, MAX_PAGE_ORDER" not in offers.diff
    added = [line[1:].strip() for line in offers.diff.splitlines() if line.startswith("+\t")]
    assert ["__free_pages_core(page, MAX_PAGE_ORDER, MEMINIT_EARLY);"] == added


def test_five_of_seven_code_cases_have_a_fix() -> None:
    assert sum(fixable for *_, fixable in CASES) >= 5
    assert 7 == len(CASES)
