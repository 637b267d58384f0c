"""`offlint export --coccinelle`: semantic patches, run by the real spatch."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from ..fixture.harness import assemble, common_files, load_cases
from .commands import offlint

SOURCE = """\
static void foo_note(struct page *page)
{
	__ClearPageReserved(page);
}

static void foo_keep(struct page *page)
{
	__SetPageOffline(page);
	foo_note(page);
}

static void foo_look(struct page *page)
{
	if (!PageOffline(page))
		__SetPageOffline(page);
}

static void foo_one(struct page *page)
{
	if (PageReserved(page))
		return;
	__ClearPageOffline(page);
	generic_online_page(page, 0);
}

static void foo_online_page(struct page *page, unsigned int order)
{
	if (order)
		foo_keep(page);
	else if (foo_is_known(page))
		foo_look(page);
	else
		foo_one(page);
}

int foo_init(void)
{
	return set_online_page_callback(&foo_online_page);
}

/* Nobody calls this with pages that are being onlined. */
int foo_inflate(void)
{
	struct page *page = alloc_page(GFP_KERNEL);

	if (!page || PageReserved(page))
		return -ENOMEM;
	__SetPageOffline(page);
	ClearPageReserved(page);
	return 0;
}

void foo_deflate(struct page *page)
{
	__ClearPageOffline(page);
	__free_page(page);
}
"""
#: Rule -> the lines that it names.
LINES = {
    "dead-op": {3},
    "double-set": {8},
    "stale-test": {20},
    "double-clear": {22},
    "early-clear": {55},
}

needs_spatch = pytest.mark.skipif(
    shutil.which("spatch") is None, reason="spatch is not installed (coccinelle)"
)


def spatch(folder: Path, rule: str, mode: str) -> str:
    """Return what spatch says of the source in a mode of coccicheck."""
    (folder / "foo.c").write_text(SOURCE)
    exported = offlint("export", "--rule", rule, "--coccinelle")
    assert (0, "") == (exported.status, exported.stderr)
    (folder / f"{rule}.cocci").write_text(exported.stdout)
    quiet = ["--no-show-diff"] if mode in ("report", "org") else []
    done = subprocess.run(
        ["spatch", "-D", mode, *quiet, "--very-quiet", "--no-includes", "--cocci-file",
         f"{rule}.cocci", "foo.c"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert 0 == done.returncode, done.stderr
    return done.stdout


@needs_spatch
@pytest.mark.parametrize("rule", LINES)
def test_report_names_the_old_habit_and_no_near_miss(rule: str, tmp_path: Path) -> None:
    said = spatch(tmp_path, rule, "report")

    assert LINES[rule] == {int(line.split(":")[1]) for line in said.splitlines()}
    assert all(f"WARNING: {rule}: " in line for line in said.splitlines())


@needs_spatch
@pytest.mark.parametrize("rule", LINES)
def test_context_and_org_mark_the_same_lines(rule: str, tmp_path: Path) -> None:
    marked = [
        line for line in spatch(tmp_path, rule, "context").splitlines()
        if line.startswith("-") and not line.startswith("---")
    ]  # fmt: skip
    todo = spatch(tmp_path, rule, "org")

    source = SOURCE.splitlines()
    assert {source[n - 1] for n in LINES[rule]} == {line[1:] for line in marked}
    assert all(f"linb={n}" in todo for n in LINES[rule])


@needs_spatch
@pytest.mark.parametrize(
    ("rule", "change"),
    [
        ("double-set", "+\tif (!PageOffline(page))\n+\t\t__SetPageOffline(page);"),
        ("dead-op", "-\t__ClearPageReserved(page);"),
        ("early-clear", "-\t__ClearPageOffline(page);\n \t__free_page(page);"),
    ],
)
def test_patch_mends(rule: str, change: str, tmp_path: Path) -> None:
    assert change in spatch(tmp_path, rule, "patch")


def test_semantic_patch_has_the_modes_of_coccicheck() -> None:
    text = offlint("export", "--rule", "double-set", "--coccinelle").stdout

    assert all(f"virtual {mode}\n" in text for mode in ("patch", "context", "org", "report"))
    assert text.startswith("// SPDX-License-Identifier: ")
    assert "\n// Confidence: " in text
    assert "\n// Options: " in text


def test_rule_that_takes_flow_is_refused() -> None:
    done = offlint("export", "--rule", "leak-to-buddy", "--coccinelle")

    assert (2, "") == (done.status, done.stdout)
    assert "cannot be said without flow; rules that can: dead-op, double-clear" in done.stderr


def test_form_must_be_named() -> None:
    assert 2 == offlint("export", "--rule", "double-set").status


def laid_down(folder: Path, law: str, base: str = "after") -> str:
    """Write the common tree of the fixtures under a law; return where."""
    for path, text in common_files(law, base).items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    return str(folder)


@pytest.mark.parametrize(
    ("rule", "law", "allowed"),
    [
        ("double-set", "strict", ""),
        ("double-set", "lenient", "setting PageOffline twice is harmless there"),
        ("double-set", "bits", "setting PageOffline twice is harmless there"),
        ("double-clear", "strict", ""),
        ("double-clear", "lenient", "clearing PageOffline twice is harmless there"),
        ("double-clear", "bits", ""),
        ("dead-op", "lenient", ""),
        ("early-clear", "strict", "freeing a page does not forget its type there"),
    ],
)
def test_law_of_the_tree_decides_what_is_kept_out(
    rule: str, law: str, allowed: str, tmp_path: Path
) -> None:
    done = offlint("export", "--rule", rule, "--coccinelle", "--tree", laid_down(tmp_path, law))

    said = f"offlint: {rule}: nothing to keep out of {tmp_path}: {allowed}\n" if allowed else ""
    assert (2 if allowed else 0, said) == (done.status, done.stderr)


def test_early_clear_is_kept_out_where_freeing_forgets_types(tmp_path: Path) -> None:
    tree = laid_down(tmp_path, "strict")
    (case,) = (c for c in load_cases() if c.name == "early-clear/new_driver")
    (tmp_path / "mm" / "page_alloc.c").write_text(
        assemble(case, "strict").before["mm/page_alloc.c"]
    )

    done = offlint("export", "--rule", "early-clear", "--coccinelle", "--tree", tree)

    assert (0, "") == (done.status, done.stderr)
    assert "op = {__ClearPageOffline}" in done.stdout


def test_accessors_are_those_that_the_tree_defines(tmp_path: Path) -> None:
    tree = laid_down(tmp_path, "strict")

    done = offlint("export", "--rule", "double-set", "--coccinelle", "--tree", tree)

    assert "__SetPageOffline" in done.stdout
    assert " SetPageOffline" not in done.stdout
