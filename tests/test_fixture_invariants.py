"""Hold every fixture to what must not matter: direction, comments, moved lines, local names."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from analyzer.findings import Result, Status
from edits import add_blank_lines, add_comments, rename_locals
from harness import Case, Files, Scene, assemble, checked, load_cases, unified

CASES = load_cases()
Key = tuple[str, str, str, str]

over_cases = pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)


def keys(result: Result, status: Status) -> set[Key]:
    """Return what a result says of a status, without lines and without operations."""
    return {
        (f.rule, f.severity.value, f.file, f.function)
        for f in result.findings
        if f.status is status
    }


def all_keys(result: Result) -> dict[str, set[Key]]:
    """Return what a result says, by status."""
    return {status.value: keys(result, status) for status in Status}


def rewritten(scene: Scene, edit: Callable[[str, str], str]) -> tuple[Files, str]:
    """Return a scene's tree and patch with the case's own C files rewritten on both sides."""
    before, after = (
        {p: edit(p, t) if p in scene.own and p.endswith(".c") else t for p, t in files.items()}
        for files in (scene.before, scene.after)
    )
    return before, unified(before, after)


@over_cases
def test_revert_introduces_what_the_patch_fixed(case: Case) -> None:
    scene = assemble(case, case.laws[0])

    forward = checked(scene.before, unified(scene.before, scene.after))
    backward = checked(scene.after, unified(scene.after, scene.before))

    assert keys(forward, Status.FIXED) == keys(backward, Status.INTRODUCED)
    assert keys(forward, Status.INTRODUCED) == keys(backward, Status.FIXED)


@over_cases
@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda path, text: add_comments(text), id="comments"),
        pytest.param(lambda path, text: add_blank_lines(text), id="moved-lines"),
        pytest.param(rename_locals, id="local-names"),
    ],
)
def test_meaningless_edit_changes_nothing(case: Case, edit: Callable[[str, str], str]) -> None:
    scene = assemble(case, case.laws[0])
    plain = checked(scene.before, unified(scene.before, scene.after))

    edited = checked(*rewritten(scene, edit))

    assert all_keys(plain) == all_keys(edited)


@over_cases
def test_adding_comments_only_finds_nothing(case: Case) -> None:
    scene = assemble(case, case.laws[0])
    commented = {
        p: add_comments(t) if p in scene.own and p.endswith(".c") else t
        for p, t in scene.after.items()
    }

    result = checked(scene.after, unified(scene.after, commented))

    assert set() == keys(result, Status.INTRODUCED)
