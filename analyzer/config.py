"""Read a kernel configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from analyzer.base import AnalyzerError

_SET = re.compile(r"^(CONFIG_\w+)=(.+)$", re.MULTILINE)
_UNSET = re.compile(r"^# (CONFIG_\w+) is not set$", re.MULTILINE)


def read_config(path: Path) -> Mapping[str, bool]:
    """Return which symbols a `.config` sets and which it says are not set.

    A symbol that it does not name stays open: all of its variants are analysed. A module counts
    as set. Raise AnalyzerError where the file cannot be read or names no symbol.
    """
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise AnalyzerError(f"{path}: cannot read the configuration: {error.strerror}") from error
    config = {m[1]: m[2].strip() != "n" for m in _SET.finditer(text)}
    config.update((m[1], False) for m in _UNSET.finditer(text))
    if not config:
        raise AnalyzerError(
            f"{path}: not a kernel configuration: no line like CONFIG_X=y; name a tree's .config"
        )
    return config
