"""Baselines: what is known is hidden, however the lines have moved."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.base import AnalyzerError
from analyzer.baseline import read_baseline, without_known, write_baseline
from analyzer.findings import Result
from analyzer.select import is_open

from .driver import DRIVER, HOLD, SPOILT, found


def anything(_: object) -> bool:
    """Want every rule and finding, and have every file."""
    return True


def known_after(result: Result, later: Result, path: Path) -> Result:
    """Return a later result without what a baseline of the first one knows."""
    write_baseline(path, result, anything)
    return without_known(later, read_baseline(path), path.name, anything, has=anything)


def open_in(result: Result) -> list[tuple[str, str]]:
    return [(f.rule, f.function) for f in result.findings if is_open(f)]


def reformatted(text: str) -> str:
    """Return the driver with moved lines, wider indents and broken calls."""
    text = "\n/* A long introduction. */\n\n" + text.replace("\n\t", "\n\t\t")
    return text.replace("__SetPageOffline(page)", "__SetPageOffline(\n\t\t\t\tpage)")


def test_same_findings_are_hidden_and_counted(tmp_path: Path) -> None:
    result = found(DRIVER, SPOILT)

    left = known_after(result, result, tmp_path / "known.json")

    assert 2 == len(open_in(result))
    assert ([], 2, result.notes) == (open_in(left), left.known, left.notes)


def test_moved_lines_and_reformatting_do_not_bring_them_back(tmp_path: Path) -> None:
    later = found(reformatted(DRIVER), reformatted(SPOILT))

    left = known_after(found(DRIVER, SPOILT), later, tmp_path / "known.json")

    assert 2 == len(open_in(later))
    assert ([], 2) == (open_in(left), left.known)


def test_new_finding_stays(tmp_path: Path) -> None:
    one = found(DRIVER, SPOILT.replace(HOLD, "\tSetPageKeptBack(page);\n"))

    left = known_after(one, found(DRIVER, SPOILT), tmp_path / "known.json")

    assert [("double-set", "foo_hold")] == open_in(left)


def test_each_entry_hides_one_finding_only(tmp_path: Path) -> None:
    result = found(DRIVER, SPOILT)
    path = tmp_path / "known.json"
    write_baseline(path, result, anything)
    entries = read_baseline(path)

    left = without_known(result, entries[:1] * 1, path.name, anything, has=anything)

    assert 1 == len(open_in(left))


def test_entry_that_is_found_no_longer_is_a_remark(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    one = found(DRIVER, SPOILT.replace(HOLD, "\tSetPageKeptBack(page);\n"))

    left = known_after(found(DRIVER, SPOILT), one, path)

    (remark,) = set(left.notes) - set(one.notes)
    assert re.match(
        r"known\.json: 1 of 2 entries hides nothing: double-set in foo_hold\(\) \([\w/.]+\); --",
        remark,
    )


@pytest.mark.parametrize(
    ("gone", "said"),
    [(0, "double-set in foo_hold"), (1, "; 1 in a file that is gone; --write-baseline")],
)
def test_entries_of_files_that_are_gone_are_told(gone: int, said: str, tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    write_baseline(path, found(DRIVER, SPOILT), anything)
    clean = found(DRIVER, DRIVER + "\n")
    first, other = read_baseline(path)
    entries = [replace(first, file="drivers/gone.c") if gone else first, other]

    left = without_known(
        clean, entries, path.name, anything, has=lambda file: file != "drivers/gone.c"
    )

    (remark,) = set(left.notes) - set(clean.notes)
    assert remark.startswith("known.json: 2 of 2 entries hide nothing, the first: double-set in ")
    assert said in remark
    assert ("gone;" in remark) is bool(gone)


def test_the_only_entry_is_told_so(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    write_baseline(path, found(DRIVER, SPOILT), anything)
    clean = found(DRIVER, DRIVER + "\n")

    left = without_known(clean, read_baseline(path)[:1], path.name, anything, has=anything)

    assert any(n.startswith("known.json: its only entry hides nothing: ") for n in left.notes)


def test_what_was_not_judged_in_full_makes_no_entry_stale(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    write_baseline(path, found(DRIVER, SPOILT), anything)
    cut = replace(found(DRIVER, DRIVER + "\n"), stopped="interrupted")

    left = without_known(cut, read_baseline(path), path.name, anything, has=anything)

    assert cut.notes == left.notes


def test_of_equal_entries_only_those_found_no_longer_are_counted(tmp_path: Path) -> None:
    one = found(DRIVER, SPOILT.replace(HOLD, "\tSetPageKeptBack(page);\n"))
    path = tmp_path / "known.json"
    write_baseline(path, one, anything)
    entries = read_baseline(path)

    left = without_known(one, [*entries, entries[0]], path.name, anything, has=anything)

    (remark,) = set(left.notes) - set(one.notes)
    assert "1 of 2 entries hides nothing: " in remark


def test_entry_of_a_rule_that_was_not_asked_for_is_no_remark(tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    write_baseline(path, found(DRIVER, SPOILT), anything)
    clean = found(DRIVER, DRIVER + "\n")

    left = without_known(
        clean, read_baseline(path), path.name, lambda rule: rule == "dead-op", has=anything
    )

    assert clean.notes == left.notes


def test_baseline_is_sorted_and_tells_people_what_it_holds(tmp_path: Path) -> None:
    path = tmp_path / "known.json"

    count = write_baseline(path, found(DRIVER, SPOILT), anything)

    held = json.loads(path.read_text())
    assert (2, 1) == (count, held["version"])
    assert ["foo_hold", "foo_keep"] == [f["function"] for f in held["findings"]]
    assert {"fingerprint", "rule", "file", "function", "message"} == set(held["findings"][0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a baseline: the file is empty"),
        ("{", "not a baseline: no JSON: "),
        ("[" * 100_000, "not a baseline: no JSON: "),
        ('{"version": 1}', "findings: expected a list of objects, found nothing"),
        ('{"version": 1, "findings": [1]}', r"findings: expected a list of objects, found \[1\]"),
        ("[]", "not a baseline: expected an object"),
        ('{"version": 2, "findings": []}', "version: expected 1, the format that this offlint"),
        ('{"version": 1, "finding": []}', "unknown key 'finding': expected findings, version"),
        ('{"version": 1, "findings": [{"rule": "x"}]}', "findings 1: fingerprint: expected a text"),
        ('{"version": 1, "findings": [{"line": 1}]}', "findings 1: unknown key 'line'"),
    ],
)
def test_damaged_baseline_is_refused(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "known.json"
    path.write_text(text)

    with pytest.raises(AnalyzerError, match=words):
        read_baseline(path)


def test_missing_baseline_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(AnalyzerError, match=r"no such baseline; --write-baseline .* makes one"):
        read_baseline(tmp_path / "known.json")
