"""Speak to netdev's NIPA: one line to a descriptor, and a status of its own."""

from __future__ import annotations

import os
from fcntl import F_GETFL, fcntl
from typing import TYPE_CHECKING

from analyzer.base import AnalyzerError, Severity

if TYPE_CHECKING:
    from analyzer.select import Selected

PASSED, WARNED, FAILED = 0, 250, 1
_VARIABLE = "DESC_FD"


def nipa_descriptor() -> int:
    """Return the descriptor in $DESC_FD; raise AnalyzerError where nothing can be written to it."""
    named = os.environ.get(_VARIABLE, "")
    try:
        descriptor = int(named)
        mode = fcntl(descriptor, F_GETFL) & os.O_ACCMODE
    except (ValueError, OverflowError, OSError):
        mode = os.O_RDONLY
    if mode == os.O_RDONLY:
        raise _refused(named)
    return descriptor


def tell_nipa(selected: Selected, descriptor: int) -> int:
    """Write the verdict to the descriptor, and return the status that goes with it."""
    from analyzer.report.plain import plain
    from analyzer.report.words import verdict

    try:
        os.write(descriptor, f"{plain(verdict(selected))}\n".encode())
    except OSError as error:
        raise _refused(str(descriptor)) from error
    if selected.count(Severity.ERROR):
        return FAILED
    doubtful = selected.count(Severity.WARNING) or not selected.result.is_whole
    return WARNED if doubtful else PASSED


def _refused(named: str) -> AnalyzerError:
    found = f"is {named!r}, which is no descriptor to write to" if named else "is not set"
    return AnalyzerError(f"--nipa: {_VARIABLE} {found}; NIPA sets it")
