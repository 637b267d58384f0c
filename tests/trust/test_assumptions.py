"""Every assumption has a number and a fixture that shows it, and every such fixture a number."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r"^\| (\d+) \| (.+?) \| (miss|noise) \| `([\w/-]+)` \|$", re.M)
SHOWN = {"miss": re.compile(r"//~\S* *MISSING"), "noise": re.compile(r"//~\S* *NOISE")}


def rows() -> list[tuple[str, str, str, str]]:
    return ROW.findall((ROOT / "docs" / "assumptions.md").read_text())


def test_assumptions_are_numbered_in_order() -> None:
    assert [str(n) for n in range(1, len(rows()) + 1)] == [number for number, *_ in rows()]


def test_every_fixture_shows_what_its_assumption_costs() -> None:
    for number, _, cost, fixture in rows():
        folder = ROOT / "fixtures" / fixture
        sources = [*(folder / "tree").rglob("*.c"), *folder.glob("*.patch")]
        assert any(SHOWN[cost].search(s.read_text()) for s in sources), f"{number}: {fixture}"


def test_every_fixture_of_an_assumption_has_a_number() -> None:
    cases = {p.parent.name for p in (ROOT / "fixtures" / "assumptions").glob("*/case.toml")}

    assert cases == {f.partition("/")[2] for *_, f in rows() if f.startswith("assumptions/")}
