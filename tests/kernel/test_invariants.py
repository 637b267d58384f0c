"""Hold the tool to what must not matter on the real tree: names, direction, remarks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

import pytest

from analyzer.base import Severity
from analyzer.findings import Finding, Result, Status
from analyzer.patch.model import Series, reverse_patch
from analyzer.patch.read import read_series
from analyzer.tree import Tree

from .cases import LAWS, STALE_COMMENTS, introduced, spell
from .pieces import ALLOC, CODE, HOTPLUG, HYPERV, INIT, NAMES, PIECES, VIRTIO, XEN, Piece, select
from .rename import Renamed, original, rename_all, rename_locals
from .trees import TOUCHED, checked, difference, overlaid, patched_with, read_texts

pytestmark = pytest.mark.kernel

RENAMED = (VIRTIO, HYPERV, XEN)
CORE = (INIT, HOTPLUG, ALLOC)
CODE_PIECES = tuple(p for p in PIECES if p.code)

#: What the renaming is tried on: nothing to say, something in each driver, something in the core.
SAMPLES = (
    frozenset[str](),
    frozenset({"hyperv"}),
    frozenset({"virtio-set"}),
    frozenset({"virtio-clear"}),
    frozenset({"xen-append"}),
    frozenset({"self-hosted"}),
    frozenset({"free-hotplug", "free-boot"}),
    frozenset({"hyperv", "virtio-set", "virtio-clear", "xen-append"}),
    NAMES - {"init"},
)


def _label(left_out: frozenset[str]) -> str:
    return "+".join(sorted(left_out)) if len(left_out) < 5 else "only-init"


def with_pieces(tree: Tree, change: str, kept: frozenset[str]) -> Tree:
    """Return a tree with some hunks of the change applied."""
    return patched_with(tree, select(change, kept)) if kept else tree


def told(result: Result, names: Mapping[str, str]) -> list[tuple[object, ...]]:
    """Return a result's findings, columns left out and renamed things called by their old names."""
    return sorted(
        (
            f.status.value,
            f.severity.value,
            f.rule,
            f.file,
            f.span.line,
            original(f.function, names),
            original(f.operation, names),
            original(f.message, names),
            tuple(
                (s.span.file, s.span.line, original(s.function, names), original(s.message, names))
                for s in f.trace
            ),
        )
        for f in result.findings
    )


def renamed(
    tree: Tree,
    paths: Iterable[str] = RENAMED,
    rename: Callable[[str, str], Renamed] = rename_all,
) -> tuple[Tree, dict[str, str]]:
    """Return a tree with some files renamed, the touched drivers, and the names to undo it."""
    files = {p: rename(p, text) for p, text in read_texts(tree, paths).items()}
    names = {new: old for file in files.values() for new, old in file.names.items()}
    return overlaid(tree, {p: file.text for p, file in files.items()}), names


@pytest.mark.parametrize("left_out", SAMPLES, ids=_label)
def test_names_of_locals_and_statics_do_not_matter(
    left_out: frozenset[str], befores: Mapping[str, Tree], change: str
) -> None:
    before = befores["strict"]
    after = with_pieces(before, change, NAMES - left_out)
    new_before, names = renamed(before)
    new_after, more = renamed(after)
    texts, new_texts = read_texts(after, TOUCHED), read_texts(new_after, TOUCHED)

    plain = checked(difference(before, texts), before)
    other = checked(difference(new_before, new_texts), new_before)

    assert told(plain, {}) == told(other, names | more)


@pytest.mark.parametrize("left_out", [NAMES - {"init"}, frozenset({"self-hosted"})], ids=_label)
def test_names_of_parameters_of_the_core_do_not_matter(
    left_out: frozenset[str], befores: Mapping[str, Tree], change: str
) -> None:
    before = befores["strict"]
    after = with_pieces(before, change, NAMES - left_out)
    new_before, names = renamed(before, CORE, rename_locals)
    new_after, more = renamed(after, CORE, rename_locals)
    texts, new_texts = read_texts(after, TOUCHED), read_texts(new_after, TOUCHED)

    plain = checked(difference(before, texts), before)
    other = checked(difference(new_before, new_texts), new_before)

    assert _moves(plain)
    assert _moves(plain) == _moves(other)
    assert told(plain, {}) == told(other, names | more)


def _moves(result: Result) -> list[tuple[str, str, str, tuple[str, ...]]]:
    return [(m.population, m.before, m.after, m.exceptions) for m in result.migrations]


@pytest.mark.parametrize("path", RENAMED)
def test_renaming_can_be_undone_and_leaves_no_local(path: str, kernel: Tree) -> None:
    text = read_texts(kernel, [path])[path]

    file = rename_all(path, text)

    assert text == original(file.text, file.names)
    assert len(file.names) > 50


def permissions(paths: Iterable[str]) -> bytes:
    """Return a patch that changes no byte of some files, but makes the tool compare."""
    return "".join(
        f"diff --git a/{p} b/{p}\nold mode 100644\nnew mode 100755\n" for p in paths
    ).encode()


@pytest.mark.parametrize("law", LAWS)
def test_tree_against_itself_is_silent(
    law: str, afters: Mapping[str, Tree], befores: Mapping[str, Tree]
) -> None:
    for tree in (afters[law], befores[law]):
        result = checked(read_series(permissions(TOUCHED), "modes", tree), tree)

        assert _said(result) == []


def test_a_patch_that_renames_everything_is_silent(kernel: Tree) -> None:
    after, _ = renamed(kernel)

    result = checked(difference(kernel, read_texts(after, RENAMED)), kernel)

    assert _said(result) == []


def _said(result: Result) -> list[str]:
    return [f"{f.status.value}: {spell(f)}" for f in result.findings if _is_news(f)]


def _is_news(f: Finding) -> bool:
    return f.status is not Status.PRE_EXISTING


def remarked(text: str) -> str:
    """Return a C file with a remark on top and a remark and a blank line in front of every end.

    But not in front of a macro's end: a blank line would cut the macro.
    """
    end = re.compile(r"(?<!\\)\n}\n")
    return "/* Nothing is different here. */\n" + end.sub("\n\n\t/* Done. */\n}\n", text)


@pytest.mark.parametrize("path", TOUCHED)
def test_remarks_and_blank_lines_are_silent(path: str, kernel: Tree) -> None:
    text = read_texts(kernel, [path])[path]

    result = checked(difference(kernel, {path: remarked(text)}), kernel)

    assert _said(result) == []


@pytest.mark.parametrize("path", [p for p in TOUCHED if p.endswith(".c")])
def test_a_statement_that_does_nothing_is_silent(path: str, kernel: Tree) -> None:
    text = read_texts(kernel, [path])[path]
    calling = text.replace("\n}\n", "\n\tcond_resched();\n}\n")

    result = checked(difference(kernel, {path: calling}), kernel)

    assert _said(result) == []


Place = tuple[str, str, str]


def places(result: Result, status: Status) -> set[Place]:
    """Return rule, file and function of what a result says, of one status; notes left out."""
    return {
        (f.rule, f.file, f.function)
        for f in result.findings
        if f.status is status and f.severity.rank >= Severity.WARNING.rank
    }


@pytest.mark.parametrize("law", LAWS)
def test_whole_change_reverted_is_as_clean_as_the_change(
    law: str, befores: Mapping[str, Tree], afters: Mapping[str, Tree], change: str
) -> None:
    forward = read_series(change.encode(), "change", befores[law])
    backward = Series(tuple(map(reverse_patch, forward.patches)), ())

    done, undone = checked(forward, befores[law]), checked(backward, afters[law])

    assert introduced(undone, Severity.WARNING) == []
    assert places(done, Status.FIXED) == places(undone, Status.INTRODUCED)


@pytest.mark.parametrize("piece", CODE_PIECES, ids=lambda p: p.name)
def test_what_a_hunk_mends_its_revert_breaks(
    piece: Piece, befores: Mapping[str, Tree], change: str
) -> None:
    whole = with_pieces(befores["strict"], change, NAMES)
    lacking = with_pieces(befores["strict"], change, NAMES - {piece.name})
    there = read_texts(whole, TOUCHED)
    away = read_texts(lacking, TOUCHED)

    mended = checked(difference(lacking, there), lacking)
    broken = checked(difference(whole, away), whole)

    assert introduced(mended, Severity.WARNING) == []
    named = {f.function for f in introduced(broken, Severity.WARNING)}
    if piece.name == "init":
        # Undone alone, the initialiser is the mirror of the case "only init": whoever has followed
        # it is the one that no longer fits.
        assert {"__free_pages_core", "mhp_init_memmap_on_memory"} <= named
    else:
        assert {piece.function} == named
    assert places(broken, Status.INTRODUCED) == places(mended, Status.FIXED)


def test_half_a_change_is_mended_by_the_other_half(
    befores: Mapping[str, Tree], change: str
) -> None:
    half = with_pieces(befores["strict"], change, NAMES - CODE | {"init"})
    whole = with_pieces(befores["strict"], change, NAMES)

    result = checked(difference(half, read_texts(whole, TOUCHED)), half)

    assert introduced(result, Severity.WARNING) == []
    assert {
        "__free_pages_core",
        "mhp_init_memmap_on_memory",
        "virtio_mem_set_fake_offline",
        "balloon_append",
    } <= {f.function for f in result.findings if f.status is Status.FIXED}


def test_change_leaves_two_comments_behind(befores: Mapping[str, Tree], change: str) -> None:
    series = read_series(change.encode(), "change", befores["lenient"])

    result = checked(series, befores["lenient"])

    stale = {f.function for f in introduced(result) if f.rule == "stale-comment"}
    assert stale == STALE_COMMENTS
