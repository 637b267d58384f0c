"""Tell in which order the patches of a directory apply: quilt writes it into a file beside them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from analyzer.base import AnalyzerError
from analyzer.tree.api import is_inside

_NAME = "series"
#: So many files that are left out are named.
_TOLD = 3


def patches_in(folder: Path) -> tuple[Sequence[Path], tuple[str, ...]]:
    """Return the files of a directory in the order in which they apply, and notes.

    That is the order of a file `series` that names them, as quilt keeps it, which leaves out the
    others; else that of their names. Raise AnalyzerError where it names what is not there.
    """
    found = files_in(folder)
    names = _named(folder / _NAME)
    named = [folder / name for name in names if is_inside(name)]
    if not any(path.is_file() for path in named):
        return found, ()
    for name in names:
        if not is_inside(name) or not (folder / name).is_file():
            raise AnalyzerError(f"{folder / _NAME}: names {name}, which is not there")
    others = [p.name for p in found if p not in named and p.name != _NAME]
    if not others and named == sorted(named):
        return named, ()
    more = f" and {len(others) - _TOLD} more" if len(others) > _TOLD else ""
    without = f", without {', '.join(others[:_TOLD])}{more}" if others else ""
    return named, (f"{folder}: in the order of its {_NAME} file{without}",)


def files_in(folder: Path) -> list[Path]:
    """Return the files of a directory that are not hidden, in the order of their names."""
    return sorted(p for p in folder.iterdir() if p.is_file() and not p.name.startswith("."))


def _named(file: Path) -> list[str]:
    """Return the names in a series file: the first word of a line, `#` starts a remark."""
    if not file.is_file():
        return []
    lines = file.read_text("utf-8", "surrogateescape").splitlines()
    words = (line.split() for line in lines)
    return [w[0] for w in words if w and not w[0].startswith("#")]
