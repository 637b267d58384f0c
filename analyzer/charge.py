"""Charge findings to the patches of a series: who introduces them, who mends them."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace

from analyzer.base import unspaced
from analyzer.findings import Break, Finding, Status


def charged(
    found: list[Finding],
    new: Iterable[Finding],
    patch: int,
    moved: Mapping[str, str] | None = None,
    gone: Collection[Break] = (),
) -> list[Finding]:
    """Charge findings to the patch that introduces them, and note which patch mends them.

    Another one may be to blame by then, so a finding is mended as well where pages do not fail any
    more over it: gone says where they do not since a patch. moved tells what files are called now
    that had other names when something was found in them.
    """
    held, names = list(found), moved or {}

    def is_same(held: Finding, finding: Finding) -> bool:
        one = (held.rule, names.get(held.file, held.file), held.function)
        return one == (finding.rule, finding.file, finding.function)

    def breaks_of(held: Finding) -> set[Break]:
        """Return where pages fail over a finding that an earlier patch introduces."""
        is_open = held.status is Status.INTRODUCED and not held.fixed_by
        return {replace(b, file=names.get(b.file, b.file)) for b in held.breaks if is_open}

    # A function to blame is one of several that lead to where it breaks.
    ours = {replace(b, through="") for f in held for b in breaks_of(f)}
    for n, f in enumerate(held):
        breaks = breaks_of(f)
        if not breaks.isdisjoint(gone):
            left = tuple(sorted(breaks.difference(gone)))
            held[n] = replace(f, breaks=left, fixed_by=None if left else patch)
    for finding in new:
        finding = replace(finding, fingerprint=_fingerprint(finding))
        is_ours = {replace(b, through="") for b in finding.breaks} <= ours and finding.breaks
        if finding.status is Status.INTRODUCED:
            held.append(replace(finding, introduced_by=patch))
            continue
        if finding.status is Status.FIXED:
            for n, f in enumerate(held):
                introduced = f.status is Status.INTRODUCED and f.introduced_by != patch
                if introduced and not f.fixed_by and is_same(f, finding):
                    held[n] = replace(f, fixed_by=patch)
            finding = replace(finding, fixed_by=patch)
        else:
            finding = replace(finding, seen_after=patch)
        if not is_ours and not any(is_same(f, finding) for f in held):
            held.append(finding)
    return held


def _fingerprint(f: Finding) -> str:
    """Hash what makes a finding the same across revisions: never a line, never a commit."""
    cause = f.cause.function if f.cause else ""
    parts = (f.rule, f.file, f.function, unspaced(f.operation), cause)
    text = "\0".join(parts).encode("utf-8", "surrogateescape")  # paths may be any bytes
    return hashlib.blake2b(text, digest_size=16).hexdigest()
