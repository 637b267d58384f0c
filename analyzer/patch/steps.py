"""Apply the patches of a series one after another, or find them in the tree already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from analyzer.base import AnalyzerError, Pair
from analyzer.patch.apply import Applied, ChangedLines, Rejected, apply_patch, refusal
from analyzer.patch.model import Patch, reverse_patch
from analyzer.patch.moves import moved_files, moved_on, with_moved
from analyzer.tree.api import Tree

_ADVICE = (
    "Name the tree or revision that the patch was made for, or analyse what applies: --partial."
)
_ELSEWHERE = (
    "None of these files is there: name the top of the kernel tree that the patch was made for, "
    "with --tree or --git."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One patch of a series: the trees around it, the files it changes, what does not apply.

    A file of C that the patch renames has its new name in the tree before, too: what it held is not
    new. moved gives that name by the one before.
    """

    patch: Patch
    trees: Pair[Tree]
    changed: Mapping[str, ChangedLines]
    moved: Mapping[str, str]
    rejected: tuple[Rejected, ...]
    notes: tuple[str, ...]

    def lines(self, path: str) -> tuple[range, ...]:
        """Return the lines of a file that the patch changes, as they are after it.

        Where lines were only taken away, the line that followed them counts.
        """
        if path not in self.changed:
            return ()
        return tuple(range(r.start, max(r.stop, r.start + 1)) for r in self.changed[path].after)


def apply_series(
    patches: Sequence[Patch], tree: Tree, *, partial: bool = False
) -> tuple[Step, ...]:
    """Return each patch's step; what one patch leaves is what the next one finds.

    Patches that the tree already has, all of them or the first few, are undone first and then
    analysed as if they had just been applied. Raise one AnalyzerError that names every hunk of
    every patch that does not apply; with partial they are left out instead.
    """
    known = _applied_ahead(patches, tree)
    if known:
        for patch in reversed(patches[:known]):
            tree = apply_patch(tree, reverse_patch(patch)).tree
    steps: list[Step] = []
    for n, patch in enumerate(patches):
        step = _step(patch, tree, undone=n < known)
        steps.append(step)
        tree = step.trees.after
    refused = [s for s in steps if s.rejected]
    if refused and not partial:
        told = [refusal(s.trees.before, s.patch, s.rejected) for s in refused]
        elsewhere = not any(_is_there(s) for s in refused)
        raise AnalyzerError("\n".join((*told, _ELSEWHERE if elsewhere else _ADVICE)))
    if refused and not any(s.changed for s in steps):
        told = [refusal(s.trees.before, s.patch, s.rejected) for s in refused]
        raise AnalyzerError("\n".join((*told, "Nothing of it applies: nothing to analyse.")))
    return tuple(steps)


def _is_there(step: Step) -> bool:
    """Tell whether the tree before has one of the files of a patch, by the name on either side."""
    names = (name for change in step.patch.files for name in (change.before, change.after))
    return any(name is not None and step.trees.before.read(name) is not None for name in names)


def around(steps: Sequence[Step]) -> tuple[Pair[Tree], tuple[str, ...]]:
    """Return the trees around some steps, and the files in which they differ, sorted.

    A file that is renamed on the way has its last name on both sides.
    """
    moved: Mapping[str, str] = {}
    files: set[str] = set()
    for step in steps[1:]:
        moved = moved_on(moved, step.moved)
    for step in steps:
        files = {step.moved.get(path, path) for path in files}.union(step.changed)
    before = with_moved(steps[0].trees.before, moved)
    return Pair(before, steps[-1].trees.after), tuple(sorted(files))


def _step(patch: Patch, tree: Tree, *, undone: bool) -> Step:
    applied = apply_patch(tree, patch, partial=True)
    remark = f"patch {patch.index} is already applied: analysed as if it had just been"
    if not applied.already_applied:
        notes = (remark,) if undone else applied.notes
        return _made(patch, Pair(tree, applied.tree), applied, notes)
    back = apply_patch(tree, reverse_patch(patch))
    return _made(patch, Pair(back.tree, tree), back, (*applied.notes, remark))


def _made(patch: Patch, trees: Pair[Tree], applied: Applied, notes: tuple[str, ...]) -> Step:
    moved = moved_files(patch, trees, applied.changed)
    changed = dict(applied.changed)
    for name, new in moved.items():
        gone, added = changed.pop(name), changed.get(new, ChangedLines((), ()))
        changed[new] = ChangedLines(gone.before, added.after)
    return Step(
        patch=patch,
        trees=Pair(with_moved(trees.before, moved), trees.after),
        changed={path: changed[path] for path in sorted(changed)},
        moved=moved,
        rejected=applied.rejected,
        notes=notes,
    )


def _applied_ahead(patches: Sequence[Patch], tree: Tree) -> int:
    """Return how many patches, from the first on, are in the tree: undone one after another.

    One that is there alone is recognised by its step; later ones may hide earlier ones.
    """
    if len(patches) < 2:
        return 0
    first = apply_patch(tree, patches[0], partial=True)
    fits = not first.rejected and not first.already_applied
    if fits and not first.notes:
        return 0
    # What fits elsewhere only, code that looks the same say, may be there where it belongs.
    for count in range(len(patches), 0, -1):
        if _can_undo(patches[:count], tree, exactly=fits):
            return count
    return 0


def _can_undo(patches: Sequence[Patch], tree: Tree, *, exactly: bool) -> bool:
    for patch in reversed(patches):
        undone = apply_patch(tree, reverse_patch(patch), partial=True)
        if undone.rejected or undone.already_applied or not undone.changed:
            return False
        if exactly and undone.notes:
            return False
        tree = undone.tree
    return True
