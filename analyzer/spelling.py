"""Spell a page flag or type as the kernel does: `LargeKmalloc`, but `folio_test_large_kmalloc()`.

How a tree spells one is read from the macros of its page-flags.h. Where there is no tree at hand,
or it has no such name, a rule says what is usual.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_USE = re.compile(rb"^[ \t]*_*[A-Z][A-Z_]*\(([^()\n]*)\)", re.M)
_LOWER = re.compile(r"[a-z][a-z0-9_]*")

#: The state of a page that has none of the flags and types that are followed.
NEITHER = "neither"


def in_words(state: str) -> str:
    """Say a state as it goes into a sentence: `Offline`, `unmarked`."""
    return "unmarked" if state == NEITHER else state


def label_of(name: str) -> str:
    """Return the title of what has a lower-case name alone: `LargeKmalloc` for large_kmalloc."""
    return "".join(part[:1].upper() + part[1:] for part in name.split("_"))


def usual_names(label: str) -> tuple[str, ...]:
    """Return the lower-case names that a flag or type usually has: with and without underscores."""
    words = "_".join(_WORD.findall(label)).lower()
    return tuple(dict.fromkeys((words, label.lower())))


def names_of(label: str, spelled: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Return the lower-case names of a flag or type: those that a tree has, and the usual ones."""
    return tuple(dict.fromkeys((*spelled.get(label, ()), *usual_names(label))))


def unknown_in(labels: Iterable[str], spelled: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Yield in words which titles a tree does not have, with those that look much like them.

    A tree of which nothing could be read has none, and lacks none.
    """
    for label in dict.fromkeys(labels) if spelled else ():
        if label not in spelled:
            import difflib  # only a typing mistake pays for it

            folded = {other.lower(): other for other in spelled}
            word = label.replace("_", "").lower()
            close = difflib.get_close_matches(word, list(folded), n=1, cutoff=0.8)
            instead = f"; did you mean {folded[close[0]]}?" if close else ""
            yield f"no page flag or type is called {label}{instead}"


def is_name_of(name: str, label: str) -> bool:
    """Tell whether a lower-case name is a title in other letters: `swapbacked` is `SwapBacked`."""
    return name.replace("_", "") == label.lower()


@lru_cache(maxsize=4)  # a patch leaves it as it is, most often
def names_in(header: bytes) -> Mapping[str, tuple[str, ...]]:
    """Return for each title in a page-flags.h the lower-case names that stand beside it.

    A use of a macro gives them, `PAGE_TYPE_OPS(Table, table, pgtable)`; where none has a title
    for it, as in `FOLIO_TYPE_OPS(slab, slab)`, the first name makes one.
    """
    found: dict[str, dict[str, None]] = {}
    bare: list[list[str]] = []
    for use in _USE.finditer(header):
        first, *others = (a.strip() for a in use[1].decode("latin-1").split(","))
        names = [a for a in (first, *others) if _LOWER.fullmatch(a)]
        if not names or not first.isidentifier():
            continue
        if first in names:
            bare.append(names)
        elif is_name_of(names[0], first):
            found.setdefault(first, {}).update(dict.fromkeys(names))
    titles = {names[0]: title for title, held in found.items() if (names := [*held])}
    for names in bare:
        label = titles.get(names[0]) or label_of(names[0])
        found.setdefault(label, {}).update(dict.fromkeys(names))
    return {label: tuple(names) for label, names in found.items()}
