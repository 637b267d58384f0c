"""Run the tool on every fixture under every law and hold it to the notes in the C source."""

from __future__ import annotations

import pytest

from analyzer.findings import Status
from harness import (
    Case,
    assemble,
    checked,
    load_cases,
    notes_for,
    open_findings,
    run,
)
from notes import compare, render

CASES = load_cases()
RUNS = [
    pytest.param(case, law, config, id=f"{case.name}[{','.join((law, *config))}]")
    for case in CASES
    for law in case.laws
    for config in case.configs
]
CHARGED = [
    pytest.param(case, law, id=f"{case.name}[{law}]")
    for case in CASES
    for law in case.laws
    if case.charges
]


@pytest.mark.parametrize(("case", "law", "config"), RUNS)
def test_notes_are_what_is_found(case: Case, law: str, config: tuple[str, ...]) -> None:
    scene = assemble(case, law)

    result = run(case, law, config)

    problems = compare(notes_for(scene, config), open_findings(result), result.gaps)
    assert not problems, f"{case.name} under the {law} law\n{render(problems, scene.annotated)}"


@pytest.mark.parametrize(("case", "law"), CHARGED)
def test_findings_are_charged_to_their_patch(case: Case, law: str) -> None:
    result = run(case, law)

    found = {
        (f.rule, f.function, f.introduced_by, f.fixed_by)
        for f in result.findings
        if f.status is Status.INTRODUCED
    }
    for charge in case.charges:
        wanted = {
            (rule, charge.function, charge.introduced_by, charge.fixed_by) for rule in charge.rules
        }
        assert wanted & found, f"expected one of {sorted(wanted, key=str)} among {found}"


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_empty_patch_finds_nothing(case: Case) -> None:
    scene = assemble(case, case.laws[0])

    results = [checked(files, "") for files in (scene.before, scene.after)]

    assert [(), ()] == [open_findings(r) for r in results]
