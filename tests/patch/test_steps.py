"""Apply a series step by step: refused, in parts, or found in the tree."""

from __future__ import annotations

import pytest

from analyzer.base import AnalyzerError
from analyzer.patch.read import read_series
from analyzer.patch.steps import Step, apply_series
from analyzer.tree import MemoryTree, Tree

ONE = "one\ntwo\nthree\nfour\nfive\n"
PATCH = "--- a/{0}\n+++ b/{0}\n@@ -1,3 +1,3 @@\n one\n-{1}\n+{2}\n three\n"


def mailbox(*diffs: str) -> bytes:
    total = len(diffs)
    return "".join(
        f"From {n:040} Mon Sep 17 00:00:00 2001\nFrom: A <a@example.org>\n"
        f"Message-Id: <{n}@example.org>\nSubject: [PATCH {n}/{total}] change {n}\n\nText.\n---\n"
        f"{diff}-- \n2.45.0\n\n"
        for n, diff in enumerate(diffs, 1)
    ).encode()


def steps(tree: Tree, *diffs: str, partial: bool = False) -> tuple[Step, ...]:
    return apply_series(
        read_series(mailbox(*diffs), "v1.mbox", None).patches, tree, partial=partial
    )


def first_lines(step: Step) -> tuple[bytes, bytes]:
    texts = step.trees.map(lambda t: t.read("a.c") or b"")
    return texts.before.split(b"\n")[1], texts.after.split(b"\n")[1]


CHAIN = (PATCH.format("a.c", "two", "2"), PATCH.format("a.c", "2", "II"))


def test_what_one_patch_leaves_is_what_the_next_one_finds() -> None:
    done = steps(MemoryTree({"a.c": ONE}), *CHAIN)

    assert [(b"two", b"2"), (b"2", b"II")] == list(map(first_lines, done))


@pytest.mark.parametrize("line", ["2", "II"])
def test_patches_that_the_tree_has_are_undone_in_order(line: str) -> None:
    tree = MemoryTree({"a.c": ONE.replace("two", line)})

    done = steps(tree, *CHAIN)

    assert [(b"two", b"2"), (b"2", b"II")] == list(map(first_lines, done))
    assert "patch 1 is already applied" in done[0].notes[0]


TWINS = "head\nopen a\nkeep\nclose\n\nopen b\nkeep\nclose\ntail\n"
#: Adds a line between `open a` and `keep`, then makes two of it; `open b` looks the same with fuzz.
TWIN_CHAIN = (
    "--- a/a.c\n+++ b/a.c\n@@ -1,4 +1,5 @@\n head\n open a\n+mark\n keep\n close\n",
    "--- a/a.c\n+++ b/a.c\n@@ -1,5 +1,6 @@\n head\n open a\n-mark\n+if\n+ mark\n keep\n close\n",
)


def test_a_series_that_the_tree_has_is_not_applied_to_code_that_looks_the_same() -> None:
    there = TWINS.replace("open a\n", "open a\nif\n mark\n")

    done = steps(MemoryTree({"a.c": there}), *TWIN_CHAIN)

    texts = [s.trees.after.read("a.c") for s in done]
    assert [TWINS.replace("open a\n", "open a\nmark\n").encode(), there.encode()] == texts


def test_a_series_that_the_tree_does_not_have_may_fit_with_an_offset() -> None:
    moved = "one more\n" * 9 + TWINS

    done = steps(MemoryTree({"a.c": moved}), *TWIN_CHAIN)

    assert moved.replace("open a\n", "open a\nif\n mark\n").encode() == done[-1].trees.after.read(
        "a.c"
    )


def test_every_hunk_of_every_patch_that_does_not_apply_is_named_in_one_error() -> None:
    tree = MemoryTree({"a.c": ONE, "b.c": ONE})
    broken = (PATCH.format("b.c", "zwei", "2"), PATCH.format("c.c", "two", "2"))

    with pytest.raises(AnalyzerError) as caught:
        steps(tree, CHAIN[0], *broken)

    said = str(caught.value).splitlines()
    assert 'patch 2 "change 2" does not apply to memory: 1 of 1 hunks' in said[0]
    assert "b.c hunk 1 (line " in said[1]
    assert "expected 'zwei', found 'two'" in said[1].replace('"', "'")
    assert 'patch 3 "change 3" does not apply' in said[2]
    assert "c.c (line " in said[3]
    assert "no such file in the tree" in said[3]
    assert said[-1].endswith("or analyse what applies: --partial.")


def test_partial_leaves_out_what_does_not_apply_and_keeps_the_reasons() -> None:
    tree = MemoryTree({"a.c": ONE, "b.c": ONE})

    done = steps(tree, CHAIN[0] + PATCH.format("b.c", "zwei", "2"), CHAIN[1], partial=True)

    assert [(b"two", b"2"), (b"2", b"II")] == list(map(first_lines, done))
    assert [("b.c", 1)] == [(r.file, r.hunk) for s in done for r in s.rejected]
    assert ONE.encode() == done[-1].trees.after.read("b.c")


def test_partial_of_nothing_is_an_error() -> None:
    with pytest.raises(AnalyzerError, match="Nothing of it applies"):
        steps(MemoryTree({"a.c": ONE}), PATCH.format("b.c", "two", "2"), partial=True)


@pytest.mark.parametrize(
    ("files", "advice"),
    [
        ({"a.c": "x\n"}, "Name the tree or revision"),
        ({"b.c": "x\n"}, "None of these files is there"),
    ],
)
def test_a_renamed_file_that_is_there_is_not_called_missing(
    files: dict[str, str], advice: str
) -> None:
    text = (
        "diff --git a/a.c b/n.c\nsimilarity index 90%\nrename from a.c\nrename to n.c\n"
        "--- a/a.c\n+++ b/n.c\n@@ -1 +1 @@\n-one\n+two\n"
    )
    tree = MemoryTree({path: text.encode() for path, text in files.items()})

    with pytest.raises(AnalyzerError) as caught:
        steps(tree, text)

    assert str(caught.value).splitlines()[-1].startswith(advice)
