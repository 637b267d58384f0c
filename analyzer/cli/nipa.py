"""Speak to netdev's NIPA: one line to a descriptor, and a status of its own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from analyzer.base import AnalyzerError, Severity

if TYPE_CHECKING:
    from analyzer.select import Selected

PASSED, WARNED, FAILED = 0, 250, 1
_VARIABLE = "DESC_FD"


def tell_nipa(selected: Selected) -> int:
    """Write the verdict to the descriptor in $DESC_FD, and return the status that goes with it.

    Raise AnalyzerError where that is no open descriptor.
    """
    from analyzer.report.plain import plain
    from analyzer.report.words import verdict

    named = os.environ.get(_VARIABLE, "")
    try:
        os.write(int(named), f"{plain(verdict(selected))}\n".encode())
    except (ValueError, OSError) as error:
        raise AnalyzerError(
            f"--nipa: {_VARIABLE} is {named!r}, and no descriptor to write to: NIPA sets it"
        ) from error
    if selected.count(Severity.ERROR):
        return FAILED
    doubtful = selected.count(Severity.WARNING) or not selected.result.is_whole
    return WARNED if doubtful else PASSED
