"""Turn what the user named into a series and a tree, and keep the states between patches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Protocol

from analyzer.base import AnalyzerError, Gap, Pair
from analyzer.findings import Finding, Result, Status
from analyzer.patch.model import Series
from analyzer.patch.range import is_range, read_range
from analyzer.patch.read import read_files
from analyzer.patch.siblings import find_siblings
from analyzer.patch.stack import patches_in
from analyzer.patch.steps import Step, apply_series, around
from analyzer.tree import Tree, open_tree

_STDIN = "standard input"
#: A patch that is larger is none.
_LARGEST = 256 << 20


class Input(Protocol):
    """Standard input, as far as it is needed."""

    def isatty(self) -> bool:
        """Tell whether a person types."""
        ...

    def read(self, size: int = -1, /) -> bytes:
        """Return at most so many bytes."""
        ...


@dataclass(frozen=True)
class Request:
    """A series and the tree that it is for; partial leaves out what does not apply.

    given is the one patch that was asked about, where its siblings were found in git; else None.
    """

    series: Series
    tree: Tree
    partial: bool = False
    given: int | None = None

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        """Return the series applied patch by patch; raise AnalyzerError where it does not apply."""
        return apply_series(self.series.patches, self.tree, partial=self.partial)

    @property
    def trees(self) -> Pair[Tree]:
        """Return the trees before and after the whole series; renamed C files have one name."""
        return self._around[0]

    @property
    def files(self) -> tuple[str, ...]:
        """Return the files that the series changes, by the names of either side, sorted."""
        return self._around[1]

    @cached_property
    def _around(self) -> tuple[Pair[Tree], tuple[str, ...]]:
        return around(self.steps) if self.steps else (Pair(self.tree, self.tree), ())

    def read(self, path: str, patch: int) -> bytes | None:
        """Return a file as it is after a patch of the series; 0 is the tree before it."""
        if not 0 <= patch <= len(self.steps):
            return None
        if patch == 0:
            return (self.steps[0].trees.before if self.steps else self.tree).read(path)
        text = self.steps[patch - 1].trees.after.read(path)
        if text is None and patch < len(self.steps):  # the next patch may rename it
            return self.steps[patch].trees.before.read(path)
        return text

    def changed(self, path: str, patch: int) -> tuple[range, ...]:
        """Return the lines of a file that a patch of the series changes, as they are after it."""
        if not 1 <= patch <= len(self.steps):
            return ()
        return self.steps[patch - 1].lines(path)

    def of_given(self, result: Result) -> Result:
        """Return of a result what the patch that was asked about has done."""
        if self.given is None:
            return result
        return replace(result, findings=tuple(filter(self._is_of_given, result.findings)))

    def _is_of_given(self, finding: Finding) -> bool:
        match finding.status:
            case Status.INTRODUCED:
                return finding.introduced_by == self.given
            case Status.FIXED:
                return finding.fixed_by == self.given
        return True

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
    from analyzer.c.unit import scan_unit  # only a gap pays for it

    for name, definitions in scan_unit(path, text).definitions.items():
        for d in definitions:
            if any(d.span.line < r.stop and r.start <= d.span.end_line for r in changed):
                yield name


def open_request(
    patches: Sequence[str],
    folder: str | None,
    revision: str | None,
    version: int | None,
    stdin: Input,
    *,
    partial: bool = False,
    alone: bool = False,
) -> Request:
    """Return the series that was named and the tree it is for.

    patches are files or directories of files, together one series, `-` or nothing for standard
    input, or a git range `A..B`; the base of a range is A unless a revision is named. version
    picks one of several rerolls in a mailbox; partial leaves out what does not apply. A single
    patch of a series is judged among its siblings where git has some, unless alone. Raise
    AnalyzerError where there is no such thing.
    """
    for patch in patches:
        if not patch:
            raise AnalyzerError("expected a patch, a range REV..REV or -, found ''")
        if is_range(patch) and not _may_exist(patch):
            if len(patches) > 1:
                raise AnalyzerError(f"{patch}: a range goes alone, not with other patches")
            series = read_range(folder or ".", patch)
            base = patch.partition("..")[0] or "HEAD"
            tree = open_tree(folder, base if revision is None else revision)
            return Request(series, tree, partial)
    files, notes = _files(patches, stdin)
    name = patches[0] if len(patches) == 1 and patches[0] != "-" else _STDIN
    if len(patches) > 1:
        name = f"{_STDIN if patches[0] == '-' else patches[0]} ..."
    tree = open_tree(folder, revision)
    series = read_files(files, name, tree, version=version)
    request = Request(replace(series, notes=(*notes, *series.notes)), tree, partial)
    return request if alone else _among_siblings(request, folder or ".")


def _among_siblings(request: Request, folder: str) -> Request:
    """Return the request for a single patch's whole series, where git has it and it applies."""
    if len(request.series.patches) != 1:
        return request
    found = find_siblings(request.series.patches[0], folder)
    if found is None:
        return request
    missing = ": not in the input:"  # it is in git
    notes = (n for n in request.series.notes if missing not in n)
    series = Series(found.patches, (*notes, found.note))
    whole = replace(request, series=series, given=found.given)
    try:
        assert whole.steps, "a series has patches"
    except AnalyzerError:
        return request  # what git has does not fit the tree at hand: the patch alone may
    return whole


def _files(patches: Sequence[str], stdin: Input) -> tuple[Mapping[str, bytes], tuple[str, ...]]:
    """Return the bytes of what was named, by the names that messages call it, and notes."""
    if not patches and stdin.isatty():
        raise AnalyzerError(
            "no patch: name a file or a range REV..REV, or give the patch on standard input"
        )
    within = [_within(patch) for patch in patches or ("-",)]
    files: dict[str, bytes] = {}
    room = _LARGEST
    for name in dict.fromkeys(file for names, _ in within for file in names):
        files[name] = _read_input(stdin, room + 1) if name == _STDIN else _read(name, room + 1)
        room -= len(files[name])
        if room < 0:
            raise AnalyzerError(
                f"{name}: more than {_LARGEST >> 20} MB: not a patch but something else"
            )
    return files, tuple(note for _, notes in within for note in notes)


def _read_input(stdin: Input, size: int) -> bytes:
    try:
        return stdin.read(size)
    except OSError as error:
        raise AnalyzerError(f"{_STDIN}: cannot read the patch: {error.strerror}") from error


def _may_exist(path: str) -> bool:
    try:
        return Path(path).exists()
    except OSError:  # reading it tells
        return True


def _within(patch: str) -> tuple[Sequence[str], tuple[str, ...]]:
    """Return the files of a directory in the order in which they apply, of anything else itself."""
    if patch == "-":
        return (_STDIN,), ()
    try:
        if not Path(patch).is_dir():
            return (patch,), ()
        found, notes = patches_in(Path(patch))
    except OSError as error:
        raise AnalyzerError(f"{patch}: cannot read the patch: {error.strerror}") from error
    if found:
        return [str(p) for p in found], notes
    raise AnalyzerError(f"{patch}: no patch in it: found a directory without files")


def _read(patch: str, size: int) -> bytes:
    try:
        with Path(patch).open("rb") as file:
            return file.read(size)
    except FileNotFoundError as error:
        missing = f"{patch}: no such patch file, and not a range REV..REV (one commit: REV^..REV)"
        before, dots, after = patch.partition("...")
        if dots and before and after:
            missing += f"; from where they part: $(git merge-base {before} {after})..{after}"
        raise AnalyzerError(missing) from error
    except OSError as error:
        raise AnalyzerError(f"{patch}: cannot read the patch: {error.strerror}") from error
