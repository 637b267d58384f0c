"""Charge findings to the patches of a series: who introduces them, who mends them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace

from analyzer.base import unspaced
from analyzer.findings import Finding, Status


def charged(
    found: list[Finding],
    new: Iterable[Finding],
    patch: int,
    moved: Mapping[str, str] | None = None,
) -> list[Finding]:
    """Charge findings to the patch that introduces them, and note which patch mends them.

    moved tells what files are called now that had other names when something was found in them.
    """
    held, names = list(found), moved or {}

    def is_same(held: Finding, finding: Finding) -> bool:
        one = (held.rule, names.get(held.file, held.file), held.function)
        return one == (finding.rule, finding.file, finding.function)

    def is_end(held: Finding, finding: Finding) -> bool:
        """Tell whether a finding breaks where another one does that an earlier patch introduces.

        That a later one finds it there makes it none that was there before the series.
        """
        if held.status is not Status.INTRODUCED or held.fixed_by or not held.trace:
            return False
        end = held.trace[-1]
        one = (names.get(end.span.file, end.span.file), end.function)
        return one == (finding.file, finding.function)

    for finding in new:
        finding = replace(finding, fingerprint=_fingerprint(finding))
        if finding.status is Status.INTRODUCED:
            held.append(replace(finding, introduced_by=patch))
        elif finding.status is Status.FIXED:
            mended = [
                f
                for f in held
                if is_same(f, finding)
                and f.status is Status.INTRODUCED
                and f.introduced_by != patch
            ]
            for f in mended:
                held[held.index(f)] = replace(f, fixed_by=patch)
            if not mended and not any(is_same(f, finding) for f in held):
                held.append(replace(finding, fixed_by=patch))
        elif not any(is_same(f, finding) or is_end(f, finding) for f in held):
            held.append(replace(finding, seen_after=patch))
    return held


def _fingerprint(f: Finding) -> str:
    """Hash what makes a finding the same across revisions: never a line, never a commit."""
    cause = f.cause.function if f.cause else ""
    parts = (f.rule, f.file, f.function, unspaced(f.operation), cause)
    text = "\0".join(parts).encode("utf-8", "surrogateescape")  # paths may be any bytes
    return hashlib.blake2b(text, digest_size=16).hexdigest()
