"""Turn what the user named into a series and a tree, and keep the states between patches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

from analyzer.base import AnalyzerError, Gap, Pair
from analyzer.c.unit import scan_unit
from analyzer.patch.model import Series
from analyzer.patch.range import is_range, read_range
from analyzer.patch.read import read_series
from analyzer.patch.steps import Step, apply_series
from analyzer.tree import Tree, open_tree


@dataclass(frozen=True)
class Request:
    """A series and the tree that it is for; partial leaves out what does not apply."""

    series: Series
    tree: Tree
    partial: bool = False

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Return the series applied patch by patch; raise AnalyzerError where it does not apply."""
        return apply_series(self.series.patches, self.tree, partial=self.partial)

    @property
    def trees(self) -> Pair[Tree]:
        """Return the trees before and after the whole series."""
        if not self.steps:
            return Pair(self.tree, self.tree)
        return Pair(self.steps[0].trees.before, self.steps[-1].trees.after)

    @property
    def files(self) -> tuple[str, ...]:
        """Return the files that the series changes, by the names of either side, sorted."""
        return tuple(sorted({path for step in self.steps for path in step.changed}))

    def read(self, path: str, patch: int) -> bytes | None:
        """Return a file as it is after a patch of the series; 0 is the tree before it."""
        if not 0 <= patch <= len(self.steps):
            return None
        if patch == 0:
            return (self.steps[0].trees.before if self.steps else self.tree).read(path)
        return self.steps[patch - 1].trees.after.read(path)

    def changed(self, path: str, patch: int) -> tuple[range, ...]:
        """Return the lines of a file that a patch of the series changes, as they are after it."""
        if not 1 <= patch <= len(self.steps):
            return ()
        return self.steps[patch - 1].lines(path)

    def touches(self, gap: Gap) -> bool:
        """Tell whether a gap lies in a function that the series changes, or spans such a file."""
        if gap.line == 0:
            return any(gap.file in step.changed for step in self.steps)
        if gap.function:
            return (gap.file, gap.function) in self._functions
        return any(gap.line in lines for step in self.steps for lines in step.lines(gap.file))

    @cached_property
    def _functions(self) -> frozenset[tuple[str, str]]:
        return frozenset(
            (path, name)
            for step in self.steps
            for path in step.changed
            for name in _functions_at(path, step.trees.after.read(path) or b"", step.lines(path))
        )


def _functions_at(path: str, text: bytes, changed: Sequence[range]) -> Iterator[str]:
    """Yield the functions that hold one of the changed lines."""
    for name, definitions in scan_unit(path, text).definitions.items():
        for d in definitions:
            if any(d.span.line < r.stop and r.start <= d.span.end_line for r in changed):
                yield name


def open_request(
    patch: str | None,
    folder: str | None,
    revision: str | None,
    version: int | None,
    stdin: BinaryIO,
    *,
    partial: bool = False,
) -> Request:
    """Return the series that was named and the tree it is for.

    patch is a file, `-` or None for standard input, or a git range `A..B`; the base of a range
    is A unless a revision is named. version picks one of several rerolls in a mailbox;
    partial leaves out what does not apply. Raise AnalyzerError where there is no such
    thing.
    """
    if patch is not None and is_range(patch) and not Path(patch).exists():
        series = read_range(folder or ".", patch)
        tree = open_tree(folder, revision or patch.partition("..")[0] or "HEAD")
        return Request(series, tree, partial)
    name, data = _patch_bytes(patch, stdin)
    tree = open_tree(folder, revision)
    return Request(read_series(data, name, tree, version=version), tree, partial)


def _patch_bytes(patch: str | None, stdin: BinaryIO) -> tuple[str, bytes]:
    if patch is None or patch == "-":
        if patch is None and stdin.isatty():
            raise AnalyzerError(
                "no patch: name a file or a range REV..REV, or give the patch on standard input"
            )
        return "standard input", stdin.read()
    try:
        return patch, Path(patch).read_bytes()
    except FileNotFoundError as error:
        raise AnalyzerError(f"{patch}: no such patch file, and not a range REV..REV") from error
    except OSError as error:
        raise AnalyzerError(f"{patch}: cannot read the patch: {error.strerror}") from error
