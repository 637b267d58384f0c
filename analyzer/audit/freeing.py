"""Decide by a page's being given back to the allocator, which only its owner does."""

from __future__ import annotations

from analyzer.audit.guards import origins_of
from analyzer.audit.judged import Judged, unaffected
from analyzer.audit.scene import Scene
from analyzer.audit.uses import Use
from analyzer.c import ir
from analyzer.program.defs import Place, calls_of
from analyzer.ways.state import PRINTS, Path

#: What a function does where nobody but its caller, or a reader, can tell.
ANSWERS = frozenset(("returns", "goes on", "computes", PRINTS))
OWNED = "which only its owner does"


def freed(use: Use, scene: Scene) -> Judged | None:
    """Decide tests that only tell how a page is freed."""
    called = scene.program.called((use.file, use.function))
    if use.name.verb != "reads" or not any(scene.frees(use.file, n) for n in called):
        return None
    if not (why := scene.unfreed(use)):
        return None
    for shift in scene.relevant(use):
        found = scene.ways(use, shift)
        if found is None or not found.complete or not found.differing:
            return None
        for paths in zip(*found.differing, strict=True):
            if not all(_frees(p, use, scene) or _is_idle(p) for p in paths):
                return None
            if not any(_frees(p, use, scene) for p in paths):
                return None
    return unaffected(
        "tells boot memory from the allocator's pages, and frees the page either way, "
        f"{OWNED}; {why}"
    )


def _frees(path: Path, use: Use, scene: Scene) -> bool:
    called = (w.what.split("(")[0] for w in path.ways if w.kind == "calls")
    return any(scene.frees(use.file, name) for name in called)


def _is_idle(path: Path) -> bool:
    """Tell whether nothing is done on a path: a loop over the pages may have none to free."""
    return all(w.kind in ANSWERS for w in path.ways)


def is_given_back(use: Use, scene: Scene) -> bool:
    """Tell whether a page is freed on every way from a use to the end of the function."""
    argument, _ = scene.handed(use)
    found = [
        argument < len(call.args) and _ends_freed(variant, place, call.args[argument], scene)
        for _, variant, place, call in scene.places(use)
    ]
    return bool(found) and all(found)


def _ends_freed(variant: ir.Variant, place: Place, page: ir.Expr, scene: Scene) -> bool:
    """Tell whether no way leads from a place past all calls that free what a page is of."""
    origins = origins_of(variant, place, page, scene)
    frees = {
        at
        for at, call in calls_of(variant)
        if isinstance(call.callee, ir.Name)
        and call.callee.id in scene.known.free
        and any(origins & origins_of(variant, at, a, scene) for a in call.args)
    }
    blocks = {f.block for f in frees}
    loops = (p for p in variant.loops if blocks & p.blocks and place.block not in p.blocks)
    headers = {p.header for p in loops}  # a loop over pages has one at least
    todo, seen = [(place.block, place.index + 1)], {place.block}
    while frees and todo:
        block, index = todo.pop()
        if block in headers or any(f.block == block and f.index >= index for f in frees):
            continue
        end = variant.blocks[block].end
        if isinstance(end, ir.Return):
            return False
        new = [b for b in ir.successors(end) if b not in seen]
        seen.update(new)
        todo += [(b, 0) for b in new]
    return bool(frees)
