"""Define a verdict with its reason, and say in words how the ways of two states differ."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from analyzer.audit.moved import Shift
from analyzer.audit.scene import Scene
from analyzer.audit.uses import Use
from analyzer.sites import Verdict
from analyzer.ways.state import Path, Way
from analyzer.ways.ways import Share, Ways


@dataclass(frozen=True, slots=True)
class Judged:
    """A verdict on one use."""

    verdict: Verdict
    reason: str
    ways: tuple[str, str] | None = None
    populations: tuple[str, ...] = ()
    is_late: bool = False


#: A way to decide: a verdict, or None where it has nothing to say.
Rule = Callable[[Use, Scene], Judged | None]


def unaffected(reason: str, populations: tuple[str, ...] = ()) -> Judged:
    """Return that a use is not affected, and why."""
    return Judged(Verdict.UNAFFECTED, reason, populations=populations)


def undecided(
    reason: str,
    ways: tuple[str, str] | None = None,
    populations: tuple[str, ...] = (),
) -> Judged:
    """Return that nothing decides a use, and what is missing."""
    return Judged(Verdict.UNDECIDED, reason, ways, populations)


def late(reason: str) -> Judged:
    """Return that a use is undecided only because the work was ended."""
    return Judged(Verdict.UNDECIDED, reason, is_late=True)


def listed(parts: Iterable[str]) -> str:
    """Join parts as in a sentence, each of them once."""
    named = list(dict.fromkeys(parts))
    return " and ".join([", ".join(named[:-1]), named[-1]] if len(named) > 1 else named)


def tells_beside(use: Use, found: Ways | None, scene: Scene) -> list[str]:
    """Return the other tests by which a page is told after and was not before."""
    return sorted(
        n
        for n in (found.told if found else ())
        if scene.space.operations[n].label != use.name.label
    )


def same_way(use: Use, shift: Shift, found: Ways, scene: Scene) -> str:
    """Say why it is all the same for a page; nothing where it is not."""
    if not found.complete:
        return ""
    beside = tells_beside(use, found, scene)
    if not found.differing:
        if beside:
            return f"{beside[0]}() is tested as well, with the same way out: {_ends(found.after)}"
        return f"the same for {shift.told} before and after: {_ends(found.after)}"
    if found.is_printed:
        return f"only what is printed differs for {shift.told} before and after"
    if beside and found.after <= found.before:
        ends = frozenset(
            w for b, a in found.differing for w in a.ways if w.kind in ("returns", "goes on")
        )
        return f"{beside[0]}() is tested as well, with the same way out: {_ends(ends)}"
    return ""


def _ends(ways: frozenset[Way]) -> str:
    ends = sorted(w for w in ways if w.kind in ("returns", "goes on"))
    ends = ends or sorted(w for w in ways if w.kind == "fails")
    return " or ".join(map(str, ends[:3])) or "nothing happens"


def is_shared(use: Use, shift: Shift, found: Ways, scene: Scene) -> bool:
    """Tell whether a test's answer makes no difference unless that of another one goes with it."""
    return found.complete and scene.shares(use, shift) == ()


def told_ways(use: Use, shift: Shift, found: Ways, scene: Scene) -> tuple[str, str]:
    """Say on one path what happens only before and only after.

    Of a test that is what its own answer makes of it, where one answer alone makes anything.
    """
    if shares := scene.shares(use, shift):
        share = min(shares, key=lambda s: (not s.is_all, len(s.before.ways ^ s.after.ways)))
        return _only(share.lost, share.before, share), _only(share.gained, share.after, share)
    before, after = min(found.differing, key=lambda p: len(p[0].ways ^ p[1].ways))
    return _only(before.ways - after.ways, before), _only(after.ways - before.ways, after)


def _only(ways: frozenset[Way], path: Path, share: Share | None = None) -> str:
    """Say what sets a path apart; where that is nothing, how it ends."""
    shown = [str(w) for w in sorted(ways)[:4]]
    more = "" if share is not None and not share.is_all else ", and no more"
    return "; ".join(shown) or f"{_ends(path.ways)}{more}"
