"""Assemble fixture cases: a tree before the patch, the patch, and the notes of the tree after it.

A case is a folder `fixtures/<topic>/<case>/` with `tree/` (what stands only in this case), a
`change.patch` or a `series.mbox`, and `case.toml`:

    notes    what the case shows
    laws     the page-state laws to run under (default: all three)
    base     "before" or "after": is the core of `fixtures/common/` migrated already?
    migrate  true or a list of files: the patch migrates the core (these files of it) as well
    revert   true: the patch takes the migration of the core back
    configs  configurations to run with, each a list such as ["CONFIG_X", "!CONFIG_Y"]
    compiles "both" (default), "before" where the patch leaves a call that cannot compile
    charged  for a series: which patch introduced (and repaired) a finding

A case's tree is laid over `common/<law>`, `common/<base>` and `common/core`.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from analyzer.findings import Finding, Result, Status
from analyzer.patch import Series
from analyzer.patch.apply import apply_patch
from analyzer.patch.read import read_series
from analyzer.pipeline import check
from analyzer.tree import MemoryTree
from notes import Note, applies, parse_notes, strip_notes

FIXTURES = Path(__file__).resolve().parent.parent / "fixtures"
COMMON = FIXTURES / "common"
LAWS = ("strict", "lenient", "bits")
_KEYS = {"notes", "laws", "base", "migrate", "revert", "configs", "compiles", "charged"}

#: path -> text
Files = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Charge:
    """Which patch of a series a finding belongs to; fixed_by is None where it stays."""

    rules: tuple[str, ...]
    function: str
    introduced_by: int
    fixed_by: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A fixture as its folder describes it."""

    name: str
    folder: Path
    laws: tuple[str, ...]
    base: str
    migrate: tuple[str, ...]
    revert: bool
    configs: tuple[tuple[str, ...], ...]
    compiles: str
    charges: tuple[Charge, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """A case under one law: clean sources on both sides, the clean patch, the notes of the after.

    own names the files that the case brings or changes; all others are the common core.
    """

    case: Case
    law: str
    before: Files
    after: Files
    annotated: Files  # the after with its notes
    patch: str
    notes: tuple[Note, ...]
    own: frozenset[str]


def load_cases() -> tuple[Case, ...]:
    """Return every case under `fixtures/`, sorted by name."""
    return tuple(_load(p.parent) for p in sorted(FIXTURES.glob("*/*/case.toml")))


def _load(folder: Path) -> Case:
    facts = tomllib.loads((folder / "case.toml").read_text())
    name = folder.relative_to(FIXTURES).as_posix()
    if unknown := set(facts) - _KEYS:
        raise ValueError(f"{name}/case.toml: unknown key {sorted(unknown)[0]}")
    own = _files(folder / "tree")
    migrate = facts.get("migrate", False)
    if isinstance(migrate, bool):
        migrate = sorted(set(_files(COMMON / "after")) - set(own)) if migrate else []
    return Case(
        name=name,
        folder=folder,
        laws=tuple(facts.get("laws", LAWS)),
        base=facts["base"],
        migrate=tuple(migrate),
        revert=facts.get("revert", False),
        configs=tuple(tuple(c) for c in facts.get("configs", [[]])),
        compiles=facts.get("compiles", "both"),
        charges=tuple(
            Charge(tuple(c["rule"]), c["function"], c["introduced_by"], c.get("fixed_by"))
            for c in facts.get("charged", [])
        ),
    )


@cache
def _files(root: Path) -> Files:
    return {
        p.relative_to(root).as_posix(): p.read_text()
        for p in sorted(root.rglob("*"))
        if p.is_file()
    }


def common_files(law: str, base: str) -> Files:
    """Return the common core of a law, migrated ("after") or not ("before")."""
    return {**_files(COMMON / "core"), **_files(COMMON / base), **_files(COMMON / law)}


@cache
def assemble(case: Case, law: str) -> Scene:
    """Build a case's trees, patch and notes under a law."""
    own = _files(case.folder / "tree")
    before = {**common_files(law, case.base), **own}
    patch = _core_patch(case, before) + _own_patch(case)
    annotated = patched(before, patch)
    return Scene(
        case=case,
        law=law,
        before={path: strip_notes(text) for path, text in before.items()},
        after={path: strip_notes(text) for path, text in annotated.items()},
        annotated=annotated,
        patch=_strip_patch(patch),
        notes=tuple(n for path, text in annotated.items() for n in parse_notes(path, text)),
        own=frozenset(own) | (annotated.keys() - before.keys()),
    )


def _core_patch(case: Case, before: Files) -> str:
    side = "before" if case.revert else "after"
    paths = sorted(_files(COMMON / "after")) if case.revert else case.migrate
    target = _files(COMMON / side)
    return unified(before, {**before, **{path: target[path] for path in paths}})


def _own_patch(case: Case) -> str:
    written = [case.folder / "change.patch", case.folder / "series.mbox"]
    return "".join(p.read_text() for p in written if p.exists())


def _strip_patch(patch: str) -> str:
    return strip_notes(patch, keep=1)


def unified(before: Files, after: Files) -> str:
    """Return the difference of two trees as one unified diff."""
    out: list[str] = []
    for path in sorted(before.keys() | after.keys()):
        one, other = before.get(path), after.get(path)
        if one != other:
            out += difflib.unified_diff(
                (one or "").splitlines(True),
                (other or "").splitlines(True),
                "/dev/null" if one is None else f"a/{path}",
                "/dev/null" if other is None else f"b/{path}",
            )
    return "".join(out)


def tree_of(files: Files) -> MemoryTree:
    """Return sources as a tree."""
    return MemoryTree(dict(files))


def series_of(files: Files, patch: str) -> Series:
    """Read a patch against its tree; an empty one is a series without patches."""
    if not patch:
        return Series(patches=(), notes=())
    return read_series(patch.encode(), "change.patch", tree_of(files))


def patched(files: Files, patch: str) -> Files:
    """Return the sources with the patch (or each of its series in turn) applied."""
    if not patch:
        return files
    tree, paths = tree_of(files), set(files)
    for one in series_of(files, patch).patches:
        paths |= {change.after for change in one.files if change.after is not None}
        tree = apply_patch(tree, one).tree
    texts = {path: tree.read(path) for path in sorted(paths)}
    return {path: text.decode() for path, text in texts.items() if text is not None}


@cache
def run(case: Case, law: str, config: tuple[str, ...] = ()) -> Result:
    """Check a case's patch under a law."""
    scene = assemble(case, law)
    return checked(scene.before, scene.patch, config)


def checked(files: Files, patch: str, config: tuple[str, ...] = ()) -> Result:
    """Run the whole tool on sources and a patch."""
    return check(series_of(files, patch), tree_of(files), config=config_of(config))


def config_of(terms: tuple[str, ...]) -> dict[str, bool]:
    """Return `CONFIG_X` and `!CONFIG_Y` as a configuration."""
    return {term.lstrip("!"): not term.startswith("!") for term in terms}


def notes_for(scene: Scene, config: tuple[str, ...] = ()) -> tuple[Note, ...]:
    """Return the notes that count under the scene's law and a configuration."""
    return tuple(n for n in scene.notes if applies(n, scene.law, config_of(config)))


def open_findings(result: Result) -> tuple[Finding, ...]:
    """Return what the whole series leaves behind: introduced by it and not repaired in it."""
    return tuple(
        f for f in result.findings if f.status is Status.INTRODUCED and f.fixed_by is None
    )
