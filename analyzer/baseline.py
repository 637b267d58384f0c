"""Remember findings that are known, and hide them from later runs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analyzer.base import AnalyzerError
from analyzer.data import Table
from analyzer.findings import Finding, Result
from analyzer.select import is_open

_VERSION = 1
_KEYS = ("fingerprint", "rule", "file", "function", "message")


@dataclass(frozen=True, slots=True)
class Entry:
    """One known finding: the fingerprint decides, the rest tells people what it is."""

    fingerprint: str
    rule: str
    file: str
    function: str
    message: str


def read_baseline(path: Path) -> tuple[Entry, ...]:
    """Return what a baseline holds; raise AnalyzerError naming file, entry and key."""
    try:
        data = path.read_bytes()
    except FileNotFoundError as error:
        raise AnalyzerError(
            f"{path}: no such baseline; --write-baseline {path} makes one"
        ) from error
    except OSError as error:
        raise AnalyzerError(f"{path}: cannot read the baseline: {error.strerror}") from error
    if not data.strip():
        raise AnalyzerError(f"{path}: not a baseline: the file is empty")
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise AnalyzerError(f"{path}: not a baseline: no JSON: {error}") from error
    if not isinstance(values, dict):
        raise AnalyzerError(f"{path}: not a baseline: expected an object with version and findings")
    table = Table(str(path), values).only("version", "findings")
    if table.number("version") != _VERSION:
        raise table.wrong("version", f"{_VERSION}, the format that this offlint writes")
    listed = table.values.get("findings")
    if not isinstance(listed, list) or not all(isinstance(e, dict) for e in listed):
        raise table.wrong("findings", "a list of objects")
    entries = table.tables("findings")
    return tuple(
        Entry(
            fingerprint=e.only(*_KEYS).text("fingerprint"),
            rule=e.text("rule"),
            file=e.text("file"),
            function=e.text("function", ""),
            message=e.text("message"),
        )
        for e in entries
    )


def write_baseline(path: Path, result: Result, wanted: Callable[[Finding], bool]) -> int:
    """Write the open findings that are wanted, and return how many they are."""
    entries = sorted(
        (f.file, f.function, f.rule, f.fingerprint, f.message)
        for f in result.findings
        if is_open(f) and wanted(f)
    )
    findings = [
        {"fingerprint": mark, "rule": rule, "file": file, "function": function, "message": message}
        for file, function, rule, mark, message in entries
    ]
    text = json.dumps({"version": _VERSION, "findings": findings}, indent=2) + "\n"
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise AnalyzerError(f"{path}: cannot write the baseline: {error.strerror}") from error
    return len(findings)


def without_known(
    result: Result,
    entries: Sequence[Entry],
    name: str,
    wanted: Callable[[str], bool],
    *,
    has: Callable[[str], bool],
) -> Result:
    """Return a result without the open findings that are known, which are counted.

    Each entry hides one finding. A remark names entries of wanted rules that hide nothing, where
    all that was asked for could be judged; has tells whether there is a file.
    """
    left = Counter(e.fingerprint for e in entries)
    kept = []
    for finding in result.findings:
        if is_open(finding) and left[finding.fingerprint] > 0:
            left[finding.fingerprint] -= 1
        else:
            kept.append(finding)
    stale = []
    for entry in entries if result.is_whole else ():
        if left[entry.fingerprint] > 0 and wanted(entry.rule):
            left[entry.fingerprint] -= 1
            stale.append(entry)
    notes = (_remark(stale, len(entries), name, has),) if stale else ()
    return replace(
        result,
        findings=tuple(kept),
        known=result.known + len(result.findings) - len(kept),
        notes=(*result.notes, *notes),
    )


def _remark(stale: list[Entry], entries: int, name: str, has: Callable[[str], bool]) -> str:
    one = stale[0]
    where = f"{one.function}() ({one.file})" if one.function else one.file
    gone = sum(not has(e.file) for e in stale)
    hide = f"{len(stale)} of {entries} entries hide{'s' * (len(stale) == 1)}"
    hide = "its only entry hides" if entries == 1 else hide
    first = "" if len(stale) == 1 else ", the first"
    lost = f"; {gone} in a file that is gone" if gone == 1 else f"; {gone} in files that are gone"
    return (
        f"{name}: {hide} nothing{first}: {one.rule} in {where}"
        f"{lost * bool(gone)}; --write-baseline {name} leaves out what is not found"
    )
